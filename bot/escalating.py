"""Telling managers of their people who do not answer: one message a day to each, only when somebody is new.

A directory is asked outside any transaction, and what it says is stored with the invitation. Each step can be done
again: whoever is marked is not asked about anew, and a message's key names the round. Of several processes one goes
on: each step that marks somebody makes the digest's next version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot import faultpoints
from bot.by_workspace import asked_by_workspace
from bot.conversations.digest_messages import SHOWN, manager_digest
from bot.digests import Digest
from bot.effects import notice
from bot.model import Person, Platform, Rollout, Workspace
from bot.ports import Directory, DirectoryUnavailable, InvitationView, Store, Transaction

BATCH = 100  # people in one question and one transaction
WAITS_FOR_DIRECTORY = timedelta(hours=2)  # then the person named by the admin is told of everybody

log = structlog.get_logger(__name__)


class Escalating:
    """Finds managers and tells them."""

    def __init__(self, store: Store, directories: Mapping[Platform, Directory]) -> None:
        self._store = store
        self._directories = directories

    async def tell_managers(self, digest: Digest, rollout: Rollout, now: datetime) -> tuple[int, Digest]:
        """Queue a message to every manager of somebody who is new among those that do not answer; returns how many,
        and the digest as it is stored then. Raises DirectoryUnavailable while it is worth waiting for the directory,
        and StaleWrite when another process has taken it over. `now` is when the digest is sent, and later than it was
        read: whoever is marked then is not new the next time.
        """
        async with self._store.transaction() as tx:
            await tx.escalations.take_from_managers(rollout.id, now, digest.id)
            digest = await _taken(tx, digest)
        digest = await self._find_managers(digest, rollout, now)
        async with self._store.transaction() as tx:
            managers = await tx.escalations.managers(rollout.id, digest.sent_at)
        for manager_id in managers:
            await self._tell(digest, rollout, manager_id, now)
        return len(managers), digest

    async def _find_managers(self, digest: Digest, rollout: Rollout, now: datetime) -> Digest:
        while True:
            async with self._store.transaction() as tx:
                silent = await tx.escalations.silent(rollout.id, digest.after, BATCH)
            if not silent:
                return digest
            managers = await self._managers([view.person for view in silent], digest, now)
            async with self._store.transaction() as tx:
                await tx.people.meet(list({each.id: each for each in managers.values()}.values()))
                to = {each.invitation.id: _manager_id(each, managers) for each in silent}
                await tx.escalations.mark(to, now)
                digest = await _taken(tx, digest)
                faultpoints.reach("escalating.before_commit")

    async def _managers(self, people: Sequence[Person], digest: Digest, now: datetime) -> Mapping[str, Person]:
        async def ask(directory: Directory, workspace: Workspace, some: Sequence[Person]) -> Mapping[str, Person]:
            try:
                return await directory.managers(workspace, some)
            except DirectoryUnavailable:
                log.warning("managers.not_told", workspace=workspace.id)
                if _is_late(digest, now):
                    return {}
                raise

        return await asked_by_workspace(self._store, self._directories, people, ask)

    async def _tell(self, digest: Digest, rollout: Rollout, manager_id: str, now: datetime) -> None:
        async with self._store.transaction() as tx:
            manager = await tx.people.person(manager_id)
            total, people = await tx.escalations.marked(rollout.id, SHOWN, to=manager_id)
            if manager is None or not total:
                return
            key = f"{digest.id}:{manager_id}:{digest.round}"
            await tx.deliveries.enqueue(
                [notice(key, manager, manager_digest(rollout, people, total), rollout.id, now)]
            )
            faultpoints.reach("escalating.before_told")


async def _taken(tx: Transaction, digest: Digest) -> Digest:
    """The next version, by which another process that sends it sees that it comes too late."""
    following = digest.model_copy(update={"version": digest.version + 1})
    await tx.save(following)
    return following


def _manager_id(view: InvitationView, managers: Mapping[str, Person]) -> str:
    manager = managers.get(view.person.id)
    return manager.id if manager is not None and manager.id != view.person.id else ""


def _is_late(digest: Digest, now: datetime) -> bool:
    return digest.next_at is not None and now - digest.next_at > WAITS_FOR_DIRECTORY
