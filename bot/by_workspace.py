"""Asking about people of several workspaces: each workspace's own directory, outside any transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from bot.model import Person, Platform, Workspace
from bot.ports import Directory, Store

Told = TypeVar("Told")
Ask = Callable[[Directory, Workspace, Sequence[Person]], Awaitable[Mapping[str, Told]]]


async def asked_by_workspace(
    store: Store, directories: Mapping[Platform, Directory], people: Sequence[Person], ask: Ask[Told]
) -> dict[str, Told]:
    """What `ask` is told, by person id; nothing of workspaces that are unknown or have no directory. Raises what
    `ask` raises.
    """
    by_workspace: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_workspace[person.workspace_id].append(person)
    told: dict[str, Told] = {}
    for workspace_id, some in by_workspace.items():
        async with store.transaction() as tx:
            workspace = await tx.people.workspace(workspace_id)
        directory = directories.get(workspace.platform) if workspace is not None else None
        if workspace is not None and directory is not None:
            told |= await ask(directory, workspace, some)
    return told
