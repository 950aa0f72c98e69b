"""People who are not put off by a bot that dies: who got no answer tries again. The same words on both platforms."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from adapters.playground.slack.bot_connection import NoAnswer
from adapters.playground.slack.person import Person
from adapters.playground.slack.visible import labels
from adapters.playground.teams.client import TeamsClient
from adapters.playground.teams.seen import SeenMessage

INVITATION, REMINDER = "Sign in to SonarQube Cloud with SSO", "Reminder: SonarQube Cloud with SSO"
PROBLEM, ANSWER = "has a problem with signing in", "An answer to your problem"
SAVED = "The rollout of Acme Corp is set up."

_SLACK_ANSWERS = {
    "Enterprise name": "Acme Corp",
    "Enterprise key": "acme",
    "User groups": ["The user groups exist in SonarQube Cloud"],
    "What happens?": "I am asked for a code sent by e-mail",
    "What happened?": "The code never arrives.",
    "Your answer": "Look among spam, please.",
}
_TEAMS_ANSWERS = {
    "name": "Acme Corp",
    "enterprise_key": "acme",
    "groups_exist": "yes",
    "problem": "email_code",
    "description": "The code never arrives.",
    "answer": "Look among spam, please.",
}
_GO_ON = ("Next", "Save", "Ask the admins", "Send the answer")  # the buttons that send a Teams form


class Colleague(Protocol):
    """Somebody with a chat client in front of them. Nothing here raises because the bot is away."""

    name: str

    def messages(self, words: str) -> int:
        """How many of the bot's direct messages, and of its short answers to a press, have these words."""
        ...

    def may_press(self, label: str) -> bool:
        """Whether the newest message with a button that begins so shows it still."""
        ...

    def has_form(self) -> bool:
        """Whether a form waits to be filled in."""
        ...

    async def presses(self, label: str) -> None:
        """Press the newest button that begins so, if there is one."""
        ...

    async def sends_form(self) -> None:
        """Fill in and send what is open."""
        ...

    async def agrees(self) -> None:
        """Let the invitations go out."""
        ...

    async def says(self, command: str) -> None:
        """Give the bot a command, without the /sso."""
        ...


class OnSlack:
    """A Slack client."""

    def __init__(self, person: Person) -> None:
        self.name = person.user.real_name
        self._person = person

    def messages(self, words: str) -> int:
        seen = [*self._person.direct_messages, *self._person.whispers]
        return sum(words in each.visible for each in seen)

    def may_press(self, label: str) -> bool:
        return any(_meant(each.buttons, label) for each in self._person.direct_messages)

    def has_form(self) -> bool:
        return self._person.modal is not None

    async def presses(self, label: str) -> None:
        for message in reversed(self._person.direct_messages):
            if _meant(message.buttons, label):
                with suppress(NoAnswer):
                    await self._person.presses(message, _meant(message.buttons, label))
                return

    async def sends_form(self) -> None:
        view = self._person.modal
        if view is not None:
            asked = labels(view.content["blocks"])
            outcome = await self._person.submits({k: v for k, v in _SLACK_ANSWERS.items() if k in asked})
            assert not outcome.errors, outcome

    async def agrees(self) -> None:
        await self.presses("Send to ")

    async def says(self, command: str) -> None:
        await self._person.types(f"/sso {command}")


class OnTeams:
    """A Teams client; an admin invites in the team's channel."""

    def __init__(self, client: TeamsClient) -> None:
        self.name = client.account.name
        self._client = client

    def messages(self, words: str) -> int:
        said = (each.words for each in self._client.chat if each.from_bot)
        return sum(words in each for each in (*said, *self._client.toasts))

    def may_press(self, label: str) -> bool:
        return self._with_button(label) is not None

    def has_form(self) -> bool:
        return any(self.may_press(label) for label in _GO_ON)

    async def presses(self, label: str) -> None:
        message = self._with_button(label)
        if message is not None:
            await self._client.presses(message, _meant(message.buttons, label))

    async def sends_form(self) -> None:
        form = next((each for each in reversed(self._client.chat) if set(each.buttons) & set(_GO_ON)), None)
        if form is not None:
            button = next(label for label in _GO_ON if label in form.buttons)
            values = {name: value for name, value in _TEAMS_ANSWERS.items() if name in form.inputs}
            await self._client.presses(form, button, values)

    async def agrees(self) -> None:
        message = self._with_button("Send to ")
        if message is not None:
            await self._client.presses(message, "Yes, go ahead")  # unfolded by "Send to …"

    async def says(self, command: str) -> None:
        if command.startswith("invite"):
            await self._client.types_in("Builds", f"@SSO Usher sso {command}")
        else:
            await self._client.types(command)

    def _with_button(self, label: str) -> SeenMessage | None:
        return next((each for each in reversed(self._client.chat) if _meant(each.buttons, label)), None)


def _meant(buttons: Sequence[str], label: str) -> str:
    """The button that begins so; "" when there is none."""
    return next((each for each in buttons if each.startswith(label)), "")
