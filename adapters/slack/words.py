"""Sentences in Slack's markup, cut to Slack's limits.

Words that people wrote must stay words. Slack has no escape for its formatting characters, only for & < >
(docs.slack.dev/messaging/formatting-message-text), so one that could open or close a format is replaced by a
character that looks like it. Invisible characters would not do: a zero-width space counts as a word's end, which
turns formatting on. Inside a word (snake_case) Slack formats nothing and the character stays, so that keys and
addresses can be copied.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from bot.messages import Text
from bot.texts import PLAIN, Markup, Reader, say

Json = dict[str, Any]

SECTION = 3000  # characters: docs.slack.dev/reference/block-kit/blocks/section-block
NOTHING = "\u2013"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LOOK_ALIKES = {"*": "\u2217", "_": "\u02cd", "~": "\u223c"}
_BACKTICK, _COLON, _QUOTE = "\u02cb", "\ua789", "\u203a"
_FORMATTING = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])")
_SPECIAL = re.compile(r"[*_~`:&<>]")
_EMOJI = re.compile(r":([a-z][a-z0-9_+-]*):", re.IGNORECASE)
_UNFINISHED = re.compile(r"(<[^>]*|&[a-z]{0,4})$")


def escape(words: str) -> str:
    """Words as Slack shows them to the letter: no mention, no link, no formatting, no emoji, no quotation."""
    if not _SPECIAL.search(words):
        return words
    safe = _FORMATTING.sub(lambda match: _LOOK_ALIKES[match[0]], words).replace("`", _BACKTICK)
    safe = _EMOJI.sub(rf"{_COLON}\1{_COLON}", safe)
    safe = re.sub(r"^>", _QUOTE, safe, flags=re.MULTILINE)
    return re.sub(r"[&<>]", lambda match: _ENTITIES[match[0]], safe)


def link(url: str, label: str) -> str:
    """A link in mrkdwn; only the label for an address that a browser would not open. `label` is escaped already."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return label
    address = quote(url, safe="!#$%&'()*+,/:;=?@[]~").replace("&", "&amp;")
    return f"<{address}|{label}>"


MRKDWN = Markup(
    escape=escape,
    bold=lambda words: f"*{words}*" if words.strip() else words,
    code=lambda words: f"`{words}`" if words.strip() else words,
    link=link,
)


def shorten(words: str, limit: int) -> str:
    """At most `limit` characters, the last an ellipsis if something was cut; never empty, which Slack refuses."""
    if not words.strip():
        return NOTHING
    return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"


def shorten_mrkdwn(words: str, limit: int) -> str:
    """The same for mrkdwn: no link or entity is cut in half."""
    if len(words) <= limit:
        return shorten(words, limit)
    return shorten(f"{_UNFINISHED.sub('', words[: limit - 1]).rstrip()}…", limit)


def plain(sentence: Text, reader: Reader, limit: int) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": shorten(say(sentence, reader, PLAIN), limit), "emoji": True}


def section(words: str) -> Json:
    """A block with these words."""
    return {"type": "section", "text": mrkdwn(words, SECTION)}


def mrkdwn(words: str, limit: int) -> Json:
    """A mrkdwn object. `verbatim` keeps Slack from making links of bare addresses and names in it."""
    return {"type": "mrkdwn", "text": shorten_mrkdwn(words, limit), "verbatim": True}
