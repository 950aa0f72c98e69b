"""How long an event loop was kept from everything else. Processor time of the loop's thread, not wall time, so that
other programs on the machine do not count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Longest:
    """The longest that anything kept the loop, in seconds of its thread."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.by = ""


@contextmanager
def watching() -> Iterator[Longest]:
    """Measure every callback of every loop in this thread until the block ends."""
    longest = Longest()
    run = asyncio.Handle._run  # noqa: SLF001  # the one place that every callback passes through

    def timed(self: Any) -> None:
        begun = time.thread_time()
        run(self)
        took = time.thread_time() - begun
        if took > longest.seconds:
            longest.seconds, longest.by = took, repr(self)[:300]

    asyncio.Handle._run = timed  # type: ignore[method-assign]  # noqa: SLF001
    try:
        yield longest
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]  # noqa: SLF001
