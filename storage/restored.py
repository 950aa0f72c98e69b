"""After a backup was restored: what may have been sent since it was made is not sent again unasked.

docs/operations.md, "Backup and restore", says what the operator does and what follows.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import DeliveryState
from bot.ports import Clock, InvitationView
from bot.reminders import next_due, plan_anew
from bot.waves import WaveWorker
from storage.database import Database, create_engine
from storage.tables import AUDIT, DELIVERY, INBOX

BATCH = 500
_HAPPENED = (DELIVERY.c.created_at, DELIVERY.c.claimed_at, DELIVERY.c.sent_at, INBOX.c.received_at, AUDIT.c.at)


async def doubt(url: str, clock: Clock) -> int:
    """Take what waits to be sent for interrupted: the dispatcher then asks Slack for it, and shows an admin what
    Teams cannot be asked for. Returns how many messages that are. The bot must not be running. May be repeated.

    Raises bot.ports.StoreUnavailable when the database cannot be reached.
    """
    now = clock.now()
    store, engine = Database(url), create_engine(url)
    try:
        async with engine.connect() as connection:
            since = await _last_known_moment(connection)
        await WaveWorker(store, clock).run_once()  # what is queued later must not be taken for new
        await plan_anew(store)
        await _skip_overdue_reminders(store, now)
        async with engine.begin() as connection:
            return await _interrupt(connection, since, now)
    finally:
        await store.close()
        await engine.dispose()


async def _skip_overdue_reminders(store: Database, now: datetime) -> None:
    """A reminder that has become due since the backup counts as sent: the next one is planned from now on."""
    while True:
        async with store.transaction() as tx:
            overdue = await tx.invitations.due(now, BATCH)
            views = await tx.invitations.views([each.invitation_id for each in overdue])
            await tx.invitations.set_due({each: _due_after(view, now) for each, view in views.items()})
        if len(overdue) < BATCH:
            return


def _due_after(view: InvitationView, now: datetime) -> datetime | None:
    without_snooze = view.invitation.model_copy(update={"snoozed_until": None})
    return next_due(view.rollout.policy, view.person.time_zone, without_snooze, now)


async def _interrupt(connection: AsyncConnection, since: datetime | None, now: datetime) -> int:
    """What waits becomes `sending` with a lease that has ended, as if the bot had been killed while sending it."""
    claimed = {"state": DeliveryState.SENDING, "claimed_at": since, "attempt": DELIVERY.c.attempt + 1}
    waiting = update(DELIVERY).where(DELIVERY.c.state == DeliveryState.READY)
    interrupted = await connection.execute(waiting.values(**claimed, lease_until=now))
    sending = update(DELIVERY).where(DELIVERY.c.state == DeliveryState.SENDING)
    await connection.execute(sending.values(lease_until=now))
    return interrupted.rowcount


async def _last_known_moment(connection: AsyncConnection) -> datetime | None:
    """No later than the backup. What waits in it was not sent before, or the backup would say so: from there on
    Slack's history has to be read.
    """
    found = [(await connection.execute(select(func.max(column)))).scalar() for column in _HAPPENED]
    return max((at for at in found if at is not None), default=None)
