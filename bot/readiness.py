"""Whether everything is there that a rollout needs before the first invitation.

The points come from SonarQube Cloud's page "Invite users to sign in" and from what its pages on groups, on domain
verification and on recovery accounts ask for. Nobody is held back: an admin may go on anyway, and the audit log says
what was missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from bot.columns import UtcDateTime, Validated
from bot.model import Provisioning, Rollout, derived_id


class ReadyPoint(StrEnum):
    """What should be there, in the order in which it is done."""

    GROUPS = "groups"  # with JIT, user groups of the identity provider's names
    DOMAIN = "domain"  # the e-mail domain is verified: no code by e-mail at the first sign-in
    ONE_CLICK = "one_click"  # people find the way in: a tile is a bookmark to the one-click access link
    TESTED = "tested"  # an admin has signed in with SSO and sees the organizations
    RECOVERY = "recovery"  # who will have a recovery account is decided


# The setup dialog asks for these, and only it changes them.
IN_SETUP = frozenset({ReadyPoint.GROUPS, ReadyPoint.DOMAIN})


class Readiness(SQLModel):
    """What an admin has confirmed of one rollout, beside what its setup says."""

    id: str = Field(primary_key=True)
    rollout_id: str = Field(unique=True)
    confirmed: tuple[ReadyPoint, ...] = Field(default=(), sa_type=Validated(tuple[ReadyPoint, ...]))
    changed_by: str = ""  # person id
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 0

    @classmethod
    def unknown(cls, rollout_id: str) -> Readiness:
        """That of a rollout of which nobody has confirmed anything."""
        return cls(id=derived_id(rollout_id, "readiness"), rollout_id=rollout_id)


def points_of(rollout: Rollout) -> tuple[ReadyPoint, ...]:
    """The points that matter to this rollout: with SCIM, groups come from the identity provider."""
    scim = rollout.provisioning is Provisioning.SCIM
    return tuple(point for point in ReadyPoint if not (scim and point is ReadyPoint.GROUPS))


def missing(rollout: Rollout, readiness: Readiness) -> Sequence[ReadyPoint]:
    """What nobody has confirmed yet, neither in the setup nor here."""
    there = {*readiness.confirmed}
    if rollout.groups_exist:
        there.add(ReadyPoint.GROUPS)
    if rollout.domain_verified:
        there.add(ReadyPoint.DOMAIN)
    return tuple(point for point in points_of(rollout) if point not in there)
