"""Questions to a directory: asked outside any transaction, answered once, never forgotten."""

from __future__ import annotations

import pytest

from bot import faultpoints
from bot.engine import Engine
from bot.events import NotFound, Problem, Target, TargetKind
from bot.lookups import LEASE, MAX_ATTEMPTS, LookUpWorker
from bot.model import Delivery, Dialog, LookUp, LookUpState, Person, Platform
from bot.ports import Directory, DirectoryUnavailable
from bot.roles import Admins
from storage.database import Database
from tests.builders import ADA, GRACE, LINUS, command, keys, words
from tests.doubles import MemoryDirectory, StoppedClock
from tests.rows import installed, rolled_out, stored

ENGINEERING = Target(TargetKind.GROUP, "S1", "@engineering")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def directory() -> MemoryDirectory:
    return MemoryDirectory(answers=[((GRACE, LINUS), (NotFound("Build Bot", Problem.BOT),))])


@pytest.fixture
async def engine(store: Database, clock: StoppedClock) -> Engine:
    """Ada has asked for a group."""
    await installed(store)
    await rolled_out(store)
    engine = Engine(store, clock, Admins.of(""))
    await engine(command("invite", ENGINEERING))
    return engine


def worker(store: Database, directory: Directory, engine: Engine, clock: StoppedClock) -> LookUpWorker:
    return LookUpWorker(store, {Platform.SLACK: directory}, engine, clock)


async def lists(store: Database) -> list[Delivery]:
    return [each for each in await stored(store, Delivery) if each.key.endswith(":list")]


async def test_the_answer_becomes_a_list_for_whoever_asked(
    store: Database, directory: MemoryDirectory, engine: Engine, clock: StoppedClock
) -> None:
    assert await worker(store, directory, engine, clock).run_once() == 1
    assert await worker(store, directory, engine, clock).run_once() == 0

    assert directory.asked == [[ENGINEERING]]
    (sent,) = await lists(store)
    assert sent.person_id == ADA.id
    assert "Grace" in words(sent.content)
    assert {GRACE.id, LINUS.id} <= {each.id for each in await stored(store, Person)}
    assert [each.state for each in await stored(store, LookUp)] == [LookUpState.DONE]


async def test_a_directory_that_does_not_answer_is_asked_again(
    store: Database, directory: MemoryDirectory, engine: Engine, clock: StoppedClock
) -> None:
    directory.answers.insert(0, DirectoryUnavailable(30))
    asking = worker(store, directory, engine, clock)
    assert await asking.run_once() == 0
    clock.forward(seconds=29)
    assert await asking.run_once() == 0
    clock.forward(seconds=1)
    assert await asking.run_once() == 1
    assert len(directory.asked) == 2


@pytest.mark.parametrize("trouble", [DirectoryUnavailable(1), RuntimeError("a fault of our own")])
async def test_in_the_end_the_admin_hears_that_it_did_not_work(
    store: Database, engine: Engine, clock: StoppedClock, trouble: Exception
) -> None:
    directory = MemoryDirectory(answers=[trouble] * 99)
    asking = worker(store, directory, engine, clock)
    for _ in range(MAX_ATTEMPTS + 3):
        await asking.run_once()
        clock.forward(minutes=1)
    assert len(directory.asked) == MAX_ATTEMPTS
    (sent,) = await lists(store)
    assert "left_out.directory_failed" in keys(sent.content)
    assert "@engineering" in words(sent.content)


class Crash(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("point", ["look_up.after_claim", "look_up.after_answer", "look_up.before_done"])
async def test_a_crash_loses_no_question_and_answers_none_twice(
    store: Database, engine: Engine, clock: StoppedClock, point: str
) -> None:
    directory = MemoryDirectory(answers=[((GRACE,), ())] * 2)

    def crash(reached: str) -> None:
        if reached == point:
            raise Crash

    faultpoints.install(crash)
    try:
        with pytest.raises(Crash):
            await worker(store, directory, engine, clock).run_once()
    finally:
        faultpoints.install(None)

    assert await worker(store, directory, engine, clock).run_once() == 0, "its lease is running"
    clock.at += LEASE
    assert await worker(store, directory, engine, clock).run_once() == 1
    assert len(await lists(store)) == 1
    (dialog,) = await stored(store, Dialog)
    assert dialog.version == 2
