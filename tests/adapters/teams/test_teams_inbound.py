"""What people do in Teams reaches the bot as events, and what the bot replies reaches them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.teams.words import Place, words_of
from bot.events import (
    ButtonPressed,
    CommandIssued,
    Event,
    FormSubmitted,
    MessageReceived,
    MessageRef,
    Target,
    TargetKind,
)
from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    Form,
    Message,
    Notice,
    PersonField,
    TextField,
    Token,
    Tone,
    text,
)
from bot.model import Person
from bot.ports import StoreUnavailable
from bot.transition import CloseForm, Replace, ShowForm, ShowHome, Whisper
from tests.adapters.teams.teams_tenant import Bot, running_bot, say


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with running_bot(tmp_path) as running:
        yield running


TOKEN = Token("confirm", "access", "inv1", 2)
WITH_BUTTON = say(
    "Do you have access?", buttons=(Button(text("Yes"), TOKEN), Button(text("Later"), Token("c", "later")))
)
FORM = Form(
    Token("setup", "name", "d1", 1),
    text("Set up"),
    text("Next"),
    fields=(
        TextField("name", text("Name")),
        TextField("note", text("Note"), required=False),
        ChoiceField("orgs", text("Orgs"), (Choice("a,b", text("A")), Choice("c", text("C"))), multiple=True),
    ),
    buttons=(Button(text("Back"), Token("setup", "back", "d1", 1)),),
    cancel=Token("confirm", "show", "inv1"),
)


async def shown(bot: Bot, key: str, message: Message):
    """The message in the person's chat, sent by the bot."""
    assert await bot.adapter.platform.send(bot.workspace, bot.person(key), message, "d")
    return bot.teams.person(key).chat[-1]


async def last(bot: Bot, key: str):
    await bot.adapter.settled()
    return bot.teams.person(key).chat[-1]


# ---- what comes in


async def test_words_in_the_personal_chat_are_the_engines_to_understand(bot: Bot):
    await bot.teams.person("mei").types("  what do I <do> & how? ")
    (event,) = bot.events
    assert isinstance(event, MessageReceived)
    assert event.text == "what do I <do> & how?"
    assert event.in_private


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("sso setup", ("setup",)),
        ("/sso status", ("status",)),
        ("/status", ("status",)),
        ("SSO  Setup", ("Setup",)),
        ("sso", ()),
        ("/ help", ("help",)),
    ],
)
async def test_commands_in_the_personal_chat(bot: Bot, typed: str, words: tuple[str, ...]):
    await bot.teams.person("adele").types(typed)
    (event,) = bot.events
    assert isinstance(event, CommandIssued)
    assert event.words == words
    assert event.here is None


async def test_a_command_in_a_channel_names_people_tags_teams_and_addresses(bot: Bot):
    tenant = bot.teams.tenant
    team, builds = tenant.teams[0], tenant.teams[0].channels[1]
    await bot.teams.person("adele").types_in(
        "Builds", "@SSO Usher sso invite @Mei Tanaka, @build masters @Engineering @Builds, Some.One@Example.COM; team"
    )
    (event,) = bot.events
    assert isinstance(event, CommandIssued)
    assert event.words == (
        "invite",
        Target(TargetKind.PERSON, tenant.accounts["mei"].id, "Mei Tanaka"),
        Target(TargetKind.TAG, f"{team.id}/{team.tags[0].id}", "build masters"),
        Target(TargetKind.TEAM, team.id, "Engineering"),
        Target(TargetKind.CHANNEL, builds.id, "Builds"),
        Target(TargetKind.EMAIL, "some.one@example.com", "Some.One@Example.COM"),
        "team",
    )
    assert event.here == Target(TargetKind.TEAM, team.id, "Engineering")
    assert not event.in_private
    assert event.actor.channel_id == ""


async def test_in_a_channel_here_is_the_channel_when_it_is_called_that(bot: Bot):
    builds = bot.teams.tenant.teams[0].channels[1]
    await bot.teams.person("adele").types_in("Builds", "@SSO Usher invite channel")
    (event,) = bot.events
    assert isinstance(event, CommandIssued)
    assert event.here == Target(TargetKind.CHANNEL, builds.id, "Builds")


async def test_a_mention_alone_is_a_command_without_words(bot: Bot):
    await bot.teams.person("adele").types_in("General", "@SSO Usher")
    (event,) = bot.events
    assert isinstance(event, CommandIssued)
    assert event.words == ()


@pytest.mark.parametrize(
    "mention",
    [{}, {"text": "<at>x</at>"}, {"text": "<at>x</at>", "mentioned": None}, {"text": 3, "mentioned": {"id": "29:x"}}],
)
def test_a_broken_mention_harms_nothing(mention: dict[str, Any]):
    place = Place("19:team", "Team", "19:channel", "Channel")
    assert words_of("invite <at>x</at> now", [mention], "28:bot", place)[-1] == "now"


async def test_who_acts_is_known_with_address_zone_and_language(bot: Bot):
    await bot.teams.person("pradeep").types("hello")
    account = bot.teams.tenant.accounts["pradeep"]
    actor = bot.events[0].actor
    assert actor.id == Person.key(bot.workspace_id, account.id)
    assert (actor.name, actor.email) == (account.name, account.email)
    assert (actor.time_zone, actor.locale) == ("Asia/Kolkata", "en-IN")
    assert actor.channel_id == bot.teams.tenant.personal_chat(account).id
    await bot.teams.person("pradeep").types("again")
    assert bot.calls("member") == 1


async def test_a_guest_is_known_as_one(bot: Bot):
    await bot.teams.person("grady").types("hello")
    assert bot.events[0].actor.is_guest


async def test_a_roster_that_does_not_answer_holds_nobody_up_for_long(bot: Bot):
    bot.teams.faults.never_answer("member")
    await bot.teams.person("mei").types("hello")
    assert bot.events[0].actor.email == ""
    assert bot.teams.deliveries[-1].ok
    bot.teams.faults.closing.set()


async def test_the_same_activity_again_is_the_same_event(bot: Bot):
    delivery = await bot.teams.person("mei").types("hello")
    await bot.teams.redeliver(delivery)
    assert len({event.id for event in bot.events}) == 1
    await bot.adapter.settled()
    assert len(bot.teams.person("mei").chat) == 2  # what Mei wrote, and one answer


async def test_messages_of_one_moment_in_two_chats_are_two_events(bot: Bot):
    first = await bot.teams.person("mei").types("hello")
    second = await bot.teams.person("diego").types("hello")
    await bot.teams.link.deliver({**second.activity, "id": first.activity["id"]})
    assert len({event.id for event in bot.events}) == 3


async def test_a_button_brings_its_token_and_its_message(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    await bot.teams.person("mei").presses(message, "Yes")
    (event,) = bot.events
    assert isinstance(event, ButtonPressed)
    assert event.token == TOKEN
    assert event.message == MessageRef(message.conversation_id, message.id)
    assert event.in_private


async def test_a_form_brings_what_was_filled_in_and_an_empty_string_for_the_rest(bot: Bot):
    bot.replies(ShowForm(FORM))
    mei = bot.teams.person("mei")
    await mei.types("sso setup")
    form = await last(bot, "mei")
    await mei.presses(form, "Next", {"name": "ACME", "orgs": ["a%2Cb", "c"]})
    event = bot.events[-1]
    assert isinstance(event, FormSubmitted)
    assert event.token == FORM.token
    assert event.values == {"name": "ACME", "note": "", "orgs": ("a,b", "c")}
    assert event.message == MessageRef(form.conversation_id, form.id)


async def test_going_back_and_cancelling_are_presses_that_nothing_holds_up(bot: Bot):
    bot.replies(ShowForm(FORM))
    mei = bot.teams.person("mei")
    await mei.types("sso setup")
    form = await last(bot, "mei")
    for title, token in (("Back", FORM.buttons[0].token), ("Cancel", FORM.cancel)):
        await mei.presses(form, title)
        event = bot.events[-1]
        assert isinstance(event, ButtonPressed)
        assert event.token == token


async def test_a_chosen_person_comes_back_with_their_teams_id(bot: Bot):
    bot.replies(ShowForm(Form(TOKEN, text("Who"), text("Send"), fields=(PersonField("who", text("Who")),))))
    adele, diego = bot.teams.person("adele"), bot.teams.tenant.accounts["diego"]
    await adele.types("sso setup")
    await adele.presses(await last(bot, "adele"), "Send", {"who": diego})
    event = bot.events[-1]
    assert isinstance(event, FormSubmitted)
    assert event.values == {"who": diego.id}


async def test_a_client_without_execute_presses_by_submit_and_sees_the_change(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    bot.replies(Replace(say("Noted")))
    fallback = message.button("Yes").action["fallback"]
    await bot.teams.person("mei").acts(message.conversation_id, message.id, fallback, {})
    event = bot.events[-1]
    assert isinstance(event, ButtonPressed)
    assert (event.token, event.message) == (TOKEN, MessageRef(message.conversation_id, message.id))
    assert (await last(bot, "mei")).words == "Noted"


async def test_a_whisper_to_a_submit_comes_as_a_message(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    fallback = message.button("Yes").action["fallback"]
    await bot.teams.person("mei").acts(message.conversation_id, message.id, fallback, {})
    assert (await last(bot, "mei")).words == "heard"


async def test_a_dialog_that_is_sent_in_closes(bot: Bot):
    activity = {"usher": TOKEN.pack(), "usher.verb": "usher/submit", "usher.fields": ["a"], "a": "b"}
    mei = bot.teams.person("mei")
    message = await shown(bot, "mei", WITH_BUTTON)
    conversation, _ = bot.teams.tenant.conversation(message.conversation_id)
    assert conversation is not None
    stored = conversation.message(message.id)
    assert stored is not None
    written = bot.teams._writer.task("task/submit", mei.account, conversation, stored, activity)
    delivery = await bot.teams.link.deliver(written)
    assert (delivery.status, delivery.body) == (200, {})
    event = bot.events[-1]
    assert isinstance(event, FormSubmitted)
    assert event.values == {"a": "b"}


@pytest.mark.parametrize(
    "value", [None, {}, {"action": 3}, {"action": {"data": "x"}}, {"action": {"data": {"usher": 1}}}]
)
async def test_an_unknown_button_is_answered_kindly_and_is_no_event(bot: Bot, value: object):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    await mei.presses(message, "Yes")
    activity = {**bot.teams.deliveries[-1].activity, "id": "f:other", "value": value}
    bot.events.clear()
    delivery = await bot.teams.link.deliver(activity)
    assert delivery.status == 200
    assert delivery.body["statusCode"] == 200
    assert delivery.body["value"]
    assert bot.events == []


async def test_what_the_bot_does_not_know_is_left_alone(bot: Bot):
    delivery = await bot.teams.person("mei").types("hello")
    await bot.adapter.settled()
    heard = len(bot.events)
    invoke = {**delivery.activity, "type": "invoke", "name": "composeExtension/query", "id": "f:1", "value": {}}
    assert (await bot.teams.link.deliver(invoke)).status == 501
    for kind in ("messageReaction", "messageUpdate", "typing", "event"):
        assert (await bot.teams.link.deliver({**delivery.activity, "type": kind, "id": f"f:{kind}"})).status == 200
    assert len(bot.events) == heard


async def test_a_wrong_token_reaches_nothing(bot: Bot):
    delivery = await bot.teams.person("mei").types("hello")
    bot.events.clear()
    refused = await bot.teams.link.deliver_with(delivery.activity, {"Authorization": "Bearer x"})
    assert refused.status == 401
    assert bot.events == []


# ---- what goes out


async def test_a_command_is_answered_in_the_personal_chat(bot: Bot):
    await bot.teams.person("adele").types("sso status")
    assert (await last(bot, "adele")).words == "heard"


async def test_a_command_in_a_channel_is_answered_in_the_personal_chat(bot: Bot):
    await bot.teams.person("adele").types_in("Builds", "@SSO Usher sso status")
    assert (await last(bot, "adele")).words == "heard"
    assert [each.from_bot for each in bot.teams.person("adele").sees("Builds")] == [False]


async def test_whoever_has_no_personal_chat_is_told_in_the_channel_how_to_get_one(bot: Bot):
    bot.replies(Whisper(say("a secret")))
    await bot.teams.person("isaiah").types_in("Builds", "@SSO Usher sso help")
    await bot.adapter.settled()
    note = bot.teams.person("isaiah").sees("Builds")[-1]
    assert note.from_bot
    assert "add me under Apps" in note.words
    assert "secret" not in note.words
    assert note.thread == bot.teams.person("isaiah").sees("Builds")[0].thread


async def test_a_short_whisper_to_a_press_is_a_toast_and_a_long_one_a_message(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    bot.replies(Whisper(Message(summary=text("x"), body=(Notice(text("Not **yours**"), Tone.WARNING),))))
    await mei.presses(message, "Yes")
    assert mei.toasts == ["Not yours"]
    bot.replies(Whisper(say("long " * 100)))
    await mei.presses(message, "Yes")
    assert "long long" in (await last(bot, "mei")).words
    assert mei.chat[0].words == message.words


async def test_replacing_changes_the_card_at_once_and_for_good(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    bot.replies(Replace(say("Noted")))
    await mei.presses(message, "Yes")
    assert mei.chat[-1].words == "Noted"
    await bot.adapter.settled()
    conversation, _ = bot.teams.tenant.conversation(message.conversation_id)
    assert conversation is not None
    stored = conversation.message(message.id)
    assert stored is not None
    assert stored.edited
    assert mei.chat[-1].words == "Noted"
    assert len(mei.chat) == 1


async def test_a_card_that_is_looked_at_again_asks_for_its_present_state_without_being_changed(bot: Bot):
    token = Token("confirm", "show", "i1", 3)
    await shown(bot, "mei", replace(WITH_BUTTON, refresh=token))
    mei = bot.teams.person("mei")
    bot.replies(Replace(say("All done")))
    await mei.opens()
    assert mei.chat[-1].words == "All done"
    event = bot.events[-1]
    assert isinstance(event, ButtonPressed)
    assert event.token == token
    await bot.adapter.settled()
    assert bot.calls("update") == 0


async def test_replacing_with_a_toast_shows_both(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    bot.replies(Replace(say("Noted"), say("Thank you")))
    await mei.presses(message, "Yes")
    assert (await last(bot, "mei")).words == "Noted"
    assert mei.toasts == ["Thank you"]


async def test_a_form_takes_the_messages_place_and_gives_it_back(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    bot.replies(ShowForm(FORM))
    await mei.presses(message, "Later")
    assert mei.chat[-1].inputs == ["name", "note", "orgs"]
    form = await last(bot, "mei")
    assert form.id == message.id
    assert form.inputs == ["name", "note", "orgs"]
    bot.replies(Replace(WITH_BUTTON))
    await mei.presses(form, "Cancel")
    assert (await last(bot, "mei")).words == message.words


async def test_a_form_comes_back_with_errors_at_its_fields(bot: Bot):
    bot.replies(ShowForm(FORM))
    mei = bot.teams.person("mei")
    await mei.types("sso setup")
    form = await last(bot, "mei")
    fields = (TextField("name", text("Name"), value="typed"), *FORM.fields[1:])
    bot.replies(
        ShowForm(Form(FORM.token, FORM.title, FORM.submit, fields=fields, errors={"name": text("too short")}))
    )
    await mei.presses(form, "Next", {"name": "typed", "orgs": ["c"]})
    again = await last(bot, "mei")
    assert again.id == form.id
    assert "too short" in again.words
    assert again.card is not None
    assert again.card["body"][1]["value"] == "typed"


async def test_a_form_that_is_done_leaves_its_last_word(bot: Bot):
    bot.replies(ShowForm(FORM))
    mei = bot.teams.person("mei")
    await mei.types("sso setup")
    form = await last(bot, "mei")
    bot.replies(CloseForm(say("Saved")))
    await mei.presses(form, "Next", {"name": "x", "orgs": ["c"]})
    done = await last(bot, "mei")
    assert (done.id, done.words, done.buttons) == (form.id, "Saved", [])
    bot.replies(CloseForm())
    await mei.presses(form, "Next", {"name": "x", "orgs": ["c"]})
    assert "Done." in (await last(bot, "mei")).words


async def test_the_home_is_a_message(bot: Bot):
    bot.replies(ShowHome(WITH_BUTTON))
    await bot.teams.person("mei").types("hello")
    assert (await last(bot, "mei")).buttons == ["Yes", "Later"]


async def test_quick_presses_leave_the_newest_card(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    count = iter(range(100))
    bot.answers = lambda _: Replace(say(f"step {next(count)}"))
    bot.teams.faults.accept_late("update", 0.2)
    for _ in range(4):
        await mei.presses(message, "Yes")
    assert (await last(bot, "mei")).words == "step 3"


async def test_an_event_that_was_handled_before_is_answered_without_a_change(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    await mei.presses(message, "Yes")
    again = await bot.teams.redeliver(bot.teams.deliveries[-1])
    assert again.status == 200
    # Teams takes an empty text for a failure.
    assert again.body["value"] == "Done."
    assert bot.calls("update") == 0


async def test_a_press_is_answered_while_teams_does_not_take_the_change(bot: Bot):
    message = await shown(bot, "mei", WITH_BUTTON)
    mei = bot.teams.person("mei")
    bot.replies(Replace(say("Noted")))
    bot.teams.faults.answer("update", 500)
    await mei.presses(message, "Yes")
    assert mei.chat[-1].words == "Noted"
    await bot.adapter.settled()
    assert mei.errors == []


async def test_whoever_writes_while_the_database_is_away_is_told_so(bot: Bot):
    def down(_: Event) -> None:
        raise StoreUnavailable

    bot.answers = down
    delivery = await bot.teams.person("mei").types("hello")
    assert delivery.status == 200, "Teams would not deliver it again"
    assert "I cannot reach my database right now" in (await last(bot, "mei")).words


async def test_nobody_becomes_a_link_a_mention_or_html_through_the_bot(bot: Bot):
    attack = "<at>Adele Vance</at> [x](https://evil.example) **b**"
    bot.replies(Whisper(say(attack)))
    await bot.teams.person("mei").types(attack)
    card = (await last(bot, "mei")).card
    assert card is not None
    assert "\\<at>" in card["body"][0]["text"]
    assert "\\[x\\]" in card["body"][0]["text"]
    assert "entities" not in str(card)


async def test_what_takes_too_long_is_broken_off_when_the_bot_stops(bot: Bot):
    bot.teams.faults.never_answer("send")
    await bot.teams.person("mei").types("hello")
    await bot.adapter._background.stop(0.05)
    await bot.adapter.settled()
    assert len(bot.teams.person("mei").chat) == 1
