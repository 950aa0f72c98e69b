"""What can happen. The adapters' inbound halves make these out of what the platforms send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from bot.messages import Token
from bot.model import CheckKind, Person

FormValues: TypeAlias = Mapping[str, str | tuple[str, ...]]


class TargetKind(StrEnum):
    """Whom a command can name."""

    PERSON = "person"  # a platform user id
    GROUP = "group"  # a Slack user group
    CHANNEL = "channel"  # a Slack channel, a Teams channel
    TEAM = "team"  # a Teams team
    TAG = "tag"  # a Teams tag
    EMAIL = "email"
    LINE = "line"  # of a list that was handed in: it has no address


@dataclass(frozen=True)
class Target:
    """Somebody or a set of people that a command names. `label` is what the admin typed or saw."""

    kind: TargetKind
    id: str
    label: str = ""

    def as_data(self) -> dict[str, str]:
        """For a JSON column."""
        return {"kind": self.kind.value, "id": self.id, "label": self.label}

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Target:
        """The inverse of `as_data`."""
        return cls(TargetKind(data["kind"]), data["id"], data["label"])


@dataclass(frozen=True)
class MessageRef:
    """Where a message stands on its platform."""

    channel_id: str
    message_id: str


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What every event from a platform tells.

    `id` is the platform's own id of the event, prefixed with the workspace's, and unique: it is what the inbox
    remembers. `actor` is the person as the platform's event and the adapter's cache know them. `actor_known` is false
    when the platform did not tell in time who they are: then nobody is an admin by what was once heard of them.
    """

    id: str
    workspace_id: str
    actor: Person
    actor_known: bool = True
    in_private: bool = True  # a direct message with the bot, or Slack's own private answer to a command


@dataclass(frozen=True, kw_only=True)
class CommandIssued(Incoming):
    """`/sso words…`. Mentions and e-mail addresses come as targets, in their place among the words.

    `here` is the team or channel that the command was written in, where it can be invited as such.
    """

    words: tuple[str | Target, ...]
    here: Target | None = None


@dataclass(frozen=True, kw_only=True)
class ButtonPressed(Incoming):
    """A button of a message (then `message` says which) or of an open form (then `values` holds what is typed)."""

    token: Token
    message: MessageRef | None = None
    values: FormValues = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FormSubmitted(Incoming):
    """A form's step was submitted. `message` is the one that it was opened from, if any; where the form is a card in
    the chat (Teams), it stands in its place.
    """

    token: Token
    values: FormValues
    message: MessageRef | None = None


@dataclass(frozen=True, kw_only=True)
class MessageReceived(Incoming):
    """Words written to the bot. `words` are the same with mentions as targets, where the platform marks them. `link`
    leads to a message that holds a secret, where the platform has such links.
    """

    text: str
    words: tuple[str | Target, ...] = ()
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class HomeOpened(Incoming):
    """Somebody opened the bot's Home tab (Slack), or the app was installed for them (Teams).

    `installed`: perhaps by somebody else, so that nobody waits for an answer.
    """

    installed: bool = False


@dataclass(frozen=True, kw_only=True)
class CheckSeen(Incoming):
    """Another source, SonarQube Cloud for one, shows that a check of `invitation_id` is fulfilled."""

    invitation_id: str
    check: CheckKind


class Problem(StrEnum):
    """Why a target, or a person found through one, is not invited. Each has a sentence for the admin."""

    UNKNOWN_GROUP = "unknown_group"
    EMPTY_GROUP = "empty_group"
    UNKNOWN_CHANNEL = "unknown_channel"
    NOT_IN_CHANNEL = "not_in_channel"
    UNKNOWN_PERSON = "unknown_person"
    UNKNOWN_EMAIL = "unknown_email"
    UNKNOWN_EMAIL_ANYWHERE = "unknown_email_anywhere"  # in none of the company's workspaces
    TAGS_NOT_ALLOWED = "tags_not_allowed"
    GROUPS_NOT_ALLOWED = "groups_not_allowed"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    GUEST = "guest"
    OTHER_WORKSPACE = "other_workspace"
    DIRECTORY_FAILED = "directory_failed"
    LOOK_UP_FAILED = "look_up_failed"  # a fault of the bot's own
    NO_ADDRESS = "no_address"  # a line of a list that was handed in
    INVITED = "invited"  # already, in this rollout


@dataclass(frozen=True)
class NotFound:
    """A target or person that is left out, and why."""

    label: str
    problem: Problem


@dataclass(frozen=True, kw_only=True)
class PeopleFound(Incoming):
    """A look-up's answer is stored as the list `list_id`: however long it is, the event is not."""

    dialog_id: str
    list_id: str


@dataclass(frozen=True, kw_only=True)
class ListHandedIn(Incoming):
    """An admin has uploaded a list of addresses, by a link that was made for them in this dialog."""

    dialog_id: str
    targets: tuple[Target, ...]


Event: TypeAlias = (
    CommandIssued
    | ButtonPressed
    | FormSubmitted
    | MessageReceived
    | HomeOpened
    | CheckSeen
    | PeopleFound
    | ListHandedIn
)
