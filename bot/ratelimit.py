"""Token buckets, with the clock passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.ports import Limits

SLOWEST = 0.1  # a lane is never slowed below this part of its limit
RECOVERY = 1.05  # after each second without a 429, the rate grows by this factor, up to the limit


@dataclass
class Bucket:
    """At most `limits.burst` at once and `limits.per_second` on average.

    A 429 empties it until the platform's Retry-After has passed and halves the rate, which then grows again slowly.
    """

    limits: Limits
    tokens: float = field(init=False)
    rate: float = field(init=False)
    _at: datetime | None = None
    _closed_until: datetime | None = None

    def __post_init__(self) -> None:
        self.tokens = float(self.limits.burst)
        self.rate = self.limits.per_second

    def take(self, now: datetime, at_most: int) -> int:
        """Take as many as may go now, up to `at_most`; returns how many."""
        if self.wait(now) > 0:
            return 0
        taken = min(int(self.tokens), at_most)
        self.tokens -= taken
        return taken

    def give_back(self, unused: int) -> None:
        """Put back what was taken and not used."""
        self.tokens = min(self.tokens + unused, float(self.limits.burst))

    def wait(self, now: datetime) -> float:
        """Seconds until one may be taken; 0 when it may be now."""
        self._refill(now)
        if self._closed_until is not None and now < self._closed_until:
            return (self._closed_until - now).total_seconds()
        return max(1 - self.tokens, 0.0) / self.rate

    def throttle(self, now: datetime, retry_after: float) -> None:
        """The platform said 429: nothing for `retry_after` seconds, then slower."""
        self._refill(now)
        self.tokens = 0.0
        until = now + timedelta(seconds=retry_after)
        self._closed_until = max(until, self._closed_until or until)
        self.rate = max(self.rate / 2, self.limits.per_second * SLOWEST)

    def _refill(self, now: datetime) -> None:
        seconds = max((now - self._at).total_seconds(), 0.0) if self._at else 0.0
        self._at = now
        self.rate = min(self.rate * RECOVERY ** min(seconds, 100.0), self.limits.per_second)
        self.tokens = min(self.tokens + seconds * self.rate, float(self.limits.burst))


@dataclass
class LaneLimits:
    """A lane's three limits: platforms count sending, updating and reading separately."""

    send: Bucket
    update: Bucket
    find: Bucket

    @classmethod
    def of(cls, limits: Limits) -> LaneLimits:
        """Full buckets."""
        slower = Limits(limits.others_per_second, burst=limits.in_flight, in_flight=limits.in_flight)
        return cls(Bucket(limits), Bucket(slower), Bucket(slower))
