"""Reminders wait for people who are away, as far as their platform tells (Slack: their status)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.by_workspace import asked_by_workspace
from bot.calendar import allowed_from
from bot.model import Person, Platform, Workspace
from bot.ports import Clock, Directory, DirectoryUnavailable, Due, Store

AGAIN_AFTER = timedelta(days=1)  # where somebody is away and has not said until when
AT_LONGEST = timedelta(days=14)  # since the last message: then a status without an end has been forgotten

log = structlog.get_logger(__name__)


class Absences:
    """Puts off what is due to people who are away. Where nobody can tell, nobody is away."""

    def __init__(self, store: Store, directories: Mapping[Platform, Directory], clock: Clock) -> None:
        self._store = store
        self._directories = directories
        self._clock = clock

    async def put_off(self, due: Sequence[Due]) -> int:
        """Let those of these reminders wait whose people are away; returns how many. A reminder that could not come
        before the deadline any more does not wait.
        """
        async with self._store.transaction() as tx:
            people = await tx.people.by_ids(each.person_id for each in due)
        away = await self._away(people)
        now = self._clock.now()
        later = {each.invitation_id: _until(each, away, now) for each in due if each.person_id in away}
        moved = {invitation_id: at for invitation_id, at in later.items() if at is not None}
        if moved:
            async with self._store.transaction() as tx:
                await tx.invitations.put_off(moved, now)
        return len(moved)

    async def _away(self, people: Sequence[Person]) -> Mapping[str, datetime | None]:
        async def ask(
            directory: Directory, workspace: Workspace, some: Sequence[Person]
        ) -> Mapping[str, datetime | None]:
            try:
                return await directory.away(workspace, some)
            except DirectoryUnavailable:
                log.warning("absences.not_told", workspace=workspace.id)
                return {}

        return await asked_by_workspace(self._store, self._directories, people, ask)


def _until(due: Due, away: Mapping[str, datetime | None], now: datetime) -> datetime | None:
    """When the reminder is due instead; None when it is not to wait."""
    until = away[due.person_id]
    if until is None:
        if now - due.last_contact_at > AT_LONGEST:
            return None
        until = now + AGAIN_AFTER
    at = allowed_from(due.rollout.policy, due.time_zone, max(until, now))
    return at if at is not None and at > now else None
