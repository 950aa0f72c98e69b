"""What the database says about deliveries, read beside the bot."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import and_, func, literal, or_, select, update
from sqlalchemy import text as statement_of

from bot.model import DeliveryKind, DeliveryState, WaveStage
from storage.database import create_engine
from storage.tables import DELIVERY, INVITATION, PERSON, ROLLOUT, WAVE

_LANE_HOLDER = statement_of(
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) "
    "WHERE locktype = 'advisory' AND datname = current_database() AND application_name LIKE 'sso-usher %'"
)


class Ledger:
    """Reads the bot's database while the bot runs, or while it does not."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url)

    async def states(self) -> Counter[DeliveryState]:
        """How many deliveries are in each state."""
        async with self._engine.connect() as connection:
            return Counter((await connection.scalars(select(DELIVERY.c.state))).all())

    async def on_its_way(self, now: datetime, *, unknown: bool) -> int:
        """How many messages are being sent or about to be, or do not show yet what is true; a reminder that is due
        is about to be sent. What waits for somebody's working hours is not. `unknown`: where the platform can be
        asked, what is unknown may still be sent again.

        In the order in which one becomes the other, so that nothing is missed that moves on between two questions.
        """
        soon = now + timedelta(minutes=30)
        moving = or_(
            and_(DELIVERY.c.state == DeliveryState.UNKNOWN, literal(unknown)),
            DELIVERY.c.state == DeliveryState.SENDING,
            and_(DELIVERY.c.state == DeliveryState.READY, DELIVERY.c.not_before < soon),
            and_(DELIVERY.c.state == DeliveryState.SENT, DELIVERY.c.outdated > 0),
        )
        waiting = (WAVE.c.stage == WaveStage.STORING, INVITATION.c.due_at <= now, moving)
        async with self._engine.connect() as connection:
            return sum([await connection.scalar(select(func.count()).where(each)) or 0 for each in waiting])

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

    async def failed(self) -> set[str]:
        """The names of those whom the bot has given up on."""
        rows = (
            select(PERSON.c.name)
            .join(DELIVERY, PERSON.c.id == DELIVERY.c.person_id)
            .where(DELIVERY.c.state == DeliveryState.DEAD)
        )
        async with self._engine.connect() as connection:
            return set((await connection.scalars(rows)).all())

    async def unknown(self) -> Counter[str]:
        """How many are unknown for each reason."""
        reasons = select(DELIVERY.c.reason).where(DELIVERY.c.state == DeliveryState.UNKNOWN)
        async with self._engine.connect() as connection:
            return Counter((await connection.scalars(reasons)).all())

    async def sender(self) -> int:
        """The process id of the bot that holds a lane on PostgreSQL; 0 when none does."""
        async with self._engine.connect() as connection:
            name = await connection.scalar(_LANE_HOLDER)
        return int(str(name).rpartition(" ")[2]) if name else 0

    async def policy_changed(self) -> None:
        """What saving the setup dialog leaves behind when the policy is another one than before."""
        async with self._engine.begin() as connection:
            await connection.execute(update(ROLLOUT).values(planned_up_to=""))

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()
