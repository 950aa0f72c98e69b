"""Everything that the bot can say, within Slack's limits, and people's words as words."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.pictures import Pictures
from adapters.playground.slack.block_kit import check_message_blocks, check_view
from adapters.slack.forms import Opener, form_view, home_view, message_view, remembered
from adapters.slack.render import message_content
from adapters.slack.words import MRKDWN, escape, shorten_mrkdwn
from bot.messages import (
    BarChart,
    Button,
    Choice,
    ChoiceField,
    DateField,
    Element,
    Facts,
    Field,
    Form,
    LineChart,
    Link,
    LinkButton,
    Message,
    Notice,
    PersonField,
    Quote,
    Section,
    Style,
    Text,
    TextField,
    TextKind,
    Token,
    Tone,
    text,
)
from bot.texts import Reader, say
from tests.adapters.slack.slack_things import CARD, FORM

READER = Reader()
ODD = "*_~`<>&|:@#!\n\u200b\u202e é漢😀\x07"

# --- within the limits

words = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=ODD, max_size=40),
    st.builds(
        lambda part, times: part * times, st.text(alphabet=ODD + "ab", min_size=1, max_size=5), st.integers(0, 2000)
    ),
)
sentences = st.builds(lambda said: text("{words}", words=said), words)
names = st.from_regex(r"[a-z]{1,10}", fullmatch=True)
tokens = st.builds(Token, names, names, names, st.integers(0, 10**6))
pairs = st.tuples(sentences, sentences)
numbers = st.integers(0, 10**6)
bar_charts = st.builds(
    BarChart, sentences, st.lists(st.tuples(sentences, numbers), min_size=1, max_size=25).map(tuple), numbers
)
line_charts = st.builds(
    lambda title, count, name, until: LineChart(
        title,
        tuple(date(2026, 1, 1) + timedelta(days=back) for back in range(count)),
        ((name, tuple(range(count))), (name, (0,) * count)),
        until,
    ),
    sentences,
    st.integers(2, 70),
    sentences,
    st.none() | st.tuples(sentences, st.dates()),
)
elements = st.one_of(
    bar_charts,
    line_charts,
    st.builds(Section, sentences),
    st.builds(Quote, words),
    st.builds(Facts, st.lists(pairs, max_size=25).map(tuple)),
    st.builds(Notice, sentences, st.sampled_from(Tone)),
)
buttons = st.builds(Button, sentences, tokens, st.sampled_from(Style), st.none() | sentences)
links = st.builds(
    LinkButton,
    sentences,
    st.sampled_from(["https://sonarcloud.io/", "https://x.example/" + "y" * 4000]),
    st.none() | tokens,
)
messages = st.builds(
    Message,
    sentences,
    st.none() | sentences,
    st.lists(elements, max_size=70).map(tuple),
    st.lists(st.one_of(buttons, links), max_size=60).map(tuple),
)
choices = st.lists(
    st.builds(Choice, names, sentences, st.none() | sentences), max_size=120, unique_by=lambda one: one.value
)


def fields(name: str) -> st.SearchStrategy[Field]:
    named = st.just(name)
    return st.one_of(
        st.builds(
            TextField,
            named,
            sentences,
            words,
            st.none() | sentences,
            st.none() | sentences,
            st.booleans(),
            st.booleans(),
            st.integers(1, 10_000),
            st.sampled_from(TextKind),
        ),
        st.builds(ChoiceField, named, sentences, choices.map(tuple), st.lists(names).map(tuple), st.booleans()),
        st.builds(PersonField, named, sentences, words),
        st.builds(DateField, named, sentences, words | st.just("2026-12-01")),
    )


forms = st.builds(
    Form,
    tokens,
    sentences,
    sentences,
    st.lists(elements, max_size=5).map(tuple),
    st.lists(names, unique=True, max_size=8).flatmap(lambda some: st.tuples(*map(fields, some))),
    st.lists(buttons, max_size=4).map(tuple),
    st.none() | st.dictionaries(names | st.just(""), sentences, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(messages)
def test_any_message_is_one_that_slack_takes(message):
    check_message_blocks(message_content(message, READER, Pictures("https://usher.example", ["k" * 32]))["blocks"])
    content = message_content(message, READER)
    assert 0 < len(content["text"]) <= 4000
    check_message_blocks(content["blocks"])
    check_view(home_view(message, READER), "home")
    check_view(message_view(message, READER), "modal")
    pressed = [each for block in content["blocks"] if block["type"] == "actions" for each in block["elements"]]
    expected = [button for button in message.buttons if isinstance(button, Button) or len(button.url) <= 3000]
    assert len(pressed) == len(expected)
    assert len({button["action_id"] for button in pressed}) == len(pressed)
    assert all(
        {"title", "text", "confirm", "deny"} <= set(button["confirm"]) for button in pressed if "confirm" in button
    )


@settings(max_examples=60, deadline=None)
@given(forms, st.text(max_size=4000))
def test_any_form_is_one_that_slack_takes(form, response_url):
    view = form_view(form, READER, Opener("C1", "1.1", response_url, ephemeral=True))
    check_view(view, "modal")
    token, opener = remembered(view["private_metadata"])
    assert token == form.token
    assert (opener.channel_id, opener.message_id, opener.ephemeral) == ("C1", "1.1", True)
    assert opener.response_url in {response_url, ""}


def test_every_kind_of_element_is_shown():
    shown = {type(element) for element in CARD.body}
    assert shown == set(get_args(Element))
    assert {type(field) for field in FORM.fields} == set(get_args(Field))
    blocks = json.dumps(message_content(CARD, READER)["blocks"])
    said_in_charts = ("How far people got", "4,820", "Over time", "Deadline")
    for said in (
        "A title",
        "A paragraph",
        "Region",
        "active",
        "it does not work",
        "Press me",
        "Sure?",
        *said_in_charts,
    ):
        assert said in blocks
    for icon in (":information_source:", ":white_check_mark:", ":warning:", ":no_entry:"):
        assert icon in blocks
    view = json.dumps(form_view(FORM, READER, Opener()))
    kinds = ("plain_text_input", "url_text_input", "email_text_input", "number_input", "radio_buttons", "checkboxes")
    for kind in (*kinds, "users_select", "datepicker"):
        assert kind in view


def test_a_chart_is_a_picture_with_its_figures_for_whoever_does_not_see_it():
    content = message_content(CARD, READER, Pictures("https://usher.example", ["k" * 32]))
    funnel, over_time = (block for block in content["blocks"] if block["type"] == "image")
    assert funnel["image_url"].startswith("https://usher.example/slack/charts/")
    assert funnel["title"]["text"] == "How far people got"
    assert "4,790 Message arrived" in funnel["alt_text"]
    assert over_time["image_url"] != funnel["image_url"]
    assert over_time["alt_text"].endswith("Deadline: Friday 24 April 2026")


def test_a_title_too_long_for_a_modal_is_shown_in_full_below():
    title = "Set up the move of everybody to single sign-on"
    form = Form(token=FORM.token, title=text(title), submit=text("Next"))
    view = form_view(form, READER, Opener())
    assert view["title"]["text"].endswith("…")
    assert view["blocks"][0] == {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}}


def test_many_choices_become_a_menu():
    some = tuple(Choice(f"v{number}", text(f"Choice {number}")) for number in range(11))
    for multiple, kind in ((False, "static_select"), (True, "multi_static_select")):
        field = ChoiceField("field", text("Field"), some, ("v3",), multiple=multiple)
        view = form_view(Form(FORM.token, text("T"), text("S"), fields=(field,)), READER, Opener())
        assert view["blocks"][0]["element"]["type"] == kind


def test_a_message_says_something_even_when_only_its_summary_does():
    blocks = message_content(Message(summary=text("Just this")), READER)["blocks"]
    assert blocks == [{"type": "section", "text": {"type": "mrkdwn", "text": "Just this", "verbatim": True}}]


# --- people's words

ATTACKS = [
    "<!channel>",
    "<!here|x>",
    "<@U123>",
    "<#C123>",
    "<!subteam^S1>",
    "<https://evil.example|https://sonarcloud.io>",
    "<!date^1392734382^{date}^https://evil.example|x>",
    "*bold*",
    "_italic_",
    "~gone~",
    "`code`",
    "```code```",
    "__a__",
    "*_~both~_*",
    "> quoted",
    "one\n> quoted",
    ":white_check_mark:",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
]
FORMATS = re.compile(r"(?<![^\W_])[*_~](?=\S)|`|(?m:^>)|<|>|:[a-z_]+:")


@pytest.mark.parametrize("attack", ATTACKS)
def test_peoples_words_are_never_markup(attack):
    message = Message(
        summary=Text("{words}", {"words": attack}),
        body=(
            Section(Text("{words}", {"words": attack})),
            Facts(((Text("Name", {}), Text("{words}", {"words": attack})),)),
            Notice(Text("{words}", {"words": attack})),
            Quote(attack),
        ),
    )
    content = message_content(message, READER)
    section, facts, notice, quotation = content["blocks"]
    for shown in (
        content["text"],
        section["text"]["text"],
        facts["fields"][0]["text"].removeprefix("*Name*\n"),
        notice["elements"][0]["text"].removeprefix(":information_source: "),
    ):
        assert not FORMATS.search(shown)
    assert section["text"]["verbatim"]
    assert facts["fields"][0]["verbatim"]
    assert notice["elements"][0]["verbatim"]
    assert quotation["elements"][0] == {"type": "rich_text_quote", "elements": [{"type": "text", "text": attack}]}


@given(st.text(alphabet=ODD + "ab1"))
def test_no_words_are_ever_markup(said):
    assert not FORMATS.search(escape(said))


def test_words_stay_what_they_are_where_slack_would_not_format_them():
    for harmless in ("my_enterprise_key", "a*b", "10:30:45", "name@example.com", "C:\\x", "5 > 3"):
        assert escape(harmless).replace("&gt;", ">") == harmless


def test_the_catalogues_markup_is_slacks():
    assert "*delete your message*" in say(text("secret.pasted"), READER, MRKDWN)
    assert "`/sso`" in say(text("slack.needs_command"), READER, MRKDWN)
    assert MRKDWN.bold("") == MRKDWN.code("") == ""


def test_links_are_links_and_nothing_else_is():
    def shown(url, label=None):
        return say(Text("{a}", {"a": Link(url, label)}), READER, MRKDWN)

    assert (
        shown("https://sonarcloud.io/?a=1&b=2", "SonarQube Cloud")
        == "<https://sonarcloud.io/?a=1&amp;b=2|SonarQube Cloud>"
    )
    assert shown("javascript:alert(1)", "here") == "here"
    assert shown("https://x.example/a|b> c", "<x>") == "<https://x.example/a%7Cb%3E%20c|&lt;x&gt;>"


def test_shortening_leaves_no_half_link_and_no_half_entity():
    assert shorten_mrkdwn("see <https://sonarcloud.io/very/long|this page>", 20) == "see…"
    assert shorten_mrkdwn("one &amp; two", 8) == "one…"
    assert shorten_mrkdwn("  ", 8) == "\u2013"
