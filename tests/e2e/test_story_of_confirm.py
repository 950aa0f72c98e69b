"""The invitee's direct message: confirming checks, on any copy, and choosing when to be reminded."""

from __future__ import annotations

from datetime import date

import pytest
from aiohttp import ClientSession
from babel.dates import format_date

from adapters.playground.teams.cards import buttons
from tests.e2e.office import Chat, eventually
from tests.e2e.on_slack import OnSlack
from tests.e2e.on_teams import OnTeams
from tests.e2e.rollouts import ALL_CHECKS, LOGIN_URL, confirms_everything, invited, invites, lists, sets_up

EVERYTHING: dict[str, str | list[str]] = {}
NOBODY_SIGNED_IN_BEFORE: dict[str, str | list[str]] = {"former_sign_in": []}
NO_TOKENS: dict[str, str | list[str]] = {"uses_tokens": "no"}


@pytest.mark.parametrize(
    ("rollout", "labels"),
    [
        (EVERYTHING, (*ALL_CHECKS, "I don't use tokens")),
        (NOBODY_SIGNED_IN_BEFORE, ("I can see my organizations", "I generated my token", "I don't use tokens")),
        (NO_TOKENS, ("I can see my organizations", "My tasks work as before")),
    ],
    ids=["all checks", "nobody signed in before", "no tokens"],
)
async def test_the_message_has_a_button_for_each_check_that_this_rollout_needs(
    chat: Chat, rollout: dict[str, str | list[str]], labels: tuple[str, ...]
):
    invitation = await invited(chat, **rollout)
    assert invitation.buttons == ("Sign in with SSO", *labels, "Remind me later", "I have a problem")


async def test_the_message_says_why_where_and_what_to_check(chat: Chat):
    invitation = await invited(chat, domain_verified="no", deadline="2026-02-27")
    deadline = date(2026, 2, 27)  # for everybody, wherever they are
    for sentence in (
        "Acme is moving SonarQube Cloud to single sign-on (SSO).",
        "Until now you may have signed in with GitHub.",
        "The button opens https://sonarcloud.io/login/sso?enterprise_key=acme.",
        "I never ask for a password or a token.",
        "SonarQube Cloud e-mails you a one-time code",
        "You see your organizations in SonarQube Cloud: acme-web and acme-core",
        "You can do your tasks there as before",
        f"Please be done by {format_date(deadline, 'EEEE d MMMM y', locale='en')}.",
    ):
        assert sentence in invitation.words


@pytest.mark.parametrize("restarted", [False, True], ids=["", "after a restart"])
async def test_each_check_is_confirmed_in_the_message_itself(chat: Chat, restarted: bool):
    invitation = await invited(chat)
    if restarted:
        await chat.office.restarts_the_bot()
    remaining = list(ALL_CHECKS)
    for label in ALL_CHECKS:
        await chat.invitee.presses(label)
        remaining.remove(label)
        await chat.invitee.until(lambda label=label: label not in chat.invitee.messages[-1].buttons)
        shown = chat.invitee.messages[-1]
        assert shown.key == invitation.key
        assert shown.words.count("(confirmed on 2 February 2026)") == 3 - len(remaining)
        assert [each for each in shown.buttons if each in ALL_CHECKS] == remaining
    done = await chat.invitee.reads("All done, thank you!")
    assert done.key == invitation.key
    assert done.buttons == ("Open SonarQube Cloud", "No CI job uses it", "A CI job still uses it")
    await chat.admin.types("/sso status")
    assert "1 of 1 done" in (await chat.admin.reads("Acme's move to SSO")).words


async def test_whoever_uses_no_tokens_says_so_and_is_done(chat: Chat):
    await invited(chat, former_sign_in=[])
    await chat.invitee.presses("I can see my organizations")
    await chat.invitee.until(lambda: "I can see my organizations" not in chat.invitee.messages[-1].buttons)
    await chat.invitee.presses("I don't use tokens")
    assert "(not needed)" in (await chat.invitee.reads("All done, thank you!")).words


async def test_pressing_twice_counts_once(chat: Chat):
    invitation = await invited(chat)
    await chat.invitee.presses("I can see my organizations", on=invitation)
    await chat.invitee.until(lambda: chat.invitee.sees("(confirmed on"))
    await chat.invitee.presses("I can see my organizations", on=invitation)
    await chat.invitee.reads("You had confirmed that already. All is well.")
    assert len(await chat.office.audited("confirmed.access")) == 1
    assert chat.invitee.messages[-1].words.count("(confirmed on") == 1


async def test_an_old_copy_confirms_what_is_still_open(chat: Chat):
    invitation = await invited(chat)
    await chat.invitee.presses("I can see my organizations", on=invitation)
    await chat.office.waits(days=3)
    reminder = chat.invitee.invitations[-1]
    assert reminder.key != invitation.key
    await chat.invitee.presses("My tasks work as before", on=invitation)
    await chat.office.settles()
    await chat.invitee.until(
        lambda: all("My tasks work as before" not in each.buttons for each in chat.invitee.invitations)
    )
    assert len(await chat.office.audited("confirmed.tasks")) == 1


async def test_every_copy_in_the_chat_is_brought_up_to_date(chat: Chat):
    await invited(chat)
    await chat.office.waits(days=3)
    assert len(chat.invitee.invitations) == 2
    await confirms_everything(chat.invitee)
    await chat.office.settles()
    assert all("All done, thank you!" in each.words for each in chat.invitee.messages[-2:])


async def test_somebody_elses_button_is_refused_and_changes_nothing(chat: Chat):
    invitation = await invited(chat)
    await invites(chat.admin, chat.colleague)
    await chat.office.settles()
    checks, invitations = await chat.office.rows("confirmed_check"), await chat.office.rows("invitation")
    for stranger in (chat.colleague, chat.outsider, chat.another_admin):
        for label in ("I can see my organizations", "Remind me later", "I have a problem"):
            await stranger.presses(label, on=invitation)
            await stranger.reads("That button belongs to somebody else's invitation")
            assert stranger.form is None
    await chat.office.settles()
    assert await chat.office.rows("confirmed_check") == checks
    assert await chat.office.rows("invitation") == invitations
    assert len(await chat.office.audited("refused.access")) == 3
    assert "I can see my organizations" in chat.invitee.messages[-1].buttons


async def test_remind_me_later_moves_the_next_reminder(chat: Chat):
    await invited(chat)
    await chat.invitee.presses("Remind me later")
    await chat.invitee.opens("Remind me later")
    await chat.invitee.submits({"delay": "1_week"})
    await chat.invitee.reads("I will remind you on Monday 9 February")
    await chat.office.settles()
    await chat.office.waits(days=6)
    assert len(chat.invitee.invitations) == 1
    await chat.office.waits(days=1, minutes=1)
    assert len(chat.invitee.invitations) == 2
    assert "A quick reminder" in chat.invitee.invitations[-1].words


async def test_a_day_of_ones_own_choice_begins_with_its_working_hours(chat: Chat):
    await invited(chat)
    await chat.invitee.presses("Remind me later")
    await chat.invitee.opens("Remind me later")
    await chat.invitee.submits({"day": "2026-02-12"})
    await chat.invitee.reads("I will remind you on Thursday 12 February, 09:00")


async def test_days_that_make_no_sense_are_refused_in_the_dialog(chat: Chat):
    await invited(chat, deadline="2026-02-20")
    await chat.invitee.presses("Remind me later")
    await chat.invitee.opens("Remind me later")
    for day, sentence in (
        ("2026-01-05", "Choose a day in the future."),
        ("2026-03-10", "That is after the deadline of this rollout."),
    ):
        await chat.invitee.submits({"day": day})
        form = await chat.invitee.until(
            lambda s=sentence: chat.invitee.form if s in chat.invitee.form.errors.get("day", "") else None
        )
        assert sentence in form.errors["day"]
    await chat.invitee.submits({"day": "2026-02-12"})
    await chat.invitee.reads("I will remind you on Thursday 12 February")


async def test_an_invitation_from_one_platform_is_confirmed_there_only_once_whoever_asks(chat: Chat):
    """Whoever is on both platforms has one invitation; the bot answers on the other one too."""
    elsewhere = chat.other_platform()
    _same_person(chat, elsewhere)
    await invited(chat)
    await elsewhere.invitee.types("hello")
    await elsewhere.invitee.reads("Acme is moving SonarQube Cloud to single sign-on")
    await elsewhere.invitee.presses("I can see my organizations")
    await chat.invitee.until(lambda: chat.invitee.sees("(confirmed on"))
    assert len(await chat.office.rows("invitation")) == 1


def _same_person(chat: Chat, elsewhere: Chat) -> None:
    slack, teams = (chat, elsewhere) if chat.name == "slack" else (elsewhere, chat)
    slack.invitee.has_address(teams.invitee.email)


async def test_the_status_tells_who_has_opened_the_login_page(chat: Chat):
    """Slack tells that the button was pressed; on Teams it leads through the bot where the settings want that."""
    chat.office.changed_settings = {"teams_login_redirect": True}
    await chat.office.restarts_the_bot()
    invitation = await invited(chat)
    if chat.name == "slack":
        await chat.invitee.presses("Sign in with SSO", on=invitation)
    else:
        button = next(each for each in buttons(invitation.native.card) if each.title == "Sign in with SSO")
        address = str(button.action["url"]).removeprefix(chat.office.playground.public_url)
        async with (
            ClientSession() as browser,
            browser.get(chat.office.url + address, allow_redirects=False) as response,
        ):
            assert response.headers["Location"] == LOGIN_URL
    await eventually(lambda: _opened(chat))
    await chat.admin.types("/sso status")
    await chat.admin.reads("1 Opened the login page")
    await chat.admin.presses("Who is missing")
    await chat.admin.presses("Filter…")
    await chat.admin.submits({"which": "not_opened"})
    await chat.admin.reads("Nobody is.")


async def _opened(chat: Chat) -> bool:
    return all(each.login_opened_at for each in await chat.office.rows("invitation"))


async def test_whose_chat_is_in_german_is_written_to_in_german_and_the_admin_in_english(chat: Chat):
    if isinstance(chat.invitee, OnSlack):
        chat.invitee.person.user.locale = "de-DE"
    else:
        assert isinstance(chat.invitee, OnTeams)
        chat.invitee.account.locale = "de-DE"
        await chat.invitee.types("Hallo")  # Teams tells the language with what somebody writes
    await sets_up(chat.admin)
    await lists(chat.admin, chat.invitee)
    await chat.admin.presses("Send to 1 person")
    invitation = await chat.invitee.until(
        lambda: next((each for each in chat.invitee.messages if "Mit SSO anmelden" in each.buttons), None)
    )
    assert "Bitte melden Sie sich einmal mit Ihrem Firmenkonto an" in invitation.words
    for label in ("Ich sehe meine Organisationen", "Ich kann arbeiten wie bisher", "Ich benutze keine Token"):
        await chat.invitee.presses(label)
        await chat.invitee.until(lambda label=label: label not in chat.invitee.messages[-1].buttons)
    await chat.invitee.reads("Alles erledigt, vielen Dank!")
    await chat.admin.types("/sso status")
    await chat.admin.reads("1 of 1 done")
