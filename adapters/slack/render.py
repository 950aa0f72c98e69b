"""From the bot's messages to Block Kit.

Limits: docs.slack.dev/reference/block-kit (blocks, block-elements, composition-objects). Words that are too long are
shortened, never refused: a message that arrives with an ellipsis is better than one that does not arrive. The blocks
are written as Slack documents them: made by slack_sdk's models, a message takes four times as long. `make vendors`
holds everything that can be shown against those models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar, assert_never

import structlog

from adapters.pictures import Pictures
from adapters.slack.charts import chart_blocks
from adapters.slack.words import MRKDWN, SECTION, Json, mrkdwn, plain, section, shorten, shorten_mrkdwn
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
    Tone,
    text,
)
from bot.texts import Reader, say

log = structlog.get_logger(__name__)

Item = TypeVar("Item")

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
HEADER = 150
FIELD = 2000
FIELDS_IN_SECTION = 10
BUTTONS_IN_ROW = 25
BUTTON_LABEL = 75
BUTTON_URL = 3000
ACTION_ID = 255
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30
# Slack cuts longer notification texts (docs.slack.dev/reference/methods/chat.postMessage, "Truncating content").
FALLBACK = 4000

ICONS = {
    Tone.INFO: ":information_source:",
    Tone.SUCCESS: ":white_check_mark:",
    Tone.WARNING: ":warning:",
    Tone.ERROR: ":no_entry:",
}
_STYLES = {Style.PLAIN: {}, Style.PRIMARY: {"style": "primary"}, Style.DANGER: {"style": "danger"}}


def message_content(message: Message, reader: Reader, pictures: Pictures | None = None) -> Json:
    """`text` and `blocks` for chat.postMessage and its like. Charts are pictures where there are `pictures`."""
    return {"text": fallback(message, reader), "blocks": message_blocks(message, reader, MESSAGE_BLOCKS, pictures)}


def fallback(message: Message, reader: Reader) -> str:
    """What notifications and screen readers say."""
    return shorten_mrkdwn(say(message.summary, reader, MRKDWN), FALLBACK)


def message_blocks(message: Message, reader: Reader, most: int, pictures: Pictures | None = None) -> list[Json]:
    """The message as at most `most` blocks. Paragraphs that have no room are left out, buttons never."""
    rows = list(button_rows(message.buttons, reader))
    head = [header(message.title, reader)] if message.title else []
    body = list(element_blocks(message.body, reader, pictures))
    if not head and not body:
        body = [paragraph(message.summary, reader)]
    room = most - len(head) - len(rows)
    if len(body) > room:
        body = [*body[: room - 1], context(mrkdwn("…", 1))]
    return [*head, *body, *rows]


def element_blocks(elements: Sequence[Element], reader: Reader, pictures: Pictures | None = None) -> Iterator[Json]:
    """The blocks of paragraphs, quotations, facts, notices and charts."""
    for element in elements:
        match element:
            case Section():
                yield paragraph(element.text, reader)
            case Quote():
                yield quotation(element.words)
            case Facts():
                yield from facts(element, reader)
            case Notice():
                yield notice(element, reader)
            case BarChart() | LineChart():
                yield from chart_blocks(element, reader, pictures)
            case _:
                assert_never(element)


def header(title: Text, reader: Reader) -> Json:
    """The title in large letters."""
    return {"type": "header", "text": plain(title, reader, HEADER)}


def context(words: Json) -> Json:
    """A block in small print."""
    return {"type": "context", "elements": [words]}


def paragraph(sentence: Text, reader: Reader) -> Json:
    """A section."""
    return section(say(sentence, reader, MRKDWN))


def quotation(words: str) -> Json:
    """Rich text holds words as they are: Slack looks for no markup, mention, emoji or address in them."""
    part = {"type": "text", "text": shorten(words, SECTION)}
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [part]}]}


def notice(element: Notice, reader: Reader) -> Json:
    """Small print for information, a paragraph with an icon for all that matters more."""
    words = f"{ICONS[element.tone]} {say(element.text, reader, MRKDWN)}"
    return context(mrkdwn(words, SECTION)) if element.tone is Tone.INFO else section(words)


def facts(element: Facts, reader: Reader) -> Iterator[Json]:
    """Fields, two in a row, ten in a section."""
    for pairs in batches(element.pairs, FIELDS_IN_SECTION):
        yield {
            "type": "section",
            "fields": [mrkdwn(_fact(name, value, reader), FIELD) for name, value in pairs],
        }


def _fact(name: Text, value: Text, reader: Reader) -> str:
    return f"*{shorten(say(name, reader, MRKDWN), 150)}*\n{shorten(say(value, reader, MRKDWN), FIELD)}"


def button_rows(buttons: Sequence[AnyButton], reader: Reader) -> Iterator[Json]:
    """The buttons, as many in a row as Slack allows."""
    elements = [
        element for number, button in enumerate(buttons) if (element := _button(button, number, reader)) is not None
    ]
    for some in batches(elements, BUTTONS_IN_ROW):
        yield {"type": "actions", "elements": list(some)}


def _button(button: AnyButton, number: int, reader: Reader) -> Json | None:
    looks = {"type": "button", "text": plain(button.label, reader, BUTTON_LABEL), **_STYLES[button.style]}
    match button:
        case Button():
            asking = {"confirm": _confirm(button, button.confirm, reader)} if button.confirm else {}
            return {
                **looks,
                "action_id": _action_id(button.token.conversation, button.token.action, number),
                "value": button.token.pack(),
                **asking,
            }
        case LinkButton():
            if len(button.url) > BUTTON_URL:
                # Slack refuses the whole message; cutting an address would lead people elsewhere.
                log.error("slack.link_left_out", length=len(button.url))
                return None
            meaning = {"value": button.token.pack()} if button.token else {}
            action_id = _action_id("link", button.token.action if button.token else "", number)
            return {**looks, "action_id": action_id, "url": button.url, **meaning}
        case _:
            assert_never(button)


def _action_id(conversation: str, action: str, number: int) -> str:
    """Unique within the message, and readable in Slack's own logs. What the button means is in its value."""
    return f"{number}.{conversation}.{action}"[:ACTION_ID]


def _confirm(button: Button, question: Text, reader: Reader) -> Json:
    return {
        "title": plain(button.label, reader, CONFIRM_TITLE),
        "text": plain(question, reader, CONFIRM_TEXT),
        "confirm": plain(button.label, reader, CONFIRM_BUTTON),
        "deny": plain(text("button.cancel"), reader, CONFIRM_BUTTON),
        **(_STYLES[Style.DANGER] if button.style is Style.DANGER else {}),
    }


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
