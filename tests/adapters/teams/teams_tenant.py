"""The emulated tenant, the adapter as production uses it, and a recording handle in the engine's place."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from adapters.playground.teams import APP_ID, APP_PASSWORD, TeamsEmulator
from adapters.teams.adapter import TeamsAdapter, TeamsConfig
from bot.events import Event
from bot.messages import Message, Section, text
from bot.model import Person, Workspace
from bot.transition import Reply, Whisper
from storage.database import Database, create_engine
from storage.tables import METADATA


def say(words: str, **more: Any) -> Message:
    """A message of one sentence, whatever it is: a key that has no sentence is said as it is."""
    return Message(summary=text("{words}", words=words), body=(Section(text("{words}", words=words)),), **more)


class HandClock:
    """Sleeping takes no time and is written down."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


@dataclass
class Bot:
    """A running adapter. `answers` gives the reply to an event; what is not told is whispered "heard"."""

    teams: TeamsEmulator
    store: Database
    clock: HandClock = field(default_factory=HandClock)
    events: list[Event] = field(default_factory=list)
    answers: Callable[[Event], Reply | None] = lambda _: Whisper(say("heard"))
    adapter: TeamsAdapter = None  # type: ignore[assignment]

    async def handle(self, event: Event) -> Reply | None:
        self.events.append(event)
        async with self.store.transaction() as tx:
            if not await tx.inbox.remember(event.id, self.clock.now()):
                return None
            await tx.people.meet([event.actor])
        return self.answers(event)

    def replies(self, reply: Reply | None) -> None:
        self.answers = lambda _: reply

    @property
    def workspace_id(self) -> str:
        return f"teams:{self.teams.tenant.id}"

    @property
    def workspace(self) -> Workspace:
        return Workspace(
            id=self.workspace_id,
            platform="teams",
            external_id=self.teams.tenant.id,
            service_url=self.teams.service_url,
            installed_at=self.clock.now(),
        )

    def person(self, key: str, **more: Any) -> Person:
        account = self.teams.tenant.accounts[key]
        return Person(
            id=Person.key(self.workspace_id, account.id),
            workspace_id=self.workspace_id,
            user_id=account.id,
            name=account.name,
            seen_at=self.clock.now(),
            **more,
        )

    def config(self, **changes: Any) -> TeamsConfig:
        config = TeamsConfig(
            app_id=APP_ID,
            app_password=APP_PASSWORD,
            tenant_id=self.teams.tenant.id,
            openid_metadata_url=self.teams.openid_metadata_url,
            token_url=self.teams.token_url,
            graph_url=self.teams.graph_url,
            service_url=self.teams.service_url,
            allow_loopback=True,
        )
        return replace(config, **changes)

    def calls(self, operation: str) -> int:
        return len(self.teams.calls.made(operation))


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{folder / 'usher.db'}"
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()
    store = Database(url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def running_bot(folder: Path, **changes: Any) -> AsyncIterator[Bot]:
    """A bot at the tenant's door, with the usual configuration or `changes` to it. In the end Teams must have had nothing to complain about."""
    async with database(folder) as store, TeamsEmulator().running() as teams:
        bot = Bot(teams, store)
        bot.adapter = TeamsAdapter(bot.config(**changes), bot.handle, store, bot.clock)
        app = web.Application()
        bot.adapter.add_routes(app)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        teams.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/messages"
        await bot.adapter.start()
        try:
            yield bot
        finally:
            await bot.adapter.stop()
            await runner.cleanup()
