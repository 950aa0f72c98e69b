"""The lists that admins decide on, a line for everybody found and for everybody left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update

from bot.events import Problem
from bot.model import Listed
from bot.ports import LeftOut, ListSummary
from storage.connection import Connection
from storage.rows import fields, insert, plain, values
from storage.tables import LISTED, WAVE

_IS_PERSON = LISTED.c.person_id != ""


class Lists:
    """Implements bot.ports.Lists."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, lines: Sequence[Listed]) -> None:
        """Store lines; one that is there already stays."""
        if lines:
            statement = insert(self._connection, LISTED).on_conflict_do_nothing()
            await self._connection.execute(statement, [values(line) for line in lines])

    async def summary(self, list_id: str, names: int) -> ListSummary:
        """How many people in which workspace, how many left out and why, with the first `names` of each."""
        people = await self._people(LISTED.c.list_id == list_id, names)
        return replace(people, left_out=await self._left_out(list_id, names))

    async def in_two(self, list_id: str, size: int, names: int) -> tuple[ListSummary, ListSummary]:
        """The first `size` people and the rest. The lines of a list that waits are numbered from 0, people first."""
        on_it = LISTED.c.list_id == list_id
        first = await self._people(and_(on_it, LISTED.c.position < size), names)
        return first, await self._people(and_(on_it, LISTED.c.position >= size), names)

    async def split(self, list_id: str, rest_id: str, size: int, now: datetime) -> None:
        """Put the people beyond the first `size` on another list. Who was left out stays: the admin has seen it."""
        beyond = and_(LISTED.c.list_id == list_id, _IS_PERSON, LISTED.c.position >= size)
        moved = {"list_id": rest_id, "position": LISTED.c.position - size, "listed_at": now}
        await self._connection.execute(update(LISTED).where(beyond).values(moved))

    async def _people(self, where: ColumnElement[bool], names: int) -> ListSummary:
        people = await self._connection.execute(
            select(LISTED.c.workspace_id, func.count()).where(where, _IS_PERSON).group_by(LISTED.c.workspace_id)
        )
        first = await self._connection.scalars(
            select(LISTED.c.label).where(where, _IS_PERSON).order_by(LISTED.c.position).limit(names)
        )
        return ListSummary(people=dict(people.all()), first=tuple(first))

    async def page(self, list_id: str, offset: int, limit: int) -> Sequence[Listed]:
        """Some lines, in the list's order."""
        statement = (
            select(*fields(LISTED, Listed))
            .where(LISTED.c.list_id == list_id, LISTED.c.position >= offset)
            .order_by(LISTED.c.position)
            .limit(limit)
        )
        return [plain(Listed, row) for row in await self._connection.execute(statement)]

    async def left_out(self, list_id: str, after: int, limit: int) -> Sequence[Listed]:
        """Who is left out, in the list's order, behind the position `after`."""
        statement = (
            select(*fields(LISTED, Listed))
            .where(LISTED.c.list_id == list_id, ~_IS_PERSON, LISTED.c.position > after)
            .order_by(LISTED.c.position)
            .limit(limit)
        )
        return [plain(Listed, row) for row in await self._connection.execute(statement)]

    async def take(self, list_id: str, limit: int) -> Mapping[str, str]:
        """Remove the first people from the list; returns by id in which groups they were found."""
        first = (
            select(LISTED.c.position)
            .where(LISTED.c.list_id == list_id, _IS_PERSON)
            .order_by(LISTED.c.position)
            .limit(limit)
        )
        statement = (
            delete(LISTED)
            .where(LISTED.c.list_id == list_id, LISTED.c.position.in_(first))
            .returning(LISTED.c.position, LISTED.c.person_id, LISTED.c.found_in)
        )
        taken = (await self._connection.execute(statement)).all()
        return {person_id: found_in for _, person_id, found_in in sorted(taken)}

    async def drop(self, list_id: str) -> int:
        """Delete the list; returns how many people were still on it."""
        people = await self._connection.scalar(select(func.count()).where(LISTED.c.list_id == list_id, _IS_PERSON))
        await self._connection.execute(delete(LISTED).where(LISTED.c.list_id == list_id))
        return people or 0

    async def forget(self, before: datetime) -> int:
        """Delete what nobody has decided on for so long; returns how many lines. A planned wave keeps its list."""
        waits = exists().where(WAVE.c.list_id == LISTED.c.list_id, WAVE.c.finished_at.is_(None))
        return (await self._connection.execute(delete(LISTED).where(LISTED.c.listed_at < before, ~waits))).rowcount

    async def _left_out(self, list_id: str, names: int) -> tuple[LeftOut, ...]:
        lines = (
            select(
                LISTED.c.problem,
                LISTED.c.label,
                LISTED.c.position,
                func.row_number().over(partition_by=LISTED.c.problem, order_by=LISTED.c.position).label("number"),
                func.count().over(partition_by=LISTED.c.problem).label("total"),
            )
            .where(LISTED.c.list_id == list_id, ~_IS_PERSON)
            .subquery()
        )
        shown = select(lines.c.problem, lines.c.label, lines.c.total).where(lines.c.number <= names)
        labels: dict[str, list[str]] = {}
        totals: dict[str, int] = {}
        for problem, label, total in await self._connection.execute(shown.order_by(lines.c.position)):
            labels.setdefault(problem, []).append(label)
            totals[problem] = total
        return tuple(LeftOut(Problem(problem), totals[problem], tuple(some)) for problem, some in labels.items())
