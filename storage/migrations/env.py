"""Runs migrations on the connection that storage.migrate gives, inside its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from storage.tables import METADATA

connection: Connection = context.config.attributes["connection"]


def check_references(*_: object, **_step: object) -> None:
    """PostgreSQL alters no table whose changed rows have references to be checked, as they are at the commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


check_references()
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
    on_version_apply=check_references,  # those that the step before has made, too
)
context.run_migrations()
