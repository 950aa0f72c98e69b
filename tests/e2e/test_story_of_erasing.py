"""One person's data is erased while everybody else goes on."""

from __future__ import annotations

from tests.e2e.office import Chat
from tests.e2e.rollouts import confirms_everything, invites, sets_up
from tests.e2e.test_problems import reports


async def test_nothing_of_somebody_is_left_and_everybody_else_goes_on(chat: Chat):
    await sets_up(chat.admin, first_after_days="1", at_most="1")
    await invites(chat.admin, chat.invitee, chat.colleague)
    await reports(chat.invitee, "Zanzibar, my page stays white.")
    await chat.admin.reads(f"{chat.invitee.name} has a problem with signing in")
    await chat.admin.types("/sso digest")
    await chat.admin.opens("Reports")
    await chat.admin.submits({"every": "never", "where": "me", "after": "1"})
    await chat.office.settles()
    for _ in range(6):
        await chat.office.waits(hours=13)
    silent = next(said for said in chat.admin.messages if "Who does not answer" in said.words)
    assert chat.invitee.name in silent.words

    await chat.admin.types(f"/sso erase {chat.invitee.email}")
    asked = await chat.admin.reads(f"Erase the data of {chat.invitee.name}")
    assert f"their name and address ({chat.invitee.email}), 1 invitation" in asked.words
    await chat.admin.presses("Erase their data", on=asked)
    await chat.admin.reads(f"The data of {chat.invitee.name} is erased.")
    await chat.office.settles()

    stored = await chat.office.everything_stored()
    for words in (chat.invitee.email, chat.invitee.name, "Zanzibar"):
        assert not [row for rows in stored.values() for row in rows if words in row]
    for kept in ("Who does not answer", "There was a problem here. The data of whoever had it is erased."):
        assert [said for said in chat.admin.messages if kept in said.words]
    named = [
        said.words for said in chat.admin.messages if chat.invitee.name in said.words or "Zanzibar" in said.words
    ]
    assert [words for words in named if "is erased" not in words] == []

    before = len(chat.invitee.messages)
    await chat.office.waits(days=4)
    assert len(chat.invitee.messages) == before
    await chat.invitee.presses("I can see my organizations", on=chat.invitee.invitations[0])
    await chat.invitee.reads("That button is from an older message")
    await confirms_everything(chat.colleague)
    await chat.admin.types("/sso status")
    status = await chat.admin.reads("1 of 1 done")
    assert chat.invitee.name not in status.words
