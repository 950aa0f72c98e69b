"""What the drivers' errors mean to the bot."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from bot.ports import StaleWrite, StoreUnavailable

# PostgreSQL, Appendix A "Error Codes": foreign key violation (what it refers to was erased meanwhile), unique
# violation, serialization failure, deadlock; and the first two in SQLite's words
_RACES = frozenset({"23503", "23505", "40001", "40P01"})
_SAID_OF_RACES = ("FOREIGN KEY constraint failed", "UNIQUE constraint failed")
# The same: connection, resources, operator intervention, system
_OUTAGES = frozenset({"08", "53", "57", "58"})
_SAID_OF_OUTAGES = ("database is locked", "unable to open", "disk I/O", "disk is full")


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


def meaning(error: Exception, *, is_closed: bool) -> Exception | None:
    """StaleWrite or StoreUnavailable; None for a mistake in the program. Whatever a driver says of a connection that
    is closed by then means that.
    """
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if state in _RACES or any(words in str(error) for words in _SAID_OF_RACES):
        return StaleWrite(str(error))
    if is_closed or isinstance(error, OSError | TimeoutError):
        return StoreUnavailable(str(error))
    is_outage = state[:2] in _OUTAGES if state is not None else any(words in str(error) for words in _SAID_OF_OUTAGES)
    return StoreUnavailable(str(error)) if is_outage else None


def through_sqlalchemy(context: ExceptionContext) -> BaseException | None:
    """The same for what SQLAlchemy runs: a listener to its "handle_error"."""
    if context.is_pre_ping:  # the pool will connect anew
        return None
    error = context.original_exception
    if not isinstance(error, Exception):  # a cancelled task must end, though SQLAlchemy calls it a lost connection
        return None
    return meaning(error, is_closed=context.is_disconnect)
