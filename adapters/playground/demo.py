"""`usher demo`: the real bot between an emulated Slack workspace and an emulated Teams tenant, on loopback.

The bot is put together as in production, with settings that point at the emulators; nothing in it knows that it is
a demo. Only its clock can be moved forward.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from adapters.playground.page import add_page
from adapters.playground.slack import SlackEmulator
from adapters.playground.teams.emulator import APP_ID, APP_PASSWORD, TeamsEmulator
from adapters.server import Bot, served
from adapters.settings import Settings
from bot.clock import MovableClock
from bot.ports import Clock

Assemble = Callable[[Settings, Clock], AbstractAsyncContextManager[Bot]]

SLACK_AT, TEAMS_AT = "/playground/slack", "/playground/teams"
START_WITHIN = 20.0  # seconds; everything is on this machine
TEAMS_ADMINS = ("adele", "megan")


class Playground:
    """Both emulators on one movable clock, and the settings of a bot that talks to them."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock
        self.public_url = "http://127.0.0.1"  # where the page is, once that is known

        def now() -> float:
            return clock.now().timestamp()

        self.slack = SlackEmulator(now=now)
        self.teams = TeamsEmulator(now=now)

    def settings(self, database_url: str) -> Settings:
        """What `usher serve` would read from the environment. The emulators' addresses must be known by now."""
        accounts = self.teams.tenant.accounts
        return Settings(
            _env_file=None,  # type: ignore[call-arg]  # pydantic-settings takes it, its types do not say so
            database_url=SecretStr(database_url),
            public_url=self.public_url,
            secret_key=SecretStr("a playground keeps no secrets at all"),
            admins=tuple(accounts[key].email for key in TEAMS_ADMINS),
            slack_bot_token=SecretStr("xoxb-playground"),
            slack_signing_secret=SecretStr("playground-signing-secret"),
            slack_app_token=SecretStr(""),
            slack_api_url=self.slack.api_url,
            teams_app_id=APP_ID,
            teams_app_password=SecretStr(APP_PASSWORD),
            teams_tenant_id=self.teams.tenant.id,
            teams_openid_metadata_url=self.teams.openid_metadata_url,
            teams_token_url=self.teams.token_url,
            teams_graph_url=self.teams.graph_url,
        )

    def point_at(self, bot_url: str) -> None:
        """Tell both platforms where the bot is."""
        self.slack.bot.bot_url = bot_url
        self.teams.bot_url = f"{bot_url}/api/messages"


@asynccontextmanager
async def playing(
    assembled: Assemble, database_url: str, clock: MovableClock | None = None
) -> AsyncIterator[tuple[Playground, Bot]]:
    """Both emulators and the bot, each on a port of its own, running. For the autoplay and for tests."""
    playground = Playground(clock or MovableClock())
    async with (
        playground.slack.serving(),
        playground.teams.running(),
        assembled(playground.settings(database_url), playground.clock) as bot,
        served(bot.application(), "127.0.0.1", 0) as url,
    ):
        playground.point_at(url)
        async with bot.running():
            async with asyncio.timeout(START_WITHIN):
                await bot.ready.wait()
            await playground.teams.announce_installations()
            yield playground, bot


async def demo(assembled: Assemble, stopped_by_signal: Callable[[], asyncio.Event], *, port: int) -> int:
    """Serve the playground's page until stopped. Its database is thrown away at the end."""
    stop = stopped_by_signal()
    with TemporaryDirectory(prefix="usher-demo-") as directory:
        url = f"http://127.0.0.1:{port}"
        playground = Playground(MovableClock())
        playground.slack.url, playground.teams.public_url = url + SLACK_AT, url + TEAMS_AT
        playground.point_at(url)
        playground.public_url = url
        database_url = f"sqlite:///{Path(directory) / 'demo.db'}"
        async with assembled(playground.settings(database_url), playground.clock) as bot:
            app = bot.application()
            app.add_subapp(SLACK_AT, playground.slack.app)
            app.add_subapp(TEAMS_AT, playground.teams.app)

            def move(by: timedelta) -> datetime:
                moved = playground.clock.move(by)
                bot.wake()
                return moved

            admins = [playground.teams.tenant.accounts[key].email for key in TEAMS_ADMINS]
            add_page(
                app,
                slack_ui=f"{SLACK_AT}/ui",
                teams_ui=f"{TEAMS_AT}/ui",
                now=playground.clock.now,
                move=move,
                admins=admins,
            )
            async with served(app, "127.0.0.1", port), bot.running():
                async with asyncio.timeout(START_WITHIN):
                    await bot.ready.wait()
                await playground.teams.announce_installations()
                print(f"The playground is open at {url}/  (Ctrl+C ends it)", flush=True)  # noqa: T201  # for the terminal
                await stop.wait()
    return 0
