"""What stands outside, in memory: a chat platform that does what a test tells it, a directory, a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from bot import faultpoints
from bot.events import NotFound, Target
from bot.messages import Message
from bot.model import Person, Platform, Workspace
from bot.ports import (
    Limits,
    NeverLeft,
    Outcome,
    Refused,
    Sent,
    Store,
    StoreUnavailable,
    Throttled,
    Transaction,
    Unclear,
)
from tests.builders import NOON

PLENTY = Limits(per_second=1000, burst=1000, in_flight=100, others_per_second=1000)


class Crash(BaseException):
    """The process is gone."""


@contextmanager
def killed_at(point: str, time: int = 1) -> Iterator[None]:
    """The process is killed when it reaches this fault point, or reaches it for that time: it gets no further."""
    left = time

    def crash(reached: str) -> None:
        nonlocal left
        left -= reached == point
        if left <= 0:
            raise Crash

    faultpoints.install(crash)
    try:
        yield
    finally:
        faultpoints.install(None)


class Door:
    """The real store behind a door that counts who enters, and fails for a while, as a database does that is restarted
    or contested: not before so many have entered.
    """

    def __init__(self, store: Store, *failures: Exception, after: int = 0) -> None:
        self._store = store
        self._after = after
        self.failures = list(failures)
        self.entered = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.entered += 1
        failures = self.failures if self.entered > self._after else []
        if failures and isinstance(failures[0], StoreUnavailable):
            raise failures.pop(0)
        async with self._store.transaction() as tx:
            yield tx
            if failures:
                raise failures.pop(0)


class StoppedClock:
    """Stands still until a test moves it; waiting moves it too."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(frozen=True)
class Arrived:
    """A message as its reader has it."""

    delivery_id: str
    person_id: str
    message_id: str
    message: Message
    at: datetime


@dataclass
class MemoryPlatform:
    """Implements bot.ports.ChatPlatform.

    `script` holds the outcomes of the next calls of `send`; when it is empty, messages arrive. An Unclear one arrives
    all the same if `late` says so: that is what makes it unclear.
    """

    platform: Platform = Platform.SLACK
    limits: Limits = PLENTY
    can_find: bool = True
    clock: StoppedClock = field(default_factory=StoppedClock)
    script: list[Outcome | Exception] = field(default_factory=list)
    late: bool = False
    log: list[Arrived] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)  # delivery ids, in the order of the calls
    shown: dict[str, Message] = field(default_factory=dict)  # what each message shows now, by message id
    updated: list[tuple[str, str, Sent]] = field(default_factory=list)  # workspace and person id, and where
    update_script: list[Outcome] = field(default_factory=list)
    find_script: list[Unclear | Throttled] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    before_answer: Callable[[Arrived], None] = lambda _: None
    _ids: count[int] = field(default_factory=lambda: count(1))

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:
        self.tried.append(delivery_id)
        outcome = self.script.pop(0) if self.script else None
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Throttled | NeverLeft | Refused) or (isinstance(outcome, Unclear) and not self.late):
            return outcome
        arrived = Arrived(delivery_id, person.id, f"m{next(self._ids)}", message, self.clock.now())
        self.log.append(arrived)
        self.shown[arrived.message_id] = message
        self.before_answer(arrived)
        return outcome or Sent(self.channel(person), arrived.message_id)

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        if self.update_script:
            return self.update_script.pop(0)
        self.updated.append((workspace.id, person.id, sent))
        self.shown[sent.message_id] = message
        return sent

    async def find(
        self, workspace: Workspace, person: Person, delivery_id: str, since: datetime
    ) -> Sent | Unclear | Throttled | None:
        self.searched.append(delivery_id)
        if self.find_script:
            return self.find_script.pop(0)
        for arrived in self.log:
            if arrived.delivery_id == delivery_id and arrived.at >= since:
                return Sent(self.channel(person), arrived.message_id)
        return None

    @staticmethod
    def channel(person: Person) -> str:
        """Every person's direct messages have their own channel."""
        return f"D-{person.user_id}"

    def to(self, person: Person) -> list[Message]:
        """What somebody got, as it was sent."""
        return [arrived.message for arrived in self.log if arrived.person_id == person.id]


@dataclass
class MemoryDirectory:
    """Implements bot.ports.Directory: knows what the test tells it, in the order of the questions."""

    platform: Platform = Platform.SLACK
    answers: list[tuple[Sequence[Person], Sequence[NotFound]] | Exception] = field(default_factory=list)
    asked: list[Sequence[Target]] = field(default_factory=list)
    absent: dict[str, datetime | None] | Exception = field(default_factory=dict)
    groups: dict[str, Collection[str]] | Exception = field(default_factory=dict)
    bosses: dict[str, Person] | Exception = field(default_factory=dict)
    asked_for_managers: list[Sequence[str]] = field(default_factory=list)

    async def resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        self.asked.append(targets)
        answer = self.answers.pop(0) if self.answers else ((), ())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def away(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, datetime | None]:
        if isinstance(self.absent, Exception):
            raise self.absent
        return {person.id: self.absent[person.id] for person in people if person.id in self.absent}

    async def admins_in(self, workspace: Workspace, group: str) -> Collection[str]:
        if isinstance(self.groups, Exception):
            raise self.groups
        return self.groups.get(group, ())

    async def managers(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, Person]:
        self.asked_for_managers.append([person.id for person in people])
        if isinstance(self.bosses, Exception):
            raise self.bosses
        return {person.id: self.bosses[person.id] for person in people if person.id in self.bosses}
