"""Bringing a database to this version's tables, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import create_engine
from storage.errors import connecting

_T = TypeVar("_T")

log = structlog.get_logger(__name__)

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('sso-usher migration', 0))"


async def upgrade(url: str, revision: str = "head") -> bool:
    """Create or change the tables. Of several processes that start at once, one migrates and the others wait for
    it. Either all of it happens or nothing: both databases can roll back changes of tables.

    A database that a newer version has changed is left as it is: within a major version, changes only add, so an
    older version that is started again during an upgrade works with it (docs/operations.md, "Upgrading"). Returns
    whether the tables are this version's.

    Raises bot.ports.StoreUnavailable, as the others here do, when the database cannot be reached.
    """
    return await _alone(url, lambda connection: _upgrade(connection, revision))


async def downgrade(url: str, revision: str) -> None:
    """Go back to `revision`; "base" removes every table and all that is in them. Raises ValueError when there is no
    such revision, or when a newer version has changed the database: only that one knows the way back.
    """
    try:
        await _alone(url, lambda connection: _downgrade(connection, revision))
    except CommandError as error:
        raise ValueError(f"there is no revision {revision}") from error


async def current(url: str) -> str | None:
    """The revision that the database is at; None when it has no tables yet."""
    engine = create_engine(url)
    try:
        async with _connection(engine) as connection:
            return await connection.run_sync(lambda known: MigrationContext.configure(known).get_current_revision())
    finally:
        await engine.dispose()


def newest() -> str:
    """The revision that this version brings a database to."""
    return str(ScriptDirectory(str(_SCRIPTS)).get_current_head())


def is_known(revision: str | None) -> bool:
    """Whether this version knows that revision of a database: a newer version makes others."""
    return revision in {None, *(each.revision for each in ScriptDirectory(str(_SCRIPTS)).walk_revisions())}


def _upgrade(connection: Connection, revision: str) -> bool:
    newer = _newer(connection)
    if newer is not None:
        log.warning("database.newer_than_this_version", revision=newer)
        return False
    command.upgrade(_config(connection), revision)
    return True


def _downgrade(connection: Connection, revision: str) -> None:
    newer = _newer(connection)
    if newer is not None:
        raise ValueError(f"the database is at {newer}, which a newer version made: run this command of that version")
    command.downgrade(_config(connection), revision)


def _newer(connection: Connection) -> str | None:
    """The database's revision, if this version does not know it."""
    there = MigrationContext.configure(connection).get_current_revision()
    known = {each.revision for each in ScriptDirectory.from_config(_config(connection)).walk_revisions()}
    return None if there in known else there


async def _alone(url: str, run: Callable[[Connection], _T]) -> _T:
    engine = create_engine(url)
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        event.listen(engine.sync_engine, "connect", _ignore_references)
    try:
        async with _connection(engine) as connection, connection.begin():
            if not is_sqlite:  # SQLite's BEGIN IMMEDIATE already keeps the others out
                await connection.execute(text(_LOCK))
            result = await connection.run_sync(run)
            if is_sqlite and (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first():
                raise RuntimeError("the migration left references to rows that do not exist; nothing was changed")
            return result
    finally:
        await engine.dispose()


@asynccontextmanager
async def _connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with AsyncExitStack() as stack:
        with connecting():
            connection = await stack.enter_async_context(engine.connect())
        yield connection


def _ignore_references(connection: Any, record: object) -> None:  # noqa: ARG001  # the event's signature
    # a batch migration copies a table and drops the old one, which would take the rows that refer to it along
    # (sqlite.org/lang_altertable.html, section 7)
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
