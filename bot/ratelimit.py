"""How fast a lane may go: never faster than the platform allows, and slower after it has said so. No clock here."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.ports import Limits

SAFETY = 1.02  # what leaves the bot evenly may arrive a little bunched
SLOWER = 0.8  # a 429 leaves this part of the rate
SLOWEST = 0.1  # a lane is never slowed below this part of its limit
FASTER = 0.02  # of the limit, added back in each second without a 429
FIRST_TROUBLE, LONGEST_TROUBLE = 0.5, 5.0  # seconds that a platform in trouble is left alone, doubling


@dataclass
class Bucket:
    """At most `limits.burst` calls in any `limits.burst / rate` seconds: a sliding window, so that time in which
    nothing could be sent is made up for as far as the platform allows.

    A 429 closes it until the platform's Retry-After has passed and lowers the rate by a fifth; then the rate rises
    again, slowly and evenly. What is taken here also counts in the bucket `within` which this one lies.
    """

    limits: Limits
    within: Bucket | None = None
    rate: float = field(init=False)
    _taken: deque[datetime] = field(init=False)  # when each of the last calls went, or will have been allowed to
    _at: datetime | None = None
    _closed_until: datetime | None = None
    _troubles: int = 0

    def __post_init__(self) -> None:
        self.rate = self.limits.per_second
        self._taken = deque(maxlen=2 * self.limits.burst)

    def take(self, now: datetime, at_most: int) -> int:
        """Take as many as may go now, up to `at_most`; returns how many."""
        taken = 0
        while taken < at_most and self.wait(now) <= 0:
            self._taken.append(now)
            taken += 1
        if self.within is not None:
            self.within.charge(now, taken)
        return taken

    def charge(self, now: datetime, calls: int) -> None:
        """Count calls that are made anyway: what is taken next waits for them."""
        self._pass(now)
        for _ in range(calls):
            self._taken.append(max(self._next() or now, now))

    def give_back(self, unused: int) -> None:
        """Put back what was taken and not used."""
        for _ in range(min(unused, len(self._taken))):
            self._taken.pop()
        if self.within is not None:
            self.within.give_back(unused)

    def wait(self, now: datetime) -> float:
        """Seconds until one may be taken; 0 when it may be now."""
        self._pass(now)
        moments = [self._next(), self._closed_until]
        if self.within is not None:
            moments.append(self.within._closed_until)  # noqa: SLF001  # one of its own kind
        return max([0.0, *((each - now).total_seconds() for each in moments if each is not None)])

    def throttle(self, now: datetime, retry_after: float) -> None:
        """The platform said 429: nothing for `retry_after` seconds, then slower. Of several that belong together,
        because they came before the first had an effect, one counts.
        """
        if not self._is_closed(now):
            self.rate = max(self.rate * SLOWER, self.limits.per_second * SLOWEST)
        self._close(now, retry_after)
        if self.within is not None:
            self.within.throttle(now, retry_after)

    def trouble(self, now: datetime) -> None:
        """The platform fails: left alone for a moment, for longer when it fails again after that."""
        if not self._is_closed(now):
            pause = FIRST_TROUBLE * 2.0 ** min(self._troubles, 10)
            self._troubles += 1
            self._close(now, min(pause, LONGEST_TROUBLE))

    def works(self) -> None:
        """The platform does what it is asked."""
        self._troubles = 0

    def _is_closed(self, now: datetime) -> bool:
        self._pass(now)
        return self._closed_until is not None and now < self._closed_until

    def _close(self, now: datetime, seconds: float) -> None:
        until = now + timedelta(seconds=seconds)
        self._closed_until = max(until, self._closed_until or until)

    def _next(self) -> datetime | None:
        """When another call is allowed; None at once."""
        if len(self._taken) < self.limits.burst:
            return None
        return self._taken[-self.limits.burst] + timedelta(seconds=self.limits.burst / self.rate * SAFETY)

    def _pass(self, now: datetime) -> None:
        """Time has passed. After a clock has been set back, everything is as long ago as it was before."""
        passed = (now - self._at).total_seconds() if self._at else 0.0
        if passed < 0:
            back = timedelta(seconds=passed)
            self._taken = deque((each + back for each in self._taken), maxlen=self._taken.maxlen)
            self._closed_until = self._closed_until and self._closed_until + back
        open_since = max(self._closed_until or now, self._at or now)
        recovered = max((now - open_since).total_seconds(), 0.0) * FASTER
        self.rate = min(self.rate + recovered * self.limits.per_second, self.limits.per_second)
        self._at = now


@dataclass
class LaneLimits:
    """A lane's three limits. Slack counts sending, updating and reading separately; where a platform counts them
    together, updating and reading take their small share of the whole, and sending has what they leave.
    """

    send: Bucket
    update: Bucket
    find: Bucket

    @classmethod
    def of(cls, limits: Limits) -> LaneLimits:
        """Nothing taken yet."""
        slower = Limits(limits.others_per_second, burst=limits.others_burst, in_flight=limits.in_flight)
        send = Bucket(limits)
        whole = send if limits.counted_together else None
        return cls(send, Bucket(slower, whole), Bucket(slower, whole))

    def use_up(self, now: datetime) -> None:
        """Count a whole burst of each kind: what others have called until now is not known here."""
        for bucket in (self.send, self.update, self.find):
            bucket.charge(now, bucket.limits.burst)
