"""The emulated tenant's state: people, the team with its channels and tags, conversations and messages.

Nothing here speaks HTTP. Identifiers look like the ones Teams gives out (``29:`` for people, ``28:`` for bots,
``19:`` for threads, ``a:`` for personal chats) and are the same in every run, so that a failing test can be repeated.
"""

import base64
import hashlib
import time
import uuid
from asyncio import Event
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Json = dict[str, Any]
ConversationType = Literal["personal", "channel"]


def opaque(*parts: str) -> str:
    """Sixteen bytes that follow from the parts, in URL-safe letters: stable, and nobody reads a meaning into them."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=").replace("-", "x")


def entra_id(*parts: str) -> str:
    """A UUID that follows from the parts, as Microsoft Entra ID gives to users, groups and tenants."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)))


@dataclass(eq=False)
class Account:
    """A person in the tenant. ``key`` is how tests and the page call them."""

    key: str
    name: str
    email: str
    upn: str
    timezone: str = "Europe/Berlin"
    locale: str = "en-US"
    country: str = "DE"
    guest: bool = False
    disabled: bool = False
    installed: bool = True
    blocked: bool = False
    left: bool = False
    manager: str = ""  # the key of another account

    @property
    def id(self) -> str:
        """The id under which this bot knows the person."""
        return "29:1" + opaque("person", self.key)

    @property
    def aad_object_id(self) -> str:
        """The person's object id in Microsoft Entra ID."""
        return entra_id("user", self.key)


@dataclass(eq=False)
class Channel:
    """A standard channel of a team."""

    id: str
    name: str


@dataclass(eq=False)
class Tag:
    """A tag of a team; ``members`` holds people's keys."""

    id: str
    name: str
    members: list[str]


@dataclass(eq=False)
class Team:
    """A team; ``members`` holds people's keys, the first channel is General and shares the team's id."""

    id: str
    name: str
    aad_group_id: str
    channels: list[Channel]
    members: list[str] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)  # keys
    bot_installed: bool = True


@dataclass(eq=False)
class Message:
    """A message in a conversation. ``views`` holds, by person, the card that answered their own press."""

    id: str
    thread: str
    sender_id: str
    sender_name: str
    at: float
    text: str = ""
    text_format: str = "plain"
    card: Json | None = None
    edited: bool = False
    views: dict[str, Json] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)

    @property
    def from_bot(self) -> bool:
        """Whether the bot wrote it."""
        return self.sender_id.startswith("28:")

    def card_for(self, account: Account) -> Json | None:
        """The card as this person sees it."""
        return self.views.get(account.key, self.card)


@dataclass(eq=False)
class Conversation:
    """A personal chat between one person and the bot, or a channel."""

    id: str
    type: ConversationType
    name: str
    account: Account | None = None
    team: Team | None = None
    messages: list[Message] = field(default_factory=list)

    def message(self, message_id: str) -> Message | None:
        """The message with this id, unless it was never there or was deleted."""
        return next((each for each in reversed(self.messages) if each.id == message_id), None)


class Tenant:
    """Everything that the emulated Microsoft knows; ``now`` gives the seconds since 1970 that stamp a message."""

    def __init__(self, app_id: str, now: Callable[[], float] = time.time) -> None:
        self.id = entra_id("tenant", "usher.example")
        self.bot_name = "SSO Usher"
        self.bot_id = f"28:{app_id}"
        self.now = now
        self.accounts: dict[str, Account] = {}
        self.teams: list[Team] = []
        self.conversations: dict[str, Conversation] = {}
        self.disabled_by_admin = False
        self.version = 0
        self.bot_wrote: list[Callable[[Conversation, Message], None]] = []
        self._watchers: set[Event] = set()
        self._last_id = 0
        self._by_any_id: dict[str, Account] = {}

    def add_account(self, account: Account) -> Account:
        """Add a person; returns them."""
        self.accounts[account.key] = account
        for name in (account.key, account.id, account.aad_object_id, account.upn, account.email):
            self._by_any_id.setdefault(name.casefold(), account)
        return account

    def account(self, any_id: str) -> Account | None:
        """The person with this key, Teams id, object id, principal name or e-mail; None when nobody is."""
        found = self._by_any_id.get(any_id.casefold())
        return None if found is None or found.left else found

    def add_team(self, name: str, channel_names: list[str]) -> Team:
        """Add a team with these channels beside General; returns it."""
        thread = f"19:{opaque('channel', name, 'General')}@thread.tacv2"
        channels = [Channel(thread, "General")]
        channels += [Channel(f"19:{opaque('channel', name, each)}@thread.tacv2", each) for each in channel_names]
        team = Team(thread, name, entra_id("group", name), channels)
        self.teams.append(team)
        for channel in channels:
            self.conversations[channel.id] = Conversation(channel.id, "channel", channel.name, team=team)
        return team

    def team(self, any_id: str) -> Team | None:
        """The team with this thread id or group id."""
        return next((each for each in self.teams if any_id in (each.id, each.aad_group_id)), None)

    def members(self, conversation: Conversation) -> list[Account]:
        """The people in a conversation."""
        if conversation.team is None:
            return [conversation.account] if conversation.account and not conversation.account.left else []
        people = (self.accounts[key] for key in conversation.team.members)
        return [each for each in people if not each.left]

    def personal_chat(self, account: Account) -> Conversation:
        """The one personal chat between this person and the bot."""
        chat_id = "a:1" + opaque("chat", account.key)
        if chat_id not in self.conversations:
            self.conversations[chat_id] = Conversation(chat_id, "personal", self.bot_name, account=account)
        return self.conversations[chat_id]

    def conversation(self, conversation_id: str) -> tuple[Conversation | None, str | None]:
        """The conversation with this id, and the thread that a ``;messageid=`` in it names."""
        plain, _, thread = conversation_id.partition(";messageid=")
        return self.conversations.get(plain), thread or None

    def next_id(self) -> str:
        """A new message id: milliseconds since 1970, as Teams uses, never the same twice."""
        self._last_id = max(self._last_id + 1, int(self.now() * 1000))
        return str(self._last_id)

    def post(self, conversation: Conversation, sender: Account | None, thread: str | None) -> Message:
        """Append an empty message from this person (None: the bot) and return it to be filled in."""
        message_id = self.next_id()
        message = Message(
            id=message_id,
            thread=thread or message_id,
            sender_id=sender.id if sender else self.bot_id,
            sender_name=sender.name if sender else self.bot_name,
            at=self.now(),
        )
        conversation.messages.append(message)
        return message

    def changed(self) -> None:
        """Tell everybody who watches that something is different now."""
        self.version += 1
        for watcher in self._watchers:
            watcher.set()

    @contextmanager
    def watching(self) -> Iterator[Event]:
        """An event that is set at every change; the watcher clears it."""
        watcher = Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as the Connector writes them: ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
