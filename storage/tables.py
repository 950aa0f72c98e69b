# ruff: noqa: D101  # the noun that a table inherits says what its rows are
"""The tables. Columns are the fields of bot.model; what is written here are the rules that a database can enforce.

Foreign keys are checked at commit, so that a transaction may write its rows in any order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, MetaData, Table, UniqueConstraint, and_, text
from sqlmodel import Field, SQLModel

from bot import approvals, digests, finishing, model, readiness
from bot.columns import UtcDateTime

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _refers(column: str, target: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint([column], [target], deferrable=True, initially="DEFERRED")


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Stored(SQLModel):
    """What every table has: this project's own metadata, with names for all constraints."""

    metadata: ClassVar[MetaData] = METADATA


class WorkspaceTable(Stored, model.Workspace, table=True):
    __tablename__ = "workspace"


class SealingTable(Stored, table=True):
    """A row when conversations are sealed, since every replica of this database can read that."""

    __tablename__ = "sealing"

    since: datetime = Field(primary_key=True, sa_type=UtcDateTime)


class PersonTable(Stored, model.Person, table=True):
    __tablename__ = "person"
    __table_args__ = (_refers("workspace_id", "workspace.id"),)


class RolloutTable(Stored, model.Rollout, table=True):
    __tablename__ = "rollout"
    __table_args__ = (
        CheckConstraint("version >= 1", name="saved"),
        # an enterprise has one rollout at a time, also when two admins save one at the same moment
        _partial(
            "uq_rollout_unfinished", "company", "region", "enterprise_key", where="state <> 'finished'", unique=True
        ),
    )


class CurrentRolloutTable(Stored, model.CurrentRollout, table=True):
    __tablename__ = "current_rollout"
    __table_args__ = (_refers("rollout_id", "rollout.id"),)


class ReadinessTable(Stored, readiness.Readiness, table=True):
    __tablename__ = "readiness"
    __table_args__ = (_refers("rollout_id", "rollout.id"),)


class DigestTable(Stored, digests.Digest, table=True):
    __tablename__ = "digest"
    __table_args__ = (
        _refers("rollout_id", "rollout.id"),
        _partial("ix_digest_next_at", "next_at", where="next_at IS NOT NULL"),
    )


class WaveTable(Stored, model.Wave, table=True):
    __tablename__ = "wave"
    __table_args__ = (
        _refers("rollout_id", "rollout.id"),
        _partial("ix_wave_running", "created_at", where="finished_at IS NULL"),
    )


class ListedTable(Stored, model.Listed, table=True):
    __tablename__ = "listed"
    __table_args__ = (Index("ix_listed_listed_at", "listed_at"),)


class InvitationTable(Stored, model.Invitation, table=True):
    __tablename__ = "invitation"
    __table_args__ = (
        UniqueConstraint("rollout_id", "identity"),  # nobody is invited twice
        _refers("rollout_id", "rollout.id"),
        _refers("person_id", "person.id"),
        _refers("wave_id", "wave.id"),
        CheckConstraint("reminders >= 0", name="reminders_counted"),
        _partial("ix_invitation_due", "due_at", where="due_at IS NOT NULL"),
    )


class CheckTable(Stored, model.Check, table=True):
    __tablename__ = "confirmed_check"  # "check" is a word of SQL's own
    __table_args__ = (_refers("invitation_id", "invitation.id"),)


class DeliveryTable(Stored, model.Delivery, table=True):
    __tablename__ = "delivery"
    __table_args__ = (
        _refers("rollout_id", "rollout.id"),
        _refers("invitation_id", "invitation.id"),
        CheckConstraint(
            "state IN ('ready', 'sending', 'sent', 'unknown', 'dead', 'withdrawn')", name="state_is_known"
        ),
        # a lease belongs to the sending, so that what a dead process held can be found
        CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="sending_has_lease"),
        CheckConstraint("state <> 'sending' OR (claimed_at IS NOT NULL AND attempt > 0)", name="sending_was_claimed"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_has_time"),
        CheckConstraint("state NOT IN ('unknown', 'dead') OR reason <> ''", name="failure_has_reason"),
        CheckConstraint("kind <> 'notice' OR content IS NOT NULL", name="notice_has_content"),
        CheckConstraint("outdated >= 0", name="outdated_counted"),
        Index("ix_delivery_rollout_id_state_reason", "rollout_id", "state", "reason"),  # to count without the table
        Index("ix_delivery_wave_id_state", "wave_id", "state"),
        _partial("ix_delivery_claimable", "lane", "priority", "not_before", "id", where="state = 'ready'"),
        _partial("ix_delivery_leases", "lease_until", where="state = 'sending'"),
        _partial("ix_delivery_unknown", "lane", "claimed_at", where="state = 'unknown'"),
        _partial("ix_delivery_outdated", "lane", where="outdated > 0 AND state = 'sent'"),
    )


class HoldTaskTable(Stored, model.HoldTask, table=True):
    __tablename__ = "hold_task"


class LookUpTable(Stored, model.LookUp, table=True):
    __tablename__ = "look_up"
    __table_args__ = (
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="running_has_lease"),
        _partial("ix_look_up_open", "not_before", where="state <> 'done'"),
    )


class DialogTable(Stored, model.Dialog, table=True):
    __tablename__ = "dialog"


class CaseTable(Stored, model.Case, table=True):
    __tablename__ = "problem_case"  # "case" is a word of SQL's own
    __table_args__ = (
        _refers("rollout_id", "rollout.id"),
        _refers("invitation_id", "invitation.id"),
        CheckConstraint("state <> 'answered' OR answered_at IS NOT NULL", name="answer_has_time"),
        CheckConstraint("(state = 'solved') = (solved_at IS NOT NULL)", name="solved_has_time"),
        CheckConstraint("group_id <> ''", name="is_of_a_group"),
    )


class FinishItemTable(Stored, finishing.FinishItem, table=True):
    __tablename__ = "finish_item"
    __table_args__ = (
        _refers("rollout_id", "rollout.id"),
        UniqueConstraint("rollout_id", "step"),
        CheckConstraint("state <> 'skipped' OR reason <> ''", name="skipped_has_reason"),
        CheckConstraint("state NOT IN ('done', 'skipped') OR changed_at IS NOT NULL", name="settled_has_time"),
    )


class ApprovalTable(Stored, approvals.Approval, table=True):
    __tablename__ = "approval"


class HandoutTable(Stored, finishing.Handout, table=True):
    __tablename__ = "handout"
    __table_args__ = (_refers("rollout_id", "rollout.id"),)


class AuditTable(Stored, model.AuditEntry, table=True):
    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_company_at", "company", "at"),)


class InboxTable(Stored, model.InboxEntry, table=True):
    __tablename__ = "inbox_entry"


def _table(stored: type[Stored]) -> Table:
    described: Any = stored
    table: Table = described.__table__
    return table


WORKSPACE = _table(WorkspaceTable)
SEALING = _table(SealingTable)
PERSON = _table(PersonTable)
ROLLOUT = _table(RolloutTable)
CURRENT_ROLLOUT = _table(CurrentRolloutTable)
READINESS = _table(ReadinessTable)
DIGEST = _table(DigestTable)
WAVE = _table(WaveTable)
LISTED = _table(ListedTable)
INVITATION = _table(InvitationTable)
CHECK = _table(CheckTable)
DELIVERY = _table(DeliveryTable)
HOLD_TASK = _table(HoldTaskTable)
LOOK_UP = _table(LookUpTable)
DIALOG = _table(DialogTable)
CASE = _table(CaseTable)
FINISH_ITEM = _table(FinishItemTable)
APPROVAL = _table(ApprovalTable)
HANDOUT = _table(HandoutTable)
AUDIT = _table(AuditTable)
INBOX = _table(InboxTable)

# An invitation of whose person something is still expected: bot.model.Invitation.is_open.
IS_OPEN = and_(INVITATION.c.done_at.is_(None), INVITATION.c.exempt_at.is_(None))
