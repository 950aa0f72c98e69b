"""What goes wrong before there is a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from bot.ports import StoreUnavailable


@contextmanager
def connecting() -> Iterator[None]:
    """Whatever goes wrong in the block means that there is no database to work with: StoreUnavailable.

    The drivers' own errors come as they are: SQLAlchemy translates those of a connection that exists. PostgreSQL
    refuses with one of them while it starts (57P03), or when the password is wrong.
    """
    try:
        yield
    except (OSError, SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnavailable(str(error)) from error
