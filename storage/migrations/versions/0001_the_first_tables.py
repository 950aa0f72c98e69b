"""The first tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        _text("id"),
        _moment("at"),
        _text("company"),
        _text("workspace_id"),
        _text("actor"),
        _text("action"),
        _text("subject"),
        _text("outcome"),
        _json("details"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_company_at", "audit_entry", ["company", "at"])
    op.create_table(
        "dialog",
        _text("id"),
        _text("conversation"),
        _text("workspace_id"),
        _text("person_id"),
        _text("rollout_id", nullable=True),
        _text("step"),
        _json("data"),
        _number("version"),
        _flag("closed"),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_dialog"),
    )
    op.create_table(
        "inbox_entry",
        _text("event_id"),
        _moment("received_at"),
        sa.PrimaryKeyConstraint("event_id", name="pk_inbox_entry"),
    )
    op.create_index("ix_inbox_entry_received_at", "inbox_entry", ["received_at"])
    op.create_table(
        "look_up",
        _text("id"),
        _text("workspace_id"),
        _text("dialog_id"),
        _text("person_id"),
        _json("targets"),
        _text("state"),
        _number("attempt"),
        _moment("not_before"),
        _moment("lease_until", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_look_up"),
        sa.CheckConstraint(
            "(state = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_look_up_running_has_lease")
        ),
    )
    _partial("ix_look_up_open", "look_up", ["not_before"], where="state <> 'done'")
    op.create_table(
        "rollout",
        _text("id"),
        _text("company"),
        _text("state"),
        _text("name"),
        _text("enterprise_key"),
        _text("region"),
        _text("login_url"),
        _text("provisioning"),
        _flag("groups_exist"),
        _flag("domain_verified"),
        _json("former_sign_in"),
        _json("organizations"),
        _flag("uses_tokens"),
        _json("policy"),
        _text("created_by"),
        _moment("created_at"),
        _number("version"),
        sa.PrimaryKeyConstraint("id", name="pk_rollout"),
        sa.CheckConstraint("version >= 1", name=op.f("ck_rollout_saved")),
    )
    op.create_index("ix_rollout_company", "rollout", ["company"])
    op.create_table(
        "workspace",
        _text("id"),
        _text("platform"),
        _text("external_id"),
        _text("name"),
        _text("company"),
        _flag("active"),
        _text("bot_user_id"),
        _text("service_url"),
        _text("secret", nullable=True),
        _moment("installed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_workspace"),
    )
    op.create_table(
        "person",
        _text("id"),
        _text("workspace_id"),
        _text("user_id"),
        _text("name"),
        _text("email"),
        _text("time_zone"),
        _text("locale"),
        _flag("is_bot"),
        _flag("is_deactivated"),
        _flag("is_guest"),
        _flag("is_workspace_admin"),
        _text("channel_id"),
        _moment("seen_at"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        _refers("person", "workspace_id", "workspace"),
    )
    op.create_index("ix_person_email", "person", ["email"])
    op.create_index("ix_person_workspace_id", "person", ["workspace_id"])
    op.create_table(
        "wave",
        _text("id"),
        _text("rollout_id"),
        _text("workspace_id"),
        _text("created_by"),
        _moment("created_at"),
        _number("size"),
        _text("channel_id"),
        _text("message_id"),
        _text("shown"),
        _moment("finished_at", nullable=True),
        _number("version"),
        sa.PrimaryKeyConstraint("id", name="pk_wave"),
        _refers("wave", "rollout_id", "rollout"),
    )
    op.create_index("ix_wave_rollout_id", "wave", ["rollout_id"])
    _partial("ix_wave_running", "wave", ["created_at"], where="finished_at IS NULL")
    op.create_table(
        "invitation",
        _text("id"),
        _text("rollout_id"),
        _text("person_id"),
        _text("identity"),
        _text("wave_id"),
        _json("needs"),
        _moment("invited_at"),
        _moment("reached_at", nullable=True),
        _number("reminders"),
        _moment("due_at", nullable=True),
        _moment("last_reminder_at", nullable=True),
        _moment("snoozed_until", nullable=True),
        _moment("done_at", nullable=True),
        _moment("exempt_at", nullable=True),
        _text("exempt_reason"),
        _text("unreachable"),
        _number("version"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.CheckConstraint("reminders >= 0", name=op.f("ck_invitation_reminders_counted")),
        _refers("invitation", "person_id", "person"),
        _refers("invitation", "rollout_id", "rollout"),
        _refers("invitation", "wave_id", "wave"),
        sa.UniqueConstraint("rollout_id", "identity", name="uq_invitation_rollout_id_identity"),
    )
    _partial("ix_invitation_due", "invitation", ["due_at"], where="due_at IS NOT NULL")
    op.create_index("ix_invitation_person_id", "invitation", ["person_id"])
    op.create_index("ix_invitation_wave_id", "invitation", ["wave_id"])
    op.create_table(
        "confirmed_check",
        _text("invitation_id"),
        _text("kind"),
        _moment("confirmed_at"),
        _text("source"),
        _text("confirmed_by"),
        _flag("not_needed"),
        sa.PrimaryKeyConstraint("invitation_id", "kind", name="pk_confirmed_check"),
        _refers("confirmed_check", "invitation_id", "invitation"),
    )
    op.create_table(
        "delivery",
        _text("id"),
        _text("key"),
        _text("kind"),
        _text("lane"),
        _number("priority"),
        _text("person_id"),
        _text("rollout_id", nullable=True),
        _text("invitation_id", nullable=True),
        _text("wave_id", nullable=True),
        _number("number"),
        _json("content", nullable=True),
        _text("state"),
        _moment("not_before"),
        _moment("lease_until", nullable=True),
        _moment("claimed_at", nullable=True),
        _number("attempt"),
        _text("reason"),
        _text("channel_id"),
        _text("message_id"),
        _moment("sent_at", nullable=True),
        _number("outdated"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.CheckConstraint(
            "state NOT IN ('unknown', 'dead') OR reason <> ''",
            name=op.f("ck_delivery_failure_has_reason"),
        ),
        sa.CheckConstraint("kind <> 'notice' OR content IS NOT NULL", name=op.f("ck_delivery_notice_has_content")),
        sa.CheckConstraint("outdated >= 0", name=op.f("ck_delivery_outdated_counted")),
        sa.CheckConstraint(
            "(state = 'sending') = (lease_until IS NOT NULL)", name=op.f("ck_delivery_sending_has_lease")
        ),
        sa.CheckConstraint(
            "state <> 'sending' OR (claimed_at IS NOT NULL AND attempt > 0)",
            name=op.f("ck_delivery_sending_was_claimed"),
        ),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_delivery_sent_has_time")),
        sa.CheckConstraint(
            "state IN ('ready', 'sending', 'sent', 'unknown', 'dead', 'withdrawn')",
            name=op.f("ck_delivery_state_is_known"),
        ),
        _refers("delivery", "invitation_id", "invitation"),
        _refers("delivery", "rollout_id", "rollout"),
        sa.UniqueConstraint("key", name="uq_delivery_key"),
    )
    _partial("ix_delivery_claimable", "delivery", ["lane", "priority", "not_before", "id"], where="state = 'ready'")
    op.create_index("ix_delivery_invitation_id", "delivery", ["invitation_id"])
    _partial("ix_delivery_leases", "delivery", ["lease_until"], where="state = 'sending'")
    _partial("ix_delivery_outdated", "delivery", ["lane"], where="outdated > 0 AND state = 'sent'")
    op.create_index("ix_delivery_rollout_id_state_reason", "delivery", ["rollout_id", "state", "reason"])
    _partial("ix_delivery_unknown", "delivery", ["lane", "claimed_at"], where="state = 'unknown'")
    op.create_index("ix_delivery_wave_id_state", "delivery", ["wave_id", "state"])
    op.create_table(
        "problem_case",
        _text("id"),
        _text("rollout_id"),
        _text("invitation_id"),
        _text("person_id"),
        _text("problem"),
        _text("description"),
        _text("state"),
        _moment("opened_at"),
        _text("answer"),
        _text("answered_by"),
        _moment("answered_at", nullable=True),
        _number("version"),
        sa.PrimaryKeyConstraint("id", name="pk_problem_case"),
        sa.CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL)",
            name=op.f("ck_problem_case_answer_has_time"),
        ),
        _refers("problem_case", "invitation_id", "invitation"),
        _refers("problem_case", "rollout_id", "rollout"),
    )
    op.create_index("ix_problem_case_invitation_id", "problem_case", ["invitation_id"])
    op.create_index("ix_problem_case_rollout_id", "problem_case", ["rollout_id"])


def downgrade() -> None:
    for table in (  # what refers goes first
        "problem_case",
        "delivery",
        "confirmed_check",
        "invitation",
        "wave",
        "person",
        "workspace",
        "rollout",
        "look_up",
        "inbox_entry",
        "dialog",
        "audit_entry",
    ):
        op.drop_table(table)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, deferrable=True, initially="DEFERRED")


def _partial(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
