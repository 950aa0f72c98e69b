"""Somebody in front of their chat client, on whichever platform: so that a story is written once and runs on both.

What they read is told without markup, what they press has a label, and a form's fields have the bot's own names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

PATIENCE = 10.0  # seconds for what takes a fraction of one
Until = Callable[[Callable[[], Any]], Awaitable[Any]]
Values = Mapping[str, str | Sequence[str]]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Said:
    """Something to read, as it was at one moment. An old copy keeps its old buttons. `key` says what it is."""

    key: str
    words: str
    buttons: tuple[str, ...] = ()
    native: Any = field(default=None, compare=False)

    def fact(self, name: str) -> str:
        """The line below the line that says just this."""
        lines = self.words.splitlines()
        return lines[lines.index(name) + 1]


@dataclass(frozen=True)
class Form(Said):
    """An open dialog: a modal on Slack, a card with inputs on Teams."""

    title: str = ""
    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict, compare=False)
    errors: Mapping[str, str] = field(default_factory=dict, compare=False)


class Somebody(ABC):
    """A person. What they `read` is what is new, or has changed, since they last did something."""

    def __init__(self, name: str, email: str, time_zone: str, until: Until) -> None:
        self.name = name
        self.email = email
        self.zone = ZoneInfo(time_zone)
        self._until = until
        self._before: frozenset[Said] = frozenset()

    def __repr__(self) -> str:
        return self.name

    @property
    @abstractmethod
    def mention(self) -> str:
        """How others name this person in a channel."""

    @property
    @abstractmethod
    def messages(self) -> list[Said]:
        """What the bot has written to them, as it is shown now, oldest first."""

    @property
    @abstractmethod
    def asides(self) -> list[Said]:
        """What the bot has told them in passing: only they see it, and it does not stay."""

    @property
    @abstractmethod
    def form(self) -> Form | None:
        """The dialog that is open."""

    @abstractmethod
    async def _type(self, words: str) -> None: ...

    @abstractmethod
    async def _type_in_channel(self, words: str) -> None: ...

    @abstractmethod
    async def _press(self, said: Said, label: str) -> None: ...

    @abstractmethod
    async def _submit(self, form: Form, values: Values) -> None: ...

    @abstractmethod
    async def meets_the_bot(self) -> None:
        """Open what shows where they stand: the Home tab on Slack, the chat of the newly added app on Teams."""

    @abstractmethod
    def has_address(self, email: str) -> None:
        """From now on, this is their e-mail address."""

    @property
    def everything(self) -> list[Said]:
        """All that they can read now."""
        return [*self.messages, *self.asides, *([self.form] if self.form else [])]

    @property
    def invitations(self) -> list[Said]:
        """The messages with the login URL: the invitation and the reminders."""
        return [each for each in self.messages if "Sign in with SSO" in each.buttons]

    async def types(self, words: str) -> None:
        """Write to the bot, where nobody else reads along."""
        self.notices()
        await self._type(words)

    async def types_in_channel(self, words: str) -> None:
        """Write in a channel that the bot is in."""
        self.notices()
        await self._type_in_channel(words)

    async def presses(self, label: str, on: Said | None = None) -> None:
        """Press a button: of the open dialog, else of the newest message that has it; or `on` an old copy."""
        meant = on or await self.until(lambda: self._with_button(label))
        self.notices()
        await self._press(meant, label)

    async def submits(self, values: Values | None = None) -> None:
        """Fill in the open dialog and send it."""
        form = await self.until(lambda: self.form)
        self.notices()
        await self._submit(form, values or {})

    async def reads(self, words: str) -> Said:
        """Wait until something new says this; returns it."""
        return await self.until(lambda: next((each for each in reversed(self.news) if words in each.words), None))

    async def opens(self, title: str) -> Form:
        """Wait until the open dialog is this one."""
        return await self.until(lambda: self.form if self.form and self.form.title.startswith(title) else None)

    @property
    def news(self) -> list[Said]:
        """What is new or has changed since they last did something."""
        return [each for each in self.everything if each not in self._before]

    def sees(self, words: str) -> bool:
        """Whether this can be read anywhere."""
        return any(words in each.words for each in self.everything)

    def notices(self) -> None:
        """From now on, what is there is no news any more."""
        self._before = frozenset(self.everything)

    async def until(self, condition: Callable[[], Found | None]) -> Found:
        """Wait for this; fails with all that this person can read."""
        try:
            found: Found = await self._until(condition)
        except (AssertionError, TimeoutError):
            shown = "\n---\n".join(f"{each.words}\n{list(each.buttons)}" for each in self.everything[-6:])
            raise AssertionError(f"{self} did not get to see it; but:\n{shown}") from None
        return found

    def _with_button(self, label: str) -> Said | None:
        if self.form and label in self.form.buttons:
            return self.form
        newest_first = reversed([*self.messages, *self.asides])
        return next((each for each in newest_first if label in each.buttons), None)
