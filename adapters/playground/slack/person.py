"""Somebody in front of their Slack client, for tests that read like sentences.

alice = slack.person("alice")
await alice.types("/sso setup")
await alice.submits({"Enterprise name": "Acme", "Region": "EU"})
await alice.presses(alice.direct_messages[-1], "Remind me later")
assert alice.modal is None and "tomorrow" in alice.whispers[-1].visible
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.playground.slack import client
from adapters.playground.slack.visible import find_element

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.playground.slack.client import Outcome, Values
    from adapters.playground.slack.emulator import SlackEmulator
    from adapters.playground.slack.world import Channel, Message, User, View


class Person:
    """One person's hands and eyes. Get one with `slack.person("alice")`."""

    def __init__(self, slack: SlackEmulator, user: User) -> None:
        self.slack = slack
        self.user = user

    @property
    def id(self) -> str:
        """The user id."""
        return self.user.id

    async def types(self, text: str, *, channel: str = "") -> None:
        """Type a command or message into `channel` ("#general"), or into the direct message with the bot.

        Returns when the bot has answered, or after three seconds. Raises ValueError where they cannot write.
        """
        await client.type_text(self.slack, self.id, self._place(channel).id, text)

    def _place(self, channel: str) -> Channel:
        return self.slack.channel(channel) if channel else self.slack.world.direct_message(self.id)

    async def presses(
        self, place: Message | View | None, name: str, *, block_id: str | None = None, value: Any = None
    ) -> None:
        """Use an element of a message, modal or Home view, by label or action_id; `value` for anything but buttons.

        Raises LookupError, and NoAnswer when the bot does not answer in time.
        """
        assert place is not None, "there is nothing to press on"
        meant = _plain(value)
        await client.press(self.slack, self.id, place, name, block_id=block_id, value=meant)

    @property
    def modal(self) -> View | None:
        """The modal on top, or None."""
        return self.slack.world.modal(self.id)

    def fills(self, fields: Mapping[str, Any]) -> None:
        """Fill fields of the modal in, by label, block_id or action_id, without submitting."""
        view = self._open_modal()
        client.fill(self.slack, view, _values(view, fields))

    async def submits(self, fields: Mapping[str, Any] | None = None) -> Outcome:
        """Fill fields in and submit the modal. Raises AssertionError when none is open."""
        self.fills(fields or {})
        return await client.submit(self.slack, self.id, self._open_modal())

    async def closes(self, *, clear: bool = False) -> None:
        """Press the modal's Cancel button, or with `clear` the X."""
        await client.close_view(self.slack, self.id, self._open_modal(), clear=clear)

    def _open_modal(self) -> View:
        assert self.modal is not None, f"no modal is open for {self.user.name}; whispers: {self.whispers[-1:]}"
        return self.modal

    @property
    def home(self) -> View | None:
        """The app's Home view as published for this person."""
        return self.slack.world.homes.get(self.id)

    async def opens_home(self, tab: str = "home") -> None:
        """Open the app's Home tab, or its Messages tab."""
        await self.slack.events.app_home_opened(self.id, tab)

    @property
    def direct_messages(self) -> list[Message]:
        """What the bot wrote into the direct message, oldest first, without ephemeral messages."""
        place = self.slack.world.ims.get(self.id)
        bot = self.slack.world.bot_user_id
        messages = self.slack.world.channels[place].messages if place else []
        return [each for each in messages if each.user == bot and not each.ephemeral]

    @property
    def whispers(self) -> list[Message]:
        """Every ephemeral message that this person got, anywhere, oldest first."""
        channels = self.slack.world.channels.values()
        mine = [each for channel in channels for each in channel.messages if each.only_for == self.id]
        return sorted(mine, key=lambda each: float(each.ts))

    @property
    def troubles(self) -> list[str]:
        """Slack's own warnings beside buttons, such as operation_timeout."""
        return self.slack.world.troubles.get(self.id, [])

    def sees(self, channel: str) -> list[Message]:
        """All messages in `channel` ("#general") that this person sees."""
        place = self.slack.channel(channel)
        assert self.id in place.members, f"{self.user.name} is not in {channel}"
        return [each for each in place.messages if each.only_for in {None, self.id}]


def _plain(value: Any) -> Any:
    """People are given as Person objects, and become ids."""
    if isinstance(value, Person):
        return value.id
    return [_plain(each) for each in value] if isinstance(value, (list, tuple, set)) else value


def _values(view: View, fields: Mapping[str, Any]) -> Values:
    values: Values = {}
    for name, value in fields.items():
        block, element = find_element(view.content["blocks"], name)
        values[block["block_id"], element["action_id"]] = _plain(value)
    return values
