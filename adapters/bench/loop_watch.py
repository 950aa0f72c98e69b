"""How long an event loop was kept from everything else. Processor time of the loop's thread, not wall time, so that
other programs on the machine do not count.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Longest:
    """The longest that anything kept the loop, in seconds of its thread."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.by = ""

    def __repr__(self) -> str:
        return f"{self.seconds * 1000:.0f} ms by {self.by}"


@contextmanager
def watching() -> Iterator[Longest]:
    """Measure every callback of this thread's event loop until the block ends."""
    longest, here = Longest(), threading.get_ident()
    run = asyncio.Handle._run  # noqa: SLF001  # the one place that every callback passes through

    def timed(self: Any) -> None:
        begun = time.thread_time()
        run(self)
        took = time.thread_time() - begun
        if took > longest.seconds and threading.get_ident() == here:
            longest.seconds, longest.by = took, _name(self)

    asyncio.Handle._run = timed  # type: ignore[method-assign]  # noqa: SLF001
    try:
        yield longest
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]  # noqa: SLF001


def _name(handle: Any) -> str:
    """A task's, and where it waits now."""
    task = getattr(handle._callback, "__self__", None)  # noqa: SLF001
    if not isinstance(task, asyncio.Task):
        return repr(handle)
    frames = [f"{frame.f_code.co_name}:{frame.f_lineno}" for frame in task.get_stack()]
    return f"{task.get_name()} {task.get_coro()} {frames}"
