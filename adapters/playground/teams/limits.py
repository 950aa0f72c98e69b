"""The Connector's rate limits, off until a test or the playground switches them on.

Source: learn.microsoft.com, "Optimize your bot: rate limiting", sections "Per bot per thread limit" and "Per bot per
region/ per app per tenant" (the page has named 30 and 50 calls a second; 30 is the stricter reading).
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable

from adapters.playground.teams.refusal import throttled

Window = tuple[int, float]
"""So many calls in so many seconds."""

WRITES_PER_CONVERSATION: tuple[Window, ...] = ((7, 1), (8, 2), (60, 30), (1800, 3600))
READS_PER_CONVERSATION: tuple[Window, ...] = ((14, 1), (16, 2), (120, 30), (3600, 3600))

_WRITES = {"create_conversation", "send", "reply", "update", "delete"}


class RateLimits:
    """Counts calls and refuses those above the limits. ``per_second`` is the limit for the app in the tenant."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.enabled = False
        self.per_second = 30
        self._now = now
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def count(self, operation: str, conversation_id: str) -> None:
        """Count this call; raises Refused (429 with Retry-After in whole seconds) when it is one too many."""
        if not self.enabled:
            return
        kind = "write" if operation in _WRITES else "read"
        windows = WRITES_PER_CONVERSATION if kind == "write" else READS_PER_CONVERSATION
        limited = [
            (self._calls["app", ""], ((self.per_second, 1.0),)),
            (self._calls[kind, conversation_id], windows),
        ]
        wait = max(self._wait(calls, each) for calls, each in limited)
        if wait > 0:
            raise throttled(max(1, math.ceil(wait)))
        for calls, _ in limited:
            calls.append(self._now())

    def _wait(self, calls: deque[float], windows: tuple[Window, ...]) -> float:
        """Seconds until another call fits into every window, 0 if it fits now."""
        now = self._now()
        while calls and calls[0] <= now - windows[-1][1]:
            calls.popleft()
        waits = [0.0]
        for most, seconds in windows:
            if len(calls) >= most:
                waits.append(calls[-most] + seconds - now)
        return max(waits)
