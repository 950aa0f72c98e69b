"""bot.messages as Adaptive Cards.

Version 1.5: the newest that Teams takes from bots, and the one that Action.Execute wants (learn.microsoft.com,
"Work with Universal Actions for Adaptive Cards").
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from adapters.teams import markdown
from adapters.teams.card_data import press_data
from adapters.teams.charts import chart_block
from bot.messages import (
    AnyButton,
    BarChart,
    Button,
    Element,
    Facts,
    LineChart,
    LinkButton,
    Message,
    Notice,
    Quote,
    Section,
    Style,
    Text,
    Token,
    Tone,
    text,
)
from bot.texts import Reader, say

Json = dict[str, Any]

VERSION = "1.5"
CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"

# Teams refuses messages above 28 KB (learn.microsoft.com, "Format your bot messages"); the rest is the envelope's.
CARD_BYTES = 25_000
# How long people's words may be: the first limit with which the card is small enough is taken.
WORD_LIMITS = (markdown.WORD_LIMIT, 800, 200, 60)
QUOTED_LINES = 30
TITLE_LENGTH = 120
# Teams shows six actions in a row at most (learn.microsoft.com, "Cards reference", Adaptive Card).
BUTTONS_IN_A_ROW = 6

_NOTICES = {
    Tone.INFO: ("accent", "ℹ️"),  # noqa: RUF001  # an icon
    Tone.SUCCESS: ("good", "✅"),
    Tone.WARNING: ("warning", "⚠️"),
    Tone.ERROR: ("attention", "⛔"),
}
_STYLES = {Style.PLAIN: "default", Style.PRIMARY: "positive", Style.DANGER: "destructive"}


@dataclass(frozen=True)
class Pen:
    """Writes for one reader; no parameter gets longer than `limit` characters."""

    reader: Reader
    limit: int = markdown.WORD_LIMIT

    def marked(self, sentence: Text) -> str:
        """With Markdown, for text blocks and facts."""
        return say(sentence, self.reader, markdown.markup(self.limit))

    def plain(self, sentence: Text, longest: int = markdown.WORD_LIMIT) -> str:
        """Without markup, for buttons and labels."""
        return markdown.shorten(say(sentence, self.reader, markdown.plain(self.limit)), longest)


def message_card(message: Message, reader: Reader) -> Json:
    """The card for a message; words are shortened, and at last elements left out, until it is small enough."""

    def draw(pen: Pen, elements: int) -> Json:
        body = [*title(message.title, pen), *blocks(message.body[:elements], pen)]
        if elements < len(message.body):
            body.append(text_block(markdown.ELLIPSIS))
        return card(body, [action(each, pen) for each in message.buttons])

    drawn = fitting(draw, len(message.body), reader)
    if not drawn["body"]:
        drawn["body"] = [text_block(Pen(reader).marked(message.summary))]
    return drawn if message.refresh is None else drawn | {"refresh": refreshing(message.refresh)}


def refreshing(token: Token) -> Json:
    """Teams asks with this whenever somebody looks at the card, in chats of up to 60 people (Microsoft's page "Up to
    date cards"), so that an old copy shows the present state.
    """
    data = press_data(token)
    return {"action": {"type": "Action.Execute", "title": "↻", "verb": data["usher.verb"], "data": data}}


def message_activity(message: Message, reader: Reader) -> Json:
    """The activity that shows a message. Its summary is what the notification says."""
    return card_activity(message_card(message, reader), summary(message, reader))


def card_activity(content: Json, notification: str) -> Json:
    """The activity that shows a card."""
    return {
        "type": "message",
        "summary": notification,
        "attachments": [{"contentType": CONTENT_TYPE, "content": content}],
    }


def summary(message: Message, reader: Reader, longest: int = 250) -> str:
    """What a message says in one line, without markup."""
    return Pen(reader).plain(message.summary, longest)


def fitting(draw: Callable[[Pen, int], Json], elements: int, reader: Reader) -> Json:
    """The fullest card of `draw(pen, number of body elements)` that Teams takes."""
    drawn: Json = {}
    for limit in WORD_LIMITS:
        drawn = draw(Pen(reader, limit), elements)
        if _size(drawn) <= CARD_BYTES:
            return drawn
    while elements > 0:
        elements //= 2
        drawn = draw(Pen(reader, WORD_LIMITS[-1]), elements)
        if _size(drawn) <= CARD_BYTES:
            break
    return drawn


def _size(drawn: Json) -> int:
    # As the HTTP client writes it: every character outside ASCII takes six bytes or more.
    return len(json.dumps(drawn))


def card(body: list[Json], actions: list[Json]) -> Json:
    """A card of these elements and buttons."""
    drawn: Json = {"type": "AdaptiveCard", "version": VERSION, "body": body}
    rows = [actions[start : start + BUTTONS_IN_A_ROW] for start in range(0, len(actions), BUTTONS_IN_A_ROW)]
    if len(rows) == 1:
        drawn["actions"] = rows[0]
    else:
        drawn["body"] = [*body, *({"type": "ActionSet", "actions": row} for row in rows)]
    return drawn


def title(sentence: Text | None, pen: Pen) -> list[Json]:
    """A heading, read out as one by screen readers."""
    if sentence is None:
        return []
    return [text_block(pen.marked(sentence), style="heading", size="large", weight="bolder")]


def text_block(words: str, **looks: str) -> Json:
    """A paragraph of Markdown. Empty ones are not allowed, so it shows at least a blank."""
    return {"type": "TextBlock", "text": words or " ", "wrap": True, **looks}


def blocks(elements: Sequence[Element], pen: Pen) -> list[Json]:
    """The body of a card."""
    return [block(element, pen) for element in elements]


def block(element: Element, pen: Pen) -> Json:
    """One element."""
    match element:
        case Section():
            return text_block(pen.marked(element.text))
        case Quote():
            return _quote(element.words, pen)
        case Facts():
            return {
                "type": "FactSet",
                "facts": [_fact(name, value, pen) for name, value in element.pairs] or [_NO_FACT],
            }
        case Notice():
            style, icon = _NOTICES[element.tone]
            words = text_block(f"{icon} {pen.marked(element.text)}")
            return {"type": "Container", "style": style, "items": [words]}
        case BarChart() | LineChart():
            return chart_block(element, pen.reader, markdown.plain(pen.limit), markdown.markup(pen.limit))
        case _:
            assert_never(element)


_NO_FACT = {"title": " ", "value": " "}


def _fact(name: Text, value: Text, pen: Pen) -> Json:
    return {"title": pen.marked(name) or " ", "value": pen.marked(value) or " "}


def _quote(words: str, pen: Pen) -> Json:
    # Text runs are the one element that reads no Markdown at all, so nothing needs to be escaped.
    lines = [line for line in markdown.sendable(words).split("\n") if line.strip()] or [" "]
    if len(lines) > QUOTED_LINES:
        lines = [*lines[:QUOTED_LINES], markdown.ELLIPSIS]
    longest = max(pen.limit // len(lines), 40)
    runs = [{"type": "TextRun", "text": markdown.shorten(line, longest), "italic": True} for line in lines]
    return {
        "type": "Container",
        "style": "emphasis",
        "items": [{"type": "RichTextBlock", "inlines": [run]} for run in runs],
    }


def action(button: AnyButton, pen: Pen) -> Json:
    """A button of a message."""
    match button:
        case Button():
            return pressing(button, pen, press_data(button.token))
        case LinkButton():
            return _opening(button, pen)
        case _:
            assert_never(button)


def pressing(button: Button, pen: Pen, data: Json, *, inputs: str = "auto") -> Json:
    """A button that asks the bot. With `confirm`, pressing unfolds the question and the button that does it."""
    label = pen.plain(button.label, TITLE_LENGTH)
    if button.confirm is None:
        return execute(label, data, _STYLES[button.style], inputs)
    yes = execute(pen.plain(text("teams.yes"), TITLE_LENGTH), data, _STYLES[button.style], inputs)
    question = card([text_block(pen.marked(button.confirm))], [yes])
    return {"type": "Action.ShowCard", "title": label, "style": _STYLES[button.style], "card": question}


def execute(label: str, data: Json, style: str = "default", inputs: str = "auto") -> Json:
    """An Action.Execute; clients that do not know it show an Action.Submit with the same data."""
    looks = {"title": label or " ", "style": style, "associatedInputs": inputs, "data": data}
    fallback = {"type": "Action.Submit", **looks}
    return {"type": "Action.Execute", "verb": data["usher.verb"], **looks, "fallback": fallback}


def _opening(button: LinkButton, pen: Pen) -> Json:
    # Teams does not tell the bot that a link was opened, so the button's token stays here.
    label = pen.plain(button.label, TITLE_LENGTH) or " "
    address = markdown.web_address(button.url)
    if address is None:
        return {"type": "Action.ToggleVisibility", "title": label, "targetElements": ["none"], "isEnabled": False}
    return {"type": "Action.OpenUrl", "title": label, "url": address, "style": _STYLES[button.style]}
