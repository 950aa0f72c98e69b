"""The database: its engine, its transactions and its lanes. Implements bot.ports.Store."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import cache
from socket import gethostname
from typing import Any

import sqlalchemy
from sqlalchemy import (
    AsyncAdaptedQueuePool,
    Table,
    bindparam,
    event,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from bot import ports
from bot.approvals import Approval
from bot.columns import Vault
from bot.digests import Digest
from bot.finishing import FinishItem, Handout
from bot.model import Case, Check, CurrentRollout, Dialog, Invitation, Rollout, Wave
from bot.ports import StaleWrite, StoreUnavailable
from bot.readiness import Readiness
from bot.transition import Row
from storage import errors, postgresql_driver, sqlite_driver, watching
from storage.approvals import Approvals
from storage.audit import Audit
from storage.backlog import Backlog
from storage.cases import Cases
from storage.connection import Connection, Known
from storage.deliveries import Deliveries
from storage.digests import Digests
from storage.erasing import Erasing
from storage.errors import connecting
from storage.escalations import Escalations
from storage.finishing import Finishing
from storage.inbox import Inbox
from storage.invitations import Invitations
from storage.lanes import Lanes
from storage.lists import Lists
from storage.look_ups import LookUps
from storage.people import People
from storage.prepared import Prepared
from storage.rollouts import Rollouts
from storage.rows import insert_new, replace, values
from storage.sign_ins import SignIns
from storage.tables import (
    APPROVAL,
    CASE,
    CHECK,
    CURRENT_ROLLOUT,
    DIALOG,
    DIGEST,
    FINISH_ITEM,
    HANDOUT,
    INVITATION,
    READINESS,
    ROLLOUT,
    SEALING,
    WAVE,
)
from storage.watching import Watch

DEFAULT_URL = "sqlite:///usher.db"
CONNECT_TIMEOUT = 5  # seconds
STATEMENT_TIMEOUT = 20  # seconds
POOL_TIMEOUT = 10  # seconds a transaction waits for a connection
# A replica whose machine has vanished loses its lanes within half a minute (PostgreSQL, 20.3.2, "TCP Settings").
NOTICED_WHEN_GONE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}

_TABLES = {
    Approval: APPROVAL,
    Rollout: ROLLOUT,
    Invitation: INVITATION,
    Wave: WAVE,
    Dialog: DIALOG,
    Case: CASE,
    FinishItem: FINISH_ITEM,
    Readiness: READINESS,
    Digest: DIGEST,
    Handout: HANDOUT,
}


def address(url: str) -> URL:
    """The URL with the asynchronous driver that it needs; raises ValueError for other databases."""
    parsed = make_url(url or DEFAULT_URL)
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"a database is sqlite:///path or postgresql://host/name, not {other}")


def create_engine(url: str) -> AsyncEngine:
    """An engine that is set up for what the bot promises: a commit is durable, a lost connection is noticed."""
    engine = _engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: sqlalchemy.Connection) -> None:
            driver: Any = connection.connection.driver_connection
            try:
                await_only(driver.begin())
            except sqlite3.Error as error:
                raise StoreUnavailable(str(error)) from error

    return engine


def _engine(url: str, **options: Any) -> AsyncEngine:
    parsed = address(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    engine = _sqlite(parsed, **options) if is_sqlite else _postgresql(parsed, **options)
    event.listen(engine.sync_engine, "handle_error", errors.through_sqlalchemy)
    return engine


def _sqlite(url: URL, **options: Any) -> AsyncEngine:
    # One connection: SQLite writes one transaction at a time, and a pool hands it on in turn, where SQLite's own
    # busy handler would let the waiting sleep and starve.
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        connect_args={"async_creator_fn": sqlite_driver.connect},
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, record: object) -> None:  # noqa: ARG001  # the event's signature
        connection.isolation_level = None  # transactions begin where they are begun
        cursor = connection.cursor()
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def let_go(connection: Any, record: object, exception: BaseException | None) -> None:  # noqa: ARG001
        # A task that was cancelled in the middle of a statement leaves its cursor behind, and with one, closing the
        # connection ends neither it nor its transaction (sqlite.org/c3ref/close.html): the file would stay locked.
        with suppress(Exception):
            connection.rollback()

    return engine


def _postgresql(url: URL, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=POOL_TIMEOUT,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connection_class": postgresql_driver.Connection,
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": STATEMENT_TIMEOUT,
            "server_settings": {"application_name": _who_asks(), "timezone": "UTC", **NOTICED_WHEN_GONE},
        },
        **options,
    )


def _who_asks() -> str:
    """What `pg_stat_activity` calls this process: an operator with several replicas wants to know which it is."""
    return f"sso-usher {gethostname()[:40]} {os.getpid()}"


class Transaction(ports.Transaction):
    """Implements bot.ports.Transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.inbox: ports.Inbox = Inbox(connection)
        self.people: ports.People = People(connection)
        self.rollouts: ports.Rollouts = Rollouts(connection)
        self.digests: ports.Digests = Digests(connection)
        self.approvals: ports.Approvals = Approvals(connection)
        self.escalations: ports.Escalations = Escalations(connection)
        self.cases: ports.Cases = Cases(connection)
        self.invitations: ports.Invitations = Invitations(connection)
        self.deliveries: ports.Deliveries = Deliveries(connection)
        self.lists: ports.Lists = Lists(connection)
        self.look_ups: ports.LookUps = LookUps(connection)
        self.finishing: ports.Finishing = Finishing(connection)
        self.sign_ins: ports.SignIns = SignIns(connection)
        self.erasing: ports.Erasing = Erasing(connection)
        self.audit: ports.Audit = Audit(connection)
        self.backlog: ports.Backlog = Backlog(connection)

    async def save(self, row: Row) -> None:
        """Insert or replace by primary key. A row that has a `version` must be one above the stored one (or 1 when
        new); otherwise StaleWrite.
        """
        if isinstance(row, Check | CurrentRollout):
            await replace(self._connection, CHECK if isinstance(row, Check) else CURRENT_ROLLOUT, row)
            return
        table = _TABLES[type(row)]
        columns = values(row)
        changed = await self._connection.change(
            _next_version(table), {**columns, "of": row.id, "before": row.version - 1}
        )
        if changed == 0 and row.version == 1:
            changed = await self._connection.change(insert_new(table), columns)
        if changed == 0:
            raise StaleWrite(f"{type(row).__name__} {row.id} is no longer at version {row.version - 1}")


@cache
def _next_version(table: Table) -> Prepared:
    return Prepared(update(table).where(table.c.id == bindparam("of"), table.c.version == bindparam("before")))


class Database(ports.Store):
    """A database by its URL. Connects when it is first used; `close` it in the end."""

    def __init__(self, url: str) -> None:
        # for SQLAlchemy, that is: transactions are begun and ended by the driver
        self._engine = _engine(url, isolation_level="AUTOCOMMIT")
        self._known: Known = {}
        self._watch: Watch | None = None
        self._lanes = Lanes(self._engine)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits when the block ends, rolls back when it raises.

        Raises StoreUnavailable when the database does not answer, and StaleWrite when PostgreSQL had to give up one
        of two transactions that were in each other's way. Do not open one inside another.
        """
        async with self._connect() as through:
            connection = Connection(through, self._known, self._watch)
            try:
                await connection.begin()
                yield Transaction(connection)
                await connection.commit()
            except BaseException:
                await connection.roll_back()
                raise

    @contextmanager
    def watched(self, watch: Watch) -> Iterator[None]:
        """`watch` is around every statement, until the block ends."""
        self._watch = watch
        try:
            with watching.through_sqlalchemy(self._engine, watch):
                yield
        finally:
            self._watch = None

    async def unseal_with(self, vault: Vault) -> None:
        """Read what is sealed, and seal what is written where every replica can read it (migration 0020). Raises
        StoreUnavailable.
        """
        dialect: Any = self._engine.dialect
        dialect.opens_with = vault
        async with self._connect() as connection:
            seals = (await connection.execute(select(SEALING))).first() is not None
        dialect.seals_with = vault if seals else None

    @asynccontextmanager
    async def lane(self, lane: str) -> AsyncIterator[bool]:
        """Hold a lane for this process; False when another process holds it. With SQLite it is always True."""
        if self._engine.dialect.name != "postgresql":
            yield True
            return
        async with self._lanes.hold(lane) as held:
            yield held

    async def holds(self, lane: str) -> bool:
        """Whether a lane that was taken is still this process's. Raises StoreUnavailable."""
        return self._engine.dialect.name != "postgresql" or await self._lanes.holds(lane)

    async def ping(self) -> None:
        """Raises StoreUnavailable when the database does not answer."""
        async with self._connect() as connection:
            await connection.execute(text("SELECT 1"))

    def connections(self) -> tuple[int, int]:
        """How many connections are in use, and how many wait to be."""
        pool = self._engine.sync_engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        return pool.checkedout(), pool.checkedin()

    async def close(self) -> None:
        """Give every connection back."""
        await self._lanes.close()
        await self._engine.dispose()
        await sqlite_driver.ended()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:  # it closes the connection even when the task is being cancelled
            with connecting():
                connection = await stack.enter_async_context(self._engine.connect())
            yield connection
