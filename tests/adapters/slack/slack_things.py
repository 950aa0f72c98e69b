"""A form and a message with one of everything. Keys without a sentence are shown as they are."""

from __future__ import annotations

from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    DateField,
    Facts,
    Form,
    LinkButton,
    Message,
    Notice,
    PersonField,
    Quote,
    Section,
    Style,
    TextField,
    TextKind,
    Token,
    Tone,
    text,
)
from tests.charts import FUNNEL, OVER_TIME

STEP = Token("setup", "step", "d1", 1)
BACK = Token("setup", "back", "d1", 1)
PRESS = Token("confirm", "access", "i1", 3)
OPENED = Token("confirm", "opened", "i1", 3)

FORM = Form(
    token=STEP,
    title=text("A form"),
    submit=text("Next"),
    body=(Section(text("An introduction")), Notice(text("A warning"), Tone.WARNING)),
    fields=(
        TextField("name", text("Name"), placeholder=text("Acme"), hint=text("As it is written")),
        TextField("key", text("Key"), value="acme", required=False, max_length=40),
        TextField("url", text("Address"), text_kind=TextKind.URL, required=False),
        TextField("mail", text("E-mail"), text_kind=TextKind.EMAIL, required=False),
        TextField("days", text("Days"), value="3", text_kind=TextKind.NUMBER),
        ChoiceField("region", text("Region"), (Choice("eu", text("EU")), Choice("us", text("US"))), ("eu",)),
        ChoiceField(
            "former",
            text("Before"),
            (Choice("github", text("GitHub"), text("github.com")), Choice("gitlab", text("GitLab"))),
            multiple=True,
            required=False,
        ),
        PersonField("who", text("Who"), required=False),
        DateField("day", text("Day"), required=False),
    ),
    buttons=(Button(text("Back"), BACK),),
)

CARD = Message(
    summary=text("A summary"),
    title=text("A title"),
    body=(
        Section(text("A paragraph")),
        Facts(((text("Region"), text("EU")), (text("State"), text("active")))),
        Quote("it does not work"),
        *(Notice(text(f"A notice: {tone.value}"), tone) for tone in Tone),
        FUNNEL,
        OVER_TIME,
    ),
    buttons=(
        Button(text("Press me"), PRESS, Style.PRIMARY),
        Button(text("Stop it"), Token("confirm", "stop", "i1", 3), Style.DANGER, confirm=text("Sure?")),
        LinkButton(text("Open it"), "https://sonarcloud.io/login?a=1&b=2", OPENED),
        LinkButton(text("Read it"), "https://docs.sonarsource.com/"),
    ),
)
SAID = Message(summary=text("Said"))
AFTER = Message(summary=text("After"), body=(Section(text("What comes after")),))
