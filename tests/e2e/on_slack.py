"""People in the emulated Slack workspace."""

from __future__ import annotations

import itertools
import re
from functools import partial
from html import unescape
from typing import Any

from adapters.playground.slack import SlackEmulator
from adapters.playground.slack.form_state import state_values
from adapters.playground.slack.world import Message, View
from tests.e2e.chatting import PATIENCE, Form, Said, Somebody, Values

_LINK = re.compile(r"<[^|>]+\|([^>]+)>")


class OnSlack(Somebody):
    """Somebody with Slack open."""

    def __init__(self, slack: SlackEmulator, handle: str) -> None:
        self.slack = slack
        self.person = slack.person(handle)
        user = self.person.user
        super().__init__(user.real_name, user.email or "", user.tz, partial(slack.until, within=PATIENCE))

    @property
    def mention(self) -> str:
        return f"@{self.person.user.name}"

    @property
    def messages(self) -> list[Said]:
        return [_said(each) for each in self.person.direct_messages]

    @property
    def asides(self) -> list[Said]:
        home = self.person.home
        shown = [Said("home", _plain(home.visible), tuple(home.buttons), home)] if home else []
        return [*(_said(each) for each in self.person.whispers), *shown]

    @property
    def form(self) -> Form | None:
        view = self.person.modal
        return _form(view) if view is not None else None

    async def _type(self, words: str) -> None:
        await self.person.types(words)

    async def _type_in_channel(self, words: str) -> None:
        await self.person.types(words, channel="#general")

    async def _press(self, said: Said, label: str) -> None:
        await self.person.presses(said.native, label)

    async def _submit(self, form: Form, values: Values) -> None:
        await self.person.submits(values)

    def has_address(self, email: str) -> None:
        self.person.user.email = self.email = email

    async def meets_the_bot(self) -> None:
        self.notices()
        await self.person.opens_home()


def _said(message: Message) -> Said:
    return Said(
        f"{message.channel}/{message.ts}", _plain(message.visible), tuple(message.buttons), message.snapshot()
    )


def _form(view: View) -> Form:
    state = state_values(view.blocks, view.values)
    return Form(
        key=view.id,
        words=_plain(f"{view.title}\n{view.visible}\n{view.errors or ''}"),
        buttons=tuple(view.buttons),
        native=view,
        title=view.title,
        values={block_id: _value(*entries.values()) for block_id, entries in state.items()},
        errors=dict(view.errors) or _errors_above_fields(view.blocks),
    )


def _errors_above_fields(blocks: list[dict[str, Any]]) -> dict[str, str]:
    """Where a step is shown anew with its errors, each stands above its field."""
    return {
        below["block_id"]: _plain(above["text"]["text"].removeprefix(":no_entry: "))
        for above, below in itertools.pairwise(blocks)
        if below["type"] == "input"
        and above["type"] == "section"
        and above.get("text", {}).get("text", "").startswith(":no_entry:")
    }


def _value(entry: dict[str, Any]) -> str | tuple[str, ...]:
    value = next(part for name, part in entry.items() if name != "type")
    if isinstance(value, list):
        return tuple(str(each["value"]) for each in value)
    return str(value["value"] if isinstance(value, dict) else value or "")


def _plain(markup: str) -> str:
    """What is read of Slack's markup."""
    return unescape(re.sub(r"[*`]", "", _LINK.sub(r"\1", markup)))
