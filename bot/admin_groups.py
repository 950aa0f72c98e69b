"""Admins by a group of the chat platform: whoever is in it may run rollouts, without being named in the settings.

The directories are asked every few minutes. Whoever leaves a group is no admin at the next look; where a directory
does not answer, what it said last counts for two hours and no longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.model import Platform, Workspace
from bot.ports import Directory, DirectoryUnavailable, Store

TRUSTED_FOR = timedelta(hours=2)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Members:
    names: frozenset[str]
    at: datetime


class AdminGroups:
    """`groups` are "slack:" and a user group's id, "entra:" and a group's object id, or "owners:" and the object id
    of a team's group, whose owners are meant.
    """

    def __init__(self, groups: Sequence[str] = ()) -> None:
        self._groups = tuple(groups)
        self._found: dict[tuple[str, str], _Members] = {}  # by workspace and group

    def names(self, workspace_id: str | None = None) -> frozenset[str]:
        """E-mail addresses and user ids of the admins in this workspace, or in all of them, case-folded."""
        found = (members.names for (where, _), members in self._found.items() if workspace_id in (where, None))
        return frozenset().union(*found)

    async def refresh(
        self, store: Store, directories: Mapping[Platform, Directory], company: str, now: datetime
    ) -> int:
        """Look who is in the groups, in every workspace of the company; returns how many admins there are."""
        if not self._groups:
            return 0
        async with store.transaction() as tx:
            workspaces = await tx.people.workspaces(company)
        for workspace in workspaces:
            if workspace.platform in directories:
                for group in self._groups:
                    await self._look(directories[workspace.platform], workspace, group, now)
        return sum(len(members.names) for members in self._found.values())

    async def _look(self, directory: Directory, workspace: Workspace, group: str, now: datetime) -> None:
        key = (workspace.id, group)
        try:
            names = await directory.admins_in(workspace, group)
        except DirectoryUnavailable:
            log.warning("admin_group.not_told", workspace=workspace.id)
            if key in self._found and now - self._found[key].at > TRUSTED_FOR:
                del self._found[key]
            return
        self._found[key] = _Members(frozenset(name.casefold() for name in names if name), now)
