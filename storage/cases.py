"""Problems that invitees have described, by group: the same problem of several people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, select, update

from bot.model import Case, CaseState, Person, Wave
from bot.ports import CaseGroup, WaveResults
from storage.connection import Connection
from storage.rows import fields, plain
from storage.tables import CASE, INVITATION, PERSON, WAVE

TIMES_LOOKED_AT = 5000  # of a wave's people: enough for a median
_WIDTH = len(Case.model_fields)


def _so_many(state: CaseState) -> Any:
    return func.count().filter(CASE.c.state == state)


_GROUPS = select(
    CASE.c.group_id.label("id"),
    CASE.c.rollout_id,
    CASE.c.problem,
    func.min(CASE.c.opened_at).label("first_at"),
    _so_many(CaseState.OPEN).label("open"),
    _so_many(CaseState.ANSWERED).label("answered"),
    _so_many(CaseState.SOLVED).label("solved"),
).group_by(CASE.c.group_id, CASE.c.rollout_id, CASE.c.problem)


class Cases:
    """Implements bot.ports.Cases."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def own(self, group_id: str, person_id: str) -> Case | None:
        """A person's case in the group: the newest, if they reported it twice."""
        statement = (
            select(*fields(CASE, Case))
            .where(CASE.c.group_id == group_id, CASE.c.person_id == person_id)
            .order_by(CASE.c.opened_at.desc(), CASE.c.id)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Case, row)

    async def groups_of(self, person_ids: Sequence[str]) -> Sequence[str]:
        """The ids of the groups that these people's cases belong to."""
        theirs = select(CASE.c.group_id).where(CASE.c.person_id.in_(person_ids)).distinct().order_by(CASE.c.group_id)
        return list(await self._connection.scalars(theirs))

    async def newest_of_many(self, invitation_id: str, problem: str, many: int) -> Case | None:
        """The newest of an invitation's open cases of this kind, when there are so many."""
        statement = (
            select(*fields(CASE, Case))
            .where(CASE.c.invitation_id == invitation_id, CASE.c.problem == problem, CASE.c.state == CaseState.OPEN)
            .order_by(CASE.c.opened_at.desc(), CASE.c.id)
            .limit(many)
        )
        rows = (await self._connection.execute(statement)).all()
        return plain(Case, rows[0]) if len(rows) == many else None

    async def results_before(self, wave: Wave) -> WaveResults:
        """How it went with the last wave of this rollout that has invited anybody; nobody when this is the first."""
        invited = exists().where(INVITATION.c.wave_id == WAVE.c.id)
        before = (
            select(WAVE.c.id)
            .where(WAVE.c.rollout_id == wave.rollout_id, WAVE.c.id != wave.id, invited)
            .order_by(func.coalesce(WAVE.c.starts_at, WAVE.c.created_at).desc(), WAVE.c.id)
            .limit(1)
        )
        wave_id = await self._connection.scalar(before)
        of_it = and_(INVITATION.c.wave_id == wave_id, INVITATION.c.reached_at.is_not(None))
        has_case = exists().where(CASE.c.invitation_id == INVITATION.c.id)
        done = INVITATION.c.done_at.is_not(None)
        counts = select(func.count(), func.count().filter(done), func.count().filter(has_case)).where(of_it)
        reached, are_done, reported = (await self._connection.execute(counts)).one()
        times = select(INVITATION.c.reached_at, INVITATION.c.done_at).where(of_it, done).limit(TIMES_LOOKED_AT)
        took = [(end - begin) / timedelta(hours=1) for begin, end in await self._connection.execute(times)]
        kinds = (
            select(CASE.c.problem, func.count(CASE.c.invitation_id.distinct()))
            .join(INVITATION, INVITATION.c.id == CASE.c.invitation_id)
            .where(of_it)
            .group_by(CASE.c.problem)
        )
        problems: dict[str, int] = dict((await self._connection.execute(kinds)).all())
        return WaveResults(reached, are_done, median(took) if took else None, reported, problems)

    async def open_group(self, rollout_id: str, problem: str, shown: int) -> CaseGroup | None:
        """The group of this kind that waits for an answer. On PostgreSQL it stays locked until the end, so
        that nobody joins it while it is being answered.
        """
        newest = (
            select(CASE.c.group_id)
            .where(CASE.c.rollout_id == rollout_id, CASE.c.problem == problem, CASE.c.state == CaseState.OPEN)
            .order_by(CASE.c.opened_at.desc(), CASE.c.id)
            .limit(1)
        )
        group_id = await self._connection.scalar(newest)
        found = await self.group(group_id, shown) if group_id else None
        return found if found and found.open else None

    async def group(self, group_id: str, shown: int) -> CaseGroup | None:
        """By id. On PostgreSQL its first case stays locked until the transaction ends, so of two admins who answer
        at once, or two invitees who report, the second sees what the first has done.
        """
        first = select(CASE.c.id).where(CASE.c.group_id == group_id).order_by(CASE.c.opened_at, CASE.c.id).limit(1)
        await self._connection.execute(first.with_for_update(key_share=True))
        row: Any = (await self._connection.execute(_GROUPS.where(CASE.c.group_id == group_id))).one_or_none()
        if row is None:
            return None
        last = (
            select(CASE.c.answer)
            .where(CASE.c.group_id == group_id, CASE.c.answer != "")
            .order_by(CASE.c.answered_at.desc())
            .limit(1)
        )
        answer = await self._connection.scalar(last) or ""
        return replace(CaseGroup(*row), answer=answer, shown=await self._shown(group_id, shown))

    async def open_groups(self, rollout_id: str, limit: int, offset: int) -> Sequence[CaseGroup]:
        """The groups that wait for an answer, those with most people first; without their cases."""
        waiting = _so_many(CaseState.OPEN)
        statement: Select[Any] = (
            _GROUPS.where(CASE.c.rollout_id == rollout_id)
            .having(waiting > 0)
            .order_by(waiting.desc(), func.min(CASE.c.opened_at), CASE.c.group_id)
            .limit(limit)
            .offset(offset)
        )
        return [CaseGroup(*row) for row in await self._connection.execute(statement)]

    async def answer(self, group_id: str, answer: str, by: str, at: datetime) -> Mapping[str, str]:
        """Answer all open cases of the group; returns their people by case id."""
        statement = (
            update(CASE)
            .where(CASE.c.group_id == group_id, CASE.c.state == CaseState.OPEN)
            .values(
                state=CaseState.ANSWERED,
                answer=answer,
                answered_by=by,
                answered_at=at,
                version=CASE.c.version + 1,
            )
            .returning(CASE.c.id, CASE.c.person_id)
        )
        return dict((await self._connection.execute(statement)).all())

    async def _shown(self, group_id: str, limit: int) -> tuple[tuple[Case, Person], ...]:
        statement = (
            select(*fields(CASE, Case), *fields(PERSON, Person))
            .join(PERSON, PERSON.c.id == CASE.c.person_id)
            .where(CASE.c.group_id == group_id)
            .order_by(case((CASE.c.state == CaseState.OPEN, 0), else_=1), CASE.c.opened_at, CASE.c.id)
            .limit(limit)
        )
        rows = await self._connection.execute(statement)
        return tuple((plain(Case, row[:_WIDTH]), plain(Person, row[_WIDTH:])) for row in rows)
