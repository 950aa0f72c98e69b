"""Leaving somebody out of what others wrote: what names them is found, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.messages import AnyButton, Button, Facts, Link, LinkButton, Message, Notice, Quote, Section, Token, text
from bot.model import Person
from bot.redaction import ERASED, Redaction, can_be_shown_anew
from tests.builders import person
from tests.samples import samples

GRACE = person("grace", name="Grace Hopper", email="grace@acme.example")
BEN = person("ben", name="Ben", email="ben@acme.example")
LI = person("li", name="Li Wei", email="li@acme.example")
MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


@pytest.mark.parametrize(
    ("who", "words", "left"),
    [
        (GRACE, "Grace Hopper", "[erased]"),
        (GRACE, "ask grace hopper, please", "ask [erased], please"),
        (GRACE, "@Grace Hopper", "[erased]"),
        (GRACE, "GRACE@acme.example;ada@acme.example", "[erased];ada@acme.example"),
        (GRACE, "Write to grace@acme.example.", "Write to [erased]."),
        (GRACE, "<mailto:grace@acme.example>", "<mailto:[erased]>"),
        (GRACE, "<@U-grace> said", "<@[erased]> said"),
        (GRACE, "slack:T1:U-grace", "[erased]"),
        (GRACE, "Grace", "Grace"),
        (GRACE, "Grace Hoppers", "Grace Hoppers"),
        (GRACE, "disgrace@acme.example", "disgrace@acme.example"),
        (GRACE, "", ""),
        (BEN, "Ben", ERASED),
        (BEN, " @ben ", ERASED),
        (BEN, "Ben Miller", "Ben Miller"),
        (BEN, "bent", "bent"),
        (LI, "wei.li@acme.example", "wei.li@acme.example"),
        (LI, "li@acme.example.org", "li@acme.example.org"),
        (LI, "Mei-Li Wei and Li Wei-Chen", "Mei-Li Wei and Li Wei-Chen"),
        (LI, "Li Wei, li@acme.example", "[erased], [erased]"),
    ],
)
def test_what_is_theirs_is_found_in_words_and_what_is_others_is_not(who: Person, words: str, left: str) -> None:
    assert Redaction.of([who]).words(words) == left


def test_somebody_of_whom_only_an_id_is_known() -> None:
    redaction = Redaction.of([person("1", name="", email="")])
    assert redaction.words("U-1 and U-12") == "[erased] and U-12"
    assert redaction.words("") == ""


def test_whoever_several_workspaces_know_has_a_name_in_each() -> None:
    redaction = Redaction.of([GRACE, person("29:g", "teams:t1", name="Hopper, Grace", email=GRACE.email)])
    assert redaction.words("Hopper, Grace or Grace Hopper or teams:t1:U-29:g") == "[erased] or [erased] or [erased]"


def test_a_target_that_is_theirs_is_erased_with_its_label() -> None:
    redaction = Redaction.of([GRACE])
    theirs = {"kind": "person", "id": "U-grace", "label": "@amazing.grace"}
    typed = {"kind": "email", "id": "grace@acme.example", "label": "Grace@acme.example"}
    line = {"kind": "line", "id": "3", "label": "Grace Hopper"}
    group = {"kind": "group", "id": "S1", "label": "@engineering"}
    assert redaction.targets([theirs, typed, line, group]) == [
        {"kind": "person", "id": ERASED, "label": ERASED},
        {"kind": "email", "id": ERASED, "label": ERASED},
        {"kind": "line", "id": "3", "label": ERASED},
        group,
    ]


def test_what_is_to_be_approved_keeps_its_form() -> None:
    asked = {
        "event": "CommandIssued",
        "token": "",
        "words": ["admins", "add", {"kind": "email", "id": "x@y.z", "label": ""}],
    }
    assert Redaction.of([person("1", name="admins", email="add@y.z")]).asked(asked) == asked


def dumped(message: Message) -> Any:
    return MESSAGE.dump_python(message, mode="json")


def test_of_a_message_what_people_wrote_and_are_called_is_redacted_wherever_it_stands() -> None:
    name, named = text("plain", words="Grace Hopper"), text("names", names=(text("plain", words="Grace Hopper"),))
    link = text("see", url=Link("https://acme.example/Grace Hopper"), count=2)
    asks = Button(text("answer", name="Grace Hopper"), Token("case", "answer", "U-grace"), confirm=name)
    before = Message(
        text("title", name="Grace Hopper", within=name),
        body=(Section(named), Quote("Says Grace Hopper."), Facts(((name, link),)), Notice(name)),
        buttons=(asks,),
    )
    erased = text("plain", words=ERASED)
    after = Message(
        text("title", name=ERASED, within=erased),
        body=(
            Section(text("names", names=(erased,))),
            Quote(f"Says {ERASED}."),
            Facts(((erased, link),)),
            Notice(erased),
        ),
        buttons=(replace(asks, label=text("answer", name=ERASED), confirm=erased),),
    )
    assert MESSAGE.validate_python(Redaction.of([GRACE]).message(dumped(before))) == after


@pytest.mark.parametrize(
    ("buttons", "can_be"),
    [
        ((), True),
        ((Button(text("a"), Token("case", "answer")),), True),
        ((LinkButton(text("a"), "https://acme.example"), Button(text("a"), Token("digest", "status"))), True),
        ((Button(text("a"), Token("case", "answer")), Button(text("a"), Token("invite", "send"))), False),
    ],
)
def test_a_message_that_may_have_become_another_is_not_shown_anew(
    buttons: tuple[AnyButton, ...], can_be: bool
) -> None:
    assert can_be_shown_anew(dumped(Message(text("a"), buttons=buttons))) is can_be


MESSAGES = [dumped(each.shown) for each in samples() if isinstance(each.shown, Message)]


def strings(value: Any) -> set[str]:
    match value:
        case str():
            return {value}
        case list():
            return {each for inner in value for each in strings(inner)}
        case dict():
            return {each for name, inner in value.items() for each in {name} | strings(inner)}
        case _:
            return set()


ANYTHING_STORED = sorted({each for message in MESSAGES for each in strings(message)} - {""})


@given(st.sampled_from(MESSAGES), st.sampled_from(ANYTHING_STORED), st.sampled_from(ANYTHING_STORED))
def test_whatever_somebody_is_called_a_message_stays_one_and_its_buttons_work(
    stored: Any, name: str, user_id: str
) -> None:
    redaction = Redaction.of([person("x", name=name, user_id=user_id, email="text@acme.example")])
    after = redaction.message(stored)
    message = MESSAGE.validate_python(after)
    before = MESSAGE.validate_python(stored)
    assert [each.token for each in message.buttons] == [each.token for each in before.buttons]
    assert [type(each) for each in message.body] == [type(each) for each in before.body]
    assert message.summary.key == before.summary.key
    assert redaction.message(after) == after
