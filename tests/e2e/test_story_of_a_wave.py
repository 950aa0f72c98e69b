"""The progress message's buttons: pause, resume, cancel the rest, send again, status; and who is found elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.e2e.chatting import Said, Somebody
from tests.e2e.office import Chat, eventually
from tests.e2e.on_slack import OnSlack
from tests.e2e.on_teams import OnTeams
from tests.e2e.rollouts import invites, lists, send_label, sets_up
from tests.e2e.test_deliveries import cannot_be_written_to, is_busy, put_off


async def sends_while_paused(chat: Chat) -> Said:
    """Two people are invited, and paused before anything goes out; returns the progress message."""
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    is_busy(chat, times=2)
    await chat.admin.presses(send_label(asked))
    progress = await chat.admin.reads("0 of 2")
    assert progress.buttons == ("Pause", "Cancel the rest", "Status")
    await eventually(lambda: put_off(chat, 2))
    await chat.admin.presses("Pause", on=progress)
    await chat.admin.until(lambda: "Sending is paused" in _shown(chat, progress).words)
    await chat.office.waits(minutes=5)
    paused = await _says(chat, progress, "Sending is paused")
    assert chat.invitee.invitations == chat.colleague.invitations == []
    return paused


def _shown(chat: Chat, said: Said) -> Said:
    """The message as it is now."""
    return next(each for each in chat.admin.messages if each.key == said.key)


async def _says(chat: Chat, progress: Said, words: str) -> Said:
    """Wait until the progress message says so."""
    chat.office.shows_progress()
    return await chat.admin.until(lambda: now if words in (now := _shown(chat, progress)).words else None)


async def test_a_send_is_paused_and_resumed_from_its_progress_message(chat: Chat):
    progress = await sends_while_paused(chat)
    assert progress.buttons == ("Resume", "Cancel the rest", "Status")
    await chat.admin.presses("Resume", on=progress)
    await chat.office.settles()
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1
    finished = await _says(chat, progress, "Invitations sent")
    assert finished.buttons == ("Status",)


async def test_cancelling_the_rest_leaves_them_uninvited_and_they_can_be_invited_later(chat: Chat):
    progress = await sends_while_paused(chat)
    await chat.admin.presses("Cancel the rest", on=progress)
    cancelled = await _says(chat, progress, "2 people were not written to and are not invited.")
    assert cancelled.buttons == ("Status",)
    assert await chat.office.rows("invitation") == []
    (entry,) = await chat.office.audited("invite.cancelled_rest")
    assert entry.details == {"people": 2}

    await chat.admin.types("/sso resume")
    await chat.office.settles()
    assert chat.invitee.invitations == [], "what was cancelled does not come back"
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.office.settles()
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1


async def test_a_planned_wave_reaches_everybody_at_the_same_time_where_they_are(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.presses("Later, or in parts…", on=asked)
    await chat.admin.opens("Later, or in parts")
    await chat.admin.submits({"when": "day", "day": "2026-02-01", "hour": "10", "hold": "never"})
    await chat.admin.until(lambda: chat.admin.form and chat.admin.form.errors)
    await chat.admin.submits({"when": "day", "day": "2026-02-04", "hour": "10", "hold": "never"})
    planned = await chat.admin.until(lambda: now if "Planned" in (now := _shown(chat, asked)).words else None)
    assert planned.fact("Goes out") == "Wednesday 4 February 2026, 10:00 where each person is"
    assert planned.buttons == ("Send now", "Cancel", "Status")
    await chat.admin.types("/sso status")
    await chat.admin.reads("2 people are invited on Wednesday 4 February 2026, 10:00 where each person is")

    people = sorted((chat.invitee, chat.colleague), key=_ten_on_wednesday)
    for somebody in people:
        await chat.office.waits_until(_ten_on_wednesday(somebody) - timedelta(minutes=5))
        assert somebody.invitations == []
        await chat.office.waits_until(_ten_on_wednesday(somebody) + timedelta(minutes=5))
        assert len(somebody.invitations) == 1
    done = await _says(chat, asked, "2 of 2")
    assert done.buttons == ("Status",)
    await chat.admin.types("/sso status")
    assert "are invited on" not in (await chat.admin.reads("0 of 2 done")).words


async def test_a_list_goes_out_in_parts(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.presses("Later, or in parts…", on=asked)
    await chat.admin.submits({"size": "1", "when": "now"})
    await chat.office.settles()
    rest = await chat.admin.reads("1 person will get a direct message")
    assert len([each for each in (chat.invitee, chat.colleague) if each.invitations]) == 1

    await chat.admin.presses("Check what is missing", on=rest)
    await chat.admin.submits({"one_click": "yes", "tested": "yes", "recovery": "yes"})
    shown = await chat.admin.until(lambda: now if "tried SSO" not in (now := _shown(chat, rest)).words else None)
    await chat.admin.presses("Send to 1 person", on=shown)
    await chat.office.settles()
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1


async def test_a_planned_wave_is_sent_at_once_after_all_or_cancelled(chat: Chat):
    await sets_up(chat.admin)
    for somebody, decision in ((chat.invitee, "Send now"), (chat.colleague, "Cancel")):
        asked = await lists(chat.admin, somebody)
        await chat.admin.presses("Later, or in parts…", on=asked)
        await chat.admin.submits({"when": "day", "day": "2026-02-04", "hour": "10", "hold": "25"})
        planned = await chat.admin.until(
            lambda at=asked: now if "Planned" in (now := _shown(chat, at)).words else None
        )
        await chat.admin.presses(decision, on=planned)
        await chat.office.settles()
    await chat.office.waits(days=7)
    assert len(chat.invitee.invitations) > 0
    assert chat.colleague.invitations == []


def _ten_on_wednesday(somebody: Somebody) -> datetime:
    return datetime(2026, 2, 4, 10, tzinfo=somebody.zone)


async def test_failures_are_grouped_with_what_to_do_and_sent_again_from_the_progress(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    cannot_be_written_to(chat.invitee)
    cannot_be_written_to(chat.colleague)
    await chat.admin.presses(send_label(asked))
    await chat.office.settles()
    failed = await _says(chat, asked, "2 messages: ")
    assert "Could not be sent" in failed.words
    assert failed.buttons == ("Send 2 messages again", "Status")

    can_be_written_to_again(chat.invitee)
    can_be_written_to_again(chat.colleague)
    await chat.admin.presses("Send 2 messages again", on=failed)
    await chat.office.settles()
    done = await _says(chat, asked, "2 of 2")
    assert "Could not be sent" not in done.words
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1
    await eventually(lambda: _finished(chat))


def can_be_written_to_again(somebody: Somebody) -> None:
    """Their account is active, or they have unblocked the bot."""
    if isinstance(somebody, OnSlack):
        somebody.person.user.kind = "member"
    else:
        assert isinstance(somebody, OnTeams)
        somebody.account.blocked = False


async def _finished(chat: Chat) -> bool:
    return all(each.finished_at for each in await chat.office.rows("wave"))


async def test_the_status_button_answers_beside_the_progress(chat: Chat):
    progress = await sends_while_paused(chat)
    chat.admin.notices()
    await chat.admin.presses("Status", on=progress)
    await chat.admin.reads("Still open")
    assert "Sending is paused" in _shown(chat, progress).words


async def test_an_address_of_the_other_platform_is_found_there_and_said_so(chat: Chat):
    elsewhere = chat.other_platform()
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, elsewhere.invitee)
    assert chat.invitee.name in asked.words
    assert elsewhere.invitee.name in asked.words
    await chat.admin.presses(send_label(asked))
    await chat.office.settles()
    assert len(chat.invitee.invitations) == len(elsewhere.invitee.invitations) == 1


async def test_somebody_on_both_platforms_is_written_to_where_the_admin_is(chat: Chat):
    elsewhere = chat.other_platform()
    slack = chat if chat.name == "slack" else elsewhere
    teams = chat if chat.name == "teams" else elsewhere
    slack.invitee.has_address(teams.invitee.email)
    await sets_up(chat.admin)
    await chat.admin.types(f"/sso invite {teams.invitee.email}")
    asked = await chat.admin.reads("Invitation to")
    await chat.admin.presses(send_label(asked))
    await chat.office.settles()
    assert len(chat.invitee.invitations) == 1
    assert elsewhere.invitee.invitations == []


async def test_the_status_tells_the_waves_apart(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee)
    await chat.office.settles()
    await chat.admin.types("/sso status")
    status = await chat.admin.reads("Acme")
    assert "By wave" not in status.buttons, "there is one"

    await invites(chat.admin, chat.colleague)
    await chat.office.settles()
    await chat.admin.types("/sso status")
    await chat.admin.presses("By wave", on=await chat.admin.reads("Acme"))
    waves = await chat.admin.reads("Acme, by wave")
    assert waves.words.count("1 person, 0 %") == 2
    assert "1 reached, 0 done" in waves.words
