"""The clocks: the machine's, and one that can be moved forward."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        await asyncio.sleep(seconds)


class MovableClock(SystemClock):
    """The machine's time plus an offset that only grows: for trying out, not for production."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The moment, moved."""
        return super().now() + self._offset

    def move(self, by: timedelta) -> datetime:
        """Move forward and return the new time; raises ValueError for a move back."""
        if by < timedelta():
            raise ValueError("this clock only moves forward")
        self._offset += by
        return self.now()


async def first_of(*waits: Awaitable[object]) -> None:
    """Return when the first is done, and end the others. Raises what it raised."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
    for each in done:
        await each
