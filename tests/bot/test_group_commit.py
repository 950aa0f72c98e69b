"""Events that share a transaction: each counts by itself, whatever becomes of its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.engine import Engine
from bot.events import Event
from bot.group_commit import AT_ONCE, MOST, GroupCommit
from bot.messages import Token
from bot.model import AuditEntry, Check, InboxEntry, derived_id
from bot.ports import StaleWrite, StoreUnavailable, Transaction
from bot.roles import Admins
from bot.transition import Replace, Reply, Whisper
from storage.database import Database
from tests.builders import ADA, command, form_of, person, press, rollout, submit
from tests.doubles import NOON, Door, StoppedClock, killed_at
from tests.rows import installed, invited_people, stored

MANY = AT_ONCE + MOST + 1  # the first have a transaction each; the others wait


class Remembering:
    """Decides by putting an event into the inbox; what `trouble` says of an event happens to it then."""

    def __init__(self) -> None:
        self.trouble: dict[str, Any] = {}
        self.asked: list[str] = []

    async def __call__(self, tx: Transaction, event: Event) -> Reply | None:
        self.asked.append(event.id)
        await tx.inbox.remember(event.id, NOON)
        await asyncio.sleep(0)
        if event.id in self.trouble:
            await self.trouble[event.id]()
        return Whisper(message=event.id)  # type: ignore[arg-type]  # whatever: it says whose reply it is


def some(number: int = MANY) -> list[Event]:
    return [command("status", id=f"e{each}") for each in range(number)]


def replied(answers: Sequence[Any]) -> list[Any]:
    return [each.message if isinstance(each, Whisper) else type(each) for each in answers]


async def in_the_inbox(store: Database) -> list[str]:
    return sorted(each.event_id for each in await stored(store, InboxEntry))


async def test_those_that_wait_share_a_transaction_and_each_has_its_own_reply(store: Database) -> None:
    counted, decide = Door(store), Remembering()
    answers = await asyncio.gather(*map(GroupCommit(counted, decide), some()))
    assert replied(answers) == [each.id for each in some()]
    assert await in_the_inbox(store) == sorted(each.id for each in some())
    assert len(decide.asked) == MANY
    assert AT_ONCE < counted.entered <= AT_ONCE + 2


async def test_with_nobody_before_it_an_event_waits_for_nobody(store: Database) -> None:
    counted = Door(store)
    commit = GroupCommit(counted, Remembering())
    for each in some(3):
        await commit(each)
    assert counted.entered == 3


async def test_each_is_decided_in_the_context_of_whoever_waits_for_it() -> None:
    """A trace, for example, shows what was done for its own event."""
    whose = ContextVar("whose", default="nobody")

    async def decide(_tx: Any, event: Event) -> Reply | None:
        await asyncio.sleep(0)
        assert whose.get() == event.id
        return Whisper(message=event.id)  # type: ignore[arg-type]

    commit = GroupCommit(Memory(), decide)  # type: ignore[arg-type]

    async def wait(event: Event) -> Reply | None:
        whose.set(event.id)
        return await commit(event)

    assert replied(await asyncio.gather(*map(wait, some()))) == [each.id for each in some()]


@pytest.mark.parametrize("error", [StaleWrite(), KeyError("a mistake of ours")])
async def test_one_that_fails_fails_alone(store: Database, error: Exception) -> None:
    decide = Remembering()

    async def fail() -> None:
        raise error

    decide.trouble["e9"] = fail
    with capture_logs() as logs:
        answers = await asyncio.gather(*map(GroupCommit(Door(store), decide), some()), return_exceptions=True)
    (apart,) = logs
    assert (apart["event"], apart["why"]) == ("events.apart", type(error).__name__)
    assert replied(answers) == [type(error) if each.id == "e9" else each.id for each in some()]
    assert await in_the_inbox(store) == sorted(each.id for each in some() if each.id != "e9")


async def test_a_slow_one_keeps_nobody_waiting(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.group_commit.WITHIN", 0.05)
    decide = Remembering()
    slow = asyncio.Event()
    decide.trouble["e9"] = slow.wait
    commit = GroupCommit(Door(store), decide)
    handling = [asyncio.create_task(commit(each)) for each in some()]
    await asyncio.sleep(0.3)
    slow.set()
    assert replied(await asyncio.gather(*handling)) == [each.id for each in some()]
    assert decide.asked.count("e9") == 2
    assert await in_the_inbox(store) == sorted(each.id for each in some())


async def test_those_that_are_stuck_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """All transactions that may be open at once wait for something, a row that is locked for example."""
    monkeypatch.setattr("bot.group_commit.WITHIN", 0.05)
    memory, stuck = Memory(), asyncio.Event()

    async def decide(_tx: Any, event: Event) -> Reply | None:
        if event.id.startswith("stuck"):
            await stuck.wait()
        return Whisper(message=event.id)  # type: ignore[arg-type]

    commit = GroupCommit(memory, decide)  # type: ignore[arg-type]
    waiting = [asyncio.create_task(commit(command("status", id=f"stuck{each}"))) for each in range(AT_ONCE)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert replied(await asyncio.gather(*map(commit, some()))) == [each.id for each in some()]
    stuck.set()
    await asyncio.gather(*waiting)
    assert replied(await asyncio.gather(*map(commit, some()))) == [each.id for each in some()]
    assert memory.most_open <= 3 * AT_ONCE


async def test_what_its_sender_gave_up_is_not_committed_by_others(store: Database) -> None:
    decide = Remembering()
    commit = GroupCommit(Door(store), decide)
    handling = [asyncio.create_task(commit(each)) for each in some()]

    async def give_up() -> None:
        handling[9].cancel()
        await asyncio.sleep(0)

    decide.trouble["e10"] = give_up
    answers = await asyncio.gather(*handling, return_exceptions=True)
    assert "e9" in decide.asked, "it was decided when its sender gave up"
    assert replied(answers) == [asyncio.CancelledError if each.id == "e9" else each.id for each in some()]
    assert await in_the_inbox(store) == sorted(each.id for each in some() if each.id != "e9")


async def test_what_its_sender_gave_up_before_its_turn_is_not_asked_about(store: Database) -> None:
    decide = Remembering()
    commit = GroupCommit(Door(store), decide)
    handling = [asyncio.create_task(commit(each)) for each in some()]
    await asyncio.sleep(0)
    handling[9].cancel()
    answers = await asyncio.gather(*handling, return_exceptions=True)
    assert replied(answers).count(asyncio.CancelledError) == 1
    assert "e9" not in decide.asked


async def test_an_outage_is_told_to_all_who_shared_the_transaction_and_then_it_goes_on(store: Database) -> None:
    """They are not tried again one by one: who knows whether the lost connection had committed them."""
    decide = Remembering()
    commit = GroupCommit(Door(store, StoreUnavailable(), after=AT_ONCE), decide)
    answers = await asyncio.gather(*map(commit, some()), return_exceptions=True)
    assert replied(answers).count(StoreUnavailable) == MOST
    assert len(decide.asked) == MANY - MOST
    assert isinstance(await commit(command("status", id="later")), Whisper)


class Memory:
    """A store that knows what was committed, and how many transactions are open."""

    def __init__(self) -> None:
        self.committed: list[str] = []
        self.open = self.most_open = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        doing: list[str] = []
        try:
            await asyncio.sleep(0)
            yield doing
            await asyncio.sleep(0)
            self.committed += doing
        finally:
            self.open -= 1


class Planned(NamedTuple):
    """An event: how many turns of the event loop it takes, whether it fails, and when its sender gives up."""

    takes: int
    fails: bool
    given_up_after: int | None


PLANNED = st.builds(Planned, st.integers(0, 3), st.booleans(), st.none() | st.integers(0, 20))


@given(planned=st.lists(PLANNED, max_size=60))
async def test_whatever_happens_each_is_committed_once_or_its_sender_knows(planned: list[Planned]) -> None:
    memory = Memory()

    async def decide(doing: Any, event: Event) -> Reply | None:
        plan = planned[int(event.id[1:])]
        for _ in range(plan.takes):
            await asyncio.sleep(0)
        doing.append(event.id)
        if plan.fails:
            raise StaleWrite
        return Whisper(message=event.id)  # type: ignore[arg-type]

    commit = GroupCommit(memory, decide)  # type: ignore[arg-type]  # as far as it is asked, it is one

    events = some(len(planned))
    answers = await asyncio.gather(
        *(_sent(commit, *each) for each in zip(events, planned, strict=True)), return_exceptions=True
    )

    assert len(set(memory.committed)) == len(memory.committed)
    for event, plan, told in zip(events, planned, replied(answers), strict=True):
        assert _is_right(plan, told, event.id, is_committed=event.id in memory.committed)
    if not any(plan.fails or plan.given_up_after is not None for plan in planned):
        assert memory.most_open <= AT_ONCE
    for _ in range(4 * len(planned)):  # what nobody waits for any more has still to be rolled back
        await asyncio.sleep(0)
    assert memory.open == 0


async def _sent(commit: GroupCommit, event: Event, plan: Planned) -> Reply | None:
    handling = asyncio.ensure_future(commit(event))
    if plan.given_up_after is not None:
        for _ in range(plan.given_up_after):
            await asyncio.sleep(0)
        handling.cancel()
    return await handling


def _is_right(plan: Planned, told: Any, event_id: str, *, is_committed: bool) -> bool:
    if told is asyncio.CancelledError:
        return plan.given_up_after is not None and not (plan.fails and is_committed)
    if plan.fails:
        return told is StaleWrite and not is_committed
    return told == event_id and is_committed


# through the engine


def _presses(number: int) -> list[Any]:
    return [
        press(Token("confirm", "access", derived_id(rollout().id, each.identity)), each)
        for each in (person(f"p{number}") for number in range(number))
    ]


async def test_colleagues_who_confirm_at_once_are_all_confirmed(store: Database) -> None:
    await invited_people(store, *(each.actor for each in _presses(MANY)))
    counted = Door(store)
    replies = await asyncio.gather(*map(Engine(counted, StoppedClock(), Admins.of("")), _presses(MANY)))
    assert all(isinstance(each, Replace) for each in replies)
    assert len({check.invitation_id for check in await stored(store, Check)}) == MANY
    assert counted.entered < MANY / 2


async def test_colleagues_who_press_twice_crosswise_do_not_wait_for_each_other(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL locks an invitation until the transaction ends; two that lock two each must do it in one order."""
    monkeypatch.setattr("bot.group_commit.MOST", 2)
    presses = _presses(AT_ONCE + 2)
    await invited_people(store, *(each.actor for each in presses))
    one, other = (each.actor for each in presses[-2:])
    again = [
        press(Token("confirm", action, derived_id(rollout().id, actor.identity)), actor)
        for actor, action in [(one, "access"), (other, "access"), (other, "tasks"), (one, "tasks")]
    ]
    counted = Door(store)
    handled = asyncio.gather(*map(Engine(counted, StoppedClock(), Admins.of("")), [*presses[:AT_ONCE], *again]))
    assert all(isinstance(each, Replace) for each in await handled)
    assert counted.entered == AT_ONCE + 2, "else one of them was rolled back"


async def test_what_a_form_asks_for_never_shares(store: Database) -> None:
    """It may be about thousands of people."""
    await installed(store)
    form = form_of(await Engine(store, StoppedClock(), Admins.of(""))(command("setup")))
    counted = Door(store)
    engine = Engine(counted, StoppedClock(), Admins.of(""))
    await asyncio.gather(*(engine(submit(form.token, ADA)) for _ in range(MANY)))
    assert counted.entered >= MANY


@pytest.mark.parametrize(
    ("point", "after"),
    [
        ("engine.after_inbox", AT_ONCE + 1),
        ("engine.after_inbox", AT_ONCE + MOST),
        ("engine.before_commit", AT_ONCE + 1),
        ("engine.after_commit", AT_ONCE + 1),
    ],
)
async def test_a_crash_loses_at_most_the_answers(store: Database, point: str, after: int) -> None:
    """The process is killed while some share a transaction."""
    presses = _presses(MANY)
    await invited_people(store, *(each.actor for each in presses))
    engine = Engine(store, StoppedClock(), Admins.of(""), answer_within=0.5)
    with killed_at(point, after):
        died = await asyncio.gather(*map(engine, presses), return_exceptions=True)
    unanswered = [press for press, reply in zip(presses, died, strict=True) if not isinstance(reply, Replace)]
    assert unanswered
    assert len(await stored(store, Check)) < MANY or point == "engine.after_commit"

    await asyncio.gather(*map(Engine(store, StoppedClock(), Admins.of("")), unanswered))

    assert len(await stored(store, Check)) == len(await stored(store, AuditEntry)) == MANY
