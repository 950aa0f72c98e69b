"""What the person sees when the engine has decided."""

from __future__ import annotations

from dataclasses import replace

from adapters.playground.slack.faults import accepted_late, never_answers
from bot.messages import Token, text
from bot.transition import CloseForm, Replace, ShowForm, ShowHome, Whisper
from tests.adapters.slack.slack_things import AFTER, BACK, CARD, FORM, OPENED, PRESS, SAID, STEP

EVERYTHING = {
    "name": "Acme",
    "key": "acme",
    "url": "",
    "mail": "",
    "days": "3",
    "region": "eu",
    "former": (),
    "who": "",
    "day": "",
}


async def open_form(slack, engine, person, form=FORM, *, channel=""):
    engine.answer = ShowForm(form)
    await person.types("/sso setup", channel=channel)
    return await slack.until(lambda: person.modal)


async def invite(adapter, workspace, slack, person_of, handle="alice"):
    """Send CARD to somebody; returns the message as they see it."""
    sent = await adapter.platform.send(workspace, person_of(handle), CARD, "delivery-1")
    return next(each for each in slack.person(handle).direct_messages if each.ts == sent.message_id)


# --- to a command


async def test_a_command_is_answered_in_private_where_the_bot_is_no_member(adapter, slack, engine):
    engine.answer = Whisper(CARD)
    alice = slack.person("alice")
    await alice.types("/sso help", channel="#random")
    assert alice.whispers[-1].channel == slack.channel("#random").id
    assert "A paragraph" in alice.whispers[-1].visible


async def test_a_command_with_nothing_to_say_is_acknowledged(adapter, slack, engine):
    engine.answer = CloseForm()
    await slack.person("alice").types("/sso help")
    assert slack.person("alice").whispers == []
    assert slack.complaints == []


async def test_a_command_opens_a_form_and_all_its_values_come_back(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    engine.answer = CloseForm(SAID)
    filled = {
        "Name": "Acme",
        "Key": "ac_me",
        "Address": "https://sonarcloud.io/x",
        "E-mail": "a@example.com",
        "Days": "5",
        "Region": "us",
        "Before": ["gitlab", "github"],
        "Who": slack.person("bob"),
        "Day": "2026-12-01",
    }
    await alice.submits(filled)
    assert engine.last.token == STEP
    values = dict(engine.last.values)
    assert set(values.pop("former")) == {"github", "gitlab"}
    assert values == {
        "name": "Acme",
        "key": "ac_me",
        "url": "https://sonarcloud.io/x",
        "mail": "a@example.com",
        "days": "5",
        "region": "us",
        "who": slack.person("bob").id,
        "day": "2026-12-01",
    }


async def test_what_nobody_filled_in_comes_back_empty(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    await alice.submits({"Name": "Acme"})
    assert engine.last.values == EVERYTHING


async def test_a_slow_opening_does_not_hold_up_the_acknowledgement(adapter, slack, engine):
    slack.faults.next("views.open", never_answers())
    engine.answer = ShowForm(FORM)
    alice = slack.person("alice")
    await alice.types("/sso setup")
    assert alice.troubles == []
    assert slack.complaints == []


async def test_a_form_that_comes_too_late_is_explained(adapter, slack, engine):
    def late(_event):
        slack.triggers.lives_for = 0.0
        return ShowForm(FORM)

    engine.answer = late
    alice = slack.person("alice")
    await alice.types("/sso setup", channel="#random")
    await slack.until(lambda: alice.whispers)
    assert "took too long" in alice.whispers[-1].visible


# --- to a submitted form


async def test_errors_stand_under_their_fields(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    engine.answer = ShowForm(replace(FORM, errors={"name": text("Too short")}))
    outcome = await alice.submits({"Name": "A"})
    assert outcome.errors == {"name": "Too short"}
    engine.answer = CloseForm()
    await alice.submits({})  # the same values again are a new submission
    assert len({event.id for event in engine.heard}) == len(engine.heard) == 3
    assert alice.modal is None


async def test_an_error_of_no_field_stands_in_the_form(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    engine.answer = ShowForm(replace(FORM, errors={"": text("Nothing of this will do"), "name": text("Too short")}))
    await alice.submits({"Name": "A"})
    assert "Nothing of this will do" in alice.modal.visible
    assert "Too short" in alice.modal.visible


async def test_the_next_step_shows_its_own_values_in_fields_of_the_same_name(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    following = replace(FORM, token=Token("setup", "next", "d1", 2), title=text("Step two"))
    engine.answer = ShowForm(following)
    await alice.submits({"Name": "Acme", "Key": "typed in step one"})
    assert alice.modal.content["title"]["text"] == "Step two"
    engine.answer = CloseForm()
    await alice.submits({"Name": "Other"})
    assert engine.last.token == following.token
    assert engine.last.values["key"] == "acme"


async def test_closing_a_form_says_the_last_word_where_it_was_opened(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice, channel="#random")
    engine.answer = CloseForm(SAID)
    await alice.submits({"Name": "Acme"})
    await slack.until(lambda: alice.whispers)
    assert alice.modal is None
    assert alice.whispers[-1].channel == slack.channel("#random").id


async def test_what_was_typed_stays_below_a_whisper(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    engine.answer = Whisper(SAID)
    await alice.submits({"Name": "Acme"})
    assert "Said" in alice.modal.visible
    await alice.closes()
    engine.answer = CloseForm()
    await alice.submits({})
    assert engine.last.values["name"] == "Acme"


async def test_a_submitted_form_replaces_the_message_that_opened_it(adapter, workspace, slack, engine, person_of):
    message = await invite(adapter, workspace, slack, person_of)
    alice = slack.person("alice")
    engine.answer = ShowForm(FORM)
    await alice.presses(message, "Press me")
    await slack.until(lambda: alice.modal)
    engine.answer = Replace(AFTER, toast=SAID)
    await alice.submits({"Name": "Acme"})
    await slack.until(lambda: alice.whispers)
    assert alice.modal is None
    assert "What comes after" in alice.direct_messages[-1].visible
    assert len(alice.direct_messages) == 1
    assert "Said" in alice.whispers[-1].visible


async def test_a_submitted_form_that_a_command_opened_is_answered_in_private(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    engine.answer = Replace(AFTER)
    await alice.submits({"Name": "Acme"})
    await slack.until(lambda: alice.whispers)
    assert "What comes after" in alice.whispers[-1].visible


# --- to a button of a message


async def test_pressing_a_button_replaces_its_message_and_keeps_it_findable(
    adapter, workspace, slack, engine, person_of
):
    message = await invite(adapter, workspace, slack, person_of)
    engine.answer = Replace(AFTER, toast=SAID)
    alice = slack.person("alice")
    await alice.presses(message, "Press me")
    assert engine.last.token == PRESS
    assert (engine.last.message.channel_id, engine.last.message.message_id) == (message.channel, message.ts)
    await slack.until(lambda: alice.whispers)
    assert "What comes after" in alice.direct_messages[0].visible
    found = await adapter.platform.find(workspace, person_of("alice"), "delivery-1", workspace.installed_at)
    assert found.message_id == message.ts


async def test_an_older_answer_never_covers_a_newer_one(adapter, workspace, slack, engine, person_of):
    message = await invite(adapter, workspace, slack, person_of)
    alice = slack.person("alice")
    slack.faults.next("chat.update", accepted_late(0.3))
    for number in range(4):
        engine.answer = Replace(replace(CARD, summary=text(f"Number {number}")))
        await alice.presses(message, "Press me")
    await slack.until(lambda: alice.direct_messages[0].text == "Number 3")
    assert len(slack.calls("chat.update")) == 4


async def test_an_ephemeral_message_is_replaced_too(adapter, slack, engine):
    engine.answer = Whisper(CARD)
    alice = slack.person("alice")
    await alice.types("/sso remind", channel="#random")
    engine.answer = Replace(AFTER)
    await alice.presses(alice.whispers[-1], "Press me")
    assert engine.last.message is None
    assert engine.last.in_private
    await slack.until(lambda: "What comes after" in alice.whispers[-1].visible)
    assert len(alice.whispers) == 1


async def test_a_link_button_with_a_token_is_heard_of_and_one_without_is_not(
    adapter, workspace, slack, engine, person_of
):
    message = await invite(adapter, workspace, slack, person_of)
    alice = slack.person("alice")
    await alice.presses(message, "Open it")
    assert engine.last.token == OPENED
    await alice.presses(message, "Read it")
    assert len(engine.heard) == 1
    assert alice.troubles == []


# --- to a button of a modal


async def test_a_modals_button_carries_what_is_typed_and_takes_it_to_another_step(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    alice.fills({"Name": "Half", "Region": "us"})
    engine.answer = ShowForm(replace(FORM, token=Token("setup", "first", "d1", 2), title=text("The first")))
    await alice.presses(alice.modal, "Back")
    assert engine.last.token == BACK
    assert engine.last.values == {**EVERYTHING, "name": "Half", "region": "us"}
    await slack.until(lambda: alice.modal.content["title"]["text"] == "The first")


async def test_a_modal_that_is_done_says_so(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    engine.answer = CloseForm()
    await alice.presses(alice.modal, "Back")
    await slack.until(lambda: "Done" in alice.modal.visible)


async def test_a_whisper_to_a_modals_button_lies_on_top(adapter, slack, engine):
    alice = slack.person("alice")
    await open_form(slack, engine, alice)
    engine.answer = Whisper(SAID)
    await alice.presses(alice.modal, "Back")
    await slack.until(lambda: "Said" in alice.modal.visible)
    await alice.closes()
    assert "An introduction" in alice.modal.visible


async def test_a_modals_button_can_replace_the_message_that_opened_it(adapter, workspace, slack, engine, person_of):
    message = await invite(adapter, workspace, slack, person_of)
    alice = slack.person("alice")
    engine.answer = ShowForm(FORM)
    await alice.presses(message, "Press me")
    await slack.until(lambda: alice.modal)
    engine.answer = Replace(AFTER, toast=SAID)
    await alice.presses(alice.modal, "Back")
    await slack.until(lambda: "What comes after" in alice.direct_messages[0].visible)
    assert "Said" in alice.modal.visible


# --- on the Home tab and in the direct message


async def test_the_home_tab_is_published_and_its_buttons_work(adapter, slack, engine):
    engine.answer = ShowHome(CARD)
    alice = slack.person("alice")
    await alice.opens_home()
    await slack.until(lambda: alice.home)
    engine.answer = Whisper(SAID)
    await alice.presses(alice.home, "Press me")
    await slack.until(lambda: alice.modal)
    assert "Said" in alice.modal.visible
    await alice.closes()
    engine.answer = Replace(AFTER)
    await alice.presses(alice.home, "Press me")
    await slack.until(lambda: "What comes after" in alice.home.visible)
    engine.answer = ShowForm(FORM)
    await alice.opens_home()


async def test_what_a_modal_without_an_opener_says_last_is_said_once(adapter, slack, engine):
    engine.answer = ShowHome(CARD)
    alice = slack.person("alice")
    await alice.opens_home()
    await slack.until(lambda: alice.home)
    engine.answer = Whisper(CARD)
    await alice.presses(alice.home, "Press me")
    await slack.until(lambda: alice.modal)
    engine.answer = Replace(AFTER)
    await alice.presses(alice.modal, "Press me")
    await slack.until(lambda: "What comes after" in alice.modal.visible)
    assert alice.direct_messages == []


async def test_a_form_opens_from_the_home_tab(adapter, slack, engine):
    engine.answer = ShowHome(CARD)
    alice = slack.person("alice")
    await alice.opens_home()
    await slack.until(lambda: alice.home)
    engine.answer = ShowForm(FORM)
    await alice.presses(alice.home, "Press me")
    await slack.until(lambda: alice.modal)
    engine.answer = CloseForm(SAID)
    await alice.submits({"Name": "Acme"})
    await slack.until(lambda: alice.direct_messages)
    assert "Said" in alice.direct_messages[-1].visible


async def test_words_to_the_bot_are_answered_beside_them(adapter, slack, engine):
    engine.answer = Whisper(SAID)
    alice = slack.person("alice")
    await alice.types("hello <you> & @bob, see https://example.com")
    assert engine.last.text == f"hello <you> & @{slack.person('bob').id}, see https://example.com"
    await slack.until(lambda: alice.direct_messages)
    assert "Said" in alice.direct_messages[-1].visible
    engine.answer = ShowForm(FORM)
    await alice.types("setup")
    await slack.until(lambda: len(alice.direct_messages) == 2)
    assert "/sso" in alice.direct_messages[-1].visible
