"""Charts on Slack: a picture that Slack fetches from the bot; text where it cannot.

Slack fetches a picture before it takes the message, and refuses the message when it does not get it
(docs.slack.dev/reference/block-kit/blocks/image-block): then the message goes once more, with the chart in words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

from adapters.pictures import Pictures
from adapters.slack.web_api import ApiRefused
from adapters.slack.words import MRKDWN, Json, plain, section, shorten
from bot.charts import as_text
from bot.messages import BarChart, Chart, LineChart, Message
from bot.texts import PLAIN, Reader, say

ALT_TEXT = 2000
TITLE = 2000

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


def chart_blocks(chart: Chart, reader: Reader, pictures: Pictures | None) -> Iterator[Json]:
    """The picture, with the figures in words for whoever does not see it; without `pictures`, the words alone."""
    title, *lines = as_text(chart)
    url = pictures.address(chart, reader) if pictures else None
    if url is None:
        words = "\n".join(say(line, reader, MRKDWN) for line in (title, *lines))
        yield section(words)
    else:
        described = "; ".join(say(line, reader, PLAIN) for line in lines)
        yield {
            "type": "image",
            "image_url": url,
            "alt_text": shorten(described, ALT_TEXT),
            "title": plain(chart.title, reader, TITLE),
        }


async def with_pictures(
    message: Message, pictures: Pictures | None, call: Callable[[Pictures | None], Awaitable[Answer]]
) -> Answer:
    """What `call` returns, which shows the message with the pictures that it is given. Raises what it raises."""
    if pictures is None or not any(isinstance(each, BarChart | LineChart) for each in message.body):
        return await call(None)
    try:
        return await call(pictures)
    except ApiRefused as refused:
        log.warning("slack.picture_not_taken", error=refused.error)
        return await call(None)
