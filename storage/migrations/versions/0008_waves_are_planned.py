"""A wave may start later, and wait for an admin when many of those before it have problems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wave", sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("wave", sa.Column("hold_above", sa.Integer(), nullable=True))


def downgrade() -> None:
    # what is planned or held is not known then, and would be sent at once
    op.execute("UPDATE wave SET stage = 'cancelled' WHERE stage = 'held'")
    op.execute("UPDATE wave SET stage = 'cancelled' WHERE stage = 'storing' AND starts_at > CURRENT_TIMESTAMP")
    op.drop_column("wave", "hold_above")
    op.drop_column("wave", "starts_at")
