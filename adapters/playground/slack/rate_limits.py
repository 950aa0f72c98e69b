"""Slack's rate limits: docs.slack.dev/apis/web-api/rate-limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Calls per minute, per method and workspace; bursts up to a minute's worth are tolerated.
TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100

TIERS = {
    "auth.test": 600,
    "apps.connections.open": TIER_1,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "oauth.v2.access": 600,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "users.lookupByEmail": TIER_3,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
}


class RateLimits:
    """Token buckets by method, and by channel for chat.postMessage. Off until `enabled`.

    `now` gives seconds. `workspace_messages_per_minute` is our guess at "several hundred"; Slack publishes no number.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.enabled = False
        self.message_burst = 1
        self.workspace_messages_per_minute = 600
        self.workspace_burst: int | None = None  # messages at once; None: a minute's worth
        self._now = now
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def refuse(self, method: str, channel: str = "") -> int | None:
        """Seconds for Retry-After when this call is over a limit, else None; an allowed call is counted."""
        if not self.enabled:
            return None
        if method != "chat.postMessage":
            per_minute = TIERS.get(method, TIER_3)
            return self._take((method, ""), per_minute, per_minute / 60)
        per_minute = self.workspace_messages_per_minute
        return self._take((method, channel), self.message_burst, 1.0) or self._take(
            (method, ""), self.workspace_burst or per_minute, per_minute / 60
        )

    def _take(self, key: tuple[str, str], size: float, per_second: float) -> int | None:
        now = self._now()
        level, at = self._buckets.get(key, (size, now))
        level = min(size, level + max(0.0, now - at) * per_second)
        if level < 1:
            self._buckets[key] = (level, now)
            return max(1, math.ceil((1 - level) / per_second))
        self._buckets[key] = (level - 1, now)
        return None
