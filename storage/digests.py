"""Who is told regularly how a rollout goes. Rows are stored by Transaction.save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.digests import Digest
from bot.model import RolloutState
from storage.rows import fields, plain
from storage.tables import DIGEST, ROLLOUT


class Digests:
    """Implements bot.ports.Digests."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_rollout(self, rollout_id: str) -> Sequence[Digest]:
        """All that were ever asked for."""
        statement = select(*fields(DIGEST, Digest)).where(DIGEST.c.rollout_id == rollout_id)
        return [plain(Digest, row) for row in await self._connection.execute(statement)]

    async def due(self, now: datetime) -> Digest | None:
        """One of an active rollout that is due. On PostgreSQL it stays locked until the transaction ends, and one
        that another replica is just sending is passed over.
        """
        statement = (
            select(*fields(DIGEST, Digest))
            .join(ROLLOUT, ROLLOUT.c.id == DIGEST.c.rollout_id)
            .where(DIGEST.c.next_at <= now, ROLLOUT.c.state == RolloutState.ACTIVE)
            .order_by(DIGEST.c.next_at, DIGEST.c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=DIGEST)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Digest, row)
