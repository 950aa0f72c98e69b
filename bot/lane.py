"""One workspace's or tenant's lane, while this process holds it.

Sending, looking into what is unclear and bringing copies up to date go on side by side, each under its own limit: a
thousand copies to be updated hold up no message, and ten thousand messages no copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.clock import first_of
from bot.ports import Clock, StaleWrite, Store, StoreUnavailable
from bot.ratelimit import Bucket, LaneLimits
from bot.sending import Sending
from bot.upkeep import Upkeep

IDLE = 0.5  # seconds between looks when there is nothing to do
CHECKED_EVERY = 5.0  # seconds between looks whether the lane is still this process's
AFTER_FAILURE = 5.0

log = structlog.get_logger(__name__)


class Lane:
    """What is done on one lane. Belongs to one process at a time: whoever holds the store's lock for it."""

    def __init__(
        self, name: str, store: Store, clock: Clock, *, sending: Sending, upkeep: Upkeep, limits: LaneLimits
    ) -> None:
        self._name = name
        self._store = store
        self._sending = sending
        self._upkeep = upkeep
        self._limits = limits
        self._clock = clock
        self._busy: set[str] = set()  # the parts that may have something left to do
        self._over = asyncio.Event()

    async def once(self) -> int:
        """What can be done now, without waiting for a limit. Returns how much that was."""
        done = await self._upkeep.reconcile()
        try:
            while claimed := await self._sending.step():
                done += claimed
                await self._sending.answered()
            await self._sending.finish()
        finally:
            await self._sending.abandon()
        return done + await self._upkeep.update()

    async def keep_busy(self) -> None:
        """Until there is nothing left to do, the lane is lost, or `stop` is called; what is under way is finished."""
        self._busy = {"send", "find", "update"}
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._send())
            parts.create_task(self._keep("find", self._upkeep.reconcile, self._limits.find))
            parts.create_task(self._keep("update", self._upkeep.update, self._limits.update))
            parts.create_task(self._watch())

    def stop(self) -> None:
        """Begin nothing more."""
        self._over.set()

    def _is(self, part: str, *, busy: bool) -> None:
        (self._busy.add if busy else self._busy.discard)(part)
        if not self._busy:
            self._over.set()

    async def _send(self) -> None:
        try:
            while not self._over.is_set():
                await self._sending.step()
                self._is("send", busy=not self._sending.is_idle)
                pause = self._sending.pause(IDLE)
                if self._sending.under_way:
                    await self._wait(pause, self._sending.answered())
                else:
                    await self._wait(pause)
            await self._sending.finish()
        finally:
            await self._sending.abandon()

    async def _keep(self, part: str, step: Callable[[], Awaitable[int]], bucket: Bucket) -> None:
        while not self._over.is_set():
            try:
                done = await step()
            except (StaleWrite, StoreUnavailable):
                done = 0
            except Exception:
                log.exception("lane.failed", lane=self._name, part=part)
                done = 0
            self._is(part, busy=done > 0)
            await self._wait(bucket.wait(self._clock.now()) if done else IDLE)

    async def _watch(self) -> None:
        """Whoever has lost the lane must stop: another process has it, or soon will."""
        while not self._over.is_set():
            await self._wait(CHECKED_EVERY)
            try:
                if await self._store.holds(self._name):
                    continue
            except StoreUnavailable:
                pass
            log.warning("lane.lost", lane=self._name)
            self._over.set()

    async def _wait(self, seconds: float | None, *others: Awaitable[None]) -> None:
        """That long (None: without end), or until one of the others is done, or until it is over."""
        sleep = () if seconds is None else (self._clock.sleep(seconds),)
        await first_of(self._over.wait(), *sleep, *others)
