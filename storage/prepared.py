"""Statements that every event or message needs: SQLAlchemy writes each once, and knows the types of its columns; then
the driver runs it as it is. Run through SQLAlchemy, a statement takes longer than the database takes to answer it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Dialect, SelectBase, UpdateBase
from sqlalchemy.sql import visitors
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
        compiled = _with_constants(statement).compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        differing = [name for name, bind in compiled.binds.items() if bind.required]
        whole = compiled.construct_expanded_state(dict.fromkeys(differing))
        self.text = whole.statement

        def place(name: str) -> tuple[str, _Process | None, Any]:
            process = _type(compiled.binds[name], dialect).bind_processor(dialect)
            return (name, process, None) if name in differing else ("", None, whole.parameters[name])

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
        return [self._made(row) for row in found]

    def _made(self, row: Sequence[Any]) -> Row:
        values = list(row)
        for place, process in self._from_database:
            if values[place] is not None:
                values[place] = process(values[place])
        return self._row(*values)


def _with_constants(statement: Statement) -> Statement:
    """With every value that it has in its text, but for those that a dialect adds, such as OFFSET 0. A parameter that
    may choose the plan, by a partial index for example, has SQLite make a new plan whenever it is bound
    (sqlite.org/c3ref/prepare.html, on sqlite3_prepare_v2).
    """

    def constant(bind: BindParameter[Any]) -> None:
        if not bind.required:
            bind.literal_execute = True

    copied: Statement = visitors.cloned_traverse(statement, {}, {"bindparam": constant})
    return copied


def _type(of: Any, dialect: Dialect) -> Any:
    return of.type.dialect_impl(dialect)
