"""Erasing one person in the middle of everything else: their rows go, and their name out of what others wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    String,
    Table,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from bot.columns import Validated
from bot.model import Person
from bot.ports import Footprint
from bot.redaction import Redaction, can_be_shown_anew
from storage.connection import Connection
from storage.deliveries import IS_COPY
from storage.tables import (
    APPROVAL,
    CASE,
    CHECK,
    CURRENT_ROLLOUT,
    DELIVERY,
    DIALOG,
    DIGEST,
    FINISH_ITEM,
    HANDOUT,
    INVITATION,
    LISTED,
    LOOK_UP,
    PERSON,
    READINESS,
    ROLLOUT,
    WAVE,
    WORKSPACE,
)

# Columns that say who did something: nobody any more.
_DONE_BY = (
    APPROVAL.c.decided_by,
    CASE.c.answered_by,
    CHECK.c.confirmed_by,
    DIGEST.c.changed_by,
    FINISH_ITEM.c.changed_by,
    FINISH_ITEM.c.owner,
    INVITATION.c.escalated_to,
    READINESS.c.changed_by,
)
# What people write, and what the bot wrote of them.
_WRITTEN: Sequence[Column[Any]] = (
    APPROVAL.c.what,
    APPROVAL.c.asked,
    APPROVAL.c.told,
    CASE.c.description,
    CASE.c.answer,
    DELIVERY.c.content,
    DIALOG.c.data,
    FINISH_ITEM.c.proof,
    FINISH_ITEM.c.reason,
    FINISH_ITEM.c.admins,
    INVITATION.c.exempt_reason,
    LISTED.c.label,
    LOOK_UP.c.targets,
)


async def footprint(connection: Connection, person_ids: Sequence[str]) -> Footprint:
    """How much of these people there is."""

    async def count(table: Table) -> int:
        return await connection.scalar(select(func.count()).where(table.c.person_id.in_(person_ids))) or 0

    return Footprint(await count(INVITATION), await count(DELIVERY), await count(CASE))


async def erase_person(connection: Connection, company: str, people: Sequence[Person], by: str) -> None:
    """Erase one human being, whom several of the company's workspaces may know. What they set up is from then on that
    of `by`, a person id.
    """
    ids = [person.id for person in people]
    own = INVITATION.c.person_id.in_(ids)
    # held first: whoever changes one of them meanwhile comes too late, and looks again
    locked = select(INVITATION.c.id).where(own).order_by(INVITATION.c.id).with_for_update()
    invitations = list(await connection.scalars(locked))
    wrote = await connection.scalars(select(CASE.c.description).where(CASE.c.person_id.in_(ids)))
    redaction = Redaction.of(people, wrote)
    await _leave_waves(connection, ids)
    for table in (CHECK, DELIVERY, CASE):
        await connection.execute(delete(table).where(table.c.invitation_id.in_(invitations)))
    await connection.execute(delete(INVITATION).where(own))
    for table in (DELIVERY, CURRENT_ROLLOUT, DIALOG, DIGEST, HANDOUT, LISTED, LOOK_UP):
        await connection.execute(delete(table).where(table.c.person_id.in_(ids)))
    await connection.execute(delete(APPROVAL).where(APPROVAL.c.asked_by.in_(ids)))
    await _hand_over(connection, ids, by)
    await connection.execute(delete(PERSON).where(PERSON.c.id.in_(ids)))
    of_company = _of_company(company)
    for column in _WRITTEN:
        await _rewrite(connection, column, redaction, of_company[column.table])


async def _leave_waves(connection: Connection, ids: Sequence[str]) -> None:
    """Each wave that they are in has one person fewer. A list that nobody has decided on is not asked about any
    more: what its question says is no longer so.
    """
    in_it = exists().where(INVITATION.c.wave_id == WAVE.c.id, INVITATION.c.person_id.in_(ids))
    on_its_list = exists().where(LISTED.c.list_id == WAVE.c.list_id, LISTED.c.person_id.in_(ids))
    fewer = update(WAVE).where(or_(in_it, on_its_list)).values(size=WAVE.c.size - 1)
    await connection.execute(fewer)
    waits = exists().where(WAVE.c.list_id == LISTED.c.list_id)
    undecided = select(LISTED.c.list_id).where(LISTED.c.person_id.in_(ids), ~waits).distinct()
    lists = list(await connection.scalars(undecided))
    await connection.execute(delete(DIALOG).where(DIALOG.c.data["list"].as_string().in_(lists)))
    await connection.execute(delete(LISTED).where(LISTED.c.list_id.in_(lists)))


async def _hand_over(connection: Connection, ids: Sequence[str], by: str) -> None:
    for column in _DONE_BY:
        await connection.execute(update(column.table).where(column.in_(ids)).values({column.name: ""}))
    await connection.execute(update(ROLLOUT).where(ROLLOUT.c.created_by.in_(ids)).values(created_by=by))
    # their progress messages are in conversations that nobody reads any more
    gone = {"created_by": by, "channel_id": "", "message_id": ""}
    await connection.execute(update(WAVE).where(WAVE.c.created_by.in_(ids)).values(gone))


async def _rewrite(
    connection: Connection, column: Column[Any], redaction: Redaction, where: ColumnElement[bool]
) -> None:
    """Leave them out of what is written in this column; and where it can be, out of what was sent."""
    table = column.table
    is_json = isinstance(column.type, JSON | Validated)
    written = type_coerce(column, JSON) if is_json else column
    keys = list(table.primary_key)
    statement = select(*keys, written).where(where, _names(column, redaction, is_json=is_json))
    for *key, before in (await connection.execute(statement)).all():
        after = redaction.redacted(before)
        if after == before:
            continue
        changes: dict[str, Any] = {column.name: bindparam(None, after, JSON if is_json else None)}
        if table is DELIVERY and can_be_shown_anew(after):
            changes["outdated"] = case((IS_COPY, DELIVERY.c.outdated + 1), else_=DELIVERY.c.outdated)
        row = and_(*(each == value for each, value in zip(keys, key, strict=True)))
        await connection.execute(update(table).where(row).values(changes))


def _names(column: Column[Any], redaction: Redaction, *, is_json: bool) -> ColumnElement[bool]:
    """Whether something of it may have to be redacted. In JSON, what stands alone stands in quotes, with escapes."""
    if is_json:
        stored = cast(column, String)
        parts = {json.dumps(words) for words in redaction.alone} | {
            json.dumps(each)[1:-1] for each in redaction.within
        }
        return or_(*(stored.icontains(part, autoescape=True) for part in sorted(parts)))
    alone = (func.lower(column) == func.lower(words) for words in sorted(redaction.alone))
    return or_(*alone, *(column.icontains(words, autoescape=True) for words in sorted(redaction.within)))


def _of_company(company: str) -> Mapping[Table, ColumnElement[bool]]:
    """What belongs to a company, by table."""
    workspaces = select(WORKSPACE.c.id).where(WORKSPACE.c.company == company)
    rollouts = select(ROLLOUT.c.id).where(ROLLOUT.c.company == company)
    asked_about = select(DIALOG.c.data["list"].as_string()).where(DIALOG.c.workspace_id.in_(workspaces))
    planned = select(WAVE.c.list_id).where(WAVE.c.rollout_id.in_(rollouts))
    return {
        APPROVAL: APPROVAL.c.company == company,
        CASE: CASE.c.rollout_id.in_(rollouts),
        DELIVERY: DELIVERY.c.lane.in_(workspaces),
        DIALOG: DIALOG.c.workspace_id.in_(workspaces),
        FINISH_ITEM: FINISH_ITEM.c.rollout_id.in_(rollouts),
        INVITATION: INVITATION.c.rollout_id.in_(rollouts),
        LISTED: or_(LISTED.c.list_id.in_(asked_about), LISTED.c.list_id.in_(planned)),
        LOOK_UP: LOOK_UP.c.workspace_id.in_(workspaces),
    }
