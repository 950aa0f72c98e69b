"""The audit log."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, literal, select, tuple_

from bot.model import AuditEntry
from storage.connection import Connection
from storage.prepared import Prepared
from storage.rows import fields, plain, values
from storage.tables import AUDIT

_RECORD = Prepared(insert(AUDIT))


class Audit:
    """Implements bot.ports.Audit. There is no operation that changes or removes an entry."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def record(self, entry: AuditEntry) -> None:
        """Add an entry; raises StaleWrite when there is one with its id."""
        await self._connection.change(_RECORD, values(entry))

    async def entries(self, company: str, limit: int, offset: int = 0) -> Sequence[AuditEntry]:
        """The company's entries, newest first."""
        statement = (
            select(*fields(AUDIT, AuditEntry))
            .where(AUDIT.c.company == company)
            .order_by(AUDIT.c.at.desc(), AUDIT.c.id.desc())
            .limit(limit)
            .offset(offset)
        )
        return [plain(AuditEntry, row) for row in await self._connection.execute(statement)]

    async def behind(self, company: str, after: AuditEntry | None, limit: int) -> Sequence[AuditEntry]:
        """A page of the company's entries, oldest first: those after this one."""
        statement = select(*fields(AUDIT, AuditEntry)).where(AUDIT.c.company == company)
        if after is not None:
            position = tuple_(literal(after.at, AUDIT.c.at.type), literal(after.id))
            statement = statement.where(tuple_(AUDIT.c.at, AUDIT.c.id) > position)
        statement = statement.order_by(AUDIT.c.at, AUDIT.c.id).limit(limit)
        return [plain(AuditEntry, row) for row in await self._connection.execute(statement)]
