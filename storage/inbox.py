"""Events that have been handled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete

from storage.connection import Connection
from storage.rows import insert_new
from storage.tables import INBOX


class Inbox:
    """Implements bot.ports.Inbox."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def remember(self, event_id: str, at: datetime) -> bool:
        """False when the event was handled before. On PostgreSQL this waits for a transaction that is just about
        to remember the same event, so that two deliveries of it cannot both be the first.
        """
        statement = insert_new(INBOX)
        return await self._connection.change(statement, {"event_id": event_id, "received_at": at}) == 1

    async def forget(self, before: datetime) -> int:
        """Drop what is too old to come again; returns how many."""
        result = await self._connection.execute(delete(INBOX).where(INBOX.c.received_at < before))
        return result.rowcount
