"""Calls for somebody who waits for an answer: what the platform has provably not done is asked for again.

Deliveries have the dispatcher's rate and its attempts instead; this is for what is shown at once, and is not durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

TRIES = 4
WITHIN = 20.0  # seconds, from the first try to the last; whoever waits longer has asked again
SOON = 1.0  # seconds, where the platform could not be reached and so names no time

_T = TypeVar("_T")


async def patiently(
    call: Callable[[], Awaitable[_T]],
    again_after: Callable[[Exception], float | None],
    *,
    tries: int = TRIES,
    within: float = WITHIN,
) -> _T:
    """What the call returns. `again_after` says of its failure in how many seconds to try again, or None when it may
    have done something, or never will. Raises the last failure when the tries or the time are used up.
    """
    deadline = monotonic() + within
    for _ in range(tries - 1):
        try:
            return await call()
        except Exception as failed:
            seconds = again_after(failed)
            if seconds is None or monotonic() + seconds > deadline:
                raise
        await asyncio.sleep(seconds)
    return await call()
