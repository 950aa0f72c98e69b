"""`/sso setup`: an admin sets a rollout up, in six steps, each checked."""

from __future__ import annotations

import pytest

from tests.e2e.office import Chat
from tests.e2e.rollouts import ACME, LOGIN_URL, confirms_everything, fills_in, invited, invites, sets_up


async def test_six_steps_lead_to_the_very_message_that_invitees_get(chat: Chat):
    admin = chat.admin
    await admin.types("/sso setup")
    await fills_in(admin, ACME)
    preview = await admin.opens("Set up (6 of 6)")
    await admin.submits()
    await admin.reads("The rollout of Acme is set up.")
    assert admin.form is None
    await invites(admin, chat.invitee)

    shown = chat.invitee.invitations[-1]
    for line in shown.words.splitlines():
        assert line in preview.words
    for label in shown.buttons:
        assert label in preview.words


async def test_each_mistake_is_named_and_can_be_put_right(chat: Chat):
    admin = chat.admin

    async def is_told(field: str, words: str, **filled_in: str | list[str]) -> None:
        await admin.submits(filled_in)
        form = await admin.until(lambda: admin.form if field in admin.form.errors else None)
        assert words in form.errors[field]

    await admin.types("/sso setup")
    await admin.opens("Set up (1 of 6)")
    await is_told("enterprise_key", "letters, digits", name="Acme", enterprise_key="acme corp!")
    await admin.submits({"enterprise_key": "acme", "region": "eu"})
    await admin.opens("Set up (2 of 6)")
    await is_told("login_url", "must start with https://", login_url="http://sonarcloud.io/login")
    await is_told("login_url", "evil.example is not a host of SonarQube Cloud", login_url="https://evil.example/sso")
    await is_told("login_url", "belongs to the other region", login_url="https://sonarqube.us/login/sso")
    await is_told("login_url", "for the enterprise other", login_url=LOGIN_URL.replace("acme", "other"))
    await admin.submits({"login_url": LOGIN_URL})
    await admin.opens("Set up (3 of 6)")
    await is_told("groups_exist", "With JIT, create or check the user groups", groups_exist=[])
    await admin.submits({"groups_exist": ["yes"]})
    await admin.opens("Set up (4 of 6)")
    await is_told("organizations", "cannot be an organization key", organizations="acme-web\nacme/core")
    await admin.submits({"organizations": "acme-web\nacme-core"})
    await admin.opens("Set up (5 of 6)")
    await is_told("at_most", "whole number from 0 to 20", at_most="99")
    await is_told("hour_to", "must end after it starts", at_most="4", hour_from="17", hour_to="9")
    await is_told("deadline", "a day in the future", hour_from="9", hour_to="17", deadline="2026-01-30")
    await admin.submits({"deadline": "2026-03-31"})
    preview = await admin.opens("Set up (6 of 6)")
    assert "Please be done by Tuesday 31 March 2026." in preview.words
    await admin.submits()
    await admin.reads("The rollout of Acme is set up.")


async def test_what_was_typed_stands_beside_its_error(chat: Chat):
    admin = chat.admin
    await admin.types("/sso setup")
    await admin.opens("Set up (1 of 6)")
    await admin.submits({"name": "Acme", "enterprise_key": "acme corp!"})
    form = await admin.until(lambda: admin.form if admin.form.errors else None)
    assert form.values["name"] == "Acme"
    assert form.values["enterprise_key"] == "acme corp!"


async def test_going_back_keeps_what_was_filled_in(chat: Chat):
    admin = chat.admin
    await admin.types("/sso setup")
    await fills_in(admin, {**ACME, "login_url": LOGIN_URL}, until_step=5)
    await admin.presses("Back")
    people = await admin.opens("Set up (4 of 6)")
    assert people.values["former_sign_in"] == ("github",)
    assert people.values["organizations"].splitlines() == ["acme-web", "acme-core"]
    assert people.values["uses_tokens"] == "yes"
    await admin.presses("Back")
    assert (await admin.opens("Set up (3 of 6)")).values["groups_exist"] == ("yes",)
    await admin.presses("Back")
    assert (await admin.opens("Set up (2 of 6)")).values["login_url"] == LOGIN_URL
    await admin.presses("Back")
    enterprise = await admin.opens("Set up (1 of 6)")
    assert (enterprise.values["name"], enterprise.values["enterprise_key"]) == ("Acme", "acme")


async def test_without_a_pasted_login_url_the_one_click_link_is_offered_and_used(chat: Chat):
    admin = chat.admin
    await admin.types("/sso setup")
    await fills_in(admin, {**ACME, "enterprise_key": "acme-us", "region": "us"}, until_step=2)
    link = "https://sonarqube.us/login/sso?enterprise_key=acme-us"
    assert f"I use your one-click access link: {link}" in (await admin.opens("Set up (2 of 6)")).words
    await fills_in(admin, ACME)
    assert f"The button opens {link}" in (await admin.opens("Set up (6 of 6)")).words


async def test_each_step_warns_of_what_goes_wrong_there(chat: Chat):
    admin = chat.admin
    await admin.types("/sso setup")
    await fills_in(admin, ACME, until_step=2)
    assert "make it a bookmark to" in (await admin.opens("Set up (2 of 6)")).words
    assert "Okta's Express Configuration" in (await admin.opens("Set up (2 of 6)")).words
    await fills_in(admin, ACME, until_step=4)
    people = await admin.opens("Set up (4 of 6)")
    assert "Keep one enterprise admin and one admin for each organization who do not sign in with SSO" in people.words
    assert "From the Team plan on, Scoped Organization Tokens" in people.words


async def test_the_admin_gets_the_message_first_and_saves_afterwards(chat: Chat):
    admin = chat.admin
    await admin.types("/sso setup")
    await fills_in(admin, ACME)
    await admin.presses("Send it to me first")
    await admin.reads("I have sent it to you as a direct message")
    preview = await admin.until(lambda: admin.invitations[-1] if admin.invitations else None)
    assert "Acme is moving SonarQube Cloud to single sign-on" in preview.words
    await admin.presses("I can see my organizations", on=preview)
    await admin.reads("This is a preview: the button does nothing here.")
    await admin.submits()
    await admin.reads("The rollout of Acme is set up.")
    await chat.office.settles()
    assert len(admin.invitations) == 1


async def test_the_preview_asks_only_for_what_this_rollout_needs(chat: Chat):
    admin = chat.admin
    await admin.types("/sso setup")
    await fills_in(admin, {**ACME, "former_sign_in": [], "uses_tokens": "no", "domain_verified": "yes"})
    preview = await admin.opens("Set up (6 of 6)")
    assert "I can see my organizations" in preview.words
    assert "My tasks work as before" not in preview.words
    assert "I generated my token" not in preview.words
    assert "one-time code" not in preview.words
    for step in (5, 4, 3):
        await admin.presses("Back")
        await admin.opens(f"Set up ({step} of 6)")
    await fills_in(admin, {**ACME, "domain_verified": "no"})
    preview = await admin.opens("Set up (6 of 6)")
    assert "My tasks work as before" in preview.words
    assert "I generated my token" in preview.words
    assert "e-mails you a one-time code" in preview.words


async def test_a_rollout_can_be_changed_later(chat: Chat):
    admin = chat.admin
    await invited(chat)
    await admin.types("/sso setup")
    first = await admin.opens("Set up (1 of 6)")
    assert first.values["name"] == "Acme"
    assert "You are changing the rollout of Acme" in first.words
    new_url = "https://sonarcloud.io/sso/acme/new"
    await fills_in(admin, {"name": "Acme Corporation", "login_url": new_url})
    await admin.submits()
    await admin.reads("Acme Corporation")
    await admin.types("/sso status")
    await admin.reads("Acme Corporation's move to SSO")
    assert len(await chat.office.rows("rollout")) == 1
    [entry] = await chat.office.audited("rollout.changed")
    assert entry.details["login_url_changed"]
    await chat.office.waits(days=3)
    assert f"The button opens {new_url}" in chat.invitee.invitations[-1].words
    await confirms_everything(chat.invitee)


@pytest.mark.parametrize("meanwhile", ["a day passes", "the bot is restarted"])
async def test_a_half_filled_dialog_is_continued_after(chat: Chat, meanwhile: str):
    admin = chat.admin
    await admin.types("/sso setup")
    await fills_in(admin, {**ACME, "login_url": LOGIN_URL}, until_step=4)
    if meanwhile == "a day passes":
        await chat.office.waits(days=1)
    else:
        await chat.office.restarts_the_bot()
    await fills_in(admin, {**ACME, "login_url": LOGIN_URL})
    assert f"The button opens {LOGIN_URL}" in (await admin.opens("Set up (6 of 6)")).words
    await admin.submits()
    await admin.reads("The rollout of Acme is set up.")


async def test_two_admins_who_set_up_at_once_make_one_rollout(chat: Chat):
    admin, another = chat.admin, chat.another_admin
    await admin.types("/sso setup")
    await another.types("/sso setup")
    await fills_in(admin, ACME)
    await fills_in(another, {**ACME, "name": "Another"})
    await admin.submits()
    await admin.reads("The rollout of Acme is set up.")
    await another.submits()
    await another.reads("Somebody else has set this rollout up, or finished it, in the meantime")
    assert [each.name for each in await chat.office.rows("rollout")] == ["Acme"]


async def test_before_there_is_a_rollout_the_other_commands_say_how_to_begin(chat: Chat):
    for command in ("invite name@example.com", "status", "remind", "pause", "resume", "exempt name@example.com left"):
        await chat.admin.types(f"/sso {command}")
        await chat.admin.reads("There is no rollout yet. Start one with /sso setup.")


async def test_whoever_sets_up_on_one_platform_sees_the_rollout_on_the_other(chat: Chat):
    await sets_up(chat.admin)
    elsewhere = chat.other_platform()
    await elsewhere.admin.types("/sso status")
    await elsewhere.admin.reads("Acme's move to SSO")
