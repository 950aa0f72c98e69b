"""Sentences in the little Markdown that Adaptive Cards know: bold, italics, lists and links.

Source: learn.microsoft.com, "Text features" of Adaptive Cards, and "Format cards in Microsoft Teams".
"""

import re
from functools import cache
from urllib.parse import quote, urlsplit

from bot.texts import Markup

WORD_LIMIT = 3000
ELLIPSIS = "…"

_HARMLESS = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")  # most of what is escaped
# Neither control characters nor half of a surrogate pair can be sent; characters that turn the writing direction
# around could make an address read as another one.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")
# A backslash, because CommonMark and every Teams client take it away again. "<" so that no HTML and no <at>
# mention begins; "[" and "]" so that no link or image does. An underscore inside a word is no markup.
_INLINE = re.compile(r"[\\*`\[\]~<]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_LINE_START = re.compile(r"^([^\S\n]*)([-+#>=]|\d{1,9}(?=[.)]))", re.MULTILINE)
_BLANKS_FIRST = re.compile(r"^[ \t]{4,}", re.MULTILINE)  # four blanks would begin a code block
# Clients make links of addresses by themselves. An invisible word joiner stops that: only the bot's own links
# can be followed.
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bmailto:)", re.IGNORECASE)
_JOINER = "\u2060"


def sendable(words: str) -> str:
    """`words` without the characters that cannot be sent or would deceive."""
    return _UNSENDABLE.sub("", words.replace("\r\n", "\n").replace("\r", "\n"))


def shorten(words: str, limit: int) -> str:
    """At most `limit` characters; what was cut off is an ellipsis."""
    return words if len(words) <= limit else words[: max(limit - 1, 0)] + ELLIPSIS


def escape(words: str, limit: int = WORD_LIMIT) -> str:
    """`words` as Markdown that shows exactly them: no link, mention, HTML, emphasis or list can come of it."""
    if len(words) <= limit and _HARMLESS.fullmatch(words):
        return words
    clean = shorten(sendable(words), limit)
    escaped = _INLINE.sub(lambda mark: "\\" + mark[0], clean)
    escaped = _BLANKS_FIRST.sub(" ", escaped)
    escaped = _LINE_START.sub(_escaped_start, escaped)
    escaped = _ADDRESS.sub(_JOINER, escaped)
    # One line break is a blank in Markdown; two begin a new line.
    return re.sub(r"\n+", "\n\n", escaped)


def _escaped_start(match: re.Match[str]) -> str:
    blanks, mark = match[1], match[2]
    # "1." begins a list: there the full stop is to be escaped, a backslash before a digit would be shown.
    return f"{blanks}{mark}\\" if mark[0].isdigit() else f"{blanks}\\{mark}"


@cache
def markup(limit: int = WORD_LIMIT) -> Markup:
    """How to write for a text block; each parameter is shortened to `limit` characters."""
    return Markup(
        escape=lambda words: escape(words, limit),
        bold=lambda words: f"**{words}**" if words.strip() else words,
        # Teams' cards know no code style; bold sets a command apart as well.
        code=lambda words: f"**{words}**" if words.strip() else words,
        link=_link,
    )


@cache
def plain(limit: int = WORD_LIMIT) -> Markup:
    """How to write where Teams reads no Markdown: buttons, labels, notifications."""

    def clean(words: str) -> str:
        return shorten(sendable(words), limit)

    return Markup(
        escape=clean,
        bold=lambda words: words,
        code=lambda words: words,
        link=lambda url, label: clean(url) if label in ("", clean(url)) else f"{label}: {clean(url)}",
    )


def web_address(url: str) -> str | None:
    """`url` as it may stand in a link: http(s) with a host, nothing in it that could end the link. Else None."""
    clean = quote(sendable(url).strip(), safe="%/:?#@!$&'*+,;=~-._[]")
    try:
        parts = urlsplit(clean)
        return clean if parts.scheme.casefold() in {"http", "https"} and parts.hostname else None
    except ValueError:
        return None


def _link(url: str, label: str) -> str:
    address = web_address(url)
    if address is None:
        return label
    # Inside a link no second one can begin, so an address that is shown there may be copied as it is.
    label = label.replace(_JOINER, "")
    return f"[{label}]({address.replace('[', '%5B').replace(']', '%5D')})"
