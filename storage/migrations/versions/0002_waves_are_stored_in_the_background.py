"""Lists have lines of their own, and waves a stage: thousands are invited in the background."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listed",
        sa.Column("list_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "position", name="pk_listed"),
    )
    op.create_index("ix_listed_listed_at", "listed", ["listed_at"])
    op.add_column("wave", sa.Column("list_id", sa.String(), nullable=False, server_default=""))
    op.add_column("wave", sa.Column("stage", sa.String(), nullable=False, server_default="sending"))
    op.add_column("wave", sa.Column("withdrawn", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for column in ("withdrawn", "stage", "list_id"):
        op.drop_column("wave", column)
    op.drop_table("listed")
