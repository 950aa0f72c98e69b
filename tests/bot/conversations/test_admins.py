"""`/sso admins`: who may run rollouts, and making somebody an admin."""

from __future__ import annotations

from typing import Any

import pytest

from bot.approvals import ApprovalKind, Needed
from bot.conversations.admins import ADMINS, SHOWN, AdminsLoaded
from bot.engine import Engine
from bot.messages import text
from bot.model import Person
from bot.ports import Store
from bot.roles import Admins, Role, role_of
from bot.transition import Appoint, Meet, SendMessage, Transition
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NOON,
    body_keys,
    command,
    keys,
    mention,
    message_of,
    person,
    scene,
    words,
    workspace,
)
from tests.doubles import StoppedClock
from tests.rows import installed, stored

BEA = person("bea", is_appointed=True)


def said(*typed: Any, named: Person | None = None, admins: tuple[Person, ...] = ()) -> Transition:
    loaded = AdminsLoaded(scene(admins=(GRACE.email,)), None, named, admins)
    return ADMINS.decide(loaded, command("admins", *typed), NOON)


def test_each_admin_is_listed_with_why() -> None:
    shown = message_of(said(admins=(ADA, BEA, GRACE)).reply)
    lines = words(shown)
    assert "Ada: an owner or admin of the Slack workspace" in lines.replace("**", "")
    assert "Bea: made an admin here" in lines.replace("**", "")
    assert "Grace: by the settings, or a group named there" in lines.replace("**", "")


def test_somebody_is_made_an_admin_and_told() -> None:
    after = said("add", mention(LINUS), named=LINUS)
    meet, appoint, told = after.effects
    assert (meet, appoint) == (Meet((LINUS,)), Appoint(LINUS.id, True))
    assert isinstance(told, SendMessage)
    assert told.to == LINUS.id
    assert after.audit == "admin.appointed"
    assert after.needed == Needed(ApprovalKind.ADMINS, text("approval.admin.add", name="Linus"))


def test_taking_it_back_may_have_to_be_approved_too() -> None:
    after = said("remove", mention(BEA), named=BEA)
    assert after.effects == (Appoint(BEA.id, False),)
    assert after.needed == Needed(ApprovalKind.ADMINS, text("approval.admin.remove", name="Bea"))


@pytest.mark.parametrize(("many", "more"), [(SHOWN, 0), (SHOWN + 1, 1)])
def test_of_very_many_admins_the_rest_is_counted(many: int, more: int) -> None:
    shown = message_of(said(admins=tuple(person(f"p{number}") for number in range(many))).reply)
    assert body_keys(shown).count("invite.more") == more
    assert body_keys(shown).count("admins.line") == SHOWN


def test_somebody_whom_the_bot_has_not_met_can_be_mentioned() -> None:
    (meet, *_) = said("add", mention(LINUS)).effects
    assert isinstance(meet, Meet)
    assert meet.people[0].id == LINUS.id


@pytest.mark.parametrize(
    ("typed", "named", "answer"),
    [
        (("add",), None, "admins.usage"),
        (("list",), None, "admins.usage"),
        (("promote", mention(LINUS)), LINUS, "admins.usage"),
        ((mention(LINUS),), LINUS, "admins.usage"),
        (("add", mention(LINUS), mention(GRACE)), LINUS, "admins.usage"),
        (("add", mention(BEA)), BEA, "admins.already"),
        (("add", mention(LINUS)), person("gus", is_guest=True), "admins.cannot"),
        (("add", mention(LINUS)), person("bot", is_bot=True), "admins.cannot"),
        (("remove", mention(GRACE)), GRACE, "admins.not_here"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(typed: Any, named: Person | None, answer: str) -> None:
    after = said(*typed, named=named)
    assert body_keys(message_of(after.reply)) == [answer]
    assert not after.effects


async def test_the_companys_admins_are_listed_and_nobody_elses(store: Store) -> None:
    elsewhere = person("eve", "slack:T9", is_workspace_admin=True)
    await installed(store, people=(ADA, GRACE, LINUS))
    await installed(store, workspace("slack:T9", company="other"), people=(elsewhere,))
    engine = Engine(store, StoppedClock(), Admins(frozenset({GRACE.email}), frozenset({ADA.email})))
    shown = words(message_of(await engine(command("admins"))))
    assert [name in shown for name in ("Ada", "Grace", "Linus", "Eve")] == [True, True, False, False]


async def test_whoever_is_appointed_is_an_admin_until_that_is_taken_back(store: Store) -> None:
    """Whatever the platform tells of them in between."""
    await installed(store, people=(ADA, LINUS))
    owners = Admins(frozenset(), frozenset({ADA.email}))
    engine = Engine(store, StoppedClock(), owners)

    async def is_admin() -> bool:
        await engine(command("help", actor=LINUS))
        return "answer.admins_only" not in keys(message_of(await engine(command("export", actor=LINUS))))

    assert not await is_admin()
    await engine(command("admins", "add", mention(LINUS)))
    assert await is_admin()
    (linus,) = [each for each in await stored(store, Person) if each.id == LINUS.id]
    assert role_of(linus, owners) is Role.ADMIN, "no owner"
    assert "answer.owners_only" in keys(message_of(await engine(command("admins", actor=LINUS))))
    await engine(command("admins", "remove", mention(LINUS)))
    assert not await is_admin()
