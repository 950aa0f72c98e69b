"""A clock that runs faster than time, the same in the bot's process and in the emulators'."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.clock import MovableClock

SPEED = 10.0
MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # working hours in Europe


@dataclass
class HurriedClock(MovableClock):
    """`speed` seconds pass in one, and it can be moved forward.

    All of the bot's own times (leases, grace, pauses, rate limits) keep their proportions. A copy in another process
    shows the same time, apart from later moves.
    """

    speed: float = SPEED
    moved: timedelta = timedelta()
    started: float = field(default_factory=time.time)

    def now(self) -> datetime:
        """The hurried moment."""
        passed = (time.time() - self.started) * self.speed
        return MONDAY_MORNING + timedelta(seconds=passed) + self.moved

    async def sleep(self, seconds: float) -> None:
        """Wait that many of its seconds."""
        await asyncio.sleep(seconds / self.speed)

    def move(self, by: timedelta) -> datetime:
        """Forward; returns the new time."""
        self.moved += by
        return self.now()
