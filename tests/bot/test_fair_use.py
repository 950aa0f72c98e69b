"""How much one person may ask in a minute."""

from __future__ import annotations

import pytest

from bot.conversations import answers
from bot.events import Event, HomeOpened, MessageReceived, PeopleFound
from bot.fair_use import FairUse
from bot.messages import Message, Token, text
from bot.transition import Reply, Whisper
from tests.builders import ADA, GRACE, command, event_id, press, submit
from tests.doubles import StoppedClock

ANSWER = Whisper(Message(text("hello")))
TOO_MANY = Whisper(answers.too_many())


class Counting:
    """Implements bot.ports.Handle."""

    def __init__(self) -> None:
        self.handled: list[Event] = []

    async def __call__(self, event: Event) -> Reply | None:
        self.handled.append(event)
        return ANSWER


@pytest.fixture
def inner() -> Counting:
    return Counting()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


async def test_what_is_more_reaches_nothing_and_the_next_minute_begins_anew(
    inner: Counting, clock: StoppedClock
) -> None:
    handle = FairUse(inner, clock, 3)
    assert [await handle(command("help")) for _ in range(5)] == [ANSWER] * 3 + [TOO_MANY] * 2
    assert len(inner.handled) == 3
    clock.forward(seconds=60)
    assert await handle(command("help")) == ANSWER


async def test_nobody_else_waits(inner: Counting, clock: StoppedClock) -> None:
    handle = FairUse(inner, clock, 1)
    for who, said in ((ADA, ANSWER), (GRACE, ANSWER), (ADA, TOO_MANY), (GRACE, TOO_MANY)):
        assert await handle(press(Token("help", "open"), who)) == said


async def test_all_that_a_person_does_counts_together(inner: Counting, clock: StoppedClock) -> None:
    handle = FairUse(inner, clock, 2)
    known = {"workspace_id": ADA.workspace_id, "actor": ADA}
    assert await handle(HomeOpened(id=event_id(), **known)) == ANSWER
    assert await handle(MessageReceived(id=event_id(), text="hello", **known)) == ANSWER
    assert await handle(MessageReceived(id=event_id(), text="hello", **known)) == TOO_MANY
    assert await handle(MessageReceived(id=event_id(), text="hello", **known)) is None, "they have been told"
    assert await handle(HomeOpened(id=event_id(), **known)) is None
    assert await handle(press(Token("help", "open"))) == TOO_MANY
    assert await handle(submit(Token("setup", "next"))) == TOO_MANY
    assert len(inner.handled) == 2


async def test_what_the_bot_finds_out_itself_does_not_count(inner: Counting, clock: StoppedClock) -> None:
    handle = FairUse(inner, clock, 1)
    found = PeopleFound(id=event_id(), workspace_id=ADA.workspace_id, actor=ADA, dialog_id="d1", list_id="l1")
    assert [await handle(found) for _ in range(3)] == [ANSWER] * 3
    assert await handle(command("help")) == ANSWER


async def test_without_a_limit_everything_is_handled(inner: Counting, clock: StoppedClock) -> None:
    handle = FairUse(inner, clock, 0)
    assert [await handle(command("help")) for _ in range(500)] == [ANSWER] * 500


async def test_the_log_says_who_once_a_minute_by_id(
    inner: Counting, clock: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = FairUse(inner, clock, 1)
    for _ in range(4):
        await handle(command("help", actor=GRACE))
    logged = capsys.readouterr().out
    assert logged.count("events.too_many") == 1
    assert GRACE.id in logged
    assert GRACE.email not in logged
