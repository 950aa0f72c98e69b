"""A list of people is handed in as a file, and who was left out of one is handed out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handout", sa.Column("subject", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("handout", "subject")
