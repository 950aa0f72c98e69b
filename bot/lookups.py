"""Questions to the directories: asked outside any transaction, answered as events.

A question is a row, so that a crash forgets none. Asking twice is harmless, and the answer's event id is the
question's id, so it counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from bot import faultpoints
from bot.events import NotFound, PeopleFound, Problem, Target
from bot.model import LookUp, Person, Platform, Workspace
from bot.ports import Clock, Directory, DirectoryUnavailable, Handle, Store, StoreUnavailable

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 5
IDLE = 0.5

log = structlog.get_logger(__name__)


class LookUpWorker:
    """Answers what was asked. `run_once` takes everything that is ready; `run` repeats it until cancelled."""

    def __init__(self, store: Store, directories: Mapping[Platform, Directory], handle: Handle, clock: Clock) -> None:
        self._store = store
        self._directories = directories
        self._handle = handle
        self._clock = clock

    async def run(self) -> None:
        """Answer questions as they come."""
        while True:
            try:
                await self.run_once()
            except StoreUnavailable:
                log.warning("look_up.database_unavailable")
            except Exception:
                log.exception("look_up.failed")
            await self._clock.sleep(IDLE)

    async def run_once(self) -> int:
        """Returns how many were answered."""
        answered = 0
        while True:
            now = self._clock.now()
            async with self._store.transaction() as tx:
                look_up = await tx.look_ups.claim(now, now + LEASE)
                workspace = await tx.people.workspace(look_up.workspace_id) if look_up else None
                asker = await tx.people.person(look_up.person_id) if look_up else None
            if look_up is None:
                return answered
            faultpoints.reach("look_up.after_claim")
            if workspace is not None and asker is not None and not await self._answer(look_up, workspace, asker):
                continue
            faultpoints.reach("look_up.before_done")
            async with self._store.transaction() as tx:
                await tx.look_ups.done(look_up.id)
            answered += 1

    async def _answer(self, look_up: LookUp, workspace: Workspace, asker: Person) -> bool:
        """Ask the directory and hand the answer to the engine; False when it is to be asked again later."""
        targets = [Target.from_data(data) for data in look_up.targets]
        try:
            people, left_out = await self._resolve(workspace, targets)
        except DirectoryUnavailable as failure:
            if look_up.attempt < MAX_ATTEMPTS:
                async with self._store.transaction() as tx:
                    until = self._clock.now() + timedelta(seconds=failure.retry_after)
                    await tx.look_ups.put_off(look_up, until)
                return False
            people, left_out = (
                (),
                [NotFound(target.label or target.id, Problem.DIRECTORY_FAILED) for target in targets],
            )
        faultpoints.reach("look_up.after_answer")
        found = PeopleFound(
            id=look_up.id,
            workspace_id=workspace.id,
            actor=asker,
            dialog_id=look_up.dialog_id,
            people=tuple(people),
            left_out=tuple(left_out),
        )
        await self._handle(found)
        return True

    async def _resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """A fault of our own counts as a directory that does not answer, so that the admin hears of it in the end."""
        try:
            return await self._directories[workspace.platform].resolve(workspace, targets)
        except DirectoryUnavailable:
            raise
        except Exception as fault:
            log.exception("look_up.fault", workspace=workspace.id)
            raise DirectoryUnavailable from fault
