"""What a second admin has to approve, where the settings want it: nothing is done before somebody else says so.

What was asked for is stored as the click, form or command that asked for it. When it is approved, that is decided
again, as if the one who asked had done it now: what has changed in between counts, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import JSON, Field, SQLModel

from bot.columns import ByValue, UtcDateTime, Validated
from bot.events import ButtonPressed, CommandIssued, Event, FormSubmitted, MessageRef, Target
from bot.messages import Text, Token
from bot.model import Person, derived_id

EXPIRES = timedelta(days=3)
MOST_TOLD = 20  # admins


class ApprovalKind(StrEnum):
    """What needs it."""

    LOGIN_URL = "login_url"  # which a whole company is sent to
    ADMINS = "admins"  # who may run rollouts
    SEND = "send"  # to more people than the settings allow one admin


class ApprovalState(StrEnum):
    """What has become of it."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    OVERTAKEN = "overtaken"  # approved, when it was no longer possible


class Approval(SQLModel):
    """Something that one admin wants and another one has to approve."""

    id: str = Field(primary_key=True)
    company: str
    kind: ApprovalKind = Field(sa_type=ByValue(ApprovalKind))
    what: Text = Field(sa_type=Validated(Text))
    asked_by: str  # person id
    asked_at: datetime = Field(sa_type=UtcDateTime, index=True)
    asked: dict[str, Any] = Field(sa_type=JSON)  # `as_data` of the event
    told: tuple[str, ...] = Field(default=(), sa_type=Validated(tuple[str, ...]))  # person ids of who may approve it
    state: ApprovalState = Field(default=ApprovalState.OPEN, sa_type=ByValue(ApprovalState))
    decided_by: str = ""
    version: int = 0

    @property
    def for_owners(self) -> bool:
        """Whether only owners may approve it: it is what only they may do."""
        return self.kind is not ApprovalKind.SEND

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be decided."""
        return self.state is ApprovalState.OPEN and now - self.asked_at < EXPIRES

    def key(self, person_id: str) -> str:
        """Of the message that tells somebody of it."""
        return f"{self.id}:{self.asked_at.isoformat()}:{person_id}"


@dataclass(frozen=True)
class Needed:
    """What a step would do that may need approval. `count` is how many people would be written to."""

    kind: ApprovalKind
    what: Text
    count: int = 0


@dataclass(frozen=True)
class Rules:
    """What the settings want to be approved: these kinds; sending only to more than `above` people."""

    kinds: Collection[ApprovalKind] = ()
    above: int = 100

    def want(self, needed: Needed) -> bool:
        """Whether a second admin is asked."""
        return needed.kind in self.kinds and (needed.kind is not ApprovalKind.SEND or needed.count > self.above)


Asking = CommandIssued | ButtonPressed | FormSubmitted


def approval_id(company: str, event: Asking) -> str:
    """The same button of the same version, or the same command, is the same question."""
    data = as_data(event)
    return derived_id(company, "approval", event.actor.id, str(data["token"] or data["words"]))


def as_data(event: Asking) -> dict[str, Any]:
    """The event for a JSON column, without who it was."""
    data: dict[str, Any] = {
        "event": type(event).__name__,
        "workspace_id": event.workspace_id,
        "token": "",
        "words": [],
    }
    if isinstance(event, CommandIssued):
        return data | {"words": [word if isinstance(word, str) else word.as_data() for word in event.words]}
    message = [event.message.channel_id, event.message.message_id] if event.message else None
    values = {name: value if isinstance(value, str) else list(value) for name, value in event.values.items()}
    return data | {"token": event.token.pack(), "values": values, "message": message}


def event_of(approval: Approval, asker: Person) -> Event:
    """What was asked for, as if it happened now."""
    data = approval.asked
    known: dict[str, Any] = {
        "id": derived_id(approval.id, str(approval.version), "carried out"),
        "workspace_id": data["workspace_id"],
        "actor": asker,
    }
    if data["event"] == CommandIssued.__name__:
        words = tuple(word if isinstance(word, str) else Target.from_data(word) for word in data["words"])
        return CommandIssued(**known, words=words)
    values = {name: value if isinstance(value, str) else tuple(value) for name, value in data["values"].items()}
    message = MessageRef(*data["message"]) if data["message"] else None
    made = FormSubmitted if data["event"] == FormSubmitted.__name__ else ButtonPressed
    return made(**known, token=Token.unpack(data["token"]), values=values, message=message)
