"""Rollouts end: steps of finishing them, whose old account may go, files for admins, erasing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENTS = ("finished_at", "archived_at", "erased_at")


def upgrade() -> None:
    for name in _MOMENTS:
        op.add_column("rollout", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("invitation", sa.Column("old_token", sa.String(), nullable=False, server_default="unknown"))
    op.add_column("invitation", sa.Column("is_keeper", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "finish_item",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rollout_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("admins", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state <> 'skipped' OR reason <> ''", name=op.f("ck_finish_item_skipped_has_reason")),
        sa.CheckConstraint(
            "state NOT IN ('done', 'skipped') OR changed_at IS NOT NULL", name=op.f("ck_finish_item_settled_has_time")
        ),
        sa.ForeignKeyConstraint(
            ["rollout_id"],
            ["rollout.id"],
            name=op.f("fk_finish_item_rollout_id_rollout"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finish_item")),
        sa.UniqueConstraint("rollout_id", "step", name=op.f("uq_finish_item_rollout_id_step")),
    )
    op.create_index(op.f("ix_finish_item_rollout_id"), "finish_item", ["rollout_id"])
    op.create_table(
        "handout",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rollout_id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rollout_id"],
            ["rollout.id"],
            name=op.f("fk_handout_rollout_id_rollout"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handout")),
    )
    op.create_index(op.f("ix_handout_expires_at"), "handout", ["expires_at"])


def downgrade() -> None:
    op.execute("DELETE FROM delivery WHERE kind = 'farewell'")  # a kind that is not known there
    op.drop_table("handout")
    op.drop_table("finish_item")
    op.drop_column("invitation", "is_keeper")
    op.drop_column("invitation", "old_token")
    for name in reversed(_MOMENTS):
        op.drop_column("rollout", name)
