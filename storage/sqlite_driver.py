"""aiosqlite with one visit to its thread for each statement. Its own cursor takes four: to be made, to run the
statement, to fetch what it found, to be closed. Each costs more than most of the bot's statements do.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Sequence
from threading import Thread
from typing import Any, Self

import aiosqlite

BUSY_TIMEOUT = 5.0  # seconds that SQLite waits for another process, the command line for example
LOOK_AGAIN = 0.02  # seconds

Rows = Sequence[Any]
_ending: set[Thread] = set()  # of connections that are being let go of


class _Cursor:
    """What SQLAlchemy needs of an asynchronous cursor (sqlalchemy.connectors.asyncio.AsyncIODBAPICursor). A statement
    that is cancelled leaves nothing open: its real cursor is closed where it was made, in the thread.
    """

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Rows = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        """Run a statement and fetch all that it finds."""
        await self._connection.in_thread(self._run, sqlite3.Cursor.execute, statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        """Run it for each of these."""
        await self._connection.in_thread(self._run, sqlite3.Cursor.executemany, statement, parameters)

    def _run(self, made: sqlite3.Connection, how: Any, statement: str, parameters: Any) -> None:
        cursor = made.cursor()
        try:
            how(cursor, statement, parameters)
            self._rows = cursor.fetchall() if cursor.description else ()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def fetchall(self) -> Rows:
        """What the statement found."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""


class Connection(aiosqlite.Connection):
    """An aiosqlite connection with those cursors, whose thread is told to end only once: one that has ended answers
    nobody. SQLAlchemy tells it when a task is cancelled while it closes a connection, and the closing then tells it
    again, and would wait for ever.
    """

    _stopping = False

    def cursor(self) -> _Cursor:  # type: ignore[override]  # SQLAlchemy asks for no more of it
        """A new one."""
        return _Cursor(self)

    def stop(self) -> asyncio.Future[Any] | None:
        """Let the thread end when it has done what it was given; None when that was asked before."""
        if self._stopping:
            return None
        self._stopping = True
        _ending.add(self._thread)
        return super().stop()

    async def in_thread(self, work: Any, *arguments: Any) -> None:
        """Run it in the connection's own thread, with the real connection as its first argument."""
        await self._execute(work, self._conn, *arguments)  # type: ignore[no-untyped-call]  # aiosqlite


def connect(database: str, **options: Any) -> Connection:
    """In place of aiosqlite.connect, for SQLAlchemy's `async_creator_fn`."""
    connection = Connection(lambda: _opened(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does: a hanging file keeps no process alive
    return connection


def _opened(database: str, **options: Any) -> sqlite3.Connection:
    made: sqlite3.Connection = sqlite3.connect(database, timeout=BUSY_TIMEOUT, **options)
    latest = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            made.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # Of several processes that open a new file at once, SQLite refuses all but one at once: waiting for each
            # other, they would wait for ever (sqlite.org/c3ref/busy_handler.html).
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > latest:
                made.close()
                raise
            time.sleep(LOOK_AGAIN)
        else:
            return made


async def ended(within: float = 1.0) -> None:
    """Wait until the threads of connections that were let go of have ended: they have something to say to the event
    loop, which must not be closed yet.
    """
    threads = tuple(_ending)
    _ending.difference_update(threads)
    await asyncio.gather(*(asyncio.to_thread(each.join, within) for each in threads))
