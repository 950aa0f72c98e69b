"""Whoever wants no more reminders gets none; whoever does not use SonarQube Cloud is exempted by an admin's click."""

from __future__ import annotations

from tests.e2e.office import Chat
from tests.e2e.rollouts import invites, sets_up


async def test_no_more_reminders(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.invitee.presses("Remind me later")
    await chat.invitee.opens("Remind me later")
    await chat.invitee.presses("Don't remind me any more")
    await chat.invitee.until(lambda: chat.invitee.sees("You get no more reminders."))
    told = await chat.admin.reads("1 person wants no more reminders")
    assert chat.invitee.name in told.words
    for _ in range(12):
        await chat.office.waits(hours=8)
    assert len(chat.invitee.invitations) == 1
    assert len(chat.colleague.invitations) > 1

    await chat.admin.types("/sso status")
    status = await chat.admin.reads("0 of 2 done")
    assert status.fact("Want no more reminders") == "1"
    await chat.admin.presses("Who is missing", on=status)
    missing = await chat.admin.reads("Still open in Acme's move to SSO")
    assert f"{chat.invitee.name}: access, tasks, and token · wants no more reminders" in missing.words
    await chat.invitee.presses("I can see my organizations")
    await chat.invitee.until(lambda: chat.invitee.sees("(confirmed on"))


async def test_not_for_me(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    for each in (chat.invitee, chat.colleague):
        await each.presses("Remind me later")
        await each.opens("Remind me later")
        await each.presses("I don't use SonarQube Cloud")
        await each.until(lambda each=each: each.sees("You get no more reminders."))
    await chat.admin.until(lambda: chat.admin.sees("2 people say that they don't use SonarQube Cloud"))
    await chat.office.settles()
    assert sum("don't use SonarQube Cloud" in each.words for each in chat.admin.messages) == 1
    await chat.admin.presses("Exempt all 2")
    await chat.admin.reads("2 people are exempt: nothing is expected of them.")
    await chat.office.settles()
    for each in (chat.invitee, chat.colleague):
        await each.until(lambda each=each: each.sees("You need not do anything"))
    await chat.admin.types("/sso status")
    status = await chat.admin.reads("0 of 2 done")
    assert status.fact("Exempt") == "2"
