"""Between the nouns and the statements: values out of a row, rows into plain data, and the two dialects' upserts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    ColumnElement,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from storage.connection import Connection
from storage.prepared import Prepared

Noun = TypeVar("Noun", bound=SQLModel)
Item = TypeVar("Item")

AT_ONCE = 1000  # values in one IN list: far below SQLite's 32,766 and PostgreSQL's 65,535 parameters


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items, in lists that fit into one statement."""
    iterator = iter(items)
    while chunk := list(islice(iterator, AT_ONCE)):
        yield chunk


def values(row: SQLModel) -> dict[str, Any]:
    """The row's columns, unchanged: the column types turn them into what the database holds."""
    return {name: getattr(row, name) for name in type(row).model_fields}


def plain(noun: type[Noun], row: Iterable[Any]) -> Noun:
    """A noun from a row whose values are in the order of its fields. Belongs to no session and no transaction.

    What pydantic's `model_construct` makes, in a third of the time: it looks for defaults, and a row has every value.
    """
    made: Noun = noun.__new__(noun)
    made.__dict__.update(zip(noun.model_fields, row, strict=True))
    made.__pydantic_fields_set__.update(noun.model_fields)
    return made


def several(row: Sequence[Any], *nouns: type[SQLModel]) -> Iterator[Any]:
    """The nouns of a row that joins them; None for one that an outer join has not found."""
    start = 0
    for noun in nouns:
        part = row[start : start + len(noun.model_fields)]
        yield None if part[0] is None else plain(noun, part)
        start += len(part)


def fields(table: Table, noun: type[SQLModel]) -> list[ColumnElement[Any]]:
    """The table's columns in the order of the noun's fields: what `plain` takes."""
    return [table.c[name] for name in noun.model_fields]


def one_of(column: ColumnElement[Any], members: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column is one of these. The values stand in the statement itself, not in its parameters: only
    then do the databases see that a partial index covers the question (sqlite.org/partialindex.html, section 3).
    """
    return or_(*(column == literal(member, column.type, literal_execute=True) for member in members))


def among(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether the column is one of a list: one parameter of that name, and one statement for lists of any length."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=postgresql.ARRAY(Text)))
    return column.in_(select(func.json_each(bindparam(name, type_=JSON)).table_valued("value").c.value))


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the connection's dialect."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The same, for statements that are built once for each dialect."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def insert_new(table: Table) -> Prepared:
    """An INSERT that passes over what exists."""
    return Prepared(lambda dialect: insert_into(dialect, table).on_conflict_do_nothing())


async def by_key(connection: Connection, table: Table, noun: type[Noun], key: str) -> Noun | None:
    """The row with that id, or None."""
    row = await connection.one(_by_key(table, noun), {"key": key})
    return None if row is None else plain(noun, row)


# Statements that are run for every event are built once: to build one takes longer than to run it.
@cache
def _by_key(table: Table, noun: type[SQLModel]) -> Prepared:
    return Prepared(select(*fields(table, noun)).where(table.c.id == bindparam("key")))


async def replace(connection: Connection, table: Table, row: SQLModel) -> None:
    """Insert, or replace the row with the same primary key."""
    await connection.change(_replace(table), values(row))


@cache
def _replace(table: Table) -> Prepared:
    return Prepared(lambda dialect: _upsert(dialect, table))


def _upsert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    statement = insert_into(dialect, table)
    keys = [column.name for column in table.primary_key]
    rest: Mapping[str, Any] = {
        column.name: statement.excluded[column.name] for column in table.c if column.name not in keys
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)


async def insert_alike(
    connection: Connection, table: Table, alike: SQLModel, differing: Sequence[Mapping[str, str]]
) -> list[str]:
    """Insert a row for each of `differing`; those that exist are passed over. Returns the ids of the new ones."""
    if not differing:
        return []
    statement = rows_alike(connection, table, alike, differing).on_conflict_do_nothing().returning(table.c.id)
    return list(await connection.scalars(statement))


def rows_alike(
    connection: Connection, table: Table, alike: SQLModel, differing: Sequence[Mapping[str, str]]
) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of a row for each of `differing`: `alike`, with these (text) columns instead of its own.

    One statement with one JSON parameter, however many rows: a tenth of the time that as many parameters take.
    """
    rows = _from_json(connection, json.dumps(list(differing)))
    names = list(type(alike).model_fields)
    columns = [
        rows(name) if name in differing[0] else bindparam(name, getattr(alike, name), table.c[name].type)
        for name in names
    ]
    # "WHERE" keeps SQLite from taking ON CONFLICT for a join's condition (sqlite.org/lang_upsert.html, section 2.2)
    source = select(*columns).where(literal_column("1 = 1"))
    return insert(connection, table).from_select(names, source)


def _from_json(connection: Connection, array: str) -> Callable[[str], ColumnElement[Any]]:
    if connection.dialect.name == "postgresql":
        elements = func.json_array_elements(cast(array, Text).cast(JSON)).table_valued("value")
        return lambda name: elements.c.value.op("->>")(name).cast(Text)
    elements = func.json_each(array).table_valued("value")
    return lambda name: func.json_extract(elements.c.value, f"$.{name}")
