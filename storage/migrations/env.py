"""Runs migrations on the connection that storage.migrate gives, inside its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from storage.tables import METADATA

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
)
context.run_migrations()
