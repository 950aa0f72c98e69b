"""The bot's own database code on a SQLite database in memory, for a trial that is thrown away.

Statements run where they are called instead of in the driver's thread: a trial has nobody to keep waiting, and
handing each of its many small statements to a thread and back took a third of its time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.util import await_only

from storage import migrate
from storage.database import Database


class _Cursor(sqlite3.Cursor):
    """SQLAlchemy insists that an asynchronous driver is one: each statement has to await something."""

    def execute(self, *args: Any) -> _Cursor:
        await_only(_nothing())
        return super().execute(*args)

    async def _async_soft_close(self) -> None:
        """SQLAlchemy calls it when it is done with a result: there is nothing to wait for."""

    def executemany(self, *args: Any) -> _Cursor:
        await_only(_nothing())
        return super().executemany(*args)


async def _nothing() -> None:
    pass


class _Connection(sqlite3.Connection):
    """What SQLAlchemy's asynchronous drivers have beside the methods of the synchronous ones."""

    @property
    def _connection(self) -> _Driver:
        return _Driver(self)

    def cursor(self) -> _Cursor:  # type: ignore[override]  # SQLAlchemy asks for no other kind
        return super().cursor(_Cursor)

    def terminate(self) -> None:
        """Close at once."""
        self.close()


class _Driver:
    """A storage.connection.Driver."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def is_closed(self) -> bool:
        return False

    async def begin(self) -> None:
        self._run("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        self._connection.commit()

    async def rollback(self) -> None:
        self._connection.rollback()

    async def ask(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        return self._run(statement, parameters).fetchall()

    async def change(self, statement: str, parameters: Sequence[Any]) -> int:
        return self._run(statement, parameters).rowcount

    async def change_each(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        sqlite3.Cursor(self._connection).executemany(statement, parameters)

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        return sqlite3.Cursor(self._connection).execute(statement, parameters)


class _InMemory(Database):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        event.listen(self._engine.sync_engine, "do_connect", _connect)


def _connect(
    _dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]
) -> sqlite3.Connection:
    """In place of the driver's own way to connect."""
    options = {name: value for name, value in parameters.items() if name != "async_creator_fn"}
    return sqlite3.connect(*arguments, factory=_Connection, **options)


@asynccontextmanager
async def database_in_memory() -> AsyncIterator[Database]:
    """An empty database with the bot's tables; gone on leaving."""
    # A shared one, so that the migrations, which connect for themselves, find the same database; it lives as long as
    # somebody is connected (sqlite.org/inmemorydb.html).
    url = f"sqlite:///file:trial-{uuid4().hex}?mode=memory&cache=shared&uri=true"
    store = _InMemory(url)
    try:
        await store.ping()
        await migrate.upgrade(url)
        yield store
    finally:
        await store.close()
