"""Everything that the bot can show, as each platform is sent it: every sample in every language, once for each way."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from adapters.pictures import Pictures
from adapters.slack.forms import Opener, form_view, home_view, message_view
from adapters.slack.render import message_content
from adapters.teams.forms import form_card
from adapters.teams.render import message_card
from bot.messages import Form, Message
from bot.texts import Reader, languages
from tests.samples import Sample, samples
from tests.vendors.tsc import Typed

READERS = tuple(Reader(language, "Asia/Kolkata") for language in languages())
OPENERS = (Opener(), Opener("C" * 20, "1700000000.123456", "https://hooks.example/" + "r" * 3000, ephemeral=True))
PICTURES = Pictures("https://usher.example", ["a key of the tests, long enough"])


@cache
def on_slack() -> tuple[Typed, ...]:
    """Messages, modals and Home tabs."""
    return tuple(typed for reader in READERS for sample in samples() for typed in _slack(sample, reader))


def _slack(sample: Sample, reader: Reader) -> Iterator[Typed]:
    name = f"{sample.name} ({reader.locale})"
    match sample.shown:
        case Message() as message:
            yield Typed(name, "Slack.Message", message_content(message, reader, PICTURES))
            yield Typed(name, "Slack.Home", home_view(message, reader))
            yield Typed(name, "Slack.Modal", message_view(message, reader))
        case Form() as form:
            for opener in OPENERS:
                yield Typed(name, "Slack.Modal", form_view(form, reader, opener))


@cache
def on_teams() -> dict[str, dict[str, Any]]:
    """Cards by the name of their sample."""
    return {
        f"{sample.name} ({reader.locale})": _card(sample.shown, reader) for reader in READERS for sample in samples()
    }


def _card(shown: Message | Form, reader: Reader) -> dict[str, Any]:
    return message_card(shown, reader) if isinstance(shown, Message) else form_card(shown, reader)
