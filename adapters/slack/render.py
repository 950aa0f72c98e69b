"""From the bot's messages to Block Kit.

Limits: docs.slack.dev/reference/block-kit (blocks, block-elements, composition-objects). slack_sdk's models check
some of them when `to_dict` is called; those that they miss are named here. Words that are too long are shortened,
never refused: a message that arrives with an ellipsis is better than one that does not arrive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, assert_never

import structlog
from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    RichTextBlock,
    RichTextElementParts,
    RichTextQuoteElement,
    SectionBlock,
)

from adapters.pictures import Pictures
from adapters.slack.charts import chart_blocks
from adapters.slack.words import MRKDWN, mrkdwn, plain, shorten
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

Json = dict[str, Any]
Item = TypeVar("Item")

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
HEADER = 150
SECTION = 3000
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
_STYLES = {Style.PLAIN: None, Style.PRIMARY: "primary", Style.DANGER: "danger"}


def message_content(message: Message, reader: Reader, pictures: Pictures | None = None) -> Json:
    """`text` and `blocks` for chat.postMessage and its like. Charts are pictures where there are `pictures`."""
    return {"text": fallback(message, reader), "blocks": message_blocks(message, reader, MESSAGE_BLOCKS, pictures)}


def fallback(message: Message, reader: Reader) -> str:
    """What notifications and screen readers say."""
    return mrkdwn(say(message.summary, reader, MRKDWN), FALLBACK).text or ""


def message_blocks(message: Message, reader: Reader, most: int, pictures: Pictures | None = None) -> list[Json]:
    """The message as at most `most` blocks. Paragraphs that have no room are left out, buttons never."""
    rows = list(button_rows(message.buttons, reader))
    head: list[Block] = [HeaderBlock(text=plain(message.title, reader, HEADER))] if message.title else []
    body = list(element_blocks(message.body, reader, pictures))
    if not head and not body:
        body = [paragraph(message.summary, reader)]
    room = most - len(head) - len(rows)
    if len(body) > room:
        body = [*body[: room - 1], ContextBlock(elements=[mrkdwn("…", 1)])]
    return [block.to_dict() for block in (*head, *body, *rows)]


def element_blocks(elements: Sequence[Element], reader: Reader, pictures: Pictures | None = None) -> Iterator[Block]:
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


def paragraph(sentence: Text, reader: Reader) -> Block:
    """A section."""
    return SectionBlock(text=mrkdwn(say(sentence, reader, MRKDWN), SECTION))


def quotation(words: str) -> Block:
    """Rich text holds words as they are: Slack looks for no markup, mention, emoji or address in them."""
    part = RichTextElementParts.Text(text=shorten(words, SECTION))
    return RichTextBlock(elements=[RichTextQuoteElement(elements=[part])])


def notice(element: Notice, reader: Reader) -> Block:
    """Small print for information, a paragraph with an icon for all that matters more."""
    words = mrkdwn(f"{ICONS[element.tone]} {say(element.text, reader, MRKDWN)}", SECTION)
    return ContextBlock(elements=[words]) if element.tone is Tone.INFO else SectionBlock(text=words)


def facts(element: Facts, reader: Reader) -> Iterator[Block]:
    """Fields, two in a row, ten in a section."""
    for pairs in batches(element.pairs, FIELDS_IN_SECTION):
        yield SectionBlock(fields=[mrkdwn(_fact(name, value, reader), FIELD) for name, value in pairs])


def _fact(name: Text, value: Text, reader: Reader) -> str:
    return f"*{shorten(say(name, reader, MRKDWN), 150)}*\n{shorten(say(value, reader, MRKDWN), FIELD)}"


def button_rows(buttons: Sequence[AnyButton], reader: Reader) -> Iterator[Block]:
    """The buttons, as many in a row as Slack allows."""
    elements = [
        element for number, button in enumerate(buttons) if (element := _button(button, number, reader)) is not None
    ]
    for some in batches(elements, BUTTONS_IN_ROW):
        yield ActionsBlock(elements=list(some))


def _button(button: AnyButton, number: int, reader: Reader) -> ButtonElement | None:
    match button:
        case Button():
            return ButtonElement(
                text=plain(button.label, reader, BUTTON_LABEL),
                action_id=_action_id(button.token.conversation, button.token.action, number),
                value=button.token.pack(),
                style=_STYLES[button.style],
                confirm=_confirm(button, button.confirm, reader) if button.confirm else None,
            )
        case LinkButton():
            if len(button.url) > BUTTON_URL:
                # Slack refuses the whole message; cutting an address would lead people elsewhere.
                log.error("slack.link_left_out", length=len(button.url))
                return None
            return ButtonElement(
                text=plain(button.label, reader, BUTTON_LABEL),
                action_id=_action_id("link", button.token.action if button.token else "", number),
                value=button.token.pack() if button.token else None,
                url=button.url,
                style=_STYLES[button.style],
            )
        case _:
            assert_never(button)


def _action_id(conversation: str, action: str, number: int) -> str:
    """Unique within the message, and readable in Slack's own logs. What the button means is in its value."""
    return f"{number}.{conversation}.{action}"[:ACTION_ID]


def _confirm(button: Button, question: Text, reader: Reader) -> ConfirmObject:
    return ConfirmObject(
        title=plain(button.label, reader, CONFIRM_TITLE),
        text=plain(question, reader, CONFIRM_TEXT),
        confirm=plain(button.label, reader, CONFIRM_BUTTON),
        deny=plain(text("button.cancel"), reader, CONFIRM_BUTTON),
        style="danger" if button.style is Style.DANGER else None,
    )


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
