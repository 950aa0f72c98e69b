"""Where everyone of a rollout stands, counted by the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
)

from bot.model import BETWEEN_GROUPS, CaseState, CheckKind, DeliveryState, Wave, WaveStage, Wish, parted
from bot.ports import CaseCounts, OverTime, RolloutCounts, Standing
from storage.connection import Connection
from storage.failures import failures
from storage.prepared import Prepared
from storage.rows import fields, plain
from storage.tables import CASE, CHECK, DELIVERY, INVITATION, IS_OPEN, WAVE

_ROLLOUT = bindparam("rollout", type_=String)
_PEOPLE = Prepared(
    select(
        func.count().label("invited"),
        func.count(INVITATION.c.reached_at).label("reached"),
        func.count(INVITATION.c.login_opened_at).label("opened"),
        func.count().filter(and_(IS_OPEN, INVITATION.c.unreachable != "")).label("unreachable"),
        func.count(INVITATION.c.done_at).label("done"),
        func.count(INVITATION.c.exempt_at).label("exempt"),
        func.count().filter(IS_OPEN).label("open"),
        func.count(INVITATION.c.snoozed_until).filter(IS_OPEN).label("snoozed"),
        func.count().filter(and_(IS_OPEN, INVITATION.c.wish != Wish.NONE)).label("stopped"),
        (func.min(INVITATION.c.wave_id) != func.max(INVITATION.c.wave_id)).label("several_waves"),
        or_(
            func.min(INVITATION.c.found_in) != func.max(INVITATION.c.found_in),
            func.max(INVITATION.c.found_in).contains(BETWEEN_GROUPS),
        ).label("several_groups"),
        func.coalesce(func.sum(INVITATION.c.reminders), 0).label("reminders"),
    ).where(INVITATION.c.rollout_id == _ROLLOUT)
)
_CHECKS, _CASES, _DELIVERIES = "checks", "cases", "deliveries"
_NONE: ColumnElement[int] = literal_column("0")


def _shares(of: str, value: ColumnElement[str], *numbers: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    """How many rows of a table there are with each value of a column, in columns that all such questions have."""
    three = (*numbers, _NONE, _NONE)[:3]
    named = (number.label(name) for number, name in zip(three, ("number", "answered", "solved"), strict=True))
    return select(literal(of).label("of"), type_coerce(value, String).label("value"), *named).group_by(value)


_SHARES = Prepared(  # three questions in one
    union_all(
        _shares(_CHECKS, CHECK.c.kind, func.count())
        .join(INVITATION, INVITATION.c.id == CHECK.c.invitation_id)
        .where(INVITATION.c.rollout_id == _ROLLOUT),
        _shares(
            _CASES,
            CASE.c.problem,
            *(
                func.count().filter(CASE.c.state == state)
                for state in (CaseState.OPEN, CaseState.ANSWERED, CaseState.SOLVED)
            ),
        ).where(CASE.c.rollout_id == _ROLLOUT),
        _shares(_DELIVERIES, DELIVERY.c.state, func.count()).where(DELIVERY.c.rollout_id == _ROLLOUT),
    )
)
_PLANNED = Prepared(
    select(*fields(WAVE, Wave))
    .where(
        WAVE.c.rollout_id == _ROLLOUT,
        WAVE.c.finished_at.is_(None),
        or_(WAVE.c.stage == WaveStage.HELD, and_(WAVE.c.stage == WaveStage.STORING, WAVE.c.starts_at.is_not(None))),
    )
    .order_by(WAVE.c.stage, WAVE.c.starts_at, WAVE.c.id)  # "held" comes before "storing"
)
_REPORTED = exists().where(CASE.c.invitation_id == INVITATION.c.id, CASE.c.state != CaseState.SOLVED)
_STANDING = (
    func.count().label("invited"),
    func.count(INVITATION.c.reached_at).label("reached"),
    func.count(INVITATION.c.login_opened_at).label("opened"),
    func.count(INVITATION.c.done_at).label("done"),
    func.count(INVITATION.c.exempt_at).label("exempt"),
    func.count().filter(_REPORTED).label("reported"),
)
_BY_GROUP = Prepared(
    select(INVITATION.c.found_in.label("label"), func.min(INVITATION.c.invited_at).label("began"), *_STANDING)
    .where(INVITATION.c.rollout_id == _ROLLOUT)
    .group_by(INVITATION.c.found_in)
)
_BY_WAVE = Prepared(
    select(func.coalesce(WAVE.c.starts_at, WAVE.c.created_at).label("began"), WAVE.c.label, *_STANDING)
    .join(WAVE, WAVE.c.id == INVITATION.c.wave_id)
    .where(INVITATION.c.rollout_id == _ROLLOUT)
    .group_by(WAVE.c.id, WAVE.c.starts_at, WAVE.c.created_at, WAVE.c.label)
    .order_by(WAVE.c.created_at.desc(), WAVE.c.id)
    .limit(bindparam("limit", type_=Integer))
    .offset(bindparam("offset", type_=Integer))
)


async def by_wave(connection: Connection, rollout_id: str, limit: int, offset: int) -> list[Standing]:
    """How far the people of each wave are, the newest wave first: one pass over the rollout's invitations."""
    rows = await connection.rows(_BY_WAVE, {"rollout": rollout_id, "limit": limit, "offset": offset})
    return [Standing(**row._asdict()) for row in rows]


async def by_group(connection: Connection, rollout_id: str) -> list[Standing]:
    """How far the people of each group are, the largest first; who was named alone comes last. One pass over the
    rollout's invitations, then a sum for each group: there are as many rows as ways in which groups overlap.
    """
    rows = await connection.rows(_BY_GROUP, {"rollout": rollout_id})
    groups: dict[str, Standing] = {}
    for row in rows:
        some = Standing(**row._asdict())
        for label in parted(some.label) or ("",):
            groups[label] = _together(groups.get(label), replace(some, label=label))
    return sorted(groups.values(), key=lambda each: (not each.label, -each.invited, each.label))


def _together(one: Standing | None, other: Standing) -> Standing:
    if one is None:
        return other
    counted = ("invited", "reached", "done", "opened", "exempt", "reported")
    sums = {name: getattr(one, name) + getattr(other, name) for name in counted}
    return replace(one, began=min(one.began, other.began), **sums)


async def over_time(connection: Connection, rollout_id: str) -> OverTime:
    """How many were invited, and how many finished, on each of UTC's days: a pass over the rollout for each."""
    invited = await _by_day(connection, INVITATION.c.invited_at, rollout_id)
    return OverTime(invited, await _by_day(connection, INVITATION.c.done_at, rollout_id))


async def _by_day(connection: Connection, moment: Column[datetime], rollout_id: str) -> dict[date, int]:
    """SQLite keeps moments as UTC's; PostgreSQL would take the session's time zone."""
    utc = func.timezone("UTC", moment) if connection.dialect.name == "postgresql" else moment
    day = cast(func.date(utc), String)
    statement = (
        select(day, func.count()).where(INVITATION.c.rollout_id == rollout_id, moment.is_not(None)).group_by(day)
    )
    return {date.fromisoformat(on): number for on, number in await connection.execute(statement)}


async def count(connection: Connection, rollout_id: str) -> RolloutCounts:
    """Three statements, each a pass over the rollout's rows or an index of them; a fourth when something failed."""
    of = {"rollout": rollout_id}
    [people] = await connection.rows(_PEOPLE, of)
    shares = await connection.rows(_SHARES, of)
    problems = {row.value: CaseCounts(row.number, row.answered, row.solved) for row in shares if row.of == _CASES}
    deliveries = {DeliveryState(row.value): row.number for row in shares if row.of == _DELIVERIES}
    reasons, failed = dict[str, int](), 0
    if deliveries.get(DeliveryState.DEAD) or deliveries.get(DeliveryState.UNKNOWN):
        reasons, failed = await failures(connection, DELIVERY.c.rollout_id == rollout_id)
    return RolloutCounts(
        invited=people.invited,
        reached=people.reached,
        opened=people.opened,
        unreachable=people.unreachable,
        confirmed={CheckKind(row.value): row.number for row in shares if row.of == _CHECKS},
        done=people.done,
        exempt=people.exempt,
        open=people.open,
        snoozed=people.snoozed,
        stopped=people.stopped,
        planned=tuple(plain(Wave, row) for row in await connection.rows(_PLANNED, of)),
        open_cases=sum(each.open for each in problems.values()),
        problems=problems,
        several_waves=bool(people.several_waves),
        several_groups=bool(people.several_groups),
        reminders=int(people.reminders),
        deliveries=deliveries,
        reasons=reasons,
        failed=failed,
    )
