"""Direct messages go out: claim, limit, send, classify, settle, reconcile; and the loop around it.

A message is claimed (committed as `sending`, with a lease) before it is sent, and settled after. Whatever happens in
between, nothing is sent twice: only what provably was not sent becomes ready again. What may have been sent is
`unknown`; where the platform can be asked, it is asked after a grace period, and elsewhere the next reminder repairs
it. docs/delivery.md draws the states.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from bot.clock import first_of
from bot.lane import AFTER_FAILURE, IDLE, Lane
from bot.model import Platform
from bot.observer import Observer, Unobserved
from bot.ports import ChatPlatform, Clock, Reason, StaleWrite, Store, StoreUnavailable, Unclear
from bot.ratelimit import LaneLimits
from bot.sending import LEASE, Sending
from bot.settling import settle_unclear
from bot.upkeep import Upkeep

__all__ = ["GRACE", "LEASE", "Dispatcher"]

GRACE = timedelta(seconds=60)  # at least twice the client's time-out, so that a late message has arrived
EXPIRED_AT_ONCE = 500  # what a dead process was sending, in one transaction

log = structlog.get_logger(__name__)


class Dispatcher:
    """Sends what is queued. `run_once` is one pass over every lane; `run` repeats it until stopped."""

    def __init__(
        self,
        store: Store,
        platforms: Mapping[Platform, ChatPlatform],
        clock: Clock,
        *,
        grace: timedelta = GRACE,
        jitter: random.Random | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._grace = grace
        self._jitter = jitter or random.Random()  # noqa: S311  # spreads retries, guards nothing
        self._observer = observer or Unobserved()
        self._limits: dict[str, LaneLimits] = {}
        self._upkeep: dict[str, Upkeep] = {}
        self._lanes: dict[str, asyncio.Task[None]] = {}  # by lane, which is the task's name too
        self._held: dict[str, Lane] = {}  # those that this process holds
        self._elsewhere: set[str] = set()  # those that another replica held when this one last asked
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """One task for each lane that has work; lanes never wait for each other."""
        while not self._stopped.is_set():
            try:
                for lane in await self._lanes_with_work():
                    if lane not in self._lanes:
                        self._lanes[lane] = asyncio.create_task(self._drain(lane), name=lane)
                        self._lanes[lane].add_done_callback(lambda done: self._lanes.pop(done.get_name()))
                await self._clock.sleep(IDLE)
            except (StoreUnavailable, StaleWrite) as failure:
                log.warning("dispatcher.put_off", why=type(failure).__name__)
                await self._clock.sleep(AFTER_FAILURE)
            except Exception:
                log.exception("dispatcher.failed")
                await self._clock.sleep(AFTER_FAILURE)

    async def stop(self) -> None:
        """Take nothing new, wait for what is in flight, and let go of every lane."""
        self._stopped.set()
        for lane in self._held.values():
            lane.stop()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def run_once(self) -> int:
        """Do everything that can be done now, lane after lane, without waiting for a rate limit. Returns how many
        deliveries were attempted, reconciled or updated.
        """
        lanes = [self._lane(name) for name in await self._lanes_with_work()]
        return sum([await lane.once() for lane in lanes if lane is not None])

    async def _lanes_with_work(self) -> Sequence[str]:
        async with self._store.transaction() as tx:
            now = self._clock.now()
            for interrupted in await tx.deliveries.expired(now, EXPIRED_AT_ONCE):
                await settle_unclear(tx, interrupted, Reason.INTERRUPTED, now)
                self._observer.settled(interrupted, Unclear(Reason.INTERRUPTED))
            return await tx.deliveries.lanes(now)

    async def _drain(self, name: str) -> None:
        """Hold the lane until it is empty. Another replica that holds it already does the work."""
        lane = self._lane(name)
        if lane is None:
            return
        try:
            async with self._store.lane(name) as mine:
                if not mine:
                    self._elsewhere.add(name)
                elif not self._stopped.is_set():
                    self._held[name] = lane
                    self._take_over(name)
                    await lane.keep_busy()
        except* StoreUnavailable:
            log.warning("dispatcher.database_unavailable", lane=name)
        except* Exception:
            log.exception("dispatcher.lane_failed", lane=name)
            await self._pause()
        finally:
            self._held.pop(name, None)

    def _take_over(self, name: str) -> None:
        """A lane that another replica held until a moment ago has used as much of its limits as may be."""
        if name in self._elsewhere:
            self._elsewhere.discard(name)
            self._limits[name].use_up(self._clock.now())

    async def _pause(self) -> None:
        """Wait, unless the dispatcher is stopped."""
        await first_of(self._clock.sleep(AFTER_FAILURE), self._stopped.wait())

    def _lane(self, name: str) -> Lane | None:
        """None when its platform is not configured here. What is known of its rate outlives its work."""
        platform = self._platforms.get(Platform(name.partition(":")[0]))
        if platform is None:
            return None
        limits = self._limits.setdefault(name, LaneLimits.of(platform.limits))
        known = self._store, platform, name, self._clock
        sending = Sending(*known, bucket=limits.send, observer=self._observer, jitter=self._jitter)
        if name not in self._upkeep:
            self._upkeep[name] = Upkeep(*known, limits=limits, observer=self._observer, grace=self._grace)
        return Lane(name, self._store, self._clock, sending=sending, upkeep=self._upkeep[name], limits=limits)
