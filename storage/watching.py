"""For whoever wants to see what is asked of the database: traces, a bench that counts, a test of the plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine

_OPEN = "usher.watched"  # in what SQLAlchemy keeps for a connection: statements that are being run


class Asked(NamedTuple):
    """A statement, or BEGIN or COMMIT."""

    system: str  # "sqlite" or "postgresql"
    text: str
    parameters: Any = ()


Watch = Callable[[Asked], AbstractContextManager[object]]  # around each; it sees the drivers' errors as they are


@contextmanager
def through_sqlalchemy(engine: AsyncEngine, watch: Watch) -> Iterator[None]:
    """Watch what SQLAlchemy runs, until the block ends."""

    def before(connection: sqlalchemy.Connection, _cursor: object, text: str, parameters: Any, *_: object) -> None:
        asked = watch(Asked(connection.dialect.name, text, parameters))
        asked.__enter__()
        connection.info.setdefault(_OPEN, []).append(asked)

    def after(connection: sqlalchemy.Connection, *_: object) -> None:
        if connection.info.get(_OPEN):  # else it was begun before anybody watched
            connection.info[_OPEN].pop().__exit__(None, None, None)

    def failed(context: ExceptionContext) -> None:
        error, connection = context.original_exception, context.connection
        if connection is not None and connection.info.get(_OPEN):
            connection.info[_OPEN].pop().__exit__(type(error), error, None)

    listeners = (("before_cursor_execute", before), ("after_cursor_execute", after), ("handle_error", failed))
    for name, listener in listeners:
        event.listen(engine.sync_engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            event.remove(engine.sync_engine, name, listener)
