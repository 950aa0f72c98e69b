"""asyncpg, as storage.connection speaks to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """An asyncpg connection that is also a storage.connection.Driver. It remembers how to run a statement, by its
    words (magicstack.github.io/asyncpg, `statement_cache_size`).
    """

    __slots__ = ()

    async def begin(self) -> None:
        """Begin a transaction."""
        await self.execute("BEGIN")

    async def commit(self) -> None:
        """Make it last."""
        await self.execute("COMMIT")

    async def rollback(self) -> None:
        """Undo it."""
        await self.execute("ROLLBACK")

    async def ask(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The rows that it finds, or returns of what it changes."""
        rows: Sequence[Sequence[Any]] = await self.fetch(statement, *parameters)
        return rows

    async def change(self, statement: str, parameters: Sequence[Any]) -> int:
        """How many rows it changed: the last word of what PostgreSQL says (55.7, "CommandComplete")."""
        status: str = await self.execute(statement, *parameters)
        return int(status.rpartition(" ")[2])

    async def change_each(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run it for each of these."""
        await self.executemany(statement, parameters)
