"""Rollouts, waves, dialogs and cases. They are stored by Transaction.save; these are the ways to find them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Case, CaseState, Dialog, Rollout, RolloutState, Wave
from storage.rows import by_key, fields, plain
from storage.tables import CASE, DIALOG, ROLLOUT, WAVE


class Rollouts:
    """Implements bot.ports.Rollouts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rollout(self, rollout_id: str) -> Rollout | None:
        """By id."""
        return await by_key(self._connection, ROLLOUT, Rollout, rollout_id)

    async def current(self, company: str) -> Rollout | None:
        """The newest rollout of the company that is not finished."""
        statement = (
            select(*fields(ROLLOUT, Rollout))
            .where(ROLLOUT.c.company == company, ROLLOUT.c.state != RolloutState.FINISHED)
            .order_by(ROLLOUT.c.created_at.desc(), ROLLOUT.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Rollout, row)

    async def wave(self, wave_id: str) -> Wave | None:
        """By id."""
        return await by_key(self._connection, WAVE, Wave, wave_id)

    async def running_waves(self) -> Sequence[Wave]:
        """Waves whose progress message may still change, oldest first."""
        statement = (
            select(*fields(WAVE, Wave)).where(WAVE.c.finished_at.is_(None)).order_by(WAVE.c.created_at, WAVE.c.id)
        )
        return [plain(Wave, row) for row in await self._connection.execute(statement)]

    async def dialog(self, dialog_id: str) -> Dialog | None:
        """By id."""
        return await by_key(self._connection, DIALOG, Dialog, dialog_id)

    async def case(self, case_id: str) -> Case | None:
        """By id."""
        return await by_key(self._connection, CASE, Case, case_id)

    async def open_cases(self, rollout_id: str, limit: int) -> Sequence[Case]:
        """The rollout's unanswered ones, oldest first."""
        statement = (
            select(*fields(CASE, Case))
            .where(CASE.c.rollout_id == rollout_id, CASE.c.state == CaseState.OPEN)
            .order_by(CASE.c.opened_at, CASE.c.id)
            .limit(limit)
        )
        return [plain(Case, row) for row in await self._connection.execute(statement)]
