"""The samples show all that can be shown: what holds for them holds for every message of every conversation.

tests/vendors holds every sample against the vendors' own implementations. So whoever makes a new message, a new button
or a new conversation has to add a sample of it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import bot
from bot.conversations.scene import Conversation, Loaded
from bot.events import Event
from bot.messages import Form, Token
from bot.transition import Transition
from tests.samples import samples

BOT = Path(bot.__file__).parent
# What a message or a form is made of.
SHOWN = {"Message", "Form", "Section", "Quote", "Facts", "Notice", "BarChart", "LineChart", "Button", "LinkButton"}
SHOWN |= {"TextField", "ChoiceField", "PersonField", "DateField"}
FILES = sorted(path for path in BOT.rglob("*.py") if path.name != "messages.py")


@cache
def lines_run() -> frozenset[tuple[str, int]]:
    """Every line of the bot that runs while the samples are made."""
    seen: set[tuple[str, int]] = set()

    def look(frame: FrameType, _what: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(str(BOT)):
            return None
        seen.add((frame.f_code.co_filename, frame.f_lineno))
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        samples.__wrapped__()
    finally:
        sys.settrace(before)
    return frozenset(seen)


def made_in(path: Path) -> Iterator[ast.Call]:
    """Where the file makes something that is shown."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SHOWN:
            yield node


def kind(token: Token) -> tuple[str, str]:
    """The conversation and the action without what it is about: a page, a problem."""
    return token.conversation, token.action.partition(".")[0]


def offered() -> set[tuple[str, str]]:
    """What somebody who sees the samples can press or send."""
    shown = [sample.shown for sample in samples()]
    tokens = [each.token for one in shown for each in one.buttons if each.token is not None]
    forms = [one for one in shown if isinstance(one, Form)]
    tokens += [one.token for one in forms] + [one.cancel for one in forms if one.cancel is not None]
    return {kind(token) for token in tokens}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_place_that_makes_something_to_show_is_in_the_samples(path: Path) -> None:
    missed = [
        f"{path.name}:{call.lineno}"
        for call in made_in(path)
        if not any((str(path), line) in lines_run() for line in range(call.lineno, (call.end_lineno or 0) + 1))
    ]
    assert missed == []


def test_every_button_and_form_of_the_samples_is_used_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[tuple[str, str]] = set()
    decide = Conversation.decide

    def decided(self: Conversation, loaded: Loaded, event: Event, now: datetime) -> Transition:
        token = getattr(event, "token", None)
        if token is not None:
            used.add((self.name, kind(token)[1]))
        return decide(self, loaded, event, now)

    monkeypatch.setattr(Conversation, "decide", decided)  # it decides as ever, and is listened to
    samples.__wrapped__()
    assert offered() - used == set()
