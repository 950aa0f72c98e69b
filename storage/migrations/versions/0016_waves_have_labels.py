"""A wave remembers whom the admin named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wave", sa.Column("label", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("wave", "label")
