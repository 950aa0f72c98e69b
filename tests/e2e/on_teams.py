"""People in the emulated Teams tenant."""

from __future__ import annotations

import itertools
import re
from typing import Any

from adapters.playground.teams.cards import buttons, inputs
from adapters.playground.teams.emulator import TeamsEmulator
from adapters.playground.teams.inputs import filled_in
from adapters.playground.teams.seen import SeenMessage
from adapters.playground.teams.tenant import Account
from adapters.teams.card_data import read_press
from tests.e2e.chatting import PATIENCE, Form, Said, Somebody, Values

YES = "Yes, go ahead"
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


class OnTeams(Somebody):
    """Somebody with Teams open. Before pressing a button that asks back, they press "Yes, go ahead"."""

    def __init__(self, teams: TeamsEmulator, key: str) -> None:
        self.teams = teams
        self.client = teams.person(key)

        async def until(condition: Any) -> Any:
            await teams.until(condition, PATIENCE)
            return condition()

        super().__init__(self.account.name, self.account.email, self.account.timezone, until)

    @property
    def account(self) -> Account:
        return self.client.account

    @property
    def mention(self) -> str:
        return f"@{self.name}"

    @property
    def messages(self) -> list[Said]:
        return [_said(each) for each in self.client.chat if each.from_bot]

    @property
    def asides(self) -> list[Said]:
        return [Said(f"toast {each.id}", each.text) for each in self.client.notices]

    @property
    def form(self) -> Form | None:
        """The newest card that is a form. It has taken the place of the card that it was opened from."""
        return next((form for each in reversed(self.client.chat) if (form := _form(each)) is not None), None)

    async def _type(self, words: str) -> None:
        await self.client.types(words)

    async def _type_in_channel(self, words: str) -> None:
        await self.client.types_in("Builds", f"@SSO Usher {words}")

    async def _press(self, said: Said, label: str) -> None:
        shown: SeenMessage = said.native
        pressed = _meant(shown.card, label)
        values = filled_in(pressed.inputs, {})
        answered = await self.client.acts(shown.conversation_id, shown.id, pressed.action, values)
        assert not answered.problem, answered

    async def _submit(self, form: Form, values: Values) -> None:
        answered = await self.client.presses(form.native, form.native.buttons[0], values)
        assert answered is not None
        assert not answered.problem, answered

    def has_address(self, email: str) -> None:
        self.account.email = self.account.upn = self.email = email

    async def meets_the_bot(self) -> None:
        self.notices()
        await self.client.uninstalls()
        await self.client.installs()


def _meant(card: Any, label: str) -> Any:
    """The button with this label; where pressing it unfolds a question, the one that says yes to that question."""
    all_buttons = buttons(card)
    number = next(number for number, each in enumerate(all_buttons) if each.title == label)
    if all_buttons[number].action["type"] == "Action.ShowCard":
        number += 1
        assert all_buttons[number].title == YES
    return all_buttons[number]


def _said(message: SeenMessage) -> Said:
    return Said(message.id, _plain(message.words), tuple(each for each in message.buttons if each != YES), message)


def _form(message: SeenMessage) -> Form | None:
    first = next(iter(buttons(message.card)), None) if message.card else None
    pressed = read_press(first.action.get("data")) if first else None
    if message.card is None or pressed is None or not pressed.submitted:
        return None
    return Form(
        key=message.id,
        words=_plain(message.words),
        buttons=tuple(message.buttons),
        native=message,
        title=_plain(message.card["body"][0]["text"]),
        values={each["id"]: _value(each) for each in inputs(message.card)},
        errors=_errors_below_fields(message.card["body"]),
    )


def _value(element: dict[str, Any]) -> str | tuple[str, ...]:
    value = str(element.get("value", ""))
    return tuple(part for part in value.split(",") if part) if element.get("isMultiSelect") else value


def _errors_below_fields(body: list[dict[str, Any]]) -> dict[str, str]:
    return {
        above["id"]: _plain(below["text"])
        for above, below in itertools.pairwise(body)
        if above["type"].startswith("Input.") and below.get("color") == "attention"
    }


def _plain(markup: str) -> str:
    """What is read of Teams' Markdown."""
    without_links = _LINK.sub(r"\1", markup).replace("\u2060", "").replace("**", "")
    return re.sub(r"\\([^\w\s])", r"\1", without_links)
