"""Every sentence that the bot says is in the catalogue, with the placeholders that the code fills, and none is left over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import adapters
import bot
from bot.approvals import ApprovalState
from bot.commands import COMMANDS
from bot.conversations.confirm import DELAYS
from bot.conversations.finish_removal import NOT_SENT
from bot.conversations.problem_tree import KINDS, NEIGHBOURS
from bot.conversations.setup_steps import STEPS
from bot.digests import Frequency
from bot.events import Problem
from bot.finishing import FileKind, FinishStep, StepState
from bot.messages import Day, Link, Text, When, text
from bot.model import (
    CheckKind,
    DeliveryKind,
    FormerSignIn,
    Interval,
    OldToken,
    Provisioning,
    Region,
    RolloutState,
    Wish,
)
from bot.ports import Missing, Reason
from bot.readiness import ReadyPoint
from bot.texts import LOCALE_DIR, PLAIN, Markup, Reader, language_for, languages, say, zone
from tests.builders import NOON, sentences
from tests.samples import LARGE, MAKERS, NASTY, SMALL, samples, shown_by

BOT, ADAPTERS = Path(bot.__file__).parent, Path(adapters.__file__).parent

WISHES = [wish for wish in Wish if wish]
WRITTEN_TO_MANY = (DeliveryKind.FAREWELL, DeliveryKind.OLD_TOKEN)

# What fills the gap of each key that the code puts together.
FAMILIES: Mapping[str, Any] = {
    "approval.{}": {*(each for each in ApprovalState if each is not ApprovalState.OPEN), *WRITTEN_TO_MANY},
    "button.{}": CheckKind,
    "check.{}": CheckKind,
    "check.{}.short": CheckKind,
    "help.{}": COMMANDS,
    "button.old_token.{}": (OldToken.UNUSED, OldToken.IN_USE),
    "digest.{}": ("done", "open", "cases", "stopped", "failed"),
    "digest.every.{}": Frequency,
    "digest.hello.{}": [each for each in Frequency if each is not Frequency.NEVER],
    "digest.saved.{}": Frequency,
    "export.{}": FileKind,
    "finish.state.{}": StepState,
    "finish.step.{}": FinishStep,
    "finish.step.{}.short": FinishStep,
    "finish.step.{}.why": FinishStep,
    "later.{}": DELAYS,
    "left_out.{}": [problem for problem in Problem if problem is not Problem.INVITED],
    "left_out.{}.short": Problem,
    "old_token.{}": (OldToken.UNUSED, OldToken.IN_USE),
    "problem.{}": KINDS,
    "problem.{}.heading": KINDS,
    "problem.{}.help": KINDS,
    "problem.{}.question": [kind for kind in KINDS if NEIGHBOURS[kind]],
    "problem.{}.rather": [kind for kind in KINDS if kind != "other"],
    "plan.when.{}": ("now", "day"),
    "progress.{}": ("dead", "unknown", "withdrawn"),
    "progress.title.{}": ("sending", "planned", "held", "paused", "finished", "cancelling", "cancelled"),
    "reason.{}": Reason,
    "missing.{}": WISHES,
    "missing.which.{}": (*Missing, "everybody"),
    "person.{}": WISHES,
    "wish.{}.done": WISHES,
    "wish.{}.title": WISHES,
    "wish.{}.explain": WISHES,
    "ready.{}": (*ReadyPoint, "yes", "not_yet"),
    "ready.{}.why": ReadyPoint,
    "region.{}": Region,
    "setup.{}": (
        "first_after_days",
        "every_days",
        "at_most",
        "hour_from",
        "hour_to",
        "domain_verified",
        "uses_tokens",
        "skip_holidays",
        "final_notice",
    ),
    "setup.{}.yes": ("skip_holidays", "final_notice"),
    "setup.interval.{}": Interval,
    "setup.{}.hint": ("domain_verified", "uses_tokens"),
    "setup.{}.heading": [step.name for step in STEPS],
    "removal.{}": NOT_SENT,
    "setup.provisioning.{}": Provisioning,
    "setup.provisioning.{}.hint": Provisioning,
    "sign_in.{}": FormerSignIn,
    "status.confirmed.{}": CheckKind,
    "status.state.{}": RolloutState,
    "weekday.{}": range(7),
}


def catalogue(language: str = "en") -> Catalog:
    with (LOCALE_DIR / language / "LC_MESSAGES" / "usher.po").open("rb") as po:
        return read_po(po, locale=language)


def entries(language: str = "en") -> dict[str, tuple[str, ...]]:
    """Each key's sentences: one, or one for each plural form."""
    found = {}
    for message in catalogue(language):
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            found[key] = (message.string,) if isinstance(message.string, str) else tuple(message.string)
    return found


def sources(*rooms: Path) -> Iterator[ast.Module]:
    for room in rooms:
        for path in room.rglob("*.py"):
            yield ast.parse(path.read_text())


def asked_for(room: Path) -> Iterator[ast.expr]:
    """The first argument of each `text(…)`."""
    for tree in sources(room):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("text", "Text") and node.args:
                yield node.args[0]


def keys_of(asked: ast.expr) -> set[str]:
    match asked:
        case ast.Constant(value=str(key)):
            return {key}
        case ast.IfExp(body=body, orelse=orelse):
            return keys_of(body) | keys_of(orelse)
        case ast.JoinedStr(values=parts):
            pattern = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts)
            return {pattern.format(_value(member)) for member in FAMILIES[pattern]}
        case _:
            return set()  # a parameter: its values are somewhere else


def _value(member: Any) -> Any:
    return member.value if isinstance(member, Enum) else member


def keys_in(room: Path) -> set[str]:
    return set().union(*(keys_of(asked) for asked in asked_for(room)))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("room", [BOT, ADAPTERS])
def test_every_sentence_that_the_code_asks_for_is_in_the_catalogue(room: Path) -> None:
    assert keys_in(room) - set(entries()) == set()


def test_every_sentence_of_the_catalogue_is_used() -> None:
    written = {
        node.value
        for tree in sources(BOT, ADAPTERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(entries()) - written - keys_in(BOT) == set()


def test_the_samples_show_every_sentence_of_the_bot() -> None:
    """So that whatever holds for all samples holds for all sentences."""
    shown = {sentence.key for sample in samples() for sentence in sentences(sample.shown)}
    assert keys_in(BOT) - shown == set()


def test_the_code_fills_exactly_the_placeholders_that_the_catalogue_has() -> None:
    templates = entries()
    unlike = {}
    for sample in samples():
        for sentence in sentences(sample.shown):
            wanted = set().union(*(placeholders(form) for form in templates[sentence.key]))
            given = set(sentence.params)
            # help's sentences share their parameters; a count may choose the form without being said
            if wanted - given or (given - wanted - {"count"} and not _shared(sentence.key)):
                unlike[sentence.key] = (wanted, given)
    assert unlike == {}


def _shared(key: str) -> bool:
    return key.startswith("problem.") and key.endswith(".help")


def test_a_sentence_has_plural_forms_exactly_if_the_code_counts() -> None:
    templates = entries()
    counted, plain = set(), set()
    for sample in samples():
        for sentence in sentences(sample.shown):
            (counted if "count" in sentence.params else plain).add(sentence.key)
    assert {key for key in counted if len(templates[key]) < 2} == set()
    assert {key for key in plain if len(templates[key]) > 1} == set()


@pytest.mark.parametrize("language", languages())
def test_a_lone_asterisk_is_no_mark_of_the_catalogue(language: str) -> None:
    """It would be shown as it is: what stands out is written **so**."""
    lone = re.compile(r"(?<![*])[*](?![*])")
    assert [key for key, forms in entries(language).items() if any(lone.search(form) for form in forms)] == []


def test_no_sentence_holds_an_address_or_html() -> None:
    """Addresses come from the rollout; markup from the platforms."""
    assert [key for key, forms in entries().items() if any("://" in form or "</" in form for form in forms)] == [
        key for key in entries() if key == "setup.error.https"
    ]


@pytest.mark.parametrize("language", languages())
def test_every_language_fills_the_same_placeholders_and_invents_no_key(language: str) -> None:
    english = entries()
    for key, forms in entries(language).items():
        assert key in english
        allowed = set().union(*(placeholders(form) for form in english[key]))
        for form in forms:
            assert form, key
            assert placeholders(form) <= allowed, key


# saying

LOUD = Markup(
    escape=lambda words: words.replace("&", "&amp;").replace("*", "&ast;").replace("<", "&lt;"),
    bold=lambda words: f"<b>{words}</b>",
    code=lambda words: f"<code>{words}</code>",
    link=lambda url, label: f"<a {url}>{label}</a>",
)


def test_marks_of_the_catalogue_become_the_platforms() -> None:
    assert say(text("reminder.why", enterprise="A&B", open=(text("check.access.short"),)), Reader(), LOUD).startswith(
        "A quick reminder of <b>A&amp;B</b>'s"
    )
    assert say(text("help.line", command="/sso help", does="x"), Reader(), LOUD) == "<code>/sso help</code> x"


@given(st.text() | st.just(NASTY))
def test_peoples_words_are_never_parsed_as_markup(words: str) -> None:
    said = say(text("plain", words=words), Reader(), LOUD)
    assert said == LOUD.escape(words)
    inside = say(text("help.current", enterprise=words), Reader(), LOUD)
    assert inside == f"The current rollout is <b>{LOUD.escape(words)}</b>. You can say:"


@given(st.text())
def test_braces_in_peoples_words_fill_nothing(words: str) -> None:
    assert say(text("plain", words=f"{{count}}{words}"), Reader(), PLAIN) == f"{{count}}{words}"


@pytest.mark.parametrize(
    ("count", "said"), [(1, "Send to 1 person"), (0, "Send to 0 people"), (2, "Send to 2 people")]
)
def test_counts_choose_the_form(count: int, said: str) -> None:
    assert say(text("invite.send", count=count), Reader()) == said


def test_numbers_and_lists_are_written_the_readers_way() -> None:
    assert say(text("number", n=12345), Reader()) == "12,345"
    names = tuple(text("plain", words=name) for name in ("a", "b", "c"))
    assert say(text("remind.none_open", names=names), Reader()) == "Nothing is open for a, b, and c."
    assert say(text("remind.none_open", names=()), Reader()) == "Nothing is open for ."


def test_moments_are_in_the_readers_time_zone() -> None:
    late = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    assert say(text("moment", at=When(late)), Reader()) == "Tuesday 3 March, 23:30"
    tokyo = Reader(time_zone="Asia/Tokyo")
    assert say(text("moment", at=When(late)), tokyo) == "Wednesday 4 March, 08:30"
    assert say(text("moment", at=When(late, "date")), tokyo) == "4 March 2026"
    assert say(text("moment", at=When(late, "day")), tokyo) == "Wednesday 4 March 2026"
    assert "8:30" in say(text("moment", at=When(late, "time")), tokyo)


def test_links_show_their_label_or_their_address() -> None:
    assert (
        say(text("moment", at=Link("https://a.example", "A & B")), Reader(), LOUD)
        == "<a https://a.example>A &amp; B</a>"
    )
    assert say(text("moment", at=Link("https://a.example")), Reader()) == "https://a.example"
    assert say(text("moment", at=Link("https://a.example", "A")), Reader()) == "A: https://a.example"


def test_a_key_without_a_sentence_is_shown_as_it_is() -> None:
    assert say(Text("no.such.key"), Reader()) == "no.such.key"


@pytest.mark.parametrize("locale", ["en", "en-GB", "en_US", "xx", "", "tlh-Latn"])
def test_an_unknown_language_reads_english(locale: str) -> None:
    assert language_for(locale) == "en"
    assert say(text("answer.yes"), Reader(locale=locale)) == "Yes"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "\0"])
def test_an_unknown_time_zone_is_utc(name: str) -> None:
    assert NOON.astimezone(zone(name)).utcoffset() == timedelta(0)


GERMAN = Reader("de-DE", "Europe/Berlin")
# What no language needs: names, and what consists of what is put in.
WORDLESS = {
    "plain",
    "moment",
    "number",
    "sign_in.github",
    "sign_in.gitlab",
    "sign_in.bitbucket",
    "sign_in.azure_devops",
}


@pytest.mark.parametrize("language", [each for each in languages() if each != "en"])
def test_whatever_invitees_read_is_in_their_language(language: str) -> None:
    read: set[str] = set()
    for company in (SMALL, LARGE):
        for conversation in ("confirm", "problem", "old_token", "solved"):
            for _, transition in MAKERS[conversation](company):
                alone = replace(transition, effects=())  # what goes to admins is left out
                read |= {each.key for shown in shown_by(alone) for each in sentences(shown)}
    assert len(read) > 100
    assert read - WORDLESS <= set(entries(language))


def test_dates_are_written_as_the_language_writes_them() -> None:
    day = datetime(2026, 4, 1, 7, 5, tzinfo=UTC)
    said = {
        "invitation.deadline": text("invitation.deadline", at=Day(day.date())),
        "invitation.snoozed": text("invitation.snoozed", at=When(day)),
        "check.confirmed": text("check.confirmed", what=text("check.access.short"), at=When(day, "date")),
    }
    assert {key: say(sentence, GERMAN) for key, sentence in said.items()} == {
        "invitation.deadline": "Bitte erledigen Sie das bis Mittwoch, 1. April 2026.",
        "invitation.snoozed": "Ich erinnere Sie am Mittwoch, 1. April, 09:05.",
        "check.confirmed": "☑ Zugang (bestätigt am 1. April 2026)",
    }


def test_what_is_not_translated_is_english_as_a_whole() -> None:
    line = text("missing.line", name="Grace", open=(text("check.access.short"), text("check.token.short")), count=2)
    assert say(line, GERMAN) == "Grace: access and token · 2 reminders"
    assert say(text("status.deadline", at=Day(NOON.date())), GERMAN) == "Deadline: Tuesday 3 March 2026"
    assert say(text("digest.more", n=1234, change=1), GERMAN) == "1,234 (1 more than last time)"
    open_checks = (text("check.access.short"), text("check.token.short"))
    german = say(text("reminder.why", enterprise="Acme", open=open_checks), GERMAN)
    assert german.endswith("Bei Ihnen noch offen: Zugang und Token.")
