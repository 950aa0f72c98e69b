"""The nouns of a rollout's end: the steps of finishing it, and files that are handed to an admin.

The steps are step 3 of SonarQube Cloud's page "Invite users to sign in" ("Terminate"), with what its pages on
recovery accounts, on deleting the SSO configuration and on Scoped Organization Tokens add to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlmodel import JSON, Field, SQLModel

from bot.columns import ByValue, UtcDateTime
from bot.model import FormerSignIn, Rollout, derived_id


class FinishStep(StrEnum):
    """What is to be done before a rollout is finished, in the order in which it is done."""

    ADMINISTER = "administer"  # grant the SSO account Administer Enterprise
    RECOVERY = "recovery"  # each enterprise admin has a recovery account, and has tested it
    ORGANIZATIONS = "organizations"  # an admin without SSO in every organization
    SERVICE = "service"  # an admin or service account stays on the DevOps platform
    REMOVE = "remove"  # members' DevOps platform accounts leave the organizations
    TELL = "tell"  # people know that they may delete their old account
    TOKENS = "tokens"  # Scoped Organization Tokens instead of personal ones


class StepState(StrEnum):
    """How far a step is. `SKIPPED` is an admin's decision, with a reason."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class FinishItem(SQLModel):
    """A step of finishing one rollout, as an admin has last recorded it. A step that nobody touched has no row."""

    id: str = Field(primary_key=True)
    rollout_id: str = Field(index=True)
    step: FinishStep = Field(sa_type=ByValue(FinishStep))
    state: StepState = Field(default=StepState.OPEN, sa_type=ByValue(StepState))
    owner: str = ""  # person id
    due_on: date | None = None
    proof: str = ""  # an admin's words or a link; of RECOVERY the addresses of the admins who have tested theirs
    reason: str = ""  # why it was skipped
    admins: dict[str, str] = Field(default_factory=dict, sa_type=JSON)  # ORGANIZATIONS: who stays, by organization
    changed_by: str = ""  # person id
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 0

    @classmethod
    def untouched(cls, rollout_id: str, step: FinishStep) -> FinishItem:
        """A step that nobody has recorded anything of."""
        return cls(id=derived_id(rollout_id, "finish", step.value), rollout_id=rollout_id, step=step)


def steps_of(rollout: Rollout) -> tuple[FinishStep, ...]:
    """The steps that this rollout has. Without a former sign-in there are no old accounts to remove; without
    personal tokens none to replace.
    """
    left_out: set[FinishStep] = set()
    if not rollout.former_sign_in:
        left_out |= {FinishStep.SERVICE, FinishStep.REMOVE, FinishStep.TELL}
    if not rollout.uses_tokens:
        left_out.add(FinishStep.TOKENS)
    return tuple(step for step in FinishStep if step not in left_out)


def organizations_of(rollout: Rollout) -> tuple[str, ...]:
    """The rollout's organizations; a single one without a name when the admin named none."""
    return rollout.organizations or ("",)


def without_an_admin(rollout: Rollout, admins: Mapping[str, str]) -> tuple[str, ...]:
    """The organizations of which nobody has recorded an admin without SSO."""
    return tuple(key for key in organizations_of(rollout) if not admins.get(key))


def uses_bitbucket(rollout: Rollout) -> bool:
    """Whether the Bitbucket Cloud warning applies: an SSO account cannot link an organization with a workspace."""
    return FormerSignIn.BITBUCKET in rollout.former_sign_in


class FileKind(StrEnum):
    """The files that pass between an admin and the bot."""

    REMOVAL = "removal"  # whose old account may go and whose not, by organization; CSV
    PEOPLE = "people"  # everybody invited, with each check; CSV
    AUDIT = "audit"  # the audit log; CSV
    AUDIT_LINES = "audit_lines"  # the same as JSON Lines
    REPORT = "report"  # the rollout in figures; HTML. All there is when its people are erased
    LEFT_OUT = "left_out"  # who of a list is not invited, and why; CSV
    ADDRESSES = "addresses"  # the other way round: a list of people that the admin hands in


LINK_LIVES = timedelta(minutes=15)


class Handout(SQLModel):
    """A file that one admin may fetch once, until the link expires. The link's secret is not stored, only its digest:
    whoever reads the database cannot fetch anything with it.
    """

    id: str = Field(primary_key=True)  # the secret's SHA-256
    kind: FileKind = Field(sa_type=ByValue(FileKind))
    rollout_id: str
    workspace_id: str
    person_id: str  # for whom
    subject: str = ""  # of LEFT_OUT the list, of ADDRESSES the dialog
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 0

    @staticmethod
    def key(secret: str) -> str:
        """The id of the handout whose link holds this secret."""
        return sha256(secret.encode()).hexdigest()

    def is_there(self, now: datetime) -> bool:
        """Whether it can be fetched now."""
        return self.taken_at is None and now < self.expires_at
