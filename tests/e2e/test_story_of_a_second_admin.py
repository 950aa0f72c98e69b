"""What a second admin has to approve: the login URL, a mass send, who is an admin."""

from __future__ import annotations

import pytest

from tests.e2e.office import Chat
from tests.e2e.rollouts import ACME, fills_in, lists, send_label


@pytest.fixture
async def chat(chat: Chat) -> Chat:
    """Where the settings want everything approved, and two people are many."""
    chat.office.changed_settings = {
        "admins": (chat.admin.email, chat.another_admin.email),
        "approvals": ("login-url", "admins", "send"),
        "approval_above": 1,
    }
    await chat.office.restarts_the_bot()
    await chat.another_admin.types("/sso help")
    await chat.another_admin.reads("/sso setup")
    return chat


async def test_a_rollout_with_two_admins_from_its_login_url_to_its_invitations(chat: Chat):
    await chat.admin.types("/sso setup")
    await fills_in(chat.admin, ACME)
    await chat.admin.submits()
    await chat.admin.reads("Another admin has to approve that first")
    question = await chat.another_admin.reads(
        "wants everybody in the rollout of Acme to be sent to https://sonarcloud.io"
    )
    await chat.admin.types("/sso status")
    await chat.admin.reads("There is no rollout yet")
    await chat.another_admin.presses("Approve", on=question)
    await chat.admin.reads(f"{chat.another_admin.name} has approved what {chat.admin.name} wanted, and it is done")

    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.presses(send_label(asked), on=asked)
    await chat.admin.until(lambda: chat.admin.sees("You want to invite 2 people to the rollout of Acme."))
    await chat.office.settles()
    assert not chat.invitee.invitations
    question = await chat.another_admin.reads("wants to invite 2 people to the rollout of Acme.")
    await chat.another_admin.presses("Approve", on=question)
    await chat.invitee.until(lambda: chat.invitee.invitations)
    await chat.colleague.until(lambda: chat.colleague.invitations)
    await chat.office.settles()
    chat.office.shows_progress()
    await chat.admin.until(lambda: chat.admin.sees("Invitations sent"))
    (invited,) = await chat.office.audited("invited")
    (approved,) = [row for row in await chat.office.audited("approval.approved") if row.at == invited.at]
    assert invited.actor != approved.actor


async def test_what_is_refused_stays_undone_and_who_asked_hears_of_it(chat: Chat):
    await chat.admin.types_in_channel(f"/sso admins add {chat.outsider.mention}")
    await chat.admin.reads("Another admin has to approve that first")
    question = await chat.another_admin.reads("to be an admin.")
    await chat.another_admin.presses("Refuse", on=question)
    await chat.admin.reads(f"{chat.another_admin.name} has refused what {chat.admin.name} wanted")
    await chat.outsider.types("/sso export")
    await chat.outsider.reads("Only admins")

    await chat.admin.types_in_channel(f"/sso admins add {chat.outsider.mention}")
    await chat.another_admin.presses("Approve")
    await chat.outsider.reads("has made you an admin of SSO Usher")
