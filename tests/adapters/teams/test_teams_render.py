"""Messages and forms as Adaptive Cards: what they show, that Teams takes them, and that words stay words."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft6Validator
from microsoft_teams.cards import HorizontalBarChart, HorizontalBarChartDataValue, LineChart, LineChartData

from adapters.playground.teams.cards import buttons, check_card, inputs, texts, walk
from adapters.teams import markdown
from adapters.teams.card_data import read_press
from adapters.teams.forms import form_card
from adapters.teams.render import CARD_BYTES, message_activity, message_card
from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    DateField,
    Facts,
    Form,
    Link,
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
    When,
    text,
)
from bot.texts import Reader, say
from tests.charts import FUNNEL, OVER_TIME

READER = Reader("en", "Europe/Berlin")
TOKEN = Token("confirm", "access", "inv1", 3)
SCHEMA = json.loads((files("adaptive_cards") / "schemas" / "schema-1.5.json").read_text())
VALIDATOR = Draft6Validator(SCHEMA)


def valid(card: dict[str, Any]) -> dict[str, Any]:
    """The card, held against Microsoft's schema and the emulated tenant's checks."""
    check_card(card)
    assert len(json.dumps(card)) <= CARD_BYTES
    copy = json.loads(json.dumps(card))
    for element in walk(copy):
        # Teams' people picker and charts are extensions that the schema does not know.
        element.pop("choices.data", None)
        if str(element["type"]).startswith("Chart."):
            element.update(element.pop("fallback"))
            for name in ("title", "data", "displayMode"):
                element.pop(name, None)
    assert list(VALIDATOR.iter_errors(copy)) == []
    return card


# A key that has no sentence is said as it is.
HELLO = "Hello **{name}**, type `/sso`."


def words(value: str):
    return text(HELLO, name=value)


MESSAGE = Message(
    summary=words("Ana"),
    title=words("Ana"),
    body=(
        Section(words("Ana")),
        Quote("I cannot **see**\n<at>anything</at>"),
        Facts(((words("a"), words("b")), (words("c"), text("{count} people", count=3)))),
        Notice(words("careful"), Tone.WARNING),
    ),
    buttons=(
        LinkButton(words("log in"), "https://sonarcloud.io/login/sso?enterprise_key=a b", style=Style.PRIMARY),
        Button(words("works"), TOKEN, Style.PRIMARY),
        Button(words("stop"), Token("confirm", "stop"), Style.DANGER, confirm=words("sure?")),
    ),
)

FORM = Form(
    Token("setup", "next", "dlg", 1),
    words("Set up"),
    words("Next"),
    body=(Section(words("Fill in")),),
    fields=(
        TextField("name", words("Name"), value="ACME", hint=words("As on the invoice"), placeholder=words("Acme")),
        TextField("url", words("Login URL"), text_kind=TextKind.URL, max_length=1000),
        TextField("mail", words("E-mail"), text_kind=TextKind.EMAIL, required=False),
        TextField("days", words("Days"), value="3", text_kind=TextKind.NUMBER),
        TextField("why", words("Why"), multiline=True, required=False),
        ChoiceField(
            "region",
            words("Region"),
            (Choice("eu", words("EU"), words("Europe")), Choice("us", words("US"))),
            value=("us",),
        ),
        ChoiceField(
            "orgs",
            words("Organizations"),
            tuple(Choice(f"org,{n}%", words(f"Org {n}")) for n in range(9)),
            value=("org,1%", "org,2%"),
            multiple=True,
            required=False,
        ),
        PersonField("who", words("Who"), required=False),
        DateField("day", words("Day"), value="2026-05-01"),
    ),
    buttons=(Button(words("Back"), Token("setup", "back", "dlg", 1)),),
    errors={"url": words("no https"), "elsewhere": words("and this")},
    cancel=Token("confirm", "show", "inv1"),
)


def test_a_message_with_everything_is_a_card_that_teams_takes():
    card = valid(message_card(MESSAGE, READER))
    shown = "\n".join(texts(card))
    assert "Hello **Ana**, type **/sso**." in shown
    assert "I cannot **see**" in shown
    assert "3 people" in shown
    assert [each.title for each in buttons(card)] == [
        "Hello log in, type /sso.",
        "Hello works, type /sso.",
        "Hello stop, type /sso.",
        "Yes, go ahead",
    ]


def test_the_notification_says_the_summary_without_markup():
    assert message_activity(MESSAGE, READER)["summary"] == "Hello Ana, type /sso."


def test_a_message_without_a_body_still_says_its_summary():
    card = valid(message_card(Message(summary=words("Ana")), READER))
    assert texts(card) == ["Hello **Ana**, type **/sso**."]


def test_a_button_brings_its_token_back_in_both_kinds_of_client():
    execute = message_card(Message(words("x"), buttons=(Button(words("y"), TOKEN),)), READER)["actions"][0]
    assert execute["type"] == "Action.Execute"
    assert execute["fallback"]["type"] == "Action.Submit"
    for action in (execute, execute["fallback"]):
        pressed = read_press(action["data"])
        assert pressed is not None
        assert (pressed.token, pressed.submitted) == (TOKEN, False)


def test_a_button_that_asks_first_does_nothing_by_itself():
    (unfolds,) = message_card(
        Message(words("x"), buttons=(Button(words("stop"), TOKEN, confirm=words("sure?")),)), READER
    )["actions"]
    assert unfolds["type"] == "Action.ShowCard"
    assert "Hello **sure?**" in "\n".join(texts(unfolds["card"]))
    assert [action["type"] for action in unfolds["card"]["actions"]] == ["Action.Execute"]


def test_more_than_six_buttons_come_in_rows_that_teams_shows():
    many = tuple(Button(words(str(n)), Token("c", str(n))) for n in range(14))
    card = valid(message_card(Message(words("x"), buttons=many), READER))
    rows = [each["actions"] for each in card["body"] if each["type"] == "ActionSet"]
    assert [len(row) for row in rows] == [6, 6, 2]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc", "http://", "//host", "x"])
def test_a_link_leads_to_the_web_or_nowhere(url: str):
    message = Message(
        words("x"),
        body=(Section(text(HELLO, name=Link(url, "click"))),),
        buttons=(LinkButton(words("y"), url),),
    )
    card = valid(message_card(message, READER))
    assert not [each for each in walk(card) if each.get("type") == "Action.OpenUrl"]
    assert "](" not in "".join(texts(card))


def test_an_inline_link_shows_its_label_and_cannot_be_ended_by_its_address():
    link = Link("https://sonarcloud.io/a) [evil](https://evil.example", "the [page]")
    shown = say(text(HELLO, name=link), READER, markdown.markup())
    assert "[the \\[page\\]](https://sonarcloud.io/a%29%20%5Bevil%5D%28https://evil.example)" in shown


def test_a_form_with_everything_is_a_card_that_teams_takes():
    card = valid(form_card(FORM, READER))
    by_id = {each["id"]: each for each in inputs(card)}
    assert list(by_id) == [field.name for field in FORM.fields]
    assert by_id["name"]["value"] == "ACME"
    assert by_id["url"]["style"] == "url"
    assert by_id["mail"]["style"] == "email"
    assert "isRequired" not in by_id["mail"]
    assert by_id["days"] | {"type": "Input.Number", "value": 3} == by_id["days"]
    assert by_id["why"]["isMultiline"]
    assert by_id["region"]["style"] == "expanded"
    assert by_id["region"]["value"] == "us"
    assert by_id["orgs"]["style"] == "compact"
    assert by_id["who"]["choices.data"] == {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
    assert by_id["day"]["value"] == "2026-05-01"


def test_a_form_says_what_is_wrong_at_the_field_and_keeps_what_was_typed():
    card = form_card(FORM, READER)
    body = card["body"]
    position = next(n for n, each in enumerate(body) if each.get("id") == "url")
    assert "no https" in body[position + 1]["text"]
    assert body[position + 1]["color"] == "attention"
    notices = [each for each in body if each["type"] == "Container"]
    assert "and this" in notices[0]["items"][0]["text"]


def test_what_is_not_a_number_stands_in_its_field_again():
    field = TextField("days", words("Days"), value="three", text_kind=TextKind.NUMBER)
    card = valid(form_card(Form(TOKEN, words("t"), words("s"), fields=(field,)), READER))
    assert inputs(card)[0]["value"] == "three"


def test_a_submitted_form_brings_every_field_back_also_the_empty_ones():
    submit = form_card(FORM, READER)["actions"][0]
    pressed = read_press({**submit["data"], "name": " ACME ", "orgs": "org%2C1%25,org%2C2%25", "days": "3"})
    assert pressed is not None
    assert pressed.submitted
    assert pressed.token == FORM.token
    assert pressed.values["name"] == "ACME"
    assert pressed.values["orgs"] == ("org,1%", "org,2%")
    assert pressed.values["url"] == ""
    assert set(pressed.values) == {field.name for field in FORM.fields}
    assert pressed.people == ("who",)


def test_the_chosen_options_stand_in_their_field_in_the_form_that_teams_sends():
    orgs = next(each for each in inputs(form_card(FORM, READER)) if each["id"] == "orgs")
    assert orgs["value"].split(",") == [orgs["choices"][1]["value"], orgs["choices"][2]["value"]]


def test_going_back_is_not_held_up_by_required_fields():
    back, cancel = form_card(FORM, READER)["actions"][1:]
    assert back["associatedInputs"] == cancel["associatedInputs"] == "none"
    optional = Form(TOKEN, words("t"), words("s"), fields=(FORM.fields[2],), buttons=FORM.buttons)
    assert form_card(optional, READER)["actions"][1]["associatedInputs"] == "auto"


@pytest.mark.parametrize(
    "data", [None, 3, "x", [], {}, {"usher": "x"}, {"usher": "a|b|c|d"}, {"usher": 7}, {"usher": "a|b|c|-1"}]
)
def test_data_that_is_not_of_this_bots_making_is_no_press(data: object):
    assert read_press(data) is None


def test_a_moment_is_told_in_the_readers_time_zone():
    moment = When(datetime(2026, 5, 1, 12, 0, tzinfo=UTC))
    card = message_card(Message(words("x"), body=(Section(text(HELLO, name=moment)),)), READER)
    assert "14:00" in "".join(texts(card))


INJECTIONS = [
    "[click](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<at>Everyone</at>",
    "<a href='https://evil.example'>x</a>",
    "**bold** _it_ __b__ ~~s~~ `c`",
    "&lt;at&gt;x&lt;/at&gt;",
    "https://evil.example www.evil.example mailto:a@b.example",
    "# heading",
    "1. one",
    "- one\n- two",
    "> quote",
    "    code",
    "[x]: https://evil.example\n[x]",
    "\u202egpj.exe",
    "a\\",
]


@pytest.mark.parametrize("attack", INJECTIONS)
def test_peoples_words_never_become_markup(attack: str):
    written = markdown.escape(attack)
    assert not _live_markup(written), written


def _live_markup(written: str) -> list[str]:
    """Marks that no backslash makes harmless."""
    live = []
    position = 0
    while position < len(written):
        if written[position] == "\\" and position + 1 < len(written):
            position += 2
            continue
        if written[position] in "*`[]<~" or written.startswith(("://", "www.", "mailto:a"), position):
            live.append(written[position:])
        position += 1
    live += [line for line in written.split("\n") if line.lstrip()[:1] in {"-", "+", "#", ">", "="} and line.strip()]
    live += [line for line in written.split("\n") if line.startswith("    ")]
    return live


# Whole characters and half ones, control characters, right-to-left overrides, long and empty words.
ODD = st.text(st.characters(codec=None), max_size=200) | st.text("*_[](<>&\\`#-1.\n ", max_size=80)
LONG = st.builds(lambda word, times: (word or "x") * times, st.text(max_size=20), st.integers(1, 3000))


@given(ODD)
def test_no_odd_word_becomes_markup_or_ends_the_card(word: str):
    assert not _live_markup(markdown.escape(word))
    valid(message_card(Message(words("x"), body=(Section(words(word)), Quote(word))), READER))


@given(ODD | LONG, ODD | LONG)
def test_odd_and_long_words_always_make_a_card_that_teams_takes(first: str, second: str):
    message = Message(
        words(first),
        title=words(second),
        body=(Section(words(first)), Quote(second), Facts(((words(first), words(second)),)), Notice(words(first))),
        buttons=(Button(words(first), TOKEN, confirm=words(second)), LinkButton(words(second), first)),
    )
    valid(message_card(message, READER))
    form = Form(
        TOKEN,
        words(first),
        words(second),
        body=(Section(words(first)),),
        fields=(
            TextField("a", words(first), value=second[:255], hint=words(second), placeholder=words(first)),
            ChoiceField("b", words(second), (Choice("x", words(first), words(second)),)),
        ),
        errors={"a": words(second)},
    )
    valid(form_card(form, READER))


def test_a_message_of_too_many_parts_keeps_its_beginning_and_its_buttons():
    parts = tuple(Section(words("x" * 300)) for _ in range(2000))
    card = valid(message_card(Message(words("x"), body=parts, buttons=MESSAGE.buttons), READER))
    assert len(card["body"]) > 20
    assert card["body"][-1]["text"] == markdown.ELLIPSIS
    assert len(card["actions"]) == 3


@pytest.mark.parametrize(
    ("chart", "kind", "inside"),
    [(FUNNEL, HorizontalBarChart, HorizontalBarChartDataValue), (OVER_TIME, LineChart, LineChartData)],
)
def test_a_chart_is_one_that_teams_draws(chart, kind, inside):
    """By Microsoft's own types, which keep what they do not know as extra: here there is nothing such."""
    card = valid(message_card(Message(summary=words("Ana"), body=(chart,)), READER))
    (drawn,) = (each for each in walk(card) if str(each["type"]).startswith("Chart."))
    read = kind.model_validate(drawn)
    assert not read.model_extra
    assert not any(each.model_extra for each in read.data)
    assert all(isinstance(each, inside) for each in read.data)
    if isinstance(read, LineChart):
        assert {each.legend: each.values[-1].y for each in read.data} == {"Invited": 4820, "Done": 2040}
        assert "Deadline: Friday 24 April 2026" in texts(card)
    else:
        assert {each.x: each.y for each in read.data} == {say(what, READER): number for what, number in chart.bars}


def test_a_client_without_charts_shows_words():
    card = message_card(Message(summary=words("Ana"), body=(FUNNEL, OVER_TIME)), READER)
    shown = "\n".join(each["fallback"]["text"] for each in walk(card) if "fallback" in each)
    assert "███████████████████░ **4,790** Message arrived" in shown
    assert "Thursday 9 April 2026: Invited 4,820 and Done 2,040" in shown
