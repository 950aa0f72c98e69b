"""Messages that do not get through: told to the admin, sent again where that can help, and never twice."""

from __future__ import annotations

from adapters.playground.slack import faults
from tests.e2e.chatting import Somebody
from tests.e2e.office import Chat, Office, eventually
from tests.e2e.on_slack import OnSlack
from tests.e2e.on_teams import OnTeams
from tests.e2e.rollouts import confirms_everything, invited, lists, send_label, sets_up


def cannot_be_written_to(somebody: Somebody) -> None:
    """They leave, on Slack; they block the bot, on Teams."""
    if isinstance(somebody, OnSlack):
        somebody.person.user.kind = "deactivated"
    elif isinstance(somebody, OnTeams):
        somebody.client.blocks()


def is_busy(chat: Chat, times: int) -> None:
    """The platform answers the next messages with 429."""
    if chat.name == "slack":
        chat.office.slack.faults.next("chat.postMessage", faults.rate_limited(30), times=times)
    else:
        chat.office.teams.faults.answer("send", 429, times=times, retry_after=30)


def takes_nothing(chat: Chat, times: int) -> None:
    """The platform refuses connections: nothing leaves."""
    if chat.name == "slack":
        chat.office.slack.faults.next("chat.postMessage", faults.answers(503), times=times)
    else:
        chat.office.teams.faults.answer("create_conversation", 503, times=times)


def loses_the_answer(chat: Chat) -> None:
    """The message arrives, and the bot does not learn of it."""
    if chat.name == "slack":
        chat.office.slack.faults.next("chat.postMessage", faults.reset_after_acceptance())
    else:
        chat.office.teams.faults.reset_after_acceptance("send")


def loses_the_message(chat: Chat) -> None:
    """The connection breaks and nothing arrives; the bot cannot tell."""
    if chat.name == "slack":
        chat.office.slack.faults.next("chat.postMessage", faults.reset_before_acceptance())
    else:
        chat.office.teams.faults.reset_before_acceptance("send")


async def sends(chat: Chat, *people: Somebody) -> None:
    """Invite, without waiting for the messages."""
    asked = await lists(chat.admin, *people)
    await chat.office.settles()
    await chat.admin.presses(send_label(asked), on=asked)


async def states(chat: Chat) -> list[str]:
    """Of the invitations' and reminders' deliveries."""
    return sorted(str(each.state) for each in await chat.office.rows("delivery") if each.kind != "notice")


async def test_somebody_who_cannot_be_written_to_is_shown_with_the_reason(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    cannot_be_written_to(chat.colleague)
    await chat.admin.presses(send_label(asked), on=asked)
    await chat.office.settles()
    chat.office.shows_progress()
    progress = await chat.admin.reads("Invitations sent")
    assert progress.fact("Could not be sent") == "1"
    reason = {
        "slack": "their account is deactivated. Exempt them.",
        "teams": "they have blocked me. Ask them to unblock the app, or tell them in person.",
    }[chat.name]
    await chat.admin.presses("Status", on=progress)
    assert reason in (await chat.admin.reads("Acme's move to SSO")).words
    await chat.admin.presses("Who is missing")
    missing = await chat.admin.reads("Still open in")
    assert f"{chat.colleague.name}: access, tasks, and token · not reached: {reason}" in missing.words
    await chat.admin.types_in_channel(f"/sso status {chat.colleague.email}")
    await chat.admin.reads(reason)
    assert len(chat.invitee.invitations) == 1


async def test_what_a_busy_platform_puts_off_arrives_later_and_once(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    is_busy(chat, times=2)
    await chat.admin.presses(send_label(asked), on=asked)
    await eventually(lambda: put_off(chat, 2))
    assert chat.invitee.invitations == chat.colleague.invitations == []
    for _ in range(4):
        await chat.office.waits(minutes=2)
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1
    assert await states(chat) == ["sent", "sent"]


async def put_off(chat: Chat, count: int) -> bool:
    """Whether so many messages wait because the platform asked to slow down."""
    return [each.reason for each in await chat.office.rows("delivery")].count("throttled") == count


async def test_a_lost_answer_leads_to_no_second_message(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    loses_the_answer(chat)
    await chat.admin.presses(send_label(asked), on=asked)
    await eventually(lambda: _all_are(chat, "unknown"))
    for _ in range(4):
        await chat.office.waits(minutes=1)
        await chat.office.settles()
    if chat.name == "slack":  # Slack can be asked
        await eventually(lambda: _all_are(chat, "sent"))
    assert len(chat.invitee.invitations) == 1


async def test_a_lost_message_is_sent_again_on_slack_and_repaired_by_the_next_reminder_on_teams(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    loses_the_message(chat)
    await chat.admin.presses(send_label(asked), on=asked)
    await eventually(lambda: _all_are(chat, "unknown"))
    await chat.office.waits(minutes=5)
    if chat.name == "slack":
        await eventually(lambda: _all_are(chat, "sent"))
        assert len(chat.invitee.invitations) == 1
        return
    assert chat.invitee.invitations == []
    await chat.admin.types("/sso status")
    status = await chat.admin.reads("it may or may not have arrived")
    assert "The next reminder repairs that." in status.words
    assert "Send 1 message again" in status.buttons
    await chat.office.waits(days=3)
    assert len(chat.invitee.invitations) == 1
    assert "Sign in with SSO" in chat.invitee.invitations[-1].buttons
    await confirms_everything(chat.invitee)


async def test_an_admin_sends_again_what_is_unclear_where_the_platform_cannot_be_asked(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    loses_the_message(chat)
    await chat.admin.presses(send_label(asked), on=asked)
    await eventually(lambda: _all_are(chat, "unknown"))
    await chat.admin.types("/sso status")
    status = await chat.admin.reads("Acme's move to SSO")
    assert "1 message: it may or may not have arrived" in status.words
    if chat.name == "slack":  # it is looked up, and sent again if it is not there
        assert "Send 1 message again" not in status.buttons
        return
    await chat.admin.presses("Send 1 message again", on=status)
    await chat.admin.reads("1 message is on its way again.")
    await chat.office.waits(minutes=1)
    await chat.invitee.until(lambda: chat.invitee.invitations)
    assert len(chat.invitee.invitations) == 1


async def test_an_outage_delays_and_loses_nothing(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    takes_nothing(chat, times=2)
    await chat.admin.presses(send_label(asked), on=asked)
    for _ in range(8):
        await chat.office.waits(minutes=1)
    await eventually(lambda: _all_are(chat, "sent"))
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1


async def test_what_waits_when_the_bot_stops_is_sent_after_its_restart(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    is_busy(chat, times=1)
    await chat.admin.presses(send_label(asked), on=asked)
    await eventually(lambda: put_off(chat, 1))
    await chat.office.restarts_the_bot()
    await chat.office.waits(minutes=2)
    assert len(chat.invitee.invitations) == 1


async def test_a_confirmation_reaches_an_invitation_that_is_unclear(chat: Chat):
    """It did arrive, and its buttons work, whatever the bot knows of it."""
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    loses_the_answer(chat)
    await chat.admin.presses(send_label(asked), on=asked)
    await eventually(lambda: _all_are(chat, "unknown"))
    await confirms_everything(chat.invitee)
    await chat.office.waits(days=10)
    assert sum("Sign in to SonarQube Cloud with SSO" in each.words for each in chat.invitee.messages) == 1


async def _all_are(chat: Chat, state: str) -> bool:
    found = await states(chat)
    return bool(found) and set(found) == {state}


async def test_a_message_that_arrived_is_never_sent_twice_by_a_restart(chat: Chat):
    await invited(chat)
    for _ in range(2):
        await chat.office.restarts_the_bot()
        await chat.office.waits(minutes=5)
    assert len(chat.invitee.invitations) == 1


async def test_somebody_without_the_app_is_shown_with_what_to_do_and_finds_their_invitation_in_it(office: Office):
    chat = Chat("teams", office)
    isaiah = chat.person("isaiah")
    await sets_up(chat.admin)
    await sends(chat, isaiah)
    await office.settles()
    await chat.admin.types("/sso status")
    await chat.admin.reads("the app is not installed for them. A Teams admin can install it with a setup policy.")
    assert isaiah.invitations == []
    await isaiah.meets_the_bot()
    await isaiah.reads("Acme is moving SonarQube Cloud to single sign-on")
    await confirms_everything(isaiah)


async def test_somebody_without_the_app_gets_it_with_their_invitation_where_the_tenant_lets_the_bot_install_it(
    office: Office,
):
    office.changed_settings = {"teams_catalog_app_id": "6f1f1a3e-0000-4000-8000-000000000001"}
    await office.restarts_the_bot()
    chat = Chat("teams", office)
    isaiah = chat.person("isaiah")
    await sets_up(chat.admin)
    await sends(chat, isaiah)
    await office.settles()
    await isaiah.reads("Acme is moving SonarQube Cloud to single sign-on")
    assert len(isaiah.invitations) == 1
    await confirms_everything(isaiah)


async def test_an_answer_that_comes_too_fast_for_the_platform_is_shown_a_moment_later(chat: Chat):
    """A message that a platform refused with 429 was not shown: nobody has to ask again."""
    await invited(chat)
    if chat.name == "slack":
        chat.office.slack.faults.next("chat.postMessage", faults.rate_limited(1), times=2)
    else:
        chat.office.teams.faults.answer("send", 429, times=2, retry_after=1)
    await chat.admin.types("sso help")
    await chat.admin.reads("You can say")
