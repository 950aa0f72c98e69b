"""Whose old account may be removed: the rule, whatever is known of a person."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.finishing import organizations_of
from bot.model import CheckKind, FormerSignIn, OldToken
from bot.ports import InvitationView
from bot.removal import Stay, by_organization, reasons_to_stay
from tests.builders import GRACE, NOON, rollout, view

ROLLOUTS = st.builds(
    rollout,
    former_sign_in=st.sampled_from([(), (FormerSignIn.GITHUB,)]),
    uses_tokens=st.booleans(),
    organizations=st.lists(st.sampled_from(["web", "core", "app"]), unique=True).map(tuple),
)


@st.composite
def views(draw: st.DrawFn) -> InvitationView:
    of = draw(ROLLOUTS)
    confirmed = draw(st.lists(st.sampled_from(of.needs), unique=True))
    done = {"done_at": NOON} if set(confirmed) == set(of.needs) else {}
    exempt = draw(st.booleans())
    return view(
        of,
        GRACE,
        tuple(confirmed),
        old_token=draw(st.sampled_from(OldToken)),
        is_keeper=draw(st.booleans()),
        exempt_at=NOON if exempt else None,
        **done,
    )


SAFE = view(rollout(), GRACE, tuple(CheckKind), done_at=NOON, old_token=OldToken.UNUSED)


def change(**changes: Any) -> InvitationView:
    return view(rollout(), GRACE, tuple(CheckKind), **({"done_at": NOON, "old_token": OldToken.UNUSED} | changes))


def test_whoever_is_through_may_go() -> None:
    assert reasons_to_stay(SAFE, keeps_admin=True) == ()


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        (change(old_token=OldToken.UNKNOWN), Stay.CI_UNKNOWN),
        (change(old_token=OldToken.IN_USE), Stay.CI_IN_USE),
        (change(is_keeper=True), Stay.KEEPER),
        (change(exempt_at=NOON), Stay.EXEMPT),
        (view(rollout(), GRACE, (CheckKind.TASKS, CheckKind.TOKEN), old_token=OldToken.UNUSED), Stay.ACCESS),
        (view(rollout(), GRACE, (CheckKind.ACCESS, CheckKind.TOKEN), old_token=OldToken.UNUSED), Stay.TASKS),
        (view(rollout(), GRACE, (CheckKind.ACCESS, CheckKind.TASKS), old_token=OldToken.UNUSED), Stay.TOKEN),
    ],
)
def test_each_single_reason_is_enough_to_stay(on: InvitationView, reason: Stay) -> None:
    assert reasons_to_stay(on, keeps_admin=True) == (reason,)


def test_an_organization_without_another_admin_loses_nobody() -> None:
    assert reasons_to_stay(SAFE, keeps_admin=False) == (Stay.NO_ADMIN,)


@given(views(), st.booleans())
def test_only_whoever_fulfils_every_condition_may_go(on: InvitationView, keeps_admin: bool) -> None:
    uses_tokens = CheckKind.TOKEN in on.invitation.needs
    safe = (
        not on.open_checks
        and on.invitation.exempt_at is None
        and (not uses_tokens or on.invitation.old_token is OldToken.UNUSED)
        and not on.invitation.is_keeper
        and keeps_admin
    )
    assert (reasons_to_stay(on, keeps_admin=keeps_admin) == ()) is safe


@given(views())
def test_more_caution_never_lets_more_people_go(on: InvitationView) -> None:
    with_admin = set(reasons_to_stay(on, keeps_admin=True))
    assert set(reasons_to_stay(on, keeps_admin=False)) == with_admin | {Stay.NO_ADMIN}
    marked = view(
        on.rollout,
        GRACE,
        tuple(check.kind for check in on.checks),
        **on.invitation.model_dump(include={"old_token", "exempt_at", "done_at"}),
        is_keeper=True,
    )
    assert set(reasons_to_stay(marked, keeps_admin=True)) == with_admin | {Stay.KEEPER}


@given(views(), st.dictionaries(st.sampled_from(["web", "core", "app", ""]), st.sampled_from(["", "olivia"])))
def test_every_organization_is_judged_by_itself(on: InvitationView, admins: dict[str, str]) -> None:
    judged = by_organization(on, on.rollout, admins)
    assert [key for key, _ in judged] == list(organizations_of(on.rollout))
    for key, stays in judged:
        assert (Stay.NO_ADMIN in stays) is not bool(admins.get(key))
