"""Who is told regularly how a rollout goes. Rows are stored by Transaction.save."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, exists, select

from bot.digests import Digest
from bot.model import DeliveryKind, DeliveryState, RolloutState
from storage.connection import Connection
from storage.rows import fields, plain
from storage.tables import DELIVERY, DIGEST, ROLLOUT


class Digests:
    """Implements bot.ports.Digests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_rollout(self, rollout_id: str) -> Sequence[Digest]:
        """All that were ever asked for."""
        statement = select(*fields(DIGEST, Digest)).where(DIGEST.c.rollout_id == rollout_id)
        return [plain(Digest, row) for row in await self._connection.execute(statement)]

    async def due(self, now: datetime, but: Collection[str] = ()) -> Digest | None:
        """One of an active rollout that is due, but not one of these ids. On PostgreSQL it stays locked until the
        transaction ends, and one that another replica is just sending is passed over.
        """
        statement = (
            select(*fields(DIGEST, Digest))
            .join(ROLLOUT, ROLLOUT.c.id == DIGEST.c.rollout_id)
            .where(DIGEST.c.next_at <= now, DIGEST.c.id.not_in(but), ROLLOUT.c.state == RolloutState.ACTIVE)
            .order_by(DIGEST.c.next_at, DIGEST.c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=DIGEST)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Digest, row)

    async def refused(self) -> tuple[Digest, str] | None:
        """One whose last message is dead, and why. On PostgreSQL it stays locked until the transaction ends."""
        to_them = and_(
            DELIVERY.c.rollout_id == DIGEST.c.rollout_id,
            DELIVERY.c.person_id == DIGEST.c.person_id,
            DELIVERY.c.kind == DeliveryKind.NOTICE,
        )
        later = DELIVERY.alias("later")
        since = exists().where(
            later.c.rollout_id == DELIVERY.c.rollout_id,
            later.c.person_id == DELIVERY.c.person_id,
            later.c.kind == DeliveryKind.NOTICE,
            later.c.created_at > DELIVERY.c.created_at,
        )
        statement = (
            select(*fields(DIGEST, Digest), DELIVERY.c.reason)
            .join(DELIVERY, to_them)
            .where(DIGEST.c.next_at.is_not(None), DELIVERY.c.state == DeliveryState.DEAD, ~since)
            .order_by(DIGEST.c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=DIGEST)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else (plain(Digest, row[:-1]), str(row[-1]))
