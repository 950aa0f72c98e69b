"""An event loop on which waiting takes no time: when nothing else is left to do, its clock jumps to the next timer.

For what has no threads and no network, such as the bot on a database in memory: minutes of pacing take seconds.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # working hours in Europe


class _Impatient(selectors.DefaultSelector):
    """Does not wait for a timer, but says how long it would have."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """What is ready; otherwise the wait is skipped."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.skipped += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        """Seconds that have passed in this loop's world."""
        return self._impatient.skipped


class LoopClock:
    """Implements bot.ports.Clock with the running loop's time, which begins at `start`."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start

    def now(self) -> datetime:
        """The simulated moment."""
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep(self, seconds: float) -> None:
        """Wait in simulated time."""
        await asyncio.sleep(seconds)


def in_simulated_time(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end on a loop of its own. Not from within a running loop: use a thread."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
