"""A chat platform without a network, on a clock that is set: what `usher simulate` has in place of Slack."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypedDict

from adapters.slack.platform import LIMITS
from bot.conversations import answers
from bot.events import (
    ButtonPressed,
    CommandIssued,
    Event,
    FormSubmitted,
    FormValues,
    MessageRef,
    NotFound,
    Target,
)
from bot.messages import Button, Form, Message, Token
from bot.model import Person, Platform, Workspace
from bot.ports import Handle, Limits, Outcome, Sent, StoreUnavailable
from bot.transition import Reply, Whisper

# Slack's rate, in portions: sent ten seconds' worth at a time, the same number needs fewer looks at the database.
TEN_SECONDS = int(10 * LIMITS.per_second)
IN_PORTIONS = Limits(LIMITS.per_second, TEN_SECONDS, TEN_SECONDS, LIMITS.others_per_second)
TRY_AGAIN = Whisper(answers.try_again())
ATTEMPTS = 5  # a person presses so often when the bot says that it cannot answer just now


class SimulatedClock:
    """Implements bot.ports.Clock: stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The simulated moment."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Go on to `moment`; never back."""
        self._now = max(self._now, moment)

    async def sleep(self, seconds: float) -> None:
        """The time passes at once."""
        self._now += timedelta(seconds=seconds)


class Kind(StrEnum):
    """What a direct message is, as far as its reader can tell."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    OTHER = "other"


def kind_of(message: Message) -> Kind:
    """By the sentence that its notification shows."""
    kinds = {"invitation.summary": Kind.INVITATION, "reminder.summary": Kind.REMINDER}
    return kinds.get(message.summary.key, Kind.OTHER)


@dataclass(frozen=True)
class Arrival:
    """A direct message that was sent."""

    at: datetime
    person_id: str
    kind: Kind


class SimulatedPlatform:
    """Implements bot.ports.ChatPlatform with Slack's limits; everything arrives."""

    platform = Platform.SLACK
    limits = IN_PORTIONS
    can_find = True

    def __init__(
        self, clock: SimulatedClock, deliver: Callable[[Person, Message, MessageRef, datetime], None]
    ) -> None:
        self._clock = clock
        self._deliver = deliver
        self.arrivals: list[Arrival] = []
        self.updates = 0

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:  # noqa: ARG002
        """Show it to the person."""
        now = self._clock.now()
        sent = Sent(f"D{person.user_id}", delivery_id)
        self.arrivals.append(Arrival(now, person.id, kind_of(message)))
        self._deliver(person, message, MessageRef(sent.channel_id, sent.message_id), now)
        return sent

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:  # noqa: ARG002
        """Simulated people have read the old copy already; an update changes nothing that they do."""
        self.updates += 1
        return sent

    async def find(self, workspace: Workspace, person: Person, delivery_id: str, since: datetime) -> None:
        """Never asked: nothing here is unclear."""


class SimulatedDirectory:
    """Implements bot.ports.Directory: whatever is named means everybody."""

    platform = Platform.SLACK

    def __init__(self, everybody: Sequence[Person]) -> None:
        self._everybody = everybody

    async def resolve(
        self,
        workspace: Workspace,  # noqa: ARG002
        targets: Sequence[Target],  # noqa: ARG002
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """Everybody, and nobody is left out."""
        return self._everybody, ()

    async def away(
        self,
        workspace: Workspace,  # noqa: ARG002  # bot.ports.Directory
        people: Sequence[Person],  # noqa: ARG002
    ) -> Mapping[str, datetime | None]:
        """Nobody."""
        return {}

    async def managers(
        self,
        workspace: Workspace,  # noqa: ARG002  # bot.ports.Directory
        people: Sequence[Person],  # noqa: ARG002
    ) -> Mapping[str, Person]:
        """Nobody's."""
        return {}

    async def admins_in(self, workspace: Workspace, group: str) -> Collection[str]:  # noqa: ARG002  # bot.ports.Directory
        """Nobody."""
        return ()


class _Incoming(TypedDict):
    id: str
    workspace_id: str
    actor: Person


class ChatClient:
    """Somebody's chat client: what they do with it becomes an event, as from a real platform."""

    def __init__(self, person: Person, handle: Handle) -> None:
        self.person = person
        self._handle = handle
        self._events = 0

    async def command(self, *words: str | Target) -> Reply | None:
        """`/sso words…`."""
        return await self._happens(CommandIssued(words=words, **self._incoming()))

    async def press(self, token: Token, where: MessageRef | None = None) -> Reply | None:
        """A button."""
        return await self._happens(ButtonPressed(token=token, message=where, **self._incoming()))

    async def submit(self, form: Form, values: FormValues) -> Reply | None:
        """A form's step; values that the form does not ask for are left out."""
        asked = {field.name for field in form.fields}
        filled = {name: value for name, value in values.items() if name in asked}
        return await self._happens(FormSubmitted(token=form.token, values=filled, **self._incoming()))

    def _incoming(self) -> _Incoming:
        self._events += 1
        return {
            "id": f"{self.person.id}:{self._events}",
            "workspace_id": self.person.workspace_id,
            "actor": self.person,
        }

    async def _happens(self, event: Event) -> Reply | None:
        """Raises StoreUnavailable when the bot does not get to it."""
        for _ in range(ATTEMPTS):
            reply = await self._handle(event)
            if reply != TRY_AGAIN:
                return reply
        raise StoreUnavailable(f"the bot did not answer a {type(event).__name__} in time")


def button(message: Message | None, conversation: str, action: str) -> Token | None:
    """What that button of the message carries; None when there is no such button."""
    buttons = message.buttons if message is not None else ()
    tokens = (each.token for each in buttons if isinstance(each, Button))
    return next((token for token in tokens if (token.conversation, token.action) == (conversation, action)), None)
