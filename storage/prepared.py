"""Statements that every event or message needs: SQLAlchemy writes each once, and knows the types of its columns; then
the driver runs it as it is. Run through SQLAlchemy, a statement takes longer than the database takes to answer it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, SelectBase, UpdateBase
from sqlalchemy.sql.compiler import SQLCompiler

Statement = SelectBase | UpdateBase
Row = Any  # a named tuple of the statement's columns
_Process = Callable[[Any], Any]


class Prepared:
    """A statement that is built once, with a `bindparam` for all that differs; or one for each dialect, by its name.

    storage.connection.Connection runs it. What an IN list says is fixed: for what differs there is
    storage.rows.among.
    """

    def __init__(self, statement: Statement | Callable[[str], Statement]) -> None:
        self._statement = statement

    def compiled(self, dialect: Dialect) -> Compiled:
        """For one database: its dialect may hold the keys of what is sealed there."""
        return Compiled(self._statement(dialect.name) if callable(self._statement) else self._statement, dialect)


class Compiled:
    """A statement in its driver's words, and the way of values to the database and back."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        differing = {name: None for name, bind in compiled.binds.items() if bind.required}
        whole = compiled.construct_expanded_state(differing)
        self.text = whole.statement

        def place(name: str) -> tuple[str, _Process | None, Any]:
            bind = compiled.binds.get(name)  # a member of a fixed list has none of its own
            process = whole.processors.get(name) if bind is None else _type(bind, dialect).bind_processor(dialect)
            if name in differing:
                return name, process, None
            constant = whole.parameters[name]
            return "", None, constant if process is None else process(constant)

        self._parameters = [place(name) for name in whole.positiontup or ()]
        columns = list(statement.exported_columns)
        self._row: Any = namedtuple("_row", [column.name for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024  # known only now
        from_database = (_type(column, dialect).result_processor(dialect, None) for column in columns)
        self._from_database = [(place, process) for place, process in enumerate(from_database) if process is not None]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the statement's places, as the driver takes them."""
        return [
            constant if not name else values[name] if process is None else process(values[name])
            for name, process, constant in self._parameters
        ]

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Row]:
        """What the driver has found, as what was stored."""
        columns: list[Iterable[Any]] = list(zip(*found, strict=True))
        for place, process in self._from_database if columns else ():
            columns[place] = map(process, columns[place])
        return list(map(self._row._make, zip(*columns, strict=True)))


def _type(of: Any, dialect: Dialect) -> Any:
    return of.type.dialect_impl(dialect)
