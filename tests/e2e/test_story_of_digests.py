"""Reports to a channel, and somebody who is told of people who do not answer."""

from __future__ import annotations

from tests.e2e.chatting import Somebody
from tests.e2e.office import Chat, Office
from tests.e2e.on_slack import OnSlack
from tests.e2e.on_teams import OnTeams
from tests.e2e.rollouts import confirms_everything, invites, sets_up


def in_the_channel(somebody: Somebody) -> list[str]:
    """What the bot has written where everybody reads it."""
    if isinstance(somebody, OnSlack):
        slack = somebody.slack
        written = [each for each in slack.channel("general").messages if each.user == slack.world.bot_user_id]
        return [each.visible for each in written if each.only_for is None]
    assert isinstance(somebody, OnTeams)
    return [each.words for each in somebody.client.sees("Builds") if each.from_bot]


def picked(somebody: Somebody) -> str:
    """What the platform's people picker gives for them."""
    if isinstance(somebody, OnSlack):
        return somebody.person.id
    assert isinstance(somebody, OnTeams)
    return somebody.account.aad_object_id


async def test_a_channel_reads_every_working_day_how_it_goes(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.types_in_channel("/sso digest channel" if chat.name == "slack" else "digest channel")
    await chat.admin.opens("Reports")
    await chat.admin.submits({"every": "daily", "where": "here"})
    await chat.admin.reads("A report on Acme every working day")
    await chat.office.settles()
    assert "From now on I report here every working day" in in_the_channel(chat.admin)[-1]

    await chat.office.waits(days=1)
    await chat.office.settles()
    assert "0 of 2" in in_the_channel(chat.admin)[-1]
    await confirms_everything(chat.invitee)
    await chat.office.waits(days=1, hours=12)  # the next morning on which the reader, wherever they are, has had none
    await chat.office.settles()
    report = in_the_channel(chat.admin)[-1]
    assert "1 of 2" in report
    assert "1 (1 more than last time)" in report
    assert len(in_the_channel(chat.admin)) == 3
    assert not any(somebody.email in words for words in in_the_channel(chat.admin) for somebody in (chat.invitee,))


async def test_who_does_not_answer_is_named_to_whom_the_admin_chose(chat: Chat):
    await sets_up(chat.admin, first_after_days="1", every_days="1", at_most="3")
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.types("/sso digest")
    await chat.admin.opens("Reports")
    await chat.admin.submits({"every": "never", "where": "me", "after": "2", "to": picked(chat.outsider)})
    await chat.admin.reads("is told of people who have not confirmed after 2 reminders")
    await confirms_everything(chat.invitee)
    for _ in range(24):
        await chat.office.waits(hours=8)
    await chat.office.settles()
    told = [each.words for each in chat.outsider.messages if "Who does not answer" in each.words]
    assert len(told) == 1, "nobody was new after that"
    assert chat.colleague.name in told[0]
    assert chat.invitee.name not in told[0]
    await chat.admin.types(f"/sso status {chat.colleague.email}")
    await chat.admin.reads("Escalated")


def has_manager(somebody: Somebody, manager: Somebody) -> None:
    """In the platform's directory."""
    if isinstance(somebody, OnSlack) and isinstance(manager, OnSlack):
        somebody.person.user.manager = manager.person.id
    else:
        assert isinstance(somebody, OnTeams)
        assert isinstance(manager, OnTeams)
        somebody.account.manager = manager.account.key


async def test_managers_are_told_of_their_people_and_the_admin_of_the_others(chat: Chat):
    has_manager(chat.invitee, chat.outsider)
    await sets_up(chat.admin, first_after_days="1", every_days="1", at_most="2")
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.types("/sso digest")
    await chat.admin.opens("Reports")
    await chat.admin.submits({"every": "never", "where": "me", "after": "1", "managers": ["yes"]})
    await chat.admin.reads("Managers are told of their people who have not confirmed after 1 reminder")
    for _ in range(18):
        await chat.office.waits(hours=8)
    await chat.office.settles()
    told = {
        each.name: [said.words for said in each.messages if "Who does not answer" in said.words]
        for each in (chat.outsider, chat.admin)
    }
    ((managers,), (admins,)) = told.values()
    assert "the directory names you as the manager" in managers
    assert chat.invitee.name in managers
    assert chat.colleague.name not in managers
    assert chat.colleague.name in admins
    assert chat.invitee.name not in admins


async def test_where_the_bot_is_not_in_the_channel_the_admin_is_told(office: Office):
    """On Teams the command itself needs the bot to be in the team."""
    chat = Chat("slack", office)
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee)
    assert isinstance(chat.admin, OnSlack)
    chat.admin.notices()
    await chat.admin.person.types("/sso digest", channel="#random")
    await chat.admin.opens("Reports")
    await chat.admin.submits({"every": "daily", "where": "here"})
    await office.settles()
    await office.waits(minutes=2)
    await chat.admin.reads("I am not in that channel. Add me there.")
