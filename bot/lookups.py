"""Questions to the directories: asked outside any transaction, answered as events.

A question is a row, so that a crash forgets none. Asking twice is harmless, and the answer's event id is the
question's id, so it counts once. However many people are found, they are stored in small transactions, as a list that
belongs to this attempt alone; the event only names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, count, islice
from typing import TypeVar

import structlog

from bot import faultpoints
from bot.clock import first_of
from bot.events import NotFound, PeopleFound, Problem, Target, TargetKind
from bot.model import Listed, LookUp, Person, Platform, Workspace, joined
from bot.ports import Clock, Directory, DirectoryUnavailable, Handle, Store, StoreUnavailable

LEASE = timedelta(minutes=5)  # extended while the question is being asked
EXTENDED_EVERY = 100.0  # seconds
AT_A_TIME = 4  # look-ups under way, each in another workspace: a slow directory does not hold up the others
MAX_ATTEMPTS = 5  # at a directory, or at the answer; then the admin is told
LAST_WORDS = 3  # more, to tell the admin
RETRY_HANDLING = 30.0  # seconds, growing with each attempt
STORED_AT_ONCE = 250  # people in one transaction: some milliseconds of the event loop
IDLE = 0.5

GROUPS = (TargetKind.GROUP, TargetKind.CHANNEL, TargetKind.TEAM, TargetKind.TAG)
LONGEST_LABEL = 100  # characters of a group's name, where it stands beside people

Item = TypeVar("Item")

log = structlog.get_logger(__name__)


@dataclass
class Answer:
    """What directories have said: people, who or what is left out, and the labels of people's groups by identity."""

    people: list[Person] = field(default_factory=list)
    left_out: list[NotFound] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)

    def add(self, other: Answer) -> None:
        """What another directory, or the same one about something else, has said."""
        self.people += other.people
        self.left_out = list(dict.fromkeys((*self.left_out, *other.left_out)))
        for identity, labels in other.groups.items():
            known = self.groups.setdefault(identity, [])
            known += [label for label in labels if label not in known]


class LookUpWorker:
    """Answers what was asked. `run_once` takes everything that is ready; `run` repeats it until stopped."""

    def __init__(self, store: Store, directories: Mapping[Platform, Directory], handle: Handle, clock: Clock) -> None:
        self._store = store
        self._directories = directories
        self._handle = handle
        self._clock = clock
        self._busy: dict[str, asyncio.Task[bool]] = {}  # by workspace
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Take nothing new, and give back what is being asked: `run` ends when that is done."""
        self._stopped.set()

    async def run(self) -> None:
        """Answer questions as they come, until stopped."""
        try:
            while not self._stopped.is_set():
                try:
                    while len(self._busy) < AT_A_TIME and (look_up := await self._claim()):
                        self._start(look_up)
                except StoreUnavailable:
                    log.warning("look_up.database_unavailable")
                except Exception:
                    log.exception("look_up.failed")
                await first_of(self._clock.sleep(IDLE), self._stopped.wait())
        finally:
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # none is left in the middle of a transaction

    def _start(self, look_up: LookUp) -> None:
        task = asyncio.create_task(self._answered_or_given_back(look_up), name=look_up.workspace_id)
        self._busy[look_up.workspace_id] = task
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[bool]) -> None:
        self._busy.pop(task.get_name(), None)
        if task.cancelled() or (failure := task.exception()) is None:
            return
        if isinstance(failure, StoreUnavailable):  # its lease ends, then it is claimed again
            log.warning("look_up.database_unavailable")
        else:
            log.error("look_up.failed", exc_info=failure)

    async def _answered_or_given_back(self, look_up: LookUp) -> bool:
        try:
            return await self._answered(look_up)
        except asyncio.CancelledError:  # the next to come asks at once, instead of when the lease has ended
            await self._put_off(look_up, 0.0)
            raise

    async def run_once(self) -> int:
        """Take everything that is ready, one after the other. Returns how many were answered."""
        answered = 0
        while (look_up := await self._claim()) is not None:
            answered += await self._answered(look_up)
        return answered

    async def _claim(self) -> LookUp | None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            return await tx.look_ups.claim(now, now + LEASE, self._busy.keys())

    async def _answered(self, look_up: LookUp) -> bool:
        """Ask, list, hand the list to the engine; False when it is to be asked again later."""
        faultpoints.reach("look_up.after_claim")
        async with self._store.transaction() as tx:
            workspace = await tx.people.workspace(look_up.workspace_id)
            asker = await tx.people.person(look_up.person_id)
        if workspace is not None and asker is not None:
            try:
                async with self._lease_extended(look_up):
                    await self._answer(look_up, workspace, asker)
            except DirectoryUnavailable as failure:
                return await self._put_off(look_up, failure.retry_after)
            except Exception as failure:
                if look_up.attempt < MAX_ATTEMPTS + LAST_WORDS:
                    log.warning("look_up.not_handled", look_up=look_up.id, why=type(failure).__name__)
                    return await self._put_off(look_up, RETRY_HANDLING * look_up.attempt)
                log.exception("look_up.given_up", look_up=look_up.id)
        faultpoints.reach("look_up.before_done")
        async with self._store.transaction() as tx:
            await tx.look_ups.done(look_up.id)
        return True

    async def _answer(self, look_up: LookUp, workspace: Workspace, asker: Person) -> None:
        answer = await self._found(look_up, workspace)
        faultpoints.reach("look_up.after_answer")
        list_id = f"{look_up.id}:{look_up.attempt}"
        await self._store_list(list_id, look_up.dialog_id, answer, workspace.id)
        faultpoints.reach("look_up.after_list")
        found = PeopleFound(
            id=look_up.id, workspace_id=workspace.id, actor=asker, dialog_id=look_up.dialog_id, list_id=list_id
        )
        await self._handle(found)

    async def _found(self, look_up: LookUp, workspace: Workspace) -> Answer:
        """What the directories say; in the end, that nobody was found. Raises DirectoryUnavailable before that."""
        targets = [Target.from_data(data) for data in look_up.targets]
        if look_up.attempt > MAX_ATTEMPTS:  # the answer was there, and could not be stored or shown
            return _nobody(targets, Problem.LOOK_UP_FAILED)
        try:
            return await self._resolve_everywhere(workspace, targets)
        except DirectoryUnavailable:
            if look_up.attempt < MAX_ATTEMPTS:
                raise
            return _nobody(targets, Problem.DIRECTORY_FAILED)

    async def _resolve_everywhere(self, workspace: Workspace, targets: Sequence[Target]) -> Answer:
        """Addresses that nobody has where the command was written are looked up in the company's other workspaces."""
        here = await self._resolve(workspace, targets)
        async with self._store.transaction() as tx:
            others = [each for each in await tx.people.workspaces(workspace.company) if each.id != workspace.id]
        others = [each for each in others if each.platform in self._directories]
        missing = {each.label for each in here.left_out if each.problem is Problem.UNKNOWN_EMAIL}
        left_over = [each for each in targets if each.kind is TargetKind.EMAIL and _label(each) in missing]
        if not others or not left_over:
            return here
        found = Answer(here.people, _but_unknown(here.left_out), here.groups)
        for other in others:
            there = await self._resolve(other, left_over)
            found.add(Answer(there.people, _but_unknown(there.left_out), there.groups))
            missing = {each.label for each in there.left_out if each.problem is Problem.UNKNOWN_EMAIL}
            left_over = [each for each in left_over if _label(each) in missing]
        found.left_out += [NotFound(_label(each), Problem.UNKNOWN_EMAIL_ANYWHERE) for each in left_over]
        return found

    async def _resolve(self, workspace: Workspace, targets: Sequence[Target]) -> Answer:
        """Each group by itself, so that it is known who is in which; a directory remembers what it was told before.
        A fault of our own counts as a directory that does not answer, so that the admin hears of it in the end.
        """
        directory, found = self._directories[workspace.platform], Answer()
        alone = [each for each in targets if each.kind not in GROUPS]
        try:
            for group in (each for each in targets if each.kind in GROUPS):
                people, left_out = await directory.resolve(workspace, [group])
                label = _label(group)[:LONGEST_LABEL]
                found.add(Answer(list(people), list(left_out), {each.identity: [label] for each in people}))
            if alone:
                people, left_out = await directory.resolve(workspace, alone)
                found.add(Answer(list(people), list(left_out)))
        except DirectoryUnavailable:
            raise
        except Exception as fault:
            log.exception("look_up.fault", workspace=workspace.id)
            raise DirectoryUnavailable from fault
        return found

    async def _store_list(self, list_id: str, dialog_id: str, answer: Answer, home: str) -> None:
        """First who is to be invited, then who is invited already, then who or what is left out."""
        people = one_each(answer.people, home)
        async with self._store.transaction() as tx:
            dialog = await tx.rollouts.dialog(dialog_id)
        rollout_id = (dialog and dialog.rollout_id) or ""
        invited: set[str] = set()
        for some in _batches(people):
            async with self._store.transaction() as tx:
                await tx.people.meet(some)
                invited |= await tx.invitations.invited_identities(rollout_id, [each.identity for each in some])
        at = self._clock.now()
        for few in _batches(_lines(list_id, at, people, invited, answer)):
            async with self._store.transaction() as tx:
                await tx.lists.add(few)

    async def _put_off(self, look_up: LookUp, seconds: float) -> bool:
        async with self._store.transaction() as tx:
            await tx.look_ups.put_off(look_up, self._clock.now() + timedelta(seconds=seconds))
        return False

    @asynccontextmanager
    async def _lease_extended(self, look_up: LookUp) -> AsyncIterator[None]:
        """A directory may take longer than the lease; whoever still asks keeps the question."""

        async def extend() -> None:
            while True:
                await asyncio.sleep(EXTENDED_EVERY)  # a process's own time: a clock that is moved has no part in it
                try:
                    async with self._store.transaction() as tx:
                        await tx.look_ups.extend(look_up, self._clock.now() + LEASE)
                except StoreUnavailable:
                    log.warning("look_up.database_unavailable")

        task = asyncio.create_task(extend())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _lines(
    list_id: str, at: datetime, people: Sequence[Person], invited: set[str], answer: Answer
) -> Iterator[Listed]:
    """Made when they are asked for: ten thousand at once would keep the event loop from everybody else."""
    place = count()
    for person in people:
        if person.identity not in invited:
            yield Listed(
                list_id=list_id,
                position=next(place),
                label=person.known_as,
                person_id=person.id,
                workspace_id=person.workspace_id,
                found_in=joined(answer.groups.get(person.identity, ())),
                listed_at=at,
            )
    already = (NotFound(each.known_as, Problem.INVITED) for each in people if each.identity in invited)
    for each in chain(already, answer.left_out):
        yield Listed(
            list_id=list_id, position=next(place), label=each.label, problem=each.problem.value, listed_at=at
        )


def one_each(people: Sequence[Person], home: str) -> list[Person]:
    """Each identity once, in the order in which they were found; of two accounts, the one in the workspace `home`."""
    chosen: dict[str, Person] = {}
    for person in people:
        before = chosen.setdefault(person.identity, person)
        if before.workspace_id != home and person.workspace_id == home:
            chosen[person.identity] = person
    return list(chosen.values())


def _nobody(targets: Sequence[Target], problem: Problem) -> Answer:
    return Answer(left_out=[NotFound(_label(target), problem) for target in targets])


def _but_unknown(left_out: Sequence[NotFound]) -> list[NotFound]:
    return [each for each in left_out if each.problem is not Problem.UNKNOWN_EMAIL]


def _label(target: Target) -> str:
    return target.label or target.id


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while some := list(islice(iterator, STORED_AT_ONCE)):
        yield some
