"""Deadlines are days, reminders are planned anew, and there is a final notice."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROLLOUT = sa.table("rollout", sa.column("id", sa.String()), sa.column("policy", sa.JSON()))


def upgrade() -> None:
    op.add_column("rollout", sa.Column("planned_up_to", sa.String(), nullable=True))
    _rename("last_reminder_at", "last_contact_at")
    op.execute("UPDATE invitation SET last_contact_at = COALESCE(last_contact_at, reached_at)")
    op.add_column("invitation", sa.Column("final_notice_at", sa.DateTime(timezone=True), nullable=True))
    # "2026-04-01T23:59:00+09:00" was the end of a day where the admin is; the day is what was meant
    _change_policies(lambda policy: {**policy, "deadline": policy["deadline"] and policy["deadline"][:10]})


def downgrade() -> None:
    _change_policies(_as_before)
    op.drop_column("invitation", "final_notice_at")
    _rename("last_contact_at", "last_reminder_at")
    op.drop_column("rollout", "planned_up_to")
    op.execute("UPDATE delivery SET kind = 'reminder' WHERE kind = 'final_notice'")


def _as_before(policy: dict[str, Any]) -> dict[str, Any]:
    added = ("interval", "skip_holidays", "holiday_country", "final_notice")
    deadline = policy["deadline"] and f"{policy['deadline']}T23:59:00Z"
    return {**{name: value for name, value in policy.items() if name not in added}, "deadline": deadline}


def _rename(old: str, new: str) -> None:
    op.add_column("invitation", sa.Column(new, sa.DateTime(timezone=True), nullable=True))
    op.execute(f"UPDATE invitation SET {new} = {old}")  # noqa: S608  # both names stand above
    op.drop_column("invitation", old)


def _change_policies(change: Any) -> None:
    connection = op.get_bind()
    for rollout_id, policy in connection.execute(sa.select(_ROLLOUT.c.id, _ROLLOUT.c.policy)).all():
        connection.execute(_ROLLOUT.update().where(_ROLLOUT.c.id == rollout_id).values(policy=change(policy)))
