"""Knobs that make the Web API fail in the ways that a network and a busy service do."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call.

    accepted: whether Slack did what was asked, though the caller may not learn it. late: seconds until it
    did (or until it answers, when it did not). answer: what the caller sees.
    """

    answer: Literal["normal", "status", "reset", "nothing", "not_json"]
    accepted: bool
    status: int = 200
    retry_after: int | None = None
    late: float = 0.0


def rate_limited(retry_after: int = 1) -> Fault:
    """429 with Retry-After in seconds; the call did nothing."""
    return Fault("status", accepted=False, status=429, retry_after=retry_after)


def answers(status: int, *, accepted: bool = False) -> Fault:
    """An HTTP error such as 500, 502 or 503 with a page of HTML."""
    return Fault("status", accepted=accepted, status=status)


def reset_before_acceptance() -> Fault:
    """The connection breaks and the call did nothing."""
    return Fault("reset", accepted=False)


def reset_after_acceptance() -> Fault:
    """The connection breaks after the call did its work: the message is there."""
    return Fault("reset", accepted=True)


def never_answers(*, accepted: bool = False) -> Fault:
    """The connection stays open and silent until the caller gives up or the emulator stops."""
    return Fault("nothing", accepted=accepted)


def not_json(*, accepted: bool = True) -> Fault:
    """200 with a body that is not JSON, as a proxy in between would send."""
    return Fault("not_json", accepted=accepted)


def accepted_late(seconds: float) -> Fault:
    """The call does its work, and answers, only after so many seconds, also when the caller is long gone."""
    return Fault("normal", accepted=True, late=seconds)


class Faults:
    """Which calls fail. `"*"` as a method means any.

    slack.faults.next("chat.postMessage", reset_after_acceptance(), times=2)
    slack.faults.sometimes("chat.postMessage", rate_limited(1), 0.05)
    slack.faults.seed(7); slack.faults.clear()
    """

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)
        self._chances: list[tuple[str, Fault, float]] = []
        self._random = random.Random(1)  # noqa: S311 - repeatable on purpose

    def next(self, method: str, fault: Fault, *, times: int = 1) -> None:
        """The next `times` calls of this method fail so; plans of one method follow each other."""
        self._planned[method].extend([fault] * times)

    def sometimes(self, method: str, fault: Fault, probability: float) -> None:
        """Each call of this method fails so with this probability (0 to 1)."""
        self._chances.append((method, fault, probability))

    def seed(self, number: int) -> None:
        """Start the chances again from this number, to have the same run twice."""
        self._random.seed(number)

    def clear(self) -> None:
        """Everything works again."""
        self._planned.clear()
        self._chances.clear()

    def for_call(self, method: str) -> Fault | None:
        """The fault of this call, if it has one; a planned one is used up."""
        for name in (method, "*"):
            if self._planned[name]:
                return self._planned[name].popleft()
        for name, fault, probability in self._chances:
            if name in {method, "*"} and self._random.random() < probability:
                return fault
        return None
