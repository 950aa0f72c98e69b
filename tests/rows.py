"""Rows for the tests that use the real store: written through the port, read back whole."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlmodel import SQLModel

from bot.events import NotFound
from bot.model import Listed, Person, Rollout, Wave, Workspace
from storage.database import Database
from storage.rows import fields, plain
from storage.tables import METADATA
from tests.builders import ADA, NOON, rollout, workspace

Noun = TypeVar("Noun", bound=SQLModel)
_TABLES = {
    "AuditEntry": "audit_entry",
    "Case": "problem_case",
    "Check": "confirmed_check",
    "InboxEntry": "inbox_entry",
    "LookUp": "look_up",
    "CurrentRollout": "current_rollout",
}


async def installed(store: Database, *workspaces: Workspace, people: tuple[Person, ...] = (ADA,)) -> None:
    """Workspaces and who has been seen in them."""
    async with store.transaction() as tx:
        for each in workspaces or (workspace(),):
            await tx.people.save_workspace(each)
        await tx.people.meet(people)


async def rolled_out(store: Database, of: Rollout | None = None) -> Rollout:
    """A rollout as it is after `/sso setup`."""
    of = of or rollout()
    async with store.transaction() as tx:
        await tx.save(of)
    return of


async def invited_people(
    store: Database, *people: Person, of: Rollout | None = None, wave: str = "wave-1"
) -> Rollout:
    """A workspace, a rollout and an invitation for each of `people`, with their deliveries ready to be sent."""
    of = of or rollout()
    workspaces = {each.workspace_id: workspace(each.workspace_id, company=of.company) for each in (ADA, *people)}
    await installed(store, *workspaces.values(), people=(ADA, *people))
    sending = Wave(
        id=wave,
        rollout_id=of.id,
        workspace_id=ADA.workspace_id,
        created_by=ADA.id,
        created_at=NOON,
        size=len(people),
        channel_id="D-ada",
        message_id="list",
        version=1,
    )
    async with store.transaction() as tx:
        if await tx.rollouts.rollout(of.id) is None:
            await tx.save(of)
        await tx.save(sending)
        await tx.invitations.invite(of, sending, people, NOON)
    return of


async def listed(store: Database, list_id: str, *people: Person, left_out: tuple[NotFound, ...] = ()) -> None:
    """A list as a look-up stores it."""
    lines = [
        Listed(
            list_id=list_id,
            position=0,
            label=each.name,
            person_id=each.id,
            workspace_id=each.workspace_id,
            listed_at=NOON,
        )
        for each in people
    ]
    lines += [
        Listed(list_id=list_id, position=0, label=each.label, problem=each.problem.value, listed_at=NOON)
        for each in left_out
    ]
    for position, line in enumerate(lines):
        line.position = position
    async with store.transaction() as tx:
        await tx.people.meet(people)
        await tx.lists.add(lines)


async def settled(store: Database, **changes: Any) -> None:
    """Every invitation with these columns changed, as if time had passed."""
    await changed(store, "invitation", **changes)


async def changed(store: Database, table: str, **changes: Any) -> None:
    """Every row of a table changed, as no operation of the port would."""
    async with store._engine.begin() as connection:
        await connection.execute(update(METADATA.tables[table]).values(**changes))


async def stored(store: Database, noun: type[Noun]) -> list[Noun]:
    """Every row of a noun, in the order of its keys."""
    table = METADATA.tables[_TABLES.get(noun.__name__, noun.__name__.lower())]
    async with store._engine.connect() as connection:
        rows = await connection.execute(select(*fields(table, noun)).order_by(*table.primary_key.columns))
        return [plain(noun, row) for row in rows]
