"""Pausing and resuming a large rollout goes on in the background."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hold_task",
        sa.Column("rollout_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", name="pk_hold_task"),
    )


def downgrade() -> None:
    op.drop_table("hold_task")
