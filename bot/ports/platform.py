"""The chat platforms, their directories, and SonarQube Cloud: what is outside and may not answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from bot.events import NotFound, Target
from bot.messages import Message
from bot.model import (
    Person,
    Platform,
    Region,
    Workspace,
)


class Reason(StrEnum):
    """Why a delivery was put off, is unknown, dead or withdrawn. Each has a sentence for the admin."""

    # refused: trying again will not help until somebody does something
    NOT_INSTALLED = "not_installed"  # Teams: the app is not installed for them
    BLOCKED = "blocked"  # they blocked the bot
    NOT_IN_CHANNEL = "not_in_channel"  # the bot is not in the channel
    DISABLED = "disabled"  # their account is deactivated
    NOT_FOUND = "not_found"  # nobody with that id
    POLICY = "policy"  # a tenant or workspace policy forbids it
    TOKEN_REVOKED = "token_revoked"  # noqa: S105  # the bot's own access was withdrawn
    MISSING_SCOPE = "missing_scope"
    MESSAGE_REFUSED = "message_refused"  # the platform does not accept the message itself: a fault of the bot
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    # not sent, will be tried again
    THROTTLED = "throttled"
    NO_CONNECTION = "no_connection"
    OUTSIDE_HOURS = "outside_hours"  # a reminder waits for the invitee's working hours
    PAUSED = "paused"  # so does everything for a paused rollout
    # may have been sent
    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    SERVER_ERROR = "server_error"
    INTERRUPTED = "interrupted"  # the bot itself was stopped while sending
    # no longer wanted
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class Sent:
    """The platform has it."""

    channel_id: str
    message_id: str


@dataclass(frozen=True)
class Throttled:
    """Not sent: too fast. `retry_after` in seconds."""

    retry_after: float


@dataclass(frozen=True)
class NeverLeft:
    """Not sent, provably: no connection, no name, no TLS. May be tried again."""

    reason: Reason = Reason.NO_CONNECTION


@dataclass(frozen=True)
class Refused:
    """Not sent, and trying again will not help."""

    reason: Reason


@dataclass(frozen=True)
class Unclear:
    """A time-out, a reset, a 5xx: it may have been sent."""

    reason: Reason


Outcome: TypeAlias = Sent | Throttled | NeverLeft | Refused | Unclear


@dataclass(frozen=True)
class Limits:
    """How fast a platform may be called, per lane: direct messages, and anything else (updates, look-ups).

    The default for the latter is Slack's Tier 3, 50 a minute (docs.slack.dev/apis/web-api/rate-limits).
    """

    per_second: float
    burst: int  # calls that may go at once
    in_flight: int  # messages whose fate a crash may leave open
    others_per_second: float = 50 / 60
    others_burst: int = 5
    counted_together: bool = False  # whether the others use up `per_second` too
    first_message_calls: int = 1  # calls that the first message to somebody takes
    between_messages: float = 1.0  # seconds between two messages to one person


class ChatPlatform(Protocol):
    """Sending to one chat platform. No operation retries by itself or raises for what the platform answers."""

    @property
    def platform(self) -> Platform: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def can_find(self) -> bool:
        """Whether `find` can tell if an unclear message arrived."""
        ...

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:
        """One direct message, one request that sends. `delivery_id` goes with it where the platform can show it."""
        ...

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        """Show `message` in place of what was sent. May be repeated."""
        ...

    async def find(
        self, workspace: Workspace, person: Person, delivery_id: str, since: datetime
    ) -> Sent | Unclear | Throttled | None:
        """Look for a message by its delivery id; None: it is not there."""
        ...


class Directory(Protocol):
    """Who is behind a name, on one platform. May take as long as it takes; raises DirectoryUnavailable."""

    @property
    def platform(self) -> Platform: ...
    async def resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """Every person behind the targets once, and what could not be resolved. Bots, deactivated people and
        guests are in the second list.
        """
        ...

    async def away(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, datetime | None]:
        """Who of these people is away from work, by person id, as far as the platform tells; until when, None when
        they have not said.
        """
        ...

    async def managers(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, Person]:
        """Managers by their people's ids, as far as the platform's directory tells; nobody who is not to be written
        to. May take as long as it takes; raises DirectoryUnavailable.
        """
        ...

    async def admins_in(self, workspace: Workspace, group: str) -> Collection[str]:
        """E-mail addresses and user ids of a group's members, or of a team's owners (bot/admin_groups.py says how a
        group is named); nobody where there is no such group here, or the platform does not let the bot look. Raises
        DirectoryUnavailable.
        """
        ...


class DirectoryUnavailable(Exception):
    """Try again after `retry_after` seconds."""

    def __init__(self, retry_after: float = 30.0) -> None:
        super().__init__("the platform's directory does not answer")
        self.retry_after = retry_after


class SonarQubeUnavailable(Exception):
    """SonarQube Cloud does not tell; the text says what was asked, and what to do."""


class SonarQubeCloud(Protocol):
    """What SonarQube Cloud itself knows of people."""

    def digest(self, email: str) -> str:
        """What `sso_members` knows the owner of this address by."""
        ...

    async def sso_members(self, region: Region, organization: str) -> frozenset[str]:
        """Digests of the organization's members who have an SSO account. Raises SonarQubeUnavailable."""
        ...
