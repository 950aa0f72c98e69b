"""Both platforms in this process, the bot in another; what the platforms saw is counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from adapters.bench.kills.colleagues import INVITATION, REMINDER, OnSlack, OnTeams
from adapters.bench.kills.hurried_clock import HurriedClock
from adapters.bench.kills.ledger import Ledger
from adapters.bench.kills.story import SETTLED_WITHIN, Story
from adapters.bench.kills.supervised import SupervisedBot, supervised
from adapters.playground.demo import Playground
from adapters.playground.teams.tenant import Conversation, Message
from adapters.settings import Settings
from bot.model import DeliveryKind

UNREACHABLE = {"isaiah", "lidia"}  # of the emulated tenant: not installed, blocked


@dataclass
class Stage:
    """The story and what it is judged by."""

    story: Story
    bot: SupervisedBot
    ledger: Ledger
    playground: Playground

    def __post_init__(self) -> None:
        self._arrived: list[tuple[str, DeliveryKind]] = []
        self.playground.teams.tenant.bot_wrote.append(self._note)

    def _note(self, chat: Conversation, message: Message) -> None:
        if chat.account is None or message.edited:
            return
        words = json.dumps(message.card)
        kinds = {INVITATION: DeliveryKind.INVITATION, REMINDER: DeliveryKind.REMINDER}
        self._arrived += [(chat.account.name, kind) for title, kind in kinds.items() if title in words]

    @property
    def urls(self) -> list[str]:
        """Where the bot's processes listen."""
        return [each.url for each in (self.bot, *self.bot.replicas)]

    def slack_deliveries(self) -> Counter[str]:
        """How often each delivery was shown in Slack."""
        slack = self.playground.slack
        messages = [each for channel in slack.world.channels.values() for each in channel.messages if each.metadata]
        return Counter(str((each.metadata or {})["event_payload"]["delivery"]) for each in messages)

    def teams_deliveries(self) -> Counter[tuple[str, DeliveryKind]]:
        """How often each person in Teams was invited and reminded: (name, kind)."""
        return Counter(self._arrived)


@asynccontextmanager
async def slack_alone(
    database_url: str, log: Path, *, replicas: int = 1, settled_within: float = SETTLED_WITHIN
) -> AsyncIterator[Stage]:
    """A bot with a Slack workspace; Olivia is the admin, @engineering is invited."""
    clock = HurriedClock()
    playground = Playground(clock)
    nothing = SecretStr("")
    async with playground.slack.serving(), playground.teams.running():
        slack = playground.slack
        settings = playground.settings(database_url).model_copy(
            update={"teams_app_id": "", "teams_app_password": nothing, "teams_tenant_id": ""}
        )
        people = [OnSlack(slack.person(each)) for each in ("alice", "bob", "chen", "divya")]
        async with _stage(playground, clock, settings, log, replicas) as (bot, ledger):
            story = Story(bot, ledger, OnSlack(slack.person("olivia")), people, settled_within)
            yield Stage(story, bot, ledger, playground)


@asynccontextmanager
async def teams_alone(
    database_url: str, log: Path, *, replicas: int = 1, settled_within: float = SETTLED_WITHIN
) -> AsyncIterator[Stage]:
    """A bot with a Teams tenant; Adele is the admin, the team is invited."""
    clock = HurriedClock()
    playground = Playground(clock)
    nothing = SecretStr("")
    async with playground.slack.serving(), playground.teams.running():
        teams = playground.teams
        settings = playground.settings(database_url).model_copy(
            update={"slack_bot_token": nothing, "slack_signing_secret": nothing}
        )
        there = [
            key
            for key, each in teams.tenant.accounts.items()
            if not (each.guest or each.disabled or key in UNREACHABLE)
        ]
        people = [OnTeams(teams.person(key)) for key in there]
        async with _stage(playground, clock, settings, log, replicas) as (bot, ledger):
            await teams.announce_installations()
            story = Story(bot, ledger, OnTeams(teams.person("adele")), people, settled_within)
            yield Stage(story, bot, ledger, playground)


@asynccontextmanager
async def both_platforms(database_url: str, log: Path) -> AsyncIterator[tuple[Stage, Story]]:
    """One bot for the Slack workspace, whose story the stage has, and the Teams tenant, whose story comes with it."""
    clock = HurriedClock()
    playground = Playground(clock)
    async with playground.slack.serving(), playground.teams.running():
        slack, teams = playground.slack, playground.teams
        async with _stage(playground, clock, playground.settings(database_url), log, 1) as (bot, ledger):
            await teams.announce_installations()
            story = Story(bot, ledger, OnSlack(slack.person("olivia")), [])
            yield Stage(story, bot, ledger, playground), Story(bot, ledger, OnTeams(teams.person("adele")), [])


@asynccontextmanager
async def _stage(
    playground: Playground, clock: HurriedClock, settings: Settings, log: Path, replicas: int
) -> AsyncIterator[tuple[SupervisedBot, Ledger]]:
    bot, *others = (SupervisedBot(settings, clock, log, playground.point_at) for _ in range(replicas))
    bot.replicas += others
    ledger = Ledger(settings.database_url.get_secret_value())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(ledger.close)
        for each in (bot, *others):
            await stack.enter_async_context(supervised(each))
        yield bot, ledger
