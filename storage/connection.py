"""The connection of one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Dialect, Executable
from sqlalchemy.engine import CursorResult, ScalarResult
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import meaning
from storage.prepared import Compiled, Prepared, Row
from storage.watching import Asked, Watch

_T = TypeVar("_T")
Known = dict[Prepared, Compiled]  # of one database


class Driver(Protocol):
    """What both databases' drivers can do: storage.sqlite_driver, storage.postgresql_driver."""

    def is_closed(self) -> bool: ...  # noqa: D102
    async def begin(self) -> None: ...  # noqa: D102
    async def commit(self) -> None: ...  # noqa: D102
    async def rollback(self) -> None: ...  # noqa: D102

    async def ask(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The rows that it finds, or returns of what it changes."""
        ...

    async def change(self, statement: str, parameters: Sequence[Any]) -> int:
        """How many rows it changed."""
        ...

    async def change_each(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run it for each of these."""
        ...


class Connection:
    """Runs prepared statements by the driver, and all others through SQLAlchemy, in one transaction.

    Raises StoreUnavailable when the database does not answer, and StaleWrite when somebody else was first.
    """

    def __init__(self, through: AsyncConnection, known: Known, watch: Watch | None = None) -> None:
        self._through = through
        self._known = known
        self._watch = watch
        assert through.sync_connection is not None
        driver: Any = through.sync_connection.connection.driver_connection
        self._driver: Driver = driver

    @property
    def dialect(self) -> Dialect:
        """The database's."""
        return self._through.dialect

    async def rows(self, statement: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """What a prepared statement finds, or returns of what it changes."""
        compiled = self._compiled(statement)
        parameters = compiled.parameters(values)
        found = await self._asking(self._driver.ask(compiled.text, parameters), compiled.text, parameters)
        return compiled.rows(found)

    async def one(self, statement: Prepared, values: Mapping[str, Any]) -> Row | None:
        """The only row of what finds one or none."""
        found = await self.rows(statement, values)
        assert len(found) <= 1
        return found[0] if found else None

    async def change(self, statement: Prepared, values: Mapping[str, Any]) -> int:
        """How many rows a prepared statement changes."""
        compiled = self._compiled(statement)
        parameters = compiled.parameters(values)
        return await self._asking(self._driver.change(compiled.text, parameters), compiled.text, parameters)

    async def change_each(self, statement: Prepared, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a prepared statement for each of these."""
        compiled = self._compiled(statement)
        parameters = [compiled.parameters(each) for each in values]
        await self._asking(self._driver.change_each(compiled.text, parameters), compiled.text, parameters)

    async def execute(self, statement: Executable, values: Any = None) -> CursorResult[*tuple[Any, ...]]:
        """Through SQLAlchemy."""
        return await self._through.execute(statement, values)

    async def scalars(self, statement: Executable, values: Any = None) -> ScalarResult[Any]:
        """The first column of what SQLAlchemy's `execute` finds."""
        return await self._through.scalars(statement, values)

    async def scalar(self, statement: Executable, values: Any = None) -> Any:
        """The first column of the first row of that; None when there is none."""
        return await self._through.scalar(statement, values)

    async def begin(self) -> None:
        """Raises what the class says."""
        await self._asking(self._driver.begin(), "BEGIN")

    async def commit(self) -> None:
        """Raises what the class says."""
        await self._asking(self._driver.commit(), "COMMIT")

    async def roll_back(self) -> None:
        """Undo everything, however much the connection is worth by then: one that does not obey is given up."""
        try:
            await self._driver.rollback()
        except BaseException as error:
            await self._through.invalidate()
            if not isinstance(error, Exception):  # cancelled meanwhile
                raise

    def _compiled(self, statement: Prepared) -> Compiled:
        compiled = self._known.get(statement)
        if compiled is None:
            compiled = self._known[statement] = statement.compiled(self.dialect)
        return compiled

    async def _asking(self, answer: Awaitable[_T], text: str, parameters: Sequence[Any] = ()) -> _T:
        try:
            if self._watch is None:
                return await answer
            with self._watch(Asked(self.dialect.name, text, parameters)):
                return await answer
        except Exception as error:
            meant = meaning(error, is_closed=self._driver.is_closed())
            if meant is None:
                raise
            raise meant from error
