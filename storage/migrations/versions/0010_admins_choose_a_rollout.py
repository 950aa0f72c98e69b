"""Several rollouts may run at a time: each admin works on one of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "current_rollout",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("rollout_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_current_rollout"),
        sa.ForeignKeyConstraint(
            ["rollout_id"],
            ["rollout.id"],
            name="fk_current_rollout_rollout_id_rollout",
            deferrable=True,
            initially="DEFERRED",
        ),
    )


def downgrade() -> None:
    op.drop_table("current_rollout")
