"""Invitees of the autoplay: somebody with a chat client in front of them, on either platform."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from adapters.playground.slack import SlackEmulator
from adapters.playground.slack.person import Person as SlackPerson
from adapters.playground.slack.world import Message as SlackMessage
from adapters.playground.teams.client import TeamsClient
from adapters.playground.teams.seen import SeenMessage

SIGN_IN, LATER, PROBLEM = "Sign in with SSO", "Remind me later", "I have a problem"


class _HasButtons(Protocol):
    @property
    def buttons(self) -> Sequence[str]: ...


class Invitee(ABC):
    """What both kinds have in common: they look at their newest message and press its buttons."""

    name: str

    @abstractmethod
    def _messages(self) -> Sequence[_HasButtons]:
        """What the bot has written to them, oldest first."""

    @abstractmethod
    async def _press(self, message: _HasButtons, label: str) -> None: ...

    @abstractmethod
    async def reports(self, problem: str, words: str) -> None:
        """Press the problem button, choose `problem` and describe it."""

    def asked(self) -> int:
        """How many invitations and reminders have arrived."""
        return sum(SIGN_IN in each.buttons for each in self._messages())

    def done(self) -> bool:
        """Whether nothing is asked of them any more."""
        newest = self._newest(SIGN_IN)
        return newest is None or LATER not in newest.buttons

    async def presses(self, *labels: str) -> bool:
        """Press the first of these buttons that the newest invitation has; False when it has none."""
        message = self._newest(SIGN_IN)
        label = next((each for each in labels if message is not None and each in message.buttons), None)
        if message is None or label is None:
            return False
        await self._press(message, label)
        return True

    def _newest(self, label: str) -> _HasButtons | None:
        return next((each for each in reversed(self._messages()) if label in each.buttons), None)


class OnSlack(Invitee):
    """An invitee in the emulated workspace."""

    def __init__(self, slack: SlackEmulator, person: SlackPerson) -> None:
        self.name = person.user.real_name
        self._slack = slack
        self._person = person

    def _messages(self) -> Sequence[SlackMessage]:
        return self._person.direct_messages

    async def _press(self, message: _HasButtons, label: str) -> None:
        assert isinstance(message, SlackMessage)
        await self._person.presses(message, label)

    async def reports(self, problem: str, words: str) -> None:
        """Two steps of a modal; `problem` is a label."""
        await self.presses(PROBLEM)
        await self._slack.until(lambda: self._person.modal)
        await self._person.submits({"What happens?": problem})
        await self._person.submits({"What happened?": words})


class OnTeams(Invitee):
    """An invitee in the emulated tenant."""

    def __init__(self, client: TeamsClient) -> None:
        self.name = client.account.name
        self._client = client

    def _messages(self) -> Sequence[SeenMessage]:
        return self._client.chat

    async def _press(self, message: _HasButtons, label: str) -> None:
        assert isinstance(message, SeenMessage)
        await self._client.presses(message, label)

    async def reports(self, problem: str, words: str) -> None:
        """Two steps of a card; `problem` is a value."""
        await self.presses(PROBLEM)
        for label, typed in (("Next", {"problem": problem}), ("Ask the admins", {"description": words})):
            form = self._newest(label)
            assert isinstance(form, SeenMessage)
            await self._client.presses(form, label, typed)
