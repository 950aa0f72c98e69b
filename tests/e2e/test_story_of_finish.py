"""The end of a rollout, on both platforms."""

from __future__ import annotations

from tests.e2e.chatting import Said, Values
from tests.e2e.office import Chat
from tests.e2e.rollouts import confirms_everything, invited

STEPS: tuple[tuple[str, Values], ...] = (
    ("Administer Enterprise", {"state": "done", "proof": "https://tickets.example/1"}),
    ("Organization admins", {"state": "done", "proof": "acme-web: olivia@github\nacme-core: olivia@github"}),
    ("DevOps account", {"state": "done", "proof": "acme-bot"}),
    ("Remove accounts", {"state": "done"}),
    ("Tell people", {"state": "done"}),
    ("Organization tokens", {"state": "skipped", "reason": "Next quarter"}),
)


async def asks_for_the_steps(chat: Chat) -> Said:
    await chat.admin.types("/sso finish")
    return await chat.admin.reads("Finishing Acme's move to SSO")


async def finishes(chat: Chat, reason: str = "Everybody is through") -> None:
    await chat.admin.presses("Finish the rollout")
    await chat.admin.opens("Finish the rollout")
    await chat.admin.submits({"reason": reason})
    await chat.admin.reads("This rollout was finished on")


async def test_an_admin_goes_through_the_steps_and_finishes(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await asks_for_the_steps(chat)
    for settled, (label, values) in enumerate(STEPS, start=1):
        await chat.admin.presses(label)
        await chat.admin.opens(label)
        await chat.admin.submits(values)
        await chat.admin.reads(f"{settled} of 7 steps settled")
    await chat.admin.presses("Recovery accounts")
    await chat.admin.opens("Recovery accounts")
    await chat.admin.submits({"state": "done", "proof": "my password is hunter2"})
    await chat.admin.until(lambda: chat.admin.form and chat.admin.form.errors)
    await chat.admin.submits({"state": "done", "proof": chat.admin.email})
    await chat.admin.reads("7 of 7 steps settled")
    await chat.admin.presses("Finish the rollout")
    await chat.admin.opens("Finish the rollout")
    await chat.admin.submits()
    await chat.admin.reads("This rollout was finished on")
    assert len(await chat.office.audited("finish.skipped.tokens")) == 1
    assert not any("hunter2" in row for rows in (await chat.office.everything_stored()).values() for row in rows)


async def test_another_admin_takes_the_steps_up_where_they_are(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await chat.admin.presses("Administer Enterprise")
    await chat.admin.opens("Administer Enterprise")
    await chat.admin.submits({"state": "open", "due_on": "2026-03-01"})
    await chat.admin.reads("until Sunday 1 March 2026")
    await chat.office.restarts_the_bot()
    await chat.another_admin.types("/sso finish")
    shown = await chat.another_admin.reads("Finishing Acme's move to SSO")
    assert f"{chat.admin.name}, until Sunday 1 March 2026" in shown.words


async def test_after_the_end_nobody_is_reminded_and_old_buttons_answer_kindly(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await finishes(chat)
    await chat.invitee.until(lambda: chat.invitee.sees("Nothing more is expected of you"))
    before = len(chat.invitee.messages)
    await chat.office.waits(days=20)
    assert len(chat.invitee.messages) == before
    await chat.admin.types("/sso remind")
    await chat.admin.reads("There is no rollout yet.")


async def test_a_reopened_rollout_reminds_again(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await finishes(chat)
    await chat.office.waits(days=10)
    await asks_for_the_steps(chat)
    await chat.admin.presses("Reopen")
    await chat.admin.reads("The rollout is running again.")
    await chat.office.waits(days=5)
    await chat.invitee.until(lambda: len(chat.invitee.invitations) > 1)


async def test_an_archived_rollout_is_out_of_the_way(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await finishes(chat)
    await chat.admin.presses("Archive")
    await chat.admin.reads("The rollout of Acme is archived.")
    await chat.admin.types("/sso finish")
    await chat.admin.reads("There is no rollout yet.")
