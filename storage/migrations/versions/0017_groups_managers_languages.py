"""Invitees are known by the groups they were found in, may choose a language, and are escalated to their managers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("listed", sa.Column("found_in", sa.String(), nullable=False, server_default=""))
    op.add_column("invitation", sa.Column("found_in", sa.String(), nullable=False, server_default=""))
    op.add_column("invitation", sa.Column("escalated_to", sa.String(), nullable=False, server_default=""))
    op.add_column("digest", sa.Column("to_managers", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("digest", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("language", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("person", "language")
    op.drop_column("digest", "sent_at")
    op.drop_column("digest", "to_managers")
    op.drop_column("invitation", "escalated_to")
    op.drop_column("invitation", "found_in")
    op.drop_column("listed", "found_in")
