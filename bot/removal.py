"""Whose old DevOps platform account may be removed, and why not the others': a pure rule.

An account is safe to remove when its owner signed in with SSO, has everything confirmed, has a new token or needs
none, runs no CI job on the old one (its token dies with the account), is not marked as a keeper, and the
organization keeps an admin without SSO: deleting the SSO configuration, or an outage of the identity provider,
would lock everybody else out (SonarQube Cloud's pages "Invite users to sign in", step 3, and "Editing or deleting
SSO configuration").
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bot.finishing import organizations_of, without_an_admin
from bot.model import CheckKind, OldToken, Rollout
from bot.ports import InvitationView


class Stay(StrEnum):
    """Why an old account is not on the list yet. Each has a sentence for the admin."""

    EXEMPT = "exempt"  # an admin has taken them out of the rollout
    ACCESS = "access"
    TASKS = "tasks"
    TOKEN = "token"  # noqa: S105  # a check's name
    CI_UNKNOWN = "ci_unknown"
    CI_IN_USE = "ci_in_use"
    KEEPER = "keeper"
    NO_ADMIN = "no_admin"  # the organization would be left without an admin who needs no SSO


_OPEN = {CheckKind.ACCESS: Stay.ACCESS, CheckKind.TASKS: Stay.TASKS, CheckKind.TOKEN: Stay.TOKEN}
_CI = {OldToken.UNKNOWN: Stay.CI_UNKNOWN, OldToken.IN_USE: Stay.CI_IN_USE}


def reasons_to_stay(view: InvitationView, *, keeps_admin: bool) -> tuple[Stay, ...]:
    """Every reason not to remove this invitee's old account from an organization; none: it may be removed.

    `keeps_admin`: the organization has a recorded admin without SSO. What is not known speaks against removing; where
    nobody uses personal tokens, no CI job can use one.
    """
    reasons: list[Stay] = []
    if view.invitation.exempt_at is not None:
        reasons.append(Stay.EXEMPT)
    reasons += [_OPEN[kind] for kind in view.open_checks]
    if CheckKind.TOKEN in view.invitation.needs and view.invitation.old_token in _CI:
        reasons.append(_CI[view.invitation.old_token])
    if view.invitation.is_keeper:
        reasons.append(Stay.KEEPER)
    if not keeps_admin:
        reasons.append(Stay.NO_ADMIN)
    return tuple(reasons)


def by_organization(
    view: InvitationView, rollout: Rollout, admins: Mapping[str, str]
) -> tuple[tuple[str, tuple[Stay, ...]], ...]:
    """Each organization with the reasons to stay there. `admins`: who stays without SSO, by organization."""
    lacking = without_an_admin(rollout, admins)
    return tuple((key, reasons_to_stay(view, keeps_admin=key not in lacking)) for key in organizations_of(rollout))
