"""What a person sees: snapshots of messages and dialogs.

An old snapshot keeps its old buttons, as a card does that somebody scrolled away from.
"""

import copy
from dataclasses import dataclass

from adapters.playground.teams.cards import Button, buttons, inputs, texts
from adapters.playground.teams.tenant import Account, Conversation, Json, Message


class NoSuchButton(LookupError):
    """There is no button with this title; the text lists those there are."""


class Shown:
    """Something with a card on it."""

    card: Json | None

    @property
    def buttons(self) -> list[str]:
        """The titles of all buttons, in reading order."""
        return [each.title for each in buttons(self.card)] if self.card else []

    @property
    def inputs(self) -> list[str]:
        """The ids of all inputs, in reading order."""
        return [each["id"] for each in inputs(self.card)] if self.card else []

    @property
    def words(self) -> str:
        """Everything there is to read, one text a line."""
        return "\n".join(texts(self.card)) if self.card else ""

    def button(self, title: str) -> Button:
        """The button with this title; raises NoSuchButton."""
        found = [each for each in buttons(self.card) if each.title == title] if self.card else []
        if not found:
            raise NoSuchButton(f"no button {title!r} among {self.buttons}")
        return found[0]


@dataclass(frozen=True)
class SeenMessage(Shown):
    """A message as one person saw it at one moment."""

    id: str
    thread: str
    conversation_id: str
    sender: str
    from_bot: bool
    text: str
    card: Json | None
    edited: bool
    error: str | None

    @property
    def words(self) -> str:
        """The text and everything on the card, one text a line."""
        return "\n".join(each for each in (self.text, super().words) if each)


def seen(account: Account, conversation: Conversation, message: Message) -> SeenMessage:
    """The message as this person sees it now."""
    return SeenMessage(
        id=message.id,
        thread=message.thread,
        conversation_id=conversation.id,
        sender=message.sender_name,
        from_bot=message.from_bot,
        text=message.text,
        card=copy.deepcopy(message.card_for(account)),
        edited=message.edited,
        error=message.errors.get(account.key),
    )


@dataclass(frozen=True)
class Dialog(Shown):
    """An open dialog (task module): a card, a web page (``url``), or a plain ``message``."""

    title: str
    conversation_id: str
    reply_to: str
    card: Json | None = None
    url: str | None = None
    message: str | None = None
    width: str | int = "medium"
    height: str | int = "medium"


@dataclass(frozen=True)
class Toast:
    """A short text over the conversation; ``error`` ones are Teams' own words about an app that failed."""

    id: int
    text: str
    error: bool = False
