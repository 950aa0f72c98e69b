"""What exists in the emulated workspace: people, user groups, channels, messages, views. No protocol in here."""

from __future__ import annotations

import asyncio
import secrets
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

from adapters.playground.slack.visible import buttons, labels, visible_text

Json = dict[str, Any]
Kind = Literal["owner", "admin", "member", "guest", "stranger", "deactivated", "bot", "slackbot"]

SLACKBOT_ID = "USLACKBOT"


@dataclass
class User:
    """Somebody in the workspace, or, for a `stranger`, somebody seen through Slack Connect."""

    id: str
    name: str
    real_name: str
    kind: Kind = "member"
    email: str | None = None
    tz: str = "Europe/Berlin"
    tz_offset: int = 3600
    locale: str = "en-US"
    title: str = ""
    team_id: str = ""
    status_text: str = ""
    status_emoji: str = ""
    status_expiration: int = 0  # Unix time; 0 for none
    manager: str = ""  # user id, as the profile's field of that name says

    @property
    def can_act(self) -> bool:
        """Whether somebody can sit in front of this person's Slack client."""
        return self.kind not in {"stranger", "deactivated", "bot", "slackbot"}


@dataclass
class UserGroup:
    """A user group; `handle` is without the @."""

    id: str
    handle: str
    name: str
    members: list[str] = field(default_factory=list)
    date_delete: int = 0


@dataclass
class Message:
    """One message. `only_for` names the one person who sees an ephemeral message."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    only_for: str | None = None
    edited: bool = False
    thread_ts: str | None = None
    values: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return self.only_for is not None

    @property
    def visible(self) -> str:
        """All text that a person reads; blocks take the place of `text`, as in Slack's client."""
        return visible_text(self.blocks) if self.blocks else self.text

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons."""
        return buttons(self.blocks)

    def snapshot(self) -> Message:
        """The message as it is now: what somebody still sees who has not reloaded since."""
        return deepcopy(self)


@dataclass
class Channel:
    """A channel, or a direct message (`is_im`) between `im_user` and the bot."""

    id: str
    name: str = ""
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    im_user: str = ""
    members: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    last_micros: int = 0

    def message(self, ts: str) -> Message | None:
        """The message with this timestamp, ephemeral ones included."""
        return next((m for m in reversed(self.messages) if m.ts == ts), None)


@dataclass
class View:
    """An opened modal view or a published Home view; `values` is what is filled in, by block and action."""

    id: str
    user: str
    content: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    values: dict[tuple[str, str], Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None

    @property
    def blocks(self) -> list[Json]:
        """The blocks shown."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def title(self) -> str:
        """A modal's title."""
        return str((self.content.get("title") or {}).get("text", ""))

    @property
    def visible(self) -> str:
        """All text that a person reads in it."""
        return visible_text(self.blocks)

    @property
    def labels(self) -> list[str]:
        """The labels of its form fields."""
        return labels(self.blocks)

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons, without submit and close."""
        return buttons(self.blocks)


class World:
    """Everything that is in the workspace, and a `version` that grows with each change.

    `now` gives seconds since the epoch for message timestamps.
    """

    def __init__(
        self, now: Callable[[], float], *, team_id: str = "T0PLAYGND01", app_id: str = "A0SSOUSHER1"
    ) -> None:
        self.now = now
        self.team_id = team_id
        self.team_name = "Playground"
        self.team_domain = "playground"
        self.app_id = app_id
        self.bot_user_id = "U0SSOUSHER1"
        self.bot_id = "B0SSOUSHER1"
        self.users: dict[str, User] = {}
        self.groups: dict[str, UserGroup] = {}
        self.channels: dict[str, Channel] = {}
        self.ims: dict[str, str] = {}
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.troubles: dict[str, list[str]] = {}
        self.refuses_messages: dict[str, str] = {}
        self.messages_tab_enabled = True
        self.usergroups_available = True
        self.version = 0
        self._count = 0
        self._change = asyncio.Event()

    def changed(self) -> None:
        """Something is different now: wake whoever waits."""
        self.version += 1
        self._change.set()
        self._change = asyncio.Event()

    async def change_after(self, version: int, timeout: float) -> None:  # noqa: ASYNC109 - a wait, not a deadline
        """Return once `self.version > version`, or after `timeout` seconds."""
        if self.version > version:
            return
        waiting = self._change.wait()
        try:
            await asyncio.wait_for(waiting, timeout)
        except TimeoutError:
            return

    def new_id(self, prefix: str) -> str:
        """A fresh id that looks like Slack's, e.g. `C0000000007`."""
        self._count += 1
        return f"{prefix}{self._count:010d}"

    def new_hash(self) -> str:
        """A view's hash: Slack's look like a timestamp and a random word."""
        return f"{int(self.now())}.{secrets.token_hex(4)}"

    def new_ts(self, channel: Channel) -> str:
        """A timestamp that no other message of this channel has, though the clock may stand still."""
        channel.last_micros = max(int(self.now() * 1_000_000), channel.last_micros + 1)
        return f"{channel.last_micros // 1_000_000}.{channel.last_micros % 1_000_000:06d}"

    def add_user(self, user: User) -> User:
        """Let somebody into the workspace; a Slack Connect stranger keeps the other workspace's id."""
        user.team_id = user.team_id or self.team_id
        self.users[user.id] = user
        self.changed()
        return user

    def add_group(self, handle: str, members: list[User], name: str = "") -> UserGroup:
        """A user group `@handle` with these members."""
        group = UserGroup(self.new_id("S"), handle, name or handle.title(), [m.id for m in members])
        self.groups[group.id] = group
        self.changed()
        return group

    def add_channel(self, name: str, members: list[User], *, is_private: bool = False) -> Channel:
        """A channel with these members; the bot is in it only when it is among them."""
        channel = Channel(self.new_id("C"), name, is_private, members=[m.id for m in members])
        self.channels[channel.id] = channel
        self.changed()
        return channel

    def direct_message(self, user_id: str) -> Channel:
        """The direct message between this person and the bot, opened when there is none yet."""
        known = self.ims.get(user_id)
        if known is not None:
            return self.channels[known]
        channel = Channel(self.new_id("D"), is_im=True, im_user=user_id, members=[user_id, self.bot_user_id])
        self.channels[channel.id] = channel
        self.ims[user_id] = channel.id
        self.changed()
        return channel

    def post(self, channel: Channel, user: str, text: str, **more: Any) -> Message:
        """Put a message into a channel; `more` are further fields of Message."""
        message = Message(channel.id, self.new_ts(channel), user, text, **more)
        channel.messages.append(message)
        self.changed()
        return message

    def trouble(self, user_id: str, text: str) -> None:
        """Show this person one of Slack's own warnings."""
        self.troubles.setdefault(user_id, []).append(text)
        self.changed()

    def modal(self, user_id: str) -> View | None:
        """The view on top of this person's stack."""
        stack = self.modals.get(user_id)
        return stack[-1] if stack else None

    def view(self, view_id: str) -> View | None:
        """An open modal view or a Home view by id."""
        for stack in self.modals.values():
            for view in stack:
                if view.id == view_id:
                    return view
        return next((home for home in self.homes.values() if home.id == view_id), None)
