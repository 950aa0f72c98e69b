"""Two enterprises at a time: an admin changes between them, an invitee of both has a message from each."""

from __future__ import annotations

from tests.e2e.office import Chat
from tests.e2e.rollouts import ACME, fills_in, invited, invites, sets_up

GLOBEX = {**ACME, "name": "Globex", "enterprise_key": "globex"}


async def globex_beside_acme(chat: Chat) -> None:
    await invited(chat)
    await chat.admin.types("/sso setup new")
    await fills_in(chat.admin, GLOBEX)
    await chat.admin.submits()
    await chat.admin.reads("The rollout of Globex is set up.")


async def test_an_admin_changes_from_one_to_the_other(chat: Chat):
    await globex_beside_acme(chat)
    await chat.admin.types("/sso status")
    await chat.admin.reads("Globex")

    await chat.admin.types("/sso rollouts")
    listed = await chat.admin.reads("Rollouts")
    assert "1 invited, 0 done" in next(line for line in listed.words.splitlines() if "Acme" in line)
    await chat.admin.presses("Work on Acme", on=listed)
    await chat.admin.reads("This is the one you work on.")
    await chat.admin.types("/sso status")
    await chat.admin.reads("Acme")
    await chat.another_admin.types("/sso status")
    await chat.another_admin.reads("Globex")


async def test_an_invitee_of_both_confirms_each(chat: Chat):
    await globex_beside_acme(chat)
    await invites(chat.admin, chat.invitee)
    await chat.office.settles()
    acme, globex = chat.invitee.invitations
    assert "Acme" in acme.words
    assert "Globex" in globex.words
    await chat.invitee.presses("I can see my organizations", on=globex)
    await chat.office.settles()
    checks = await chat.office.rows("confirmed_check")
    rollouts = {each.id: each.name for each in await chat.office.rows("rollout")}
    of = {each.id: rollouts[each.rollout_id] for each in await chat.office.rows("invitation")}
    assert [of[each.invitation_id] for each in checks] == ["Globex"]


async def test_an_enterprise_that_has_one_gets_no_second(chat: Chat):
    await sets_up(chat.admin)
    await chat.admin.types("/sso setup new")
    form = await chat.admin.opens("Set up")
    await chat.admin.submits({"name": "Acme again", "enterprise_key": "acme"})
    form = await chat.admin.opens("Set up")
    assert form.errors["enterprise_key"].startswith("Acme is the rollout of this enterprise")
