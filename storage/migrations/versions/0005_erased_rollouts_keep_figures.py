"""What stays of a rollout whose people were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rollout", sa.Column("figures", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("rollout", "figures")
