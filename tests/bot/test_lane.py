"""A lane in time: what goes on side by side neither waits for nor starves each other. Simulated minutes, no sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from adapters.bench.simulated_time import LoopClock, in_simulated_time
from adapters.playground.simulated_database import database_in_memory
from bot.dispatcher import Dispatcher
from bot.model import Delivery, DeliveryKind, DeliveryState, Person, Platform
from bot.ports import Limits, Outcome, Store, Throttled
from storage.database import Database
from tests.bot.test_dispatcher import notice
from tests.builders import NOON, person
from tests.doubles import MemoryPlatform
from tests.rows import changed, invited_people, stored

LIMITS = Limits(per_second=10, burst=5, in_flight=5, others_per_second=5, others_burst=2)


@dataclass
class InTime(MemoryPlatform):
    """Answers after `takes` seconds, or as long as `slow` says for a person; notes when what was called."""

    limits: Limits = LIMITS
    takes: float = 0.2
    slow: dict[str, float] = field(default_factory=dict)
    sent_at: list[tuple[float, str]] = field(default_factory=list)
    updated_at: list[float] = field(default_factory=list)

    async def send(self, workspace: Any, person: Person, message: Any, delivery_id: str) -> Outcome:
        self.sent_at.append((asyncio.get_running_loop().time(), person.id))
        await asyncio.sleep(self.slow.get(person.id, self.takes))
        return await super().send(workspace, person, message, delivery_id)

    async def update(self, *given: Any) -> Outcome:
        self.updated_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes)
        return await super().update(*given)


def played(story: Callable[[Database, LoopClock], Awaitable[None]]) -> None:
    async def in_memory() -> None:
        async with database_in_memory() as store:
            await story(store, LoopClock(NOON))

    in_simulated_time(in_memory())


async def run_for(seconds: float, store: Store, clock: LoopClock, *platforms: MemoryPlatform) -> None:
    dispatcher = Dispatcher(store, {each.platform: each for each in platforms}, clock)
    running = asyncio.create_task(dispatcher.run())
    await clock.sleep(seconds)
    await dispatcher.stop()
    await running


def many(count: int, workspace_id: str = "slack:T1") -> list[Person]:
    return [person(f"p{number}-{workspace_id[-1]}", workspace_id) for number in range(count)]


def test_one_slow_answer_holds_up_nobody_else() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        people = many(41)
        slack = InTime(slow={people[0].id: 30.0})
        await invited_people(store, *people)
        await run_for(35, store, clock, slack)
        assert len(slack.log) == 41
        others = [at for at, who in slack.sent_at if who != people[0].id]
        assert max(others) < 41 / 10 * 1.5, "in the time that the limit needs"

    played(story)


def test_updates_of_copies_and_new_messages_do_not_starve_each_other() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        slack = InTime()
        await invited_people(store, *many(100))
        await run_for(20, store, clock, slack)
        await changed(store, "delivery", outdated=1)
        fresh = [person(f"q{number}") for number in range(100)]
        await invited_people(store, *fresh, wave="wave-2")
        begun = asyncio.get_running_loop().time()
        await run_for(9, store, clock, slack)
        assert sum(at >= begun for at, _ in slack.sent_at) > 75, "nine seconds of ten a second"
        assert len(slack.updated_at) > 35, "nine seconds of five a second"

    played(story)


def test_within_a_lane_replies_go_first_then_invitations_then_reminders() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        slack = InTime(limits=Limits(per_second=10, burst=1, in_flight=1))
        await invited_people(store, *many(30))
        async with store.transaction() as tx:
            who = [person(f"p{number}-1") for number in range(6)]
            now = clock.now()
            late = [
                notice(each, f"late-{each.id}", priority=2, kind=DeliveryKind.REMINDER, not_before=now)
                for each in who[:3]
            ]
            reply = [notice(each, f"reply-{each.id}", priority=0, not_before=now) for each in who[3:]]
            await tx.deliveries.enqueue([*late, *reply])
        await run_for(30, store, clock, slack)
        deliveries = {each.id: each for each in await stored(store, Delivery)}
        order = [deliveries[each].priority for each in slack.tried]
        assert order == sorted(order)
        assert (order.count(0), order.count(2)) == (3, 3)

    played(story)


def test_a_throttled_workspace_slows_no_other_one() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        class OneIsBusy(InTime):
            async def send(self, workspace: Any, *given: Any) -> Outcome:
                if workspace.id == "slack:T1":
                    return Throttled(60)
                return await super().send(workspace, *given)

        slack = OneIsBusy()
        await invited_people(store, *many(20), *many(50, "slack:T2"))
        await run_for(8, store, clock, slack)
        assert len(slack.log) == 50
        assert len(slack.tried) == 50

    played(story)


def test_nobody_gets_two_messages_within_a_second() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        slack = InTime(takes=0.01)
        (ada,) = many(1)
        await invited_people(store, ada)
        async with store.transaction() as tx:
            await tx.deliveries.enqueue([notice(ada, f"n{number}", not_before=clock.now()) for number in range(4)])
        await run_for(15, store, clock, slack)
        moments = [at for at, _ in slack.sent_at]
        assert len(moments) == 5
        assert min(later - earlier for earlier, later in pairwise(moments)) >= 1

    played(story)


def test_on_teams_the_first_messages_to_people_count_twice() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        limits = Limits(per_second=10, burst=5, in_flight=5, counted_together=True, first_message_calls=2)
        teams = InTime(platform=Platform.TEAMS, limits=limits, can_find=False)
        await invited_people(store, *many(50, "teams:X"))
        await run_for(30, store, clock, teams)
        assert len(teams.log) == 50
        assert 9 < max(at for at, _ in teams.sent_at) < 11

    played(story)


def test_when_it_is_stopped_what_is_under_way_is_finished_and_nothing_more_begun() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        slack = InTime(takes=3.0)
        await invited_people(store, *many(20))
        await run_for(1, store, clock, slack)
        states = [each.state for each in await stored(store, Delivery)]
        assert states.count(DeliveryState.SENT) == 5
        assert states.count(DeliveryState.READY) == 15

    played(story)


class Replica(Database):
    """One of several on the same database, which share the locks of its lanes."""

    def __init__(self, shared: Database, locked: set[str]) -> None:
        self.__dict__.update(shared.__dict__)
        self._locked = locked

    @asynccontextmanager
    async def lane(self, lane: str) -> AsyncIterator[bool]:
        mine = lane not in self._locked
        if mine:
            self._locked.add(lane)
        try:
            yield mine
        finally:
            if mine:
                self._locked.discard(lane)


def test_whoever_takes_a_lane_over_assumes_that_its_limit_is_used_up() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        slack, locked = InTime(), set[str]()
        await invited_people(store, *many(60))
        replicas = [Dispatcher(Replica(store, locked), {slack.platform: slack}, clock) for _ in range(4)]
        tasks = [asyncio.create_task(each.run()) for each in replicas]
        for each in replicas:  # each is stopped after a second; whoever holds the lane lets go of it
            await clock.sleep(1.5)
            await each.stop()
        await asyncio.gather(*tasks)
        moments = [at for at, _ in slack.sent_at]
        assert len(moments) > 40
        assert max(sum(begin <= at < begin + 0.5 for at in moments) for begin in moments) <= LIMITS.burst

    played(story)
