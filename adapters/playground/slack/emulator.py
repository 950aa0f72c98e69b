"""The emulated Slack workspace: one object that holds its parts, and one aiohttp application that serves them."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from adapters.playground.slack.bot_connection import BotConnection, Line
from adapters.playground.slack.credentials import Credentials
from adapters.playground.slack.events import Events
from adapters.playground.slack.faults import Faults
from adapters.playground.slack.people import add_people, standard_world
from adapters.playground.slack.person import Person
from adapters.playground.slack.rate_limits import RateLimits
from adapters.playground.slack.response_urls import ResponseUrls
from adapters.playground.slack.socket_mode import SocketMode
from adapters.playground.slack.triggers import Triggers
from adapters.playground.slack.ui import ui_routes
from adapters.playground.slack.web_api import ApiCall, WebApi
from adapters.playground.slack.world import Channel, Message, User, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

T = TypeVar("T")


class SlackEmulator:
    """A Slack workspace on loopback.

    signing_secret, bot_token: what the bot is configured with. bot_url: where its /slack/events is (also
    `slack.bot.bot_url`, later). now: the clock of message timestamps; signatures, trigger ids and response URLs go
    by real time. commands: the slash commands that the app has. should_escape: as in the app's manifest.

    `url` is where `app` can be reached; `start()` sets it, whoever mounts `app` elsewhere sets it too. The bot's
    slack_sdk client takes `slack.api_url` as base_url.
    """

    def __init__(
        self,
        *,
        signing_secret: str = "playground-signing-secret",  # noqa: S107 - there is nothing behind it
        bot_token: str = "xoxb-playground",  # noqa: S107
        bot_url: str = "",
        now: Callable[[], float] = time.time,
        commands: Iterable[str] = ("/sso",),
        should_escape: bool = True,
        team_id: str = "T0PLAYGND01",
    ) -> None:
        self.url = ""
        self.commands = set(commands)
        self.should_escape = should_escape
        self.complaints: list[str] = []
        self.world = standard_world(World(now, team_id=team_id))
        self.credentials = Credentials(bot_token, signing_secret)
        self.triggers = Triggers()
        self.faults = Faults()
        self.rate_limits = RateLimits(now)
        self.response_urls = ResponseUrls(self.world)
        self.bot = BotConnection(signing_secret, bot_url)
        self.events = Events(self)
        self.web_api = WebApi(self.world, self.credentials, self.triggers, self.faults, self.rate_limits)
        self.socket_mode = SocketMode(self)
        self.app = self._application()
        self._runner: web.AppRunner | None = None

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.web_api.handle)
        app.router.add_post("/respond/{token}", self.response_urls.handle)
        app.router.add_get("/oauth/v2/authorize", self._authorize)
        app.router.add_get("/socket/{ticket}", self.socket_mode.handle)
        app.add_routes(ui_routes(self))
        app.on_shutdown.append(self._on_shutdown)
        app.on_cleanup.append(self._on_cleanup)
        return app

    async def _on_shutdown(self, _app: web.Application) -> None:
        self.web_api.closing.set()
        self.world.changed()
        await self.socket_mode.close()

    async def _on_cleanup(self, _app: web.Application) -> None:
        await self.bot.close()

    async def _authorize(self, request: web.Request) -> web.Response:
        """The consent page, where everybody presses Allow: docs.slack.dev/authentication/installing-with-oauth."""
        query = request.query
        code = self.credentials.issue_code(query.get("code_challenge", ""))
        raise web.HTTPFound(f"{query['redirect_uri']}?code={code}&state={query.get('state', '')}")

    async def start(self, port: int = 0) -> str:
        """Serve `app` alone on loopback; returns `url`. Port 0 takes a free one."""
        self._runner = web.AppRunner(self.app, shutdown_timeout=1.0, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"
        return self.url

    async def stop(self) -> None:
        """Stop serving and close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[SlackEmulator]:
        """`async with SlackEmulator(...).serving() as slack:`."""
        await self.start(port)
        try:
            yield self
        finally:
            await self.stop()

    @property
    def api_url(self) -> str:
        """base_url for slack_sdk's clients."""
        return f"{self._known_url()}/api/"

    @property
    def line(self) -> Line:
        """The way to the bot: its Socket Mode connection when it has one, else HTTP."""
        return self.socket_mode if self.socket_mode.connected else self.bot

    def response_url(self, channel: str, user: str, message: Message | None = None) -> str:
        """A fresh response URL."""
        return f"{self._known_url()}/respond/{self.response_urls.give(channel, user, message)}"

    def _known_url(self) -> str:
        if not self.url:
            raise RuntimeError("start() the emulator, or set its url to where its app is mounted")
        return self.url.rstrip("/")

    def person(self, handle: str) -> Person:
        """The person with this handle ("alice") or user id. Raises LookupError."""
        wanted = handle.removeprefix("@")
        for user in self.world.users.values():
            if wanted in {user.name, user.id}:
                return Person(self, user)
        raise LookupError(f"nobody is called {handle}")

    def channel(self, name: str) -> Channel:
        """The channel with this name ("#general") or id. Raises LookupError."""
        wanted = name.removeprefix("#")
        for channel in self.world.channels.values():
            if wanted and wanted in {channel.name, channel.id}:
                return channel
        raise LookupError(f"no channel is called {name}")

    def add_people(self, count: int, *, into_group: str = "") -> list[User]:
        """Let `count` more members in, person-1, person-2, ...; see people.add_people."""
        return add_people(self.world, count, into_group=into_group)

    @property
    def log(self) -> list[ApiCall]:
        """Every Web API call, oldest first."""
        return self.web_api.log

    def calls(self, method: str) -> list[ApiCall]:
        """The calls of one method, oldest first."""
        return [call for call in self.log if call.method == method]

    def note(self, complaint: str) -> None:
        """Remember why something of the bot's was not shown; tests print `complaints` when they fail."""
        self.complaints.append(complaint)

    async def until(self, condition: Callable[[], T], *, within: float = 5.0) -> T:
        """Wait until this is true of the workspace, and return it; looks again after each change, not in a loop.

        `within` is in seconds. Raises AssertionError when it does not come true.
        """
        deadline = time.monotonic() + within
        while True:
            version = self.world.version
            result = condition()
            left = deadline - time.monotonic()
            if result:
                return result
            if left <= 0:
                raise AssertionError(f"it did not happen within {within} s; complaints: {self.complaints}")
            # Looked at anew at least every tenth of a second, since a condition may depend on more than this world.
            await self.world.change_after(version, min(left, 0.1))
            await asyncio.sleep(0)
