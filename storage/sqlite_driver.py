"""aiosqlite without most of its visits to the connection's thread: a visit takes longer than most of the bot's
statements do. Its own cursor takes four for each: to be made, to run the statement, to fetch what it found, to be
closed. Here a statement that is surely short runs at once, on the event loop, and any other takes one visit.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from functools import lru_cache, partial
from threading import Thread
from typing import Any, NamedTuple, Self

import aiosqlite

BUSY_TIMEOUT = 5.0  # seconds that SQLite waits for another process, the command line for example
LOOK_AGAIN = 0.02  # seconds

STEPS = 20_000  # of SQLite's virtual machine: a question of more, or of twice as many, is not short (a millisecond)
FEW = 100  # parameters: values of one row, or of a few
IN_A_ROW = 16  # statements on the event loop before others have their turn

Rows = Sequence[Any]
_ending: set[Thread] = set()  # of connections that are being let go of


class _Kind(Enum):
    """How long a statement may take, by its words."""

    BEGIN = auto()  # short, unless another process writes
    QUESTION = auto()  # short, unless it has many rows to look at
    ONE_ROW = auto()  # short: it changes a row by its key or the few of an invitation, or adds a few
    ANY = auto()


_ONE_ROW = re.compile(
    r"INSERT INTO \w+ \([^)]*\) VALUES \("
    r"|(?:UPDATE|DELETE FROM) (\w+)(?: SET .*)?\s+WHERE \1\.(?:invitation_)?id = \?(?!.* OR )",
    re.DOTALL,
)


@lru_cache(maxsize=1000)
def _kind(statement: str) -> _Kind:
    if statement == "BEGIN IMMEDIATE":
        return _Kind.BEGIN
    if statement.startswith("SELECT"):
        return _Kind.QUESTION
    return _Kind.ONE_ROW if _ONE_ROW.match(statement) else _Kind.ANY


class _Result(NamedTuple):
    """What a statement has left behind."""

    rows: Rows = ()
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None


class _Cursor:
    """What SQLAlchemy needs of an asynchronous cursor (sqlalchemy.connectors.asyncio.AsyncIODBAPICursor)."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._result = _Result()

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        """The columns of what was found."""
        return self._result.description

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return self._result.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The last one that was inserted."""
        return self._result.lastrowid

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        """Run a statement and fetch all that it finds."""
        self._result = await self._connection.run(statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        """Run it for each of these."""
        self._result = await self._connection.in_thread(_run, sqlite3.Cursor.executemany, statement, parameters)

    async def fetchall(self) -> Rows:
        """What the statement found."""
        return self._result.rows

    async def close(self) -> None:
        """Nothing is open."""


def _run(made: sqlite3.Connection, how: Any, statement: str, parameters: Any) -> _Result:
    """A statement that is cancelled leaves nothing open: its real cursor is closed where it was made."""
    cursor = made.cursor()
    try:
        how(cursor, statement, parameters)
        rows = cursor.fetchall() if cursor.description else ()
        return _Result(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


def _began(made: sqlite3.Connection, statement: str) -> _Result | None:
    made.execute("PRAGMA busy_timeout=0")
    try:
        return _run(made, sqlite3.Cursor.execute, statement, ())
    except sqlite3.OperationalError as error:
        if not _is_busy(error):
            raise
        return None
    finally:
        made.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT * 1000:.0f}")


def _answered(made: sqlite3.Connection, statement: str, parameters: Any) -> _Result | None:
    # SQLite counts a statement's steps through all its runs: the first call may owe more to those before than to this
    made.set_progress_handler(partial(next, iter((0,)), 1), STEPS)
    try:
        return _run(made, sqlite3.Cursor.execute, statement, parameters)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        made.set_progress_handler(None, 0)


class Connection(aiosqlite.Connection):
    """An aiosqlite connection with those cursors, whose thread is told to end only once: one that has ended answers
    nobody. SQLAlchemy tells it when a task is cancelled while it closes a connection, and the closing then tells it
    again, and would wait for ever.
    """

    _stopping = False
    _given = 0  # to the thread; counted here
    _done = 0  # counted in the thread
    _in_a_row = 0

    def cursor(self) -> _Cursor:  # type: ignore[override]  # SQLAlchemy asks for no more of it
        """A new one."""
        return _Cursor(self)

    def is_closed(self) -> bool:
        """Whether it can do nothing more."""
        return self._stopping

    async def begin(self) -> None:
        """Begin a transaction. One that first reads and then writes would fail at once, whatever the busy time-out,
        when another process wrote in between (sqlite.org/lang_transaction.html, 2.2): this one may write.
        """
        await self.run("BEGIN IMMEDIATE")

    async def ask(self, statement: str, parameters: Sequence[Any]) -> Rows:
        """The rows that it finds, or returns of what it changes."""
        return (await self.run(statement, parameters)).rows

    async def change(self, statement: str, parameters: Sequence[Any]) -> int:
        """How many rows it changed."""
        return (await self.run(statement, parameters)).rowcount

    async def change_each(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run it for each of these."""
        if len(parameters) <= IN_A_ROW:
            for each in parameters:
                await self.run(statement, each)
        else:
            await self.in_thread(_run, sqlite3.Cursor.executemany, statement, parameters)

    async def run(self, statement: str, parameters: Sequence[Any] = ()) -> _Result:
        """Here if it is short, else in the connection's thread."""
        result = self._ran_here(statement, parameters) if await self._may_run_here() else None
        if result is None:
            result = await self.in_thread(_run, sqlite3.Cursor.execute, statement, parameters)
        return result

    def _ran_here(self, statement: str, parameters: Sequence[Any]) -> _Result | None:
        """None when the statement is not short, and then nothing has happened."""
        match _kind(statement):
            case _Kind.BEGIN:
                return _began(self._conn, statement)
            case _Kind.QUESTION:
                return _answered(self._conn, statement, parameters)
            case _Kind.ONE_ROW if len(parameters) <= FEW:
                return _run(self._conn, sqlite3.Cursor.execute, statement, parameters)
            case _:
                return None

    def stop(self) -> asyncio.Future[Any] | None:
        """Let the thread end when it has done what it was given; None when that was asked before."""
        if self._stopping:
            return None
        self._stopping = True
        _ending.add(self._thread)
        return super().stop()

    async def rollback(self) -> None:
        """Roll back; nothing where there is nothing, as at the end of every transaction that was committed."""
        if not self._is_idle or self._conn.in_transaction:
            await super().rollback()

    async def _may_run_here(self) -> bool:
        """Whether a statement may run on the event loop: the thread has nothing left to do, which what was cancelled
        in the middle may have left there.
        """
        self._in_a_row += 1
        if self._in_a_row > IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        return self._is_idle and not self._stopping

    async def in_thread(self, work: Any, *arguments: Any) -> Any:
        """Run it in the connection's own thread, with the real connection as its first argument."""
        return await self._execute(work, self._conn, *arguments)

    @property
    def _is_idle(self) -> bool:
        return self._given == self._done

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        def counted() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._done += 1

        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        self._given += 1
        self._in_a_row = 0
        return await super()._execute(counted)  # type: ignore[no-untyped-call]  # aiosqlite


def connect(database: str, **options: Any) -> Connection:
    """In place of aiosqlite.connect, for SQLAlchemy's `async_creator_fn`."""
    options["check_same_thread"] = False  # one after the other, never both at once
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
            if not _is_busy(error) or time.monotonic() > latest:
                made.close()
                raise
            time.sleep(LOOK_AGAIN)
        else:
            return made


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the rest of the code says why


async def ended(within: float = 1.0) -> None:
    """Wait until the threads of connections that were let go of have ended: they have something to say to the event
    loop, which must not be closed yet.
    """
    threads = tuple(_ending)
    _ending.difference_update(threads)
    await asyncio.gather(*(asyncio.to_thread(each.join, within) for each in threads))
