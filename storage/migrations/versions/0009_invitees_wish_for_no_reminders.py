"""An invitee may ask for no more reminders, or say that SonarQube Cloud is not for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invitation", sa.Column("wish", sa.String(), nullable=False, server_default=""))
    op.add_column("invitation", sa.Column("wished_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("invitation", "wished_at")
    op.drop_column("invitation", "wish")
