"""Who has signed in with SSO, as SonarQube Cloud shows it: their access is confirmed without a click.

Only with JIT provisioning, where an account with an SSO login is made by its owner's first sign-in. SCIM makes
accounts beforehand, so they prove nothing. Being a member of one of the rollout's organizations counts: it is how an
SSO user comes to see anything (docs.sonarsource.com/sonarqube-cloud, "Automatic group synchronization").
"""

from __future__ import annotations

import structlog

from bot.events import CheckSeen
from bot.model import CheckKind, Person, Rollout, derived_id
from bot.ports import Handle, SonarQubeCloud, SonarQubeUnavailable, Store

AT_ONCE = 500

log = structlog.get_logger(__name__)


async def note_sign_ins(store: Store, sonarqube: SonarQubeCloud, handle: Handle) -> int:
    """Ask for the members of every rollout's organizations, and confirm who is among them. Returns how many were.

    An organization that SonarQube Cloud does not tell about is passed over until the next time.
    """
    async with store.transaction() as tx:
        rollouts = await tx.sign_ins.rollouts()
    return sum([await _of_rollout(store, sonarqube, handle, rollout) for rollout in rollouts])


async def _of_rollout(store: Store, sonarqube: SonarQubeCloud, handle: Handle, rollout: Rollout) -> int:
    signed_in = await _signed_in(sonarqube, rollout)
    seen, after = 0, ""
    while signed_in:
        async with store.transaction() as tx:
            waiting = await tx.sign_ins.waiting(rollout.id, after, AT_ONCE)
        for invitation_id, person in waiting:
            if sonarqube.digest(person.email) in signed_in:
                await handle(_seen(invitation_id, person))
                seen += 1
        if len(waiting) < AT_ONCE:
            break
        after = waiting[-1][0]
    return seen


async def _signed_in(sonarqube: SonarQubeCloud, rollout: Rollout) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for organization in rollout.organizations:
        try:
            found |= await sonarqube.sso_members(rollout.region, organization)
        except SonarQubeUnavailable as failure:
            log.warning("sign_ins.not_told", rollout=rollout.id, why=str(failure))
    return found


def _seen(invitation_id: str, person: Person) -> CheckSeen:
    return CheckSeen(
        id=derived_id(invitation_id, "seen", CheckKind.ACCESS),
        workspace_id=person.workspace_id,
        actor=person,
        invitation_id=invitation_id,
        check=CheckKind.ACCESS,
    )
