"""Questions to a directory: asked outside any transaction, answered once, never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest

from bot.clock import SystemClock
from bot.engine import Engine
from bot.events import Event, NotFound, PeopleFound, Problem, Target, TargetKind
from bot.lookups import LAST_WORDS, LEASE, MAX_ATTEMPTS, LookUpWorker, one_each
from bot.model import Delivery, Dialog, Invitation, Listed, LookUp, LookUpState, Person, Platform, Workspace, parted
from bot.ports import Directory, DirectoryUnavailable
from bot.roles import Admins
from bot.transition import Reply
from bot.waves import WaveWorker
from storage.database import Database
from tests.builders import ADA, GRACE, LINUS, command, keys, mention, person, press, rollout, words, workspace
from tests.doubles import Crash, MemoryDirectory, StoppedClock, killed_at
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


async def test_it_is_known_by_which_groups_somebody_was_found(store: Database, clock: StoppedClock) -> None:
    """Each group is asked for by itself, people who are named alone together; and so it is from list to invitation."""
    await installed(store)
    await rolled_out(store)
    engine = Engine(store, clock, Admins.of(""))
    leads = Target(TargetKind.CHANNEL, "C1", "#leads")
    await engine(command("invite", ENGINEERING, leads, mention(GRACE), mention(ADA)))
    directory = MemoryDirectory(answers=[((GRACE, LINUS), ()), ((GRACE,), ()), ((GRACE, ADA), ())])
    assert await worker(store, directory, engine, clock).run_once() == 1
    assert directory.asked == [[ENGINEERING], [leads], [mention(GRACE), mention(ADA)]]
    found_in = {each.person_id: parted(each.found_in) for each in await stored(store, Listed)}
    assert found_in == {GRACE.id: ("@engineering", "#leads"), LINUS.id: ("@engineering",), ADA.id: ()}

    (sent,) = await lists(store)
    await engine(press(next(each.token for each in sent.content.buttons if each.token.action == "send"), ADA))
    await WaveWorker(store, clock).run_once()
    assert {each.person_id: parted(each.found_in) for each in await stored(store, Invitation)} == found_in
    async with store.transaction() as tx:
        counts, groups = await tx.invitations.counts("rollout-1"), await tx.invitations.by_group("rollout-1")
    assert counts.several_groups
    assert [(each.label, each.invited) for each in groups] == [("@engineering", 2), ("#leads", 1), ("", 1)]


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


@pytest.mark.parametrize(
    "point", ["look_up.after_claim", "look_up.after_answer", "look_up.after_list", "look_up.before_done"]
)
async def test_a_crash_loses_no_question_and_answers_none_twice(
    store: Database, engine: Engine, clock: StoppedClock, point: str
) -> None:
    directory = MemoryDirectory(answers=[((GRACE,), ())] * 2)
    with killed_at(point), pytest.raises(Crash):
        await worker(store, directory, engine, clock).run_once()

    assert await worker(store, directory, engine, clock).run_once() == 0, "its lease is running"
    clock.at += LEASE
    assert await worker(store, directory, engine, clock).run_once() == 1
    assert len(await lists(store)) == 1
    (dialog,) = await stored(store, Dialog)
    assert dialog.version == 2


async def test_in_the_end_the_admin_hears_of_an_answer_that_could_not_be_shown(
    store: Database, engine: Engine, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not retried for ever, and with growing pauses."""
    directory = MemoryDirectory(answers=[((GRACE,), ())] * 99)
    broken = [True]

    async def handle(event: Event) -> Reply | None:
        if isinstance(event, PeopleFound) and broken:
            raise RuntimeError("a fault of our own")
        return await engine(event)

    asking = LookUpWorker(store, {Platform.SLACK: directory}, handle, clock)
    for _ in range(MAX_ATTEMPTS):
        assert await asking.run_once() == 0
        clock.forward(minutes=10)
    assert await lists(store) == []
    broken.clear()
    assert await asking.run_once() == 1
    (sent,) = await lists(store)
    assert "left_out.look_up_failed" in keys(sent.content)
    assert len(directory.asked) == MAX_ATTEMPTS


async def test_a_look_up_whose_answer_can_never_be_shown_ends_too(
    store: Database, engine: Engine, clock: StoppedClock
) -> None:
    async def handle(event: Event) -> Reply | None:
        raise RuntimeError("a fault of our own")

    asking = LookUpWorker(store, {Platform.SLACK: MemoryDirectory()}, handle, clock)
    for _ in range(20):
        await asking.run_once()
        clock.forward(minutes=10)
    (look_up,) = await stored(store, LookUp)
    assert look_up.state is LookUpState.DONE
    assert look_up.attempt == MAX_ATTEMPTS + LAST_WORDS


@dataclass
class SlowDirectory:
    """Implements bot.ports.Directory for two workspaces; one of them never answers."""

    platform: Platform = Platform.SLACK

    async def resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        if workspace.id == "slack:T1":
            await asyncio.Event().wait()
        return (GRACE,), ()

    async def away(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, datetime | None]:
        return {}


async def test_a_slow_directory_does_not_hold_up_another_workspaces(
    store: Database, engine: Engine, clock: StoppedClock
) -> None:
    """Ada's own is slow; somebody in another company asks after her."""
    eve = person("eve", "slack:T2", is_workspace_admin=True)
    await installed(store, workspace("slack:T2", company="other"), people=(eve,))
    await rolled_out(store, rollout(id="rollout-2", company="other"))
    await engine(command("invite", ENGINEERING, actor=eve))
    await engine(command("invite", ENGINEERING))
    asking = LookUpWorker(store, {Platform.SLACK: SlowDirectory()}, engine, SystemClock())
    running = asyncio.create_task(asking.run())
    async with asyncio.timeout(20):
        while LookUpState.DONE not in {each.state for each in await stored(store, LookUp)}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # a database calls nobody
    assert [each.person_id for each in await lists(store)] == [eve.id]
    states = sorted(each.state for each in await stored(store, LookUp))
    assert states == [LookUpState.DONE, LookUpState.READY, LookUpState.RUNNING], "one at a time in each workspace"

    asking.stop()
    async with asyncio.timeout(20):
        await running
    states = sorted(each.state for each in await stored(store, LookUp))
    assert states == [LookUpState.DONE, LookUpState.READY, LookUpState.READY], "the next to come asks at once"


GRACE_IN_TEAMS = person("grace", "teams:X")
IRIS_IN_TEAMS = person("iris", "teams:X")
GHOST = NotFound("ghost@acme.example", Problem.UNKNOWN_EMAIL)


async def test_addresses_are_looked_up_in_every_workspace_of_the_company(
    store: Database, engine: Engine, clock: StoppedClock
) -> None:
    await installed(store, workspace("teams:X"), people=())
    await installed(store, workspace("teams:Y", company="other"), people=())
    await engine(command("invite grace@acme.example iris@acme.example ghost@acme.example"))
    iris = NotFound("iris@acme.example", Problem.UNKNOWN_EMAIL)
    slack = MemoryDirectory(answers=[((GRACE,), (iris, GHOST))] * 2)
    teams = MemoryDirectory(Platform.TEAMS, answers=[((IRIS_IN_TEAMS,), (GHOST,))])
    asking = LookUpWorker(store, {Platform.SLACK: slack, Platform.TEAMS: teams}, engine, clock)
    assert await asking.run_once() == 2
    assert [[each.id for each in asked] for asked in teams.asked] == [["iris@acme.example", "ghost@acme.example"]]
    said = [words(each.content) for each in await lists(store)]
    (both,) = [each for each in said if "Iris" in each]
    assert "Grace" in both
    assert "Nobody has the address ghost@acme.example, neither here nor in your other connected workspaces." in both


async def test_a_person_in_two_workspaces_is_invited_where_the_command_was_written() -> None:
    assert one_each([GRACE_IN_TEAMS, LINUS, GRACE], "slack:T1") == [GRACE, LINUS]
    assert one_each([GRACE_IN_TEAMS, GRACE], "teams:X") == [GRACE_IN_TEAMS]
    assert one_each([GRACE, GRACE], "slack:T1") == [GRACE]
