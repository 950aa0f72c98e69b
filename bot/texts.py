"""From a catalogue key to a sentence in the reader's language, in a platform's markup.

The catalogues are gettext .po files under bot/locale, one for each language, with symbolic ids. In them `{name}`
is a placeholder, `**word**` is bold and `` `word` `` is code; nothing else is markup. What fills a placeholder is
escaped for the platform first, so people's words can never become markup.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from bot.messages import Day, Link, Param, Text, When

LOCALE_DIR = Path(__file__).parent / "locale"
DEFAULT_LANGUAGE = "en"
_MARKS = re.compile(r"\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`")


@dataclass(frozen=True)
class Reader:
    """Who reads: their language ("de", "pt-BR") and IANA time zone."""

    locale: str = DEFAULT_LANGUAGE
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Markup:
    """A platform's way to write. `link` takes an address and a label that is escaped already."""

    escape: Callable[[str], str]
    bold: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str, str], str]


PLAIN = Markup(
    escape=lambda words: words,
    bold=lambda words: words,
    code=lambda words: words,
    link=lambda url, label: url if label == url else f"{label}: {url}",
)


def own_name(language: str) -> str:
    """What a language's own speakers call it: "Deutsch"."""
    return Locale.parse(language).get_display_name(language) or language


def languages() -> tuple[str, ...]:
    """The languages that have a catalogue."""
    return tuple(sorted(path.name for path in LOCALE_DIR.iterdir() if (path / "LC_MESSAGES").is_dir()))


@cache
def _catalogue(language: str) -> gettext.GNUTranslations:
    """A language's sentences; what it lacks is said in English."""
    source = LOCALE_DIR / language / "LC_MESSAGES" / "usher.po"
    compiled = BytesIO()
    with source.open("rb") as po:
        write_mo(compiled, read_po(po, locale=language))
    compiled.seek(0)
    translations = gettext.GNUTranslations(compiled)
    if language != DEFAULT_LANGUAGE:
        translations.add_fallback(_catalogue(DEFAULT_LANGUAGE))
    return translations


@cache
def _says(language: str, key: str) -> bool:
    """Whether the language has this sentence itself."""
    return language == DEFAULT_LANGUAGE or key in _keys(language)


@cache
def _keys(language: str) -> frozenset[str]:
    with (LOCALE_DIR / language / "LC_MESSAGES" / "usher.po").open("rb") as po:
        messages = read_po(po, locale=language)
    return frozenset(each.id if isinstance(each.id, str) else each.id[0] for each in messages if each.id)


@cache
def language_for(locale: str) -> str:
    """The catalogue that serves a locale: "de-AT" reads "de"; an unknown one reads English."""
    wanted = locale.replace("-", "_")
    for candidate in (wanted, wanted.split("_", maxsplit=1)[0]):
        if candidate in languages():
            return candidate
    return DEFAULT_LANGUAGE


@cache
def _babel(locale: str) -> Locale:
    """How numbers, dates and lists are written: the reader's way, if there is a catalogue in their language."""
    parsed = _known(locale)
    return parsed if parsed.language == language_for(locale).split("_", maxsplit=1)[0] else _known(DEFAULT_LANGUAGE)


def _known(locale: str) -> Locale:
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(DEFAULT_LANGUAGE)


@cache
def zone(name: str) -> tzinfo:
    """The time zone of that IANA name; UTC when there is none such."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def say(sentence: Text, reader: Reader, markup: Markup = PLAIN) -> str:
    """The sentence, for this reader, in this markup. A key without a sentence is shown as it is. What is said in
    English for want of a translation is English as a whole, with its dates, numbers and the sentences in it.
    """
    if not sentence.params:
        return _said(sentence.key, language_for(reader.locale), markup)
    reader = spoken_to(sentence, reader)
    count = sentence.params.get("count")
    template = _template(sentence.key, language_for(reader.locale), count if isinstance(count, int) else None)
    filled = {name: _fill(value, reader, markup) for name, value in sentence.params.items()}
    return _assemble(template, filled, markup)


@lru_cache(maxsize=10_000)  # more than there are sentences, in all markups
def _said(key: str, language: str, markup: Markup) -> str:
    """A sentence that is always the same."""
    return _assemble(_template(key, language), {}, markup)


def _template(key: str, language: str, count: int | None = None) -> str:
    catalogue = _catalogue(language)
    return catalogue.gettext(key) if count is None else catalogue.ngettext(key, key, count)


def spoken_to(sentence: Text, reader: Reader) -> Reader:
    """The reader, in the language in which this sentence is said to them."""
    translated = _says(language_for(reader.locale), sentence.key)
    return reader if translated else replace(reader, locale=DEFAULT_LANGUAGE)


def _assemble(template: str, filled: dict[str, str], markup: Markup) -> str:
    return "".join(
        part.style("".join(literal + filled.get(name, "") for literal, name in part.pieces))
        for part in _parts(template, markup)
    )


@dataclass(frozen=True)
class _Part:
    """What stands in one style: words in the platform's markup, each with the placeholder that follows, if any."""

    style: Callable[[str], str]
    pieces: tuple[tuple[str, str], ...]


@lru_cache(maxsize=10_000)  # more than there are sentences, in all markups
def _parts(template: str, markup: Markup) -> tuple[_Part, ...]:
    """Marks are looked for in the catalogue's words only, before anybody's words are put in."""
    parts = []
    position = 0
    for match in _MARKS.finditer(template):
        parts.append(_Part(str, _pieces(template[position : match.start()], markup)))
        style = markup.bold if match["bold"] else markup.code
        parts.append(_Part(style, _pieces(match["bold"] or match["code"], markup)))
        position = match.end()
    parts.append(_Part(str, _pieces(template[position:], markup)))
    return tuple(parts)


def _pieces(template: str, markup: Markup) -> tuple[tuple[str, str], ...]:
    return tuple((markup.escape(literal), name or "") for literal, name, _, _ in Formatter().parse(template))


def _fill(value: Param, reader: Reader, markup: Markup) -> str:
    match value:
        case int():
            return _number(value, _babel(reader.locale))
        case str():
            return markup.escape(value)
        case When():
            return markup.escape(_moment(value, reader))
        case Day():
            return markup.escape(_date(value.on, _babel(reader.locale), "full"))
        case Link():
            return markup.link(value.url, markup.escape(value.label or value.url))
        case Text():
            return say(value, reader, markup)
        case _:
            return format_list([say(part, reader, markup) for part in value], locale=_babel(reader.locale))


def _moment(when: When, reader: Reader) -> str:
    locale = _babel(reader.locale)
    local: datetime = when.at.astimezone(zone(reader.time_zone))
    match when.style:
        case "date":
            return _date(local.date(), locale, "long")
        case "day":
            return _date(local.date(), locale, "full")
        case "time":
            return format_time(local, "short", tzinfo=zone(reader.time_zone), locale=locale)
        case _:
            here = zone(reader.time_zone)
            if locale.language == DEFAULT_LANGUAGE:
                return format_datetime(local, "EEEE d MMMM, HH:mm", tzinfo=here, locale=locale)
            weekday = format_datetime(local, "EEEE", tzinfo=here, locale=locale)
            day = format_skeleton("MMMMd", local, tzinfo=here, locale=locale)
            return f"{weekday}, {day}, {format_time(local, 'short', tzinfo=here, locale=locale)}"


# Few numbers and days are written again and again, and each takes as long as the sentence around it.
@lru_cache(maxsize=1000)
def _number(value: int, locale: Locale) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(maxsize=1000)
def _date(day: date, locale: Locale, style: Literal["full", "long"]) -> str:
    """In English without the order of one country; elsewhere as CLDR writes it."""
    if locale.language != DEFAULT_LANGUAGE:
        return format_date(day, style, locale=locale)
    return format_date(day, "EEEE d MMMM y" if style == "full" else "d MMMM y", locale=locale)
