"""What the dispatcher does, and tells the operator, when the database or a lane's own parts fail. Simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from structlog.testing import capture_logs

from adapters.bench.simulated_time import LoopClock, in_simulated_time
from adapters.playground.simulated_database import database_in_memory
from bot.dispatcher import Dispatcher
from bot.lane import AFTER_FAILURE, CHECKED_EVERY
from bot.model import Delivery, DeliveryState, Platform
from bot.ports import StoreUnavailable
from bot.upkeep import Upkeep
from storage.database import Database
from tests.bot.test_lane import InTime, many, played, run_for
from tests.builders import NOON
from tests.rows import changed, invited_people, stored

LANE = "slack:T1"
Log = list[Any]


class Failing(Database):
    """A store that fails as planned, one plan after the other, and then works."""

    def __init__(self, sound: Database) -> None:
        self.__dict__.update(sound.__dict__)
        self.transactions: list[Exception] = []
        self.lanes: list[Exception] = []
        self.asked_at: list[float] = []
        self.holding: list[bool | Exception] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self.asked_at.append(asyncio.get_running_loop().time())
        if self.transactions:
            raise self.transactions.pop(0)
        async with super().transaction() as tx:
            yield tx

    @asynccontextmanager
    async def lane(self, lane: str) -> AsyncIterator[bool]:
        assert lane == LANE
        if self.lanes:
            raise self.lanes.pop(0)
        yield True

    async def holds(self, lane: str) -> bool:
        assert lane == LANE
        answer = self.holding.pop(0) if self.holding else True
        if isinstance(answer, Exception):
            raise answer
        return answer


def told(story: Callable[[Failing, LoopClock], Awaitable[None]]) -> Log:
    """Play it, and return what was logged as a warning or worse."""

    async def in_memory() -> None:
        async with database_in_memory() as store:
            await story(Failing(store), LoopClock(NOON))

    with capture_logs() as logs:
        in_simulated_time(in_memory())
    return [each for each in logs if each["log_level"] != "info"]


def test_while_the_database_is_away_it_is_asked_again_after_a_while() -> None:
    async def story(store: Failing, clock: LoopClock) -> None:
        store.transactions = [StoreUnavailable(), RuntimeError("a mistake of ours")]
        await run_for(20, store, clock, InTime())
        first, second, third, *_ = store.asked_at
        assert second - first == third - second == AFTER_FAILURE

    put_off, failed = told(story)
    assert (put_off["event"], put_off["why"], put_off["log_level"]) == (
        "dispatcher.put_off",
        "StoreUnavailable",
        "warning",
    )
    assert (failed["event"], failed["log_level"], failed["exc_info"]) == ("dispatcher.failed", "error", True)


def test_a_lane_that_cannot_be_taken_is_taken_later() -> None:
    async def story(store: Failing, clock: LoopClock) -> None:
        slack = InTime()
        await invited_people(store, *many(3))
        store.lanes = [StoreUnavailable(), RuntimeError("a mistake of ours")]
        await run_for(20, store, clock, slack)
        assert len(slack.log) == 3

    away, failed = told(story)
    assert (away["event"], away["lane"], away["log_level"]) == ("dispatcher.database_unavailable", LANE, "warning")
    assert (failed["event"], failed["lane"], failed["exc_info"]) == ("dispatcher.lane_failed", LANE, True)


def test_a_lane_of_which_a_mistake_of_ours_has_made_an_end_rests_for_a_while() -> None:
    async def story(store: Failing, clock: LoopClock) -> None:
        slack = InTime()
        await invited_people(store, *many(3))
        store.lanes = [RuntimeError("a mistake of ours")]
        await run_for(20, store, clock, slack)
        assert min(at for at, _ in slack.sent_at) >= AFTER_FAILURE

    told(story)


def test_a_stop_is_not_held_up_by_that_rest() -> None:
    async def story(store: Failing, clock: LoopClock) -> None:
        await invited_people(store, *many(3))
        store.lanes = [RuntimeError("a mistake of ours")]
        dispatcher = Dispatcher(store, {Platform.SLACK: InTime()}, clock)
        running = asyncio.create_task(dispatcher.run())
        await clock.sleep(1)
        begun = asyncio.get_running_loop().time()
        await dispatcher.stop()
        assert asyncio.get_running_loop().time() - begun < 0.1
        await running

    told(story)


def test_whoever_has_lost_a_lane_sends_nothing_more() -> None:
    async def story(store: Failing, clock: LoopClock) -> None:
        slack = InTime()
        await invited_people(store, *many(200))
        store.holding = [True, False]
        store.lanes = []
        dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock)
        running = asyncio.create_task(dispatcher.run())
        await clock.sleep(2 * CHECKED_EVERY - 0.1)
        store.lanes = [StoreUnavailable()] * 10_000  # another has it from now on
        await clock.sleep(10)
        assert max(at for at, _ in slack.sent_at) <= 2 * CHECKED_EVERY + 0.5
        assert not [each for each in await stored(store, Delivery) if each.state is DeliveryState.SENDING]
        await dispatcher.stop()
        await running

    lost = next(each for each in told(story) if each["event"] == "lane.lost")
    assert (lost["lane"], lost["log_level"]) == (LANE, "warning")


def test_a_lane_whose_lock_cannot_be_looked_at_is_given_up() -> None:
    async def story(store: Failing, clock: LoopClock) -> None:
        slack = InTime()
        await invited_people(store, *many(100))
        store.holding = [StoreUnavailable()]
        await run_for(30, store, clock, slack)
        assert len(slack.log) == 100, "it is taken again"

    assert [each["event"] for each in told(story)] == ["lane.lost"]


def test_a_part_of_a_lane_that_fails_is_told_and_tried_again(monkeypatch: Any) -> None:
    failures = {
        "reconcile": [RuntimeError("a mistake of ours")],
        "update": [RuntimeError("another"), StoreUnavailable()],
    }

    def failing(name: str) -> Callable[[Upkeep], Awaitable[int]]:
        sound = getattr(Upkeep, name)

        async def step(upkeep: Upkeep) -> int:
            if failures[name]:
                raise failures[name].pop(0)
            done: int = await sound(upkeep)
            return done

        return step

    for name in failures:
        monkeypatch.setattr(Upkeep, name, failing(name))

    async def story(store: Failing, clock: LoopClock) -> None:
        slack = InTime()
        await invited_people(store, *many(30))
        await run_for(10, store, clock, slack)
        await changed(store, "delivery", outdated=1)
        await run_for(20, store, clock, slack)
        assert len(slack.log) == 30
        assert len(slack.updated_at) == 30

    logged = [(each["event"], each["lane"], each["part"], each["exc_info"]) for each in told(story)]
    assert sorted(logged) == [("lane.failed", LANE, "find", True), ("lane.failed", LANE, "update", True)]


def test_updates_keep_their_own_limit() -> None:
    async def story(store: Database, clock: LoopClock) -> None:
        slack = InTime(takes=0.0)
        await invited_people(store, *many(40))
        await run_for(10, store, clock, slack)
        await changed(store, "delivery", outdated=1)
        await run_for(20, store, clock, slack)
        first, *_, last = slack.updated_at
        assert len(slack.updated_at) == 40
        assert 38 / 5 <= last - first <= 38 / 5 * 1.5

    played(story)


def test_a_lane_is_let_go_when_everything_is_done() -> None:
    async def story(store: Failing, clock: LoopClock) -> None:
        let_go: list[float] = []
        sound = store.lane

        @asynccontextmanager
        async def watched(lane: str) -> AsyncIterator[bool]:
            async with sound(lane) as mine:
                yield mine
            let_go.append(asyncio.get_running_loop().time())

        store.lane = watched  # type: ignore[method-assign]
        await invited_people(store, *many(5))
        await run_for(10, store, clock, InTime())
        assert len(let_go) == 1
        assert let_go[0] < 3

    assert told(story) == []
