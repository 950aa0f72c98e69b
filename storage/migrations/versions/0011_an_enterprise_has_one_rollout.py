"""An enterprise has one unfinished rollout at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UNFINISHED = sa.text("state <> 'finished'")


def upgrade() -> None:
    op.create_index(
        "uq_rollout_unfinished",
        "rollout",
        ["company", "region", "enterprise_key"],
        unique=True,
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )


def downgrade() -> None:
    op.drop_index("uq_rollout_unfinished", table_name="rollout")
