"""Lanes: which process spends a workspace's rate limit.

On PostgreSQL a lane is a session advisory lock (PostgreSQL, 13.3.5, "Advisory Locks"). All lanes of a process are
held by one connection of their own: a process that dies loses them all at once, and others take over.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.ports import StoreUnavailable
from storage.errors import connecting

# a session that asks again gets the lock again, and has to let it go as often
_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:lane, 0))")
_IS_THERE = text("SELECT true WHERE :lane <> ''")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:lane, 0))")


class Lanes:
    """The lanes that this process holds on a PostgreSQL server."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._held: Counter[str] = Counter()
        self._one_at_a_time = asyncio.Lock()  # a connection runs one statement at a time

    @asynccontextmanager
    async def hold(self, lane: str) -> AsyncIterator[bool]:
        """Whether the lane is this process's, until the block ends. Raises StoreUnavailable."""
        held = await self._ask(_LOCK, lane)
        if held:
            self._held[lane] += 1
        try:
            yield held
        finally:
            if self._held[lane]:
                self._held[lane] -= 1
                with suppress(StoreUnavailable):  # the connection is gone, and the lock with it
                    await self._ask(_UNLOCK, lane)

    async def holds(self, lane: str) -> bool:
        """Whether a lane that was taken is still this process's: a lock is lost with its connection, and nobody
        says so. Raises StoreUnavailable.
        """
        return self._held[lane] > 0 and await self._ask(_IS_THERE, lane)

    async def close(self) -> None:
        """Let go of every lane."""
        async with self._one_at_a_time:
            await self._drop()

    async def _ask(self, statement: TextClause, lane: str) -> bool:
        async with self._one_at_a_time:
            try:
                connection = self._connection or await self._open()
                self._connection = connection
                return bool(await connection.scalar(statement, {"lane": f"sso-usher lane {lane}"}))
            except BaseException:  # a cancelled one too: whether it has the lock is then unknown
                await self._drop()
                raise

    async def _open(self) -> AsyncConnection:
        with connecting():
            connection = await self._engine.connect()
        return await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            await connection.invalidate()  # back to the pool it would keep its locks
            await connection.close()
