"""One short rollout on both platforms with the real bot between them, and all that went over the wire meanwhile."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.assembly import assembled
from adapters.playground.demo import Playground, playing
from adapters.playground.slack import SlackEmulator
from adapters.playground.slack.bot_connection import BotAnswer, BotConnection
from adapters.playground.teams.client import TeamsClient
from adapters.playground.teams.seen import SeenMessage

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """Something that Slack has sent to the bot, and the body of the bot's answer, None where it was empty."""

    kind: str  # "command", "interaction" or "event"
    body: Json
    answer: Json | None


class Overheard(BotConnection):
    """The line to the bot, and all that was said on it."""

    def __init__(self, line: BotConnection) -> None:
        super().__init__(line.signing_secret, line.bot_url)
        self.requests: list[Request] = []

    def _note(self, kind: str, body: Json, answer: BotAnswer) -> BotAnswer:
        self.requests.append(Request(kind, copy.deepcopy(body), answer.json()))
        return answer

    async def command(self, fields: dict[str, str]) -> BotAnswer:
        return self._note("command", fields, await super().command(fields))

    async def interaction(self, payload: Json) -> BotAnswer:
        return self._note("interaction", payload, await super().interaction(payload))

    async def event(self, envelope: Json, headers: dict[str, str]) -> BotAnswer:
        return self._note("event", envelope, await super().event(envelope, headers))


@dataclass
class Wire:
    """What was said."""

    slack: SlackEmulator
    playground: Playground
    overheard: Overheard
    refusals: list[Json] = field(default_factory=list)


@asynccontextmanager
async def office(database_url: str) -> AsyncIterator[Wire]:
    """Both platforms and the bot, running, with somebody listening on Slack's line."""
    async with playing(assembled, database_url) as (playground, _bot):
        slack = playground.slack
        await slack.bot.close()
        slack.bot = Overheard(slack.bot)
        yield Wire(slack, playground, slack.bot)


async def told_on_slack(slack: SlackEmulator) -> None:
    """Set up with a mistake, invite, confirm, have a problem and get an answer, wait, look at the Home tab, leave."""
    olivia, alice = slack.person("olivia"), slack.person("alice")
    await slack.events.verify_url()
    await olivia.types("/sso")
    await sets_up(slack)
    await olivia.types("/sso invite @engineering")
    asked = (await slack.until(lambda: [m for m in olivia.direct_messages if _label(m.buttons, "Send to ")]))[-1]
    await olivia.presses(asked, _label(asked.buttons, "Send to "))
    invitation = (await slack.until(lambda: [m for m in alice.direct_messages if "I have a problem" in m.buttons]))[
        -1
    ]
    await alice.presses(invitation, "I can see my organizations")
    await alice.presses(invitation, "I have a problem")
    await slack.until(lambda: alice.modal)
    await alice.submits({"What happens?": "I am asked for a code sent by e-mail"})
    await alice.submits({"What happened?": "It never arrives."})
    reported = (await slack.until(lambda: [m for m in olivia.direct_messages if "Answer" in m.buttons]))[-1]
    await olivia.presses(reported, "Answer")
    await slack.until(lambda: olivia.modal)
    await olivia.submits({"Your answer": "Please try again."})
    await alice.presses(invitation, "Remind me later")
    await slack.until(lambda: alice.modal)
    await alice.closes()
    await alice.types("sqp_" + "a" * 40)
    await alice.types("hello?", channel="")
    await alice.types("@sso_usher hello?", channel="#general")
    await alice.types("/sso help", channel="#general")
    for person in (olivia, alice):
        await person.opens_home()
        await slack.until(lambda person=person: person.home)
        await person.opens_home()
        await person.opens_home("messages")
    await alice.presses(alice.home, "I have a problem")
    await slack.until(lambda: alice.modal)
    await alice.closes()
    for command in ("status", "status @alice", "remind", "pause", "resume", "exempt @bob leaves", "nonsense"):
        await olivia.types(f"/sso {command}")


async def sets_up(slack: SlackEmulator) -> None:
    """Six steps of a dialog, the first with a mistake."""
    olivia = slack.person("olivia")
    await olivia.types("/sso setup")
    await slack.until(lambda: olivia.modal)
    mistake = await olivia.submits({"Enterprise name": "Acme", "Enterprise key": "no key!"})
    assert mistake.errors
    for answers in (
        {"Enterprise key": "acme"},
        {},
        {"User groups": ["The user groups exist in SonarQube Cloud"]},
        {"How did people sign in before?": ["GitHub"], "Organizations": "acme-web"},
        {},
        {},
    ):
        outcome = await olivia.submits(answers)
        assert outcome.ok, outcome
    assert olivia.modal is None


def _label(buttons: Any, beginning: str) -> str:
    return next((label for label in buttons if label.startswith(beginning)), "")


async def told_on_teams(playground: Playground) -> None:
    """The same rollout: invite, confirm, have a problem, ask in a channel, send an old card, leave and come back."""
    teams = playground.teams
    adele, diego = teams.person("adele"), teams.person("diego")
    await adele.types("sso status")
    await adele.types_in("Builds", "@SSO Usher sso help")
    await adele.types_in("Builds", "@SSO Usher sso invite @build masters")
    await teams.until(lambda: _newest(adele, "Send to "))
    await adele.presses(_newest(adele, "Send to "), "Yes, go ahead")
    await teams.until(lambda: _newest(diego, "I have a problem"))
    await diego.presses(_newest(diego, "I have a problem"), "I can see my organizations")
    await diego.presses(_newest(diego, "I have a problem"), "I have a problem")
    await diego.presses(_newest(diego, "Next"), "Next", {"problem": "unknown_key"})
    await diego.presses(_newest(diego, "Ask the admins"), "Ask the admins", {"description": "It is unknown."})
    await diego.opens()
    await diego.types("hello?")
    await _presses_in_an_old_client(teams.person("mei"))
    await diego.uninstalls()
    await diego.installs()
    await teams.uninstall_from_team("adele")
    await teams.install_in_team("adele")


async def _presses_in_an_old_client(person: TeamsClient) -> None:
    """One that takes the fallback of Action.Execute."""
    message = _newest(person, "I can see")
    pressed = next(each for each in message.card["actions"] if each["title"].startswith("I can see"))
    await person.acts(message.conversation_id, message.id, pressed["fallback"], {})


def _newest(person: TeamsClient, beginning: str) -> SeenMessage | Any:
    return next((each for each in reversed(person.chat) if _label(each.buttons, beginning)), None)


def parsed(text: Any) -> Any:
    """An answer's JSON; None where there is none."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
