"""Questions to the platforms' directories."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update

from bot.model import LookUp, LookUpState
from storage.connection import Connection
from storage.rows import fields, insert, one_of, plain, values
from storage.tables import LOOK_UP


class LookUps:
    """Implements bot.ports.LookUps."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, look_up: LookUp) -> None:
        """Queue a question; asking the same one (by id) again changes nothing."""
        await self._connection.execute(insert(self._connection, LOOK_UP).on_conflict_do_nothing(), values(look_up))

    async def claim(self, now: datetime, lease_until: datetime, busy: Collection[str] = frozenset()) -> LookUp | None:
        """The oldest that is ready or whose worker died, of a workspace that is not `busy`; None when there is
        nothing to ask.

        Asking twice is harmless (the answer's event has an id of its own), so a dead worker's look-up is taken
        over as soon as its lease has ended.
        """
        oldest = (
            select(LOOK_UP.c.id)
            .where(
                ~one_of(LOOK_UP.c.state, [LookUpState.DONE]),
                LOOK_UP.c.workspace_id.not_in(busy),
                or_(
                    and_(LOOK_UP.c.state == LookUpState.READY, LOOK_UP.c.not_before <= now),
                    and_(LOOK_UP.c.state == LookUpState.RUNNING, LOOK_UP.c.lease_until <= now),
                ),
            )
            .order_by(LOOK_UP.c.not_before, LOOK_UP.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .cte("oldest")
        )
        statement = (
            update(LOOK_UP)
            .where(LOOK_UP.c.id.in_(select(oldest.c.id)))
            .values(state=LookUpState.RUNNING, lease_until=lease_until, attempt=LOOK_UP.c.attempt + 1)
            .returning(*fields(LOOK_UP, LookUp))
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(LookUp, row)

    async def extend(self, look_up: LookUp, lease_until: datetime) -> None:
        """It takes longer. Changes nothing when somebody else has taken the question over."""
        await self._connection.execute(update(LOOK_UP).where(*_held(look_up)).values(lease_until=lease_until))

    async def put_off(self, look_up: LookUp, until: datetime) -> None:
        """Ask again later. Changes nothing when somebody else has taken the question over."""
        await self._connection.execute(
            update(LOOK_UP).where(*_held(look_up)).values(state=LookUpState.READY, not_before=until, lease_until=None)
        )

    async def done(self, look_up_id: str) -> None:
        """The answer is stored."""
        await self._connection.execute(
            update(LOOK_UP).where(LOOK_UP.c.id == look_up_id).values(state=LookUpState.DONE, lease_until=None)
        )


def _held(look_up: LookUp) -> tuple[ColumnElement[bool], ...]:
    """That the question is still this worker's: attempts count up with every claim."""
    running = LOOK_UP.c.state == LookUpState.RUNNING
    return LOOK_UP.c.id == look_up.id, LOOK_UP.c.attempt == look_up.attempt, running
