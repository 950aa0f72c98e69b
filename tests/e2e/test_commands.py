"""Status, remind, pause, resume, exempt, help; and who may say them."""

from __future__ import annotations

from tests.e2e.office import Chat
from tests.e2e.rollouts import confirms_everything, invited, invites, lists, send_label, sets_up

ADMIN_COMMANDS = ("setup", "invite", "status", "remind", "pause", "resume", "exempt")


async def test_status_shows_where_everyone_stands(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.office.settles()
    await confirms_everything(chat.invitee)
    await chat.colleague.presses("I can see my organizations")
    await chat.colleague.until(lambda: chat.colleague.sees("(confirmed on"))
    await chat.admin.types("/sso status")
    status = await chat.admin.reads("Acme's move to SSO")
    assert "1 of 2 done" in status.words
    for step in ("2 Invited", "2 Message arrived", "2 Access confirmed", "1 Tasks confirmed", "1 Done"):
        assert step in status.words
    assert status.fact("Still open") == "1"
    await chat.admin.presses("Who is missing", on=status)
    missing = await chat.admin.reads("Still open in Acme's move to SSO")
    assert f"{chat.colleague.name}: tasks and token" in missing.words
    assert chat.invitee.name not in missing.words
    for which, expected in (("token", True), ("access", False)):
        await chat.admin.presses("Filter…")
        await chat.admin.submits({"which": which})
        said = f"{chat.colleague.name}: tasks and token" if expected else "Nobody is."
        await chat.admin.reads(said)


async def test_status_of_one_person(chat: Chat):
    await invited(chat)
    await chat.invitee.presses("I can see my organizations")
    await chat.office.waits(days=3)
    for named in (chat.invitee.mention, chat.invitee.email):
        await chat.admin.types_in_channel(f"/sso status {named}")
        status = await chat.admin.reads(chat.invitee.name)
        assert "(confirmed on 2 February 2026)" in status.words
        assert status.fact("Reminders so far") == "1"
    await chat.admin.types_in_channel(f"/sso status {chat.outsider.mention}")
    await chat.admin.reads("is not invited in this rollout.")


async def test_a_reminder_for_one_person_goes_to_nobody_else(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.office.settles()
    await chat.admin.types_in_channel(f"/sso remind {chat.invitee.mention}")
    await chat.admin.reads("1 reminder goes out")
    await chat.office.waits(minutes=1)
    assert (len(chat.invitee.invitations), len(chat.colleague.invitations)) == (2, 1)
    await chat.admin.types_in_channel(f"/sso remind {chat.outsider.mention}")
    await chat.admin.reads("Nothing is open for")


async def test_a_reminder_for_everybody_is_asked_back_first(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.office.settles()
    await chat.admin.types("/sso remind")
    asked = await chat.admin.reads("Remind 2 people whose checks are still open?")
    await chat.office.waits(minutes=1)
    assert len(chat.invitee.invitations) == 1
    await chat.admin.presses("Remind 2 people", on=asked)
    await chat.admin.reads("2 reminders go out, in each person's working hours.")
    await chat.office.waits(minutes=1)
    await chat.office.waits(hours=7)
    await chat.office.waits(hours=9)
    assert (len(chat.invitee.invitations), len(chat.colleague.invitations)) == (2, 2)


async def test_nobody_is_reminded_when_nothing_is_open(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await chat.admin.types("/sso remind")
    await chat.admin.reads("Nobody has anything open. No reminder is needed.")


async def test_a_paused_rollout_sends_nothing_and_still_takes_confirmations(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee)
    asked = await lists(chat.admin, chat.colleague)
    await chat.admin.types("/sso pause")
    await chat.admin.reads("Paused. No invitations or reminders go out until /sso resume.")
    await chat.admin.types("/sso pause")
    await chat.admin.reads("The rollout is paused already.")
    await chat.admin.types("/sso status")
    await chat.admin.reads("The rollout is paused: no invitations or reminders go out.")
    for command in ("/sso remind", f"/sso invite {chat.outsider.email}"):
        await chat.admin.types(command)
        await chat.admin.reads("The rollout is paused. Start it again with /sso resume first.")
    await chat.admin.presses(send_label(asked), on=asked)
    await chat.admin.reads("The rollout is paused. Start it again with /sso resume first.")
    await confirms_everything(chat.invitee)
    await chat.office.waits(days=5)
    assert chat.colleague.invitations == []
    await chat.admin.types("/sso resume")
    await chat.admin.reads("The rollout goes on.")
    await chat.admin.types("/sso resume")
    await chat.admin.reads("The rollout is running already.")
    await chat.admin.presses(send_label(asked), on=asked)
    await chat.office.settles()
    assert len(chat.colleague.invitations) == 1


async def test_whoever_is_exempt_is_told_and_shown(chat: Chat):
    await invited(chat)
    for unclear in ("/sso exempt", f"/sso exempt {chat.invitee.email}", "/sso exempt on leave"):
        await chat.admin.types(unclear)
        await chat.admin.reads("Whom, and why?")
    await chat.admin.types_in_channel(f"/sso exempt {chat.invitee.mention} is on leave until May")
    await chat.admin.reads("is exempt and will not be reminded.")
    await chat.invitee.until(lambda: chat.invitee.sees("an admin has exempted you from Acme's move to SSO"))
    await chat.admin.types_in_channel(f"/sso status {chat.invitee.mention}")
    await chat.admin.reads("Exempt: is on leave until May")
    await chat.admin.types_in_channel(f"/sso exempt {chat.invitee.mention} again")
    await chat.admin.reads("Nothing is open for them any more.")


async def test_help_says_what_each_can_ask_for(chat: Chat):
    await sets_up(chat.admin)
    await chat.admin.types("/sso help")
    shown = await chat.admin.reads("The current rollout is Acme.")
    for command in (*ADMIN_COMMANDS, "help"):
        assert f"/sso {command}" in shown.words
    await chat.outsider.types("/sso help")
    shown = await chat.outsider.reads("I help your company move SonarQube Cloud to single sign-on.")
    assert "/sso setup" not in shown.words


async def test_a_misspelt_command_gets_the_nearest_one_suggested(chat: Chat):
    for typed, meant in (("stauts", "status"), ("INVTE", "invite"), ("remindd", "remind"), ("helpp", "help")):
        await chat.admin.types(f"/sso {typed}")
        await chat.admin.reads(f"Did you mean /sso {meant}?")


async def test_what_is_no_command_at_all_gets_help(chat: Chat):
    await chat.admin.types("/sso abracadabra")
    shown = await chat.admin.reads("I do not know “abracadabra”.")
    assert "/sso setup" in shown.words
    await chat.admin.types("/sso")
    await chat.admin.reads("Start with /sso setup.")


async def test_the_words_work_in_a_direct_message_without_the_slash(chat: Chat):
    await sets_up(chat.admin)
    for words in ("sso status", "status", "SSO Status"):
        await chat.admin.types(words)
        await chat.admin.reads("Acme's move to SSO")


async def test_only_admins_may_run_admin_commands(chat: Chat):
    await sets_up(chat.admin)
    await chat.office.settles()
    before = await chat.office.rows("rollout"), await chat.office.rows("dialog")
    for command in ADMIN_COMMANDS:
        await chat.outsider.types(f"/sso {command} {chat.invitee.email}")
        refused = await chat.outsider.reads("Only admins of this rollout can do that.")
        assert "ask whoever runs SSO Usher here to add you" in refused.words
        entry = (await chat.office.audited(f"refused.{command}"))[-1]
        assert entry.outcome == "refused"
        assert chat.outsider.form is None
    await chat.office.settles()
    assert (await chat.office.rows("rollout"), await chat.office.rows("dialog")) == before


async def test_an_admins_buttons_are_for_admins_only(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    await chat.outsider.presses(send_label(asked), on=asked)
    await chat.outsider.reads("Only admins of this rollout can do that.")
    await chat.office.settles()
    assert chat.invitee.invitations == []


async def test_every_decision_is_in_the_audit(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    actions = [each.action for each in await chat.office.rows("audit_entry")]
    for action in ("rollout.created", "invite.asked", "invited", "confirmed.access", "confirmed.token"):
        assert actions.count(action) == 1


async def test_whoever_opens_the_bots_home_sees_where_they_stand(chat: Chat):
    await invited(chat)
    await chat.admin.meets_the_bot()
    await chat.admin.reads("Acme's move to SSO")
    await chat.outsider.meets_the_bot()
    if chat.name == "slack":  # on Teams an organization may have installed the app for everybody: nobody is greeted
        await chat.outsider.reads("I help your company move SonarQube Cloud")
    await chat.invitee.meets_the_bot()
    home = await chat.invitee.reads("Acme is moving SonarQube Cloud to single sign-on")
    await chat.invitee.presses("I can see my organizations", on=home)
    await chat.office.settles()
    assert len(await chat.office.audited("confirmed.access")) == 1


async def test_an_invitee_who_writes_gets_their_message_again(chat: Chat):
    await invited(chat)
    await chat.invitee.types("where is my link?")
    again = await chat.invitee.reads("Acme is moving SonarQube Cloud to single sign-on")
    await chat.invitee.presses("I can see my organizations", on=again)
    await chat.office.settles()
    assert len(await chat.office.audited("confirmed.access")) == 1
