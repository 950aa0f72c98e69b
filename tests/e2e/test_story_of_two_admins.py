"""Two admins change one rollout at once: nobody's change is lost without somebody having chosen so."""

from __future__ import annotations

from tests.e2e.chatting import Form
from tests.e2e.office import Chat
from tests.e2e.rollouts import fills_in, invited, sets_up


async def both_change(chat: Chat) -> Form:
    """Both begin; the other saves first. Returns what the admin then sees."""
    await sets_up(chat.admin)
    await chat.admin.types("/sso setup")
    await chat.another_admin.types("/sso setup")
    await fills_in(chat.admin, {"name": "Acme Corp", "at_most": "5"})
    await fills_in(chat.another_admin, {"name": "Acme Group", "every_days": "7"})
    await chat.another_admin.submits()
    await chat.another_admin.reads("The rollout of Acme Group is set up.")
    await chat.admin.submits()
    return await chat.admin.opens("Changed meanwhile")


async def test_the_later_one_sees_what_changed_and_saves_on_top(chat: Chat):
    changed = await both_change(chat)
    assert changed.fact("Now") == "Acme Group"
    assert changed.fact("With yours") == "Acme Corp"
    assert "Then every how many days?" in changed.words
    assert "How many reminders at most?" not in changed.words, "the other did not touch it"
    assert [each.name for each in await chat.office.rows("rollout")] == ["Acme Group"]

    await chat.admin.submits()
    await chat.admin.reads("The rollout of Acme Corp is set up.")
    [rollout] = await chat.office.rows("rollout")
    assert (rollout.name, rollout.policy.at_most, rollout.policy.every_days) == ("Acme Corp", 5, 3)


async def test_the_later_one_may_start_again_from_the_new_state(chat: Chat):
    await both_change(chat)
    await chat.admin.presses("Start again")
    form = await chat.admin.opens("Set up (1 of 6)")
    assert form.values["name"] == "Acme Group"
    await fills_in(chat.admin, {"at_most": "5"})
    await chat.admin.submits()
    await chat.admin.reads("The rollout of Acme Group is set up.")
    [rollout] = await chat.office.rows("rollout")
    assert (rollout.name, rollout.policy.at_most, rollout.policy.every_days) == ("Acme Group", 5, 7)


async def test_one_on_each_platform(chat: Chat):
    elsewhere = chat.other_platform()
    await sets_up(chat.admin)
    await chat.admin.types("/sso setup")
    await elsewhere.admin.types("/sso setup")
    await fills_in(chat.admin, {"deadline": "2026-03-31"})
    await fills_in(elsewhere.admin, {"deadline": "2026-04-30"})
    await elsewhere.admin.submits()
    await elsewhere.admin.reads("The rollout of Acme is set up.")
    await chat.admin.submits()
    changed = await chat.admin.opens("Changed meanwhile")
    assert (changed.fact("Now"), changed.fact("With yours")) == ("2026-04-30", "2026-03-31")


async def test_a_changed_deadline_reaches_the_messages_and_the_plan(chat: Chat):
    await invited(chat, deadline="2026-02-04", first_after_days="9")
    [invitation] = await chat.office.rows("invitation")
    await chat.admin.types("/sso setup")
    await fills_in(chat.admin, {"deadline": "2026-02-27"})
    await chat.admin.submits()
    await chat.admin.reads("The rollout of Acme is set up.")
    await chat.office.settles()
    await chat.invitee.until(lambda: "Friday 27 February 2026" in chat.invitee.invitations[0].words)
    [after] = await chat.office.rows("invitation")
    assert after.due_at > invitation.due_at
    for _ in range(26):
        await chat.office.waits(days=1)
    last = chat.invitee.messages[-1]
    assert "move to single sign-on ends on Friday 27 February 2026" in last.words
    assert "This is my last reminder before that day." in last.words
