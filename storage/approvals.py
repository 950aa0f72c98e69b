"""What a second admin has to approve. Rows are stored by Transaction.save."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete

from bot.approvals import Approval
from storage.connection import Connection
from storage.rows import by_key
from storage.tables import APPROVAL


class Approvals:
    """Implements bot.ports.Approvals."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def approval(self, approval_id: str) -> Approval | None:
        """By id."""
        return await by_key(self._connection, APPROVAL, Approval, approval_id)

    async def forget(self, before: datetime) -> int:
        """Delete what was asked for before then, decided or not; returns how many."""
        return (await self._connection.execute(delete(APPROVAL).where(APPROVAL.c.asked_at < before))).rowcount
