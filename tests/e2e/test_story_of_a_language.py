"""An invitee whose chat is in one language and who would rather read another one."""

from __future__ import annotations

from tests.e2e.office import Chat
from tests.e2e.rollouts import invites, sets_up


async def test_an_invitee_chooses_a_language(chat: Chat):
    await sets_up(chat.admin, first_after_days="1")
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.invitee.presses("Remind me later")
    await chat.invitee.opens("Remind me later")
    await chat.invitee.presses("Language…")
    await chat.invitee.opens("Language")
    await chat.invitee.submits({"language": "de"})
    await chat.invitee.until(lambda: chat.invitee.sees("Melden Sie sich mit SSO bei SonarQube Cloud an"))
    await chat.office.settles()
    assert not chat.invitee.invitations, "nothing of it is in English any more"

    for _ in range(12):
        await chat.office.waits(hours=8)
    reminder = await chat.invitee.until(
        lambda: next((each for each in chat.invitee.messages if "Erinnerung: " in each.words), None)
    )
    await chat.colleague.until(lambda: len(chat.colleague.invitations) > 1)
    assert "I have a problem" in chat.colleague.invitations[-1].buttons, "everybody else reads what they read before"
    await chat.invitee.presses("Ich habe ein Problem", on=reminder)
    await chat.invitee.opens("Ich habe ein Problem")


async def test_by_command_and_back_again(chat: Chat):
    await sets_up(chat.admin)
    await chat.outsider.types("/sso language")
    await chat.outsider.opens("Language")
    await chat.outsider.submits({"language": "de"})
    await chat.outsider.reads("Ab jetzt schreibe ich Ihnen in dieser Sprache")
    await chat.outsider.types("/sso language")
    await chat.outsider.opens("Sprache")
    await chat.outsider.submits({"language": "chat"})
    await chat.outsider.reads("From now on I write to you in this language")
