"""Erasing one person in the middle of everything else: their rows go, and their name out of what others wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    String,
    Table,
    and_,
    bindparam,
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
from bot.digests import DigestKind
from bot.model import Person
from bot.ports import Footprint
from bot.redaction import Redaction, can_be_shown_anew
from storage.connection import Connection
from storage.deliveries import OUTDATED
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
    READINESS.c.changed_by,
)
_NAMED_BY_BUTTONS = (APPROVAL, INVITATION, WAVE)  # with their versions, in messages that are still to be pressed
# What people write, and what the bot wrote of them; and how to leave somebody out of it.
_WRITTEN: Mapping[Column[Any], Callable[[Redaction, Any], Any]] = {
    APPROVAL.c.what: Redaction.message,
    APPROVAL.c.asked: Redaction.asked,
    APPROVAL.c.told: Redaction.people,
    CASE.c.description: Redaction.words,
    CASE.c.answer: Redaction.words,
    DELIVERY.c.content: Redaction.message,
    FINISH_ITEM.c.proof: Redaction.words,
    FINISH_ITEM.c.reason: Redaction.words,
    FINISH_ITEM.c.admins: Redaction.by_organization,
    INVITATION.c.exempt_reason: Redaction.words,
    LISTED.c.label: Redaction.words,
    LOOK_UP.c.targets: Redaction.targets,
}


async def footprint(connection: Connection, person_ids: Sequence[str]) -> Footprint:
    """How much of these people there is."""

    async def count(table: Table) -> int:
        return await connection.scalar(select(func.count()).where(table.c.person_id.in_(person_ids))) or 0

    return Footprint(await count(INVITATION), await count(DELIVERY), await count(CASE))


async def erase_person(
    connection: Connection, company: str, people: Sequence[Person], by: str, now: datetime
) -> None:
    """Erase one human being, whom several of the company's workspaces may know. What they set up is from then on that
    of `by`, a person id.
    """
    ids = [person.id for person in people]
    of_company = await _of_company(connection, company)
    own = INVITATION.c.person_id.in_(ids)
    # held first: whoever changes one of them meanwhile comes too late, and looks again
    locked = select(INVITATION.c.id).where(own).order_by(INVITATION.c.id).with_for_update()
    invitations = list(await connection.scalars(locked))
    await _hand_over(connection, ids, by, now)
    await _leave_lists(connection, ids)
    for table in (CHECK, DELIVERY, CASE):
        await connection.execute(delete(table).where(table.c.invitation_id.in_(invitations)))
    await connection.execute(delete(INVITATION).where(own))
    for table in (DELIVERY, CURRENT_ROLLOUT, DIALOG, DIGEST, HANDOUT, LISTED, LOOK_UP):
        await connection.execute(delete(table).where(table.c.person_id.in_(ids)))
    await connection.execute(delete(APPROVAL).where(APPROVAL.c.asked_by.in_(ids)))
    await connection.execute(delete(PERSON).where(PERSON.c.id.in_(ids)))
    redaction = Redaction.of(people)
    for column, leave_out in _WRITTEN.items():
        await _rewrite(connection, column, redaction, leave_out, of_company[column.table])


async def _hand_over(connection: Connection, ids: Sequence[str], by: str, now: datetime) -> None:
    """Where no button needs the old version, a row gets the next: who has read it before does not bring them back."""

    async def change(table: Table, which: ColumnElement[bool], **values: Any) -> None:
        if "version" in table.c and table not in _NAMED_BY_BUTTONS:
            values["version"] = table.c.version + 1
        await connection.execute(update(table).where(which).values(values))

    for column in _DONE_BY:
        await change(column.table, column.in_(ids), **{column.name: ""})
    await change(ROLLOUT, ROLLOUT.c.created_by.in_(ids), created_by=by)
    escalation = and_(DIGEST.c.kind == DigestKind.ESCALATION, DIGEST.c.person_id.in_(ids))
    await change(DIGEST, escalation, person_id=by)
    # whom a manager was to talk to is new to whom the admin has named
    await change(INVITATION, INVITATION.c.escalated_to.in_(ids), escalated_to="", escalated_at=now)
    # their progress messages are in conversations that nobody reads any more
    await change(WAVE, WAVE.c.created_by.in_(ids), created_by=by, channel_id="", message_id="")


async def _leave_lists(connection: Connection, ids: Sequence[str]) -> None:
    """A list that nobody has decided on is asked about no more: what its question says is no longer so. Waves have
    fewer people.
    """
    theirs = LISTED.c.person_id.in_(ids)
    undecided = ~exists().where(WAVE.c.list_id == LISTED.c.list_id)
    lists = list(await connection.scalars(select(LISTED.c.list_id).where(theirs, undecided).distinct()))
    # first the questions: a list that an admin is just deciding on belongs to a wave once that is deleted
    await connection.execute(delete(DIALOG).where(DIALOG.c.data["list"].as_string().in_(lists)))
    await connection.execute(delete(LISTED).where(LISTED.c.list_id.in_(lists), undecided))
    in_it = and_(INVITATION.c.wave_id == WAVE.c.id, INVITATION.c.person_id.in_(ids))
    on_its_list = and_(LISTED.c.list_id == WAVE.c.list_id, theirs)
    fewer = (select(func.count()).where(which).scalar_subquery() for which in (in_it, on_its_list))
    smaller = update(WAVE).where(or_(exists().where(in_it), exists().where(on_its_list)))
    await connection.execute(smaller.values(size=WAVE.c.size - sum(fewer)))


async def _rewrite(
    connection: Connection,
    column: Column[Any],
    redaction: Redaction,
    leave_out: Callable[[Redaction, Any], Any],
    where: ColumnElement[bool],
) -> None:
    """Leave them out of what is written in this column; and where it can be, out of what was sent."""
    table = column.table
    is_json = isinstance(column.type, JSON | Validated)
    written = type_coerce(column, JSON) if is_json else column
    keys = list(table.primary_key)
    statement = select(*keys, written).where(where, _names(column, redaction, is_json=is_json))
    for *key, before in (await connection.execute(statement)).all():
        after = leave_out(redaction, before)
        if after == before:
            continue
        changes: dict[str, Any] = {column.name: bindparam(None, after, JSON if is_json else None)}
        if table is DELIVERY and can_be_shown_anew(after):
            changes["outdated"] = OUTDATED
        row = and_(*(each == value for each, value in zip(keys, key, strict=True)))
        await connection.execute(update(table).where(row).values(changes))


def _names(column: Column[Any], redaction: Redaction, *, is_json: bool) -> ColumnElement[bool]:
    """Whether something of it may have to be redacted. In JSON, what stands alone stands in quotes, with escapes."""
    if is_json:
        stored = cast(column, String)
        alone = {json.dumps(words) for words in redaction.alone}
        parts = alone | {json.dumps(words)[1:-1] for words in redaction.within}
        return or_(*(stored.icontains(part, autoescape=True) for part in sorted(parts)))
    bare = func.lower(func.trim(column))
    alone_there = (bare == func.lower(words) for words in sorted(redaction.alone))
    return or_(*alone_there, *(column.icontains(words, autoescape=True) for words in sorted(redaction.within)))


async def _of_company(connection: Connection, company: str) -> Mapping[Table, ColumnElement[bool]]:
    """What belongs to a company, by table. Its lists are looked up: some are known by what is about to go."""
    workspaces = select(WORKSPACE.c.id).where(WORKSPACE.c.company == company)
    rollouts = select(ROLLOUT.c.id).where(ROLLOUT.c.company == company)
    known_by = (
        select(DIALOG.c.data["list"].as_string()).where(DIALOG.c.workspace_id.in_(workspaces)),
        select(WAVE.c.list_id).where(WAVE.c.rollout_id.in_(rollouts)),
        select(LISTED.c.list_id).where(LISTED.c.workspace_id.in_(workspaces)),
    )
    there = or_(*(LISTED.c.list_id.in_(ids) for ids in known_by))
    lists = list(await connection.scalars(select(LISTED.c.list_id).where(there).distinct()))
    return {
        APPROVAL: APPROVAL.c.company == company,
        CASE: CASE.c.rollout_id.in_(rollouts),
        DELIVERY: DELIVERY.c.lane.in_(workspaces),
        FINISH_ITEM: FINISH_ITEM.c.rollout_id.in_(rollouts),
        INVITATION: INVITATION.c.rollout_id.in_(rollouts),
        LISTED: LISTED.c.list_id.in_(lists),
        LOOK_UP: LOOK_UP.c.workspace_id.in_(workspaces),
    }
