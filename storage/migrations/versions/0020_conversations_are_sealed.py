"""Conversations are encrypted: from the beginning where there is none yet, else when `usher db rotate-keys` says so.

A replica of an older version, which may still run, could not read them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

CONVERSATIONS = (
    ("workspace", "service_url"),
    ("person", "channel_id"),
    ("wave", "channel_id"),
    ("delivery", "channel_id"),
)


def upgrade() -> None:
    sealing = op.create_table(
        "sealing",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("since", name="pk_sealing"),
    )
    is_new = op.get_bind().execute(sa.text("SELECT count(*) FROM workspace")).scalar() == 0
    if is_new:
        op.bulk_insert(sealing, [{"since": datetime.now(UTC)}])


def downgrade() -> None:
    """The versions before find conversations anew; messages that were sent are not changed by them any more."""
    for table, column in CONVERSATIONS:
        op.execute(f"UPDATE {table} SET {column} = '' WHERE {column} LIKE 'gAAAAA%'")  # noqa: S608  # names from here
    op.drop_table("sealing")
