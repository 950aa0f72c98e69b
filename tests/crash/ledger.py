"""What the database says about deliveries, read beside the bot."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from bot.model import DeliveryKind, DeliveryState
from storage.database import create_engine
from storage.tables import DELIVERY, PERSON


class Ledger:
    """Reads the bot's database while the bot runs, or while it does not."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url)

    async def states(self) -> Counter[DeliveryState]:
        """How many deliveries are in each state."""
        async with self._engine.connect() as connection:
            return Counter((await connection.scalars(select(DELIVERY.c.state))).all())

    async def outdated(self) -> int:
        """How many messages on the platform do not show yet what is true."""
        async with self._engine.connect() as connection:
            mine = (DELIVERY.c.state == DeliveryState.SENT, DELIVERY.c.outdated > 0)
            return await connection.scalar(select(func.count()).where(*mine)) or 0

    async def sent(self) -> list[str]:
        """The ids of all that arrived, as the bot knows it."""
        async with self._engine.connect() as connection:
            ids = select(DELIVERY.c.id).where(DELIVERY.c.state == DeliveryState.SENT)
            return list((await connection.scalars(ids)).all())

    async def may_have_arrived(self) -> Counter[tuple[str, DeliveryKind]]:
        """How many messages of each kind each person got, or may have got: (name, kind)."""
        states = (DeliveryState.SENT, DeliveryState.UNKNOWN)
        rows = (
            select(PERSON.c.name, DELIVERY.c.kind)
            .join(PERSON, PERSON.c.id == DELIVERY.c.person_id)
            .where(DELIVERY.c.state.in_(states))
        )
        async with self._engine.connect() as connection:
            return Counter((name, kind) for name, kind in await connection.execute(rows))

    async def unknown(self) -> Counter[str]:
        """How many are unknown for each reason."""
        reasons = select(DELIVERY.c.reason).where(DELIVERY.c.state == DeliveryState.UNKNOWN)
        async with self._engine.connect() as connection:
            return Counter((await connection.scalars(reasons)).all())

    async def close(self) -> None:
        await self._engine.dispose()
