"""What the person sees when the engine has decided."""

from __future__ import annotations

from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    DateField,
    Form,
    LinkButton,
    Message,
    PersonField,
    Section,
    TextField,
    Token,
    text,
)
from bot.transition import CloseForm, ShowForm, Whisper

TOKEN = Token("setup", "step", "d1", 1)
FORM = Form(
    token=TOKEN,
    title=text("t.title"),
    submit=text("t.next"),
    body=(Section(text("t.intro")),),
    fields=(
        TextField("name", text("Name")),
        ChoiceField("region", text("Region"), (Choice("eu", text("EU")), Choice("us", text("US"))), ("eu",)),
        ChoiceField(
            "former", text("Former"), (Choice("a", text("A")), Choice("b", text("B"))), multiple=True, required=False
        ),
        PersonField("who", text("Who"), required=False),
        DateField("day", text("Day"), required=False),
    ),
    buttons=(Button(text("Back"), Token("setup", "back", "d1", 1)),),
)
PRESS = Token("confirm", "access", "i1", 3)
CARD = Message(
    summary=text("card.sum"),
    title=text("Card"),
    body=(Section(text("card.body")),),
    buttons=(
        Button(text("Press me"), PRESS),
        LinkButton(text("Open it"), "https://sonarcloud.io/x", Token("confirm", "opened", "i1", 3)),
    ),
)
SAID = Message(summary=text("said.it"))


async def test_a_command_is_answered_by_a_whisper_in_the_acknowledgement(adapter, slack, engine):
    engine.answer = Whisper(SAID)
    alice = slack.person("alice")
    await alice.types("/sso help", channel="#random")  # the bot is not in there
    assert "said.it" in alice.whispers[-1].visible
    assert slack.calls("chat.postEphemeral") == []


async def test_a_command_opens_a_form_and_its_values_come_back(adapter, slack, engine):
    engine.answer = ShowForm(FORM)
    alice = slack.person("alice")
    await alice.types("/sso setup")
    await slack.until(lambda: alice.modal)
    engine.answer = CloseForm(SAID)
    outcome = await alice.submits(
        {"Name": "Acme", "Former": ["a", "b"], "Who": slack.person("bob"), "Day": "2026-12-01"}
    )
    assert engine.last.token == TOKEN
    assert engine.last.values == {
        "name": "Acme",
        "region": "eu",
        "former": ("a", "b"),
        "who": slack.person("bob").id,
        "day": "2026-12-01",
    }
    await slack.until(lambda: alice.whispers)
    assert "said.it" in alice.whispers[-1].visible
    assert alice.modal is None, outcome
