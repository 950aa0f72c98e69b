"""Reminders: by the rollout's policy, in the invitee's working hours, and never one too many."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.reminders import queue_due
from tests.e2e.chatting import Somebody
from tests.e2e.office import MONDAY, Chat, Office
from tests.e2e.rollouts import confirms_everything, invited, invites, sets_up


def reminders_of(somebody: Somebody) -> int:
    """How many have come, beside the invitation."""
    return len(somebody.invitations) - 1


async def test_they_come_after_two_days_then_every_three_and_four_at_most(chat: Chat):
    await invited(chat)
    came = []
    for day in range(30):
        # a little later each day, since the days between are counted from when the last one went out
        await chat.office.waits_until(MONDAY + timedelta(days=day + 1, minutes=5 * (day + 1)))
        came += [day + 1] * (reminders_of(chat.invitee) - len(came))
    # Monday 2 February: Wednesday, then Saturday's on Monday, then Thursday, then Sunday's on Monday
    assert came == [2, 7, 10, 14]
    assert "This is my last reminder." in chat.invitee.messages[-1].words


async def test_they_come_in_the_working_hours_of_whoever_is_reminded(chat: Chat):
    await sets_up(chat.admin, first_after_days="1", hour_from="10", hour_to="12", weekdays=["1", "2"])
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.office.settles()
    assert chat.invitee.zone != chat.colleague.zone
    came = {}
    for hour in range(1, 60):
        await chat.office.waits_until(MONDAY + timedelta(hours=hour, minutes=1))
        for each in (chat.invitee, chat.colleague):
            if reminders_of(each) and each not in came:
                came[each] = chat.office.clock.now().astimezone(each.zone)
    assert set(came) == {chat.invitee, chat.colleague}
    for at in came.values():
        assert at.weekday() in (1, 2)
        assert 10 <= at.hour < 12


async def test_they_name_only_what_is_still_open(chat: Chat):
    await invited(chat)
    await chat.invitee.presses("My tasks work as before")
    await chat.office.waits(days=3)
    reminder = chat.invitee.invitations[-1]
    assert "Still open for you: access and token." in reminder.words
    assert "My tasks work as before" not in reminder.buttons
    assert "I can see my organizations" in reminder.buttons


async def test_they_stop_when_all_is_confirmed(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await chat.office.settles()
    for _ in range(10):
        await chat.office.waits(days=1)
    assert len(chat.invitee.messages) - _greetings(chat) == 1


async def test_they_stop_for_whoever_is_exempt(chat: Chat):
    await invited(chat)
    await chat.admin.types(f"/sso exempt {chat.invitee.email} on leave until May")
    await chat.admin.reads(f"{chat.invitee.name} is exempt and will not be reminded.")
    await chat.invitee.until(lambda: chat.invitee.sees("an admin has exempted you from Acme's move to SSO"))
    for _ in range(10):
        await chat.office.waits(days=1)
    assert len(chat.invitee.messages) - _greetings(chat) == 1


async def test_they_rest_while_the_rollout_is_paused(chat: Chat):
    await invited(chat)
    await chat.admin.types("/sso pause")
    await chat.admin.reads("Paused. No invitations or reminders go out")
    for _ in range(5):
        await chat.office.waits(days=1)
    assert reminders_of(chat.invitee) == 0
    await chat.admin.types("/sso resume")
    await chat.admin.reads("The rollout goes on.")
    await chat.office.waits(days=3)
    assert reminders_of(chat.invitee) == 1


async def test_they_end_with_the_deadline(chat: Chat):
    await invited(chat, deadline="2026-02-06")
    for _ in range(20):
        await chat.office.waits(days=1)
    assert reminders_of(chat.invitee) == 2, "one on Wednesday, the last one on the day before the deadline"
    assert "This is my last reminder before that day." in chat.invitee.messages[-1].words
    await chat.admin.types("/sso remind")
    await chat.admin.reads("The deadline of this rollout has passed")


async def test_two_ticks_at_once_send_one_reminder(chat: Chat):
    await invited(chat)
    chat.office.clock.move(timedelta(days=3))
    store, clock = chat.office.bot.store, chat.office.clock
    queued = await asyncio.gather(*(queue_due(store, clock) for _ in range(5)))
    chat.office.bot.wake()
    await chat.office.settles()
    assert sum(queued) <= 1
    assert reminders_of(chat.invitee) == 1


async def test_a_bot_that_was_away_for_days_sends_what_is_due_once(chat: Chat):
    await invited(chat)
    await chat.office.stops_the_bot()
    chat.office.clock.move(timedelta(days=9))
    await chat.office.starts_the_bot()
    await chat.office.waits(minutes=1)
    assert reminders_of(chat.invitee) == 1


def _greetings(chat: Chat) -> int:
    """What the bot said when it was installed, on Teams."""
    return sum("SSO Usher" in each.words.splitlines()[:1] for each in chat.invitee.messages)


async def test_on_slack_a_reminder_waits_for_who_is_out_of_office(office: Office):
    """Teams does not tell the bot who is on holiday."""
    chat = Chat("slack", office)
    await invited(chat)
    user = office.slack.person("alice").user
    user.status_emoji, user.status_text = ":palm_tree:", "Vacationing"
    user.status_expiration = int((office.clock.now() + timedelta(days=7)).timestamp())
    for _ in range(6):
        await office.waits(days=1)
        assert len(chat.invitee.invitations) == 1
    user.status_emoji = user.status_text = ""
    await office.waits(days=2)
    assert len(chat.invitee.invitations) == 2
