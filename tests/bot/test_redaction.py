"""Leaving somebody out of what others wrote: what names them is found, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redaction import ERASED, Redaction
from tests.builders import person

GRACE = person("grace", name="Grace Hopper", email="grace@acme.example")
BEN = person("ben", name="Ben", email="ben@acme.example")


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("Grace Hopper", "[erased]"),
        ("ask grace hopper, please", "ask [erased], please"),
        ("@Grace Hopper", "[erased]"),
        ("GRACE@acme.example;ada@acme.example", "[erased];ada@acme.example"),
        ("<@U-grace> said", "<@[erased]> said"),
        ("Grace", "Grace"),
        ("Grace Hoppers", "Grace Hoppers"),
        ("disgrace@acme.example", "disgrace@acme.example"),
        ("", ""),
    ],
)
def test_a_name_an_address_and_an_id_are_found_inside_sentences(words: str, left: str) -> None:
    assert Redaction.of([GRACE]).redacted(words) == left


@pytest.mark.parametrize(
    ("words", "left"), [("Ben", ERASED), ("@ben", ERASED), ("Ben Miller", "Ben Miller"), ("bent", "bent")]
)
def test_a_name_of_one_word_is_found_where_it_stands_alone(words: str, left: str) -> None:
    assert Redaction.of([BEN]).redacted(words) == left


def test_their_own_words_are_found_where_they_are_quoted() -> None:
    redaction = Redaction.of([BEN], ["It says “no”.", ""])
    assert redaction.redacted({"kind": "quote", "words": "It says “no”."}) == {"kind": "quote", "words": ERASED}


def test_somebody_of_whom_only_an_id_is_known() -> None:
    redaction = Redaction.of([person("1", name="", email="")])
    assert redaction.redacted("U-1 and U-12") == "[erased] and U-12"
    assert "" not in redaction.alone | redaction.within


SENTENCES = st.text("abc ABC@.é", max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | SENTENCES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SENTENCES, inner, max_size=3),
    max_leaves=10,
)


def leaves(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [each for inner in value for each in leaves(inner)]
        case dict():
            return leaves(list(value.values()))
        case _:
            return []


@given(VALUES)
def test_only_words_with_something_of_it_in_them_change(value: Any) -> None:
    """So that a database may be asked for these alone; and what was erased once stays as it is."""
    redaction = Redaction.of([person("ab", name="A b", email="a@b.c")], ["c é"])
    after = redaction.redacted(value)
    assert redaction.redacted(after) == after
    for before, left in zip(leaves(value), leaves(after), strict=True):
        assert before == left or any(
            each.casefold() in before.casefold() for each in redaction.alone | redaction.within
        )
