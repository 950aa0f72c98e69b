"""The emulated Microsoft Teams tenant as one aiohttp application.

Run alone::

    async with TeamsEmulator().running() as teams:
        teams.bot_url = "http://127.0.0.1:3978/api/messages"

or mounted, with ``public_url`` set to where it was mounted::

    app.add_subapp("/playground/teams", teams.app)
    teams.public_url = "http://127.0.0.1:3978/playground/teams"
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from adapters.playground.teams.activities import ActivityWriter
from adapters.playground.teams.bot_link import BotLink, Delivery
from adapters.playground.teams.calls import Call, Calls
from adapters.playground.teams.client import TeamsClient
from adapters.playground.teams.connector import Connector
from adapters.playground.teams.faults import Faults
from adapters.playground.teams.graph import Graph
from adapters.playground.teams.identity import ISSUER, Identity
from adapters.playground.teams.limits import RateLimits
from adapters.playground.teams.page_api import PageApi
from adapters.playground.teams.tenant import Account, Conversation, Message, Tenant
from adapters.playground.teams.world import add_people, standard_world

APP_ID = "5f0c9a4e-7f0e-4c55-9d0a-3b8f5a1d2c77"
APP_PASSWORD = "playground-only"  # noqa: S105 - opens nothing but this emulator


class TeamsEmulator:
    """Microsoft's side of a Teams bot, over loopback HTTP.

    Paths under ``public_url``: ``connector/`` (the service URL), ``identity/v1/.well-known/openidconfiguration``,
    ``identity/{tenant}/oauth2/v2.0/token``, ``graph/v1.0/`` and ``ui/``.
    """

    def __init__(
        self,
        app_id: str = APP_ID,
        app_password: str = APP_PASSWORD,
        now: Callable[[], float] = time.time,
        world: Callable[[Tenant], Tenant] = standard_world,
    ) -> None:
        self.tenant = world(Tenant(app_id, now))
        self.identity = Identity(app_id, app_password, self.tenant.id)
        self.faults = Faults()
        self.limits = RateLimits(now)
        self.calls = Calls(self.faults, now)
        self._writer = ActivityWriter(self.tenant)
        self.link = BotLink(self.tenant, self.identity, self._writer)
        self.connector = Connector(self.tenant, self.identity, self.limits, self.calls)
        self.graph = Graph(self.tenant, self.identity, self.calls, self.link)
        self._clients: dict[str, TeamsClient] = {}
        self._background: set[asyncio.Task[None]] = set()
        self.tenant.bot_wrote.append(self._refresh_for_those_looking)
        self.app = self._application()

    @property
    def bot_url(self) -> str | None:
        """Where the bot listens (``…/api/messages``); None: it cannot be reached."""
        return self.link.bot_url

    @bot_url.setter
    def bot_url(self, url: str | None) -> None:
        self.link.bot_url = url

    @property
    def public_url(self) -> str:
        """Where this application was mounted, without a slash at the end."""
        return self.link.public_url

    @public_url.setter
    def public_url(self, url: str) -> None:
        self.link.public_url = url.rstrip("/")
        self._writer.service_url = self.service_url

    @property
    def service_url(self) -> str:
        """The Connector's address, as activities name it."""
        return f"{self.public_url}/connector/"

    @property
    def openid_metadata_url(self) -> str:
        """Where a bot finds the keys that sign the Connector's tokens."""
        return f"{self.public_url}/identity/v1/.well-known/openidconfiguration"

    @property
    def token_url(self) -> str:
        """Where the bot gets its own tokens."""
        return f"{self.public_url}/identity/{self.tenant.id}/oauth2/v2.0/token"

    @property
    def graph_url(self) -> str:
        """Microsoft Graph's address, version included."""
        return f"{self.public_url}/graph/v1.0"

    @property
    def log(self) -> list[Call]:
        """Every call that the bot made, oldest first."""
        return self.calls.log

    @property
    def deliveries(self) -> list[Delivery]:
        """Every activity that was sent to the bot, with its answer, oldest first."""
        return self.link.deliveries

    @property
    def problems(self) -> list[str]:
        """What the bot did that Teams could not honour; a test may end with ``assert not teams.problems``."""
        return [each.problem for each in self.deliveries if each.problem]

    def person(self, key: str) -> TeamsClient:
        """Teams as this person uses it; raises KeyError for an unknown key."""
        if key not in self._clients:
            account = self.tenant.accounts[key]
            self._clients[key] = TeamsClient(account, self.tenant, self.link, self._writer)
        return self._clients[key]

    def add_people(self, count: int) -> list[Account]:
        """Add this many people with the app installed; returns them."""
        return add_people(self.tenant, count)

    def person_leaves(self, key: str) -> None:
        """The person's account is deleted: their chat is not found any more, nor are they in Graph or in the team."""
        self.tenant.accounts[key].left = True
        self.tenant.changed()

    async def install_in_team(self, by: str) -> None:
        """The person with this key adds the app to the first team; the bot is told."""
        team = self.tenant.teams[0]
        team.bot_installed = True
        for activity in self._writer.team_installation(self.tenant.accounts[by], team, "add"):
            await self.link.deliver(activity)

    async def uninstall_from_team(self, by: str) -> None:
        """The person with this key removes the app from the first team; the bot is told."""
        team = self.tenant.teams[0]
        team.bot_installed = False
        for activity in self._writer.team_installation(self.tenant.accounts[by], team, "remove"):
            await self.link.deliver(activity)

    async def announce_installations(self) -> None:
        """Tell a bot that has just started where it is installed: in the team, and for each person who has it."""
        first = next(iter(self.tenant.accounts))
        await self.install_in_team(first)
        for account in list(self.tenant.accounts.values()):
            if account.installed and not account.left:
                await self.link.install(account)

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Send the same activity to the bot again, under the same id."""
        return await self.link.redeliver(delivery)

    async def redeliver_under_new_id(self, delivery: Delivery) -> Delivery:
        """Send the same activity to the bot again, under another id."""
        return await self.link.redeliver_under_new_id(delivery)

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        """Return when the condition holds; it is asked at every change. Raises TimeoutError."""
        with self.tenant.watching() as changed:
            async with asyncio.timeout(seconds):
                while not condition():
                    await changed.wait()
                    changed.clear()

    async def settle(self) -> None:
        """Wait until the refreshes that are under way have ended."""
        while self._background:
            await asyncio.gather(*self._background)

    async def close(self) -> None:
        """End what is under way and close the connections."""
        self.faults.closing.set()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.link.close()

    @asynccontextmanager
    async def running(self, port: int = 0) -> "AsyncIterator[TeamsEmulator]":
        """Serve on 127.0.0.1 (a free port unless given) until the block ends."""
        runner = web.AppRunner(self.app, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.add_routes(_below("/connector", self.connector.routes()))
        app.add_routes(_below("/graph/v1.0", self.graph.routes()))
        app.add_routes(PageApi(self.tenant, self.person, self.faults.closing).routes())
        token = self.calls.gate("token", lambda *_: None, self.identity.serve_token)
        app.router.add_post("/identity/{tenant}/oauth2/v2.0/token", token)
        app.router.add_get("/identity/v1/.well-known/openidconfiguration", self._serve_metadata)
        app.router.add_get("/identity/v1/.well-known/keys", self.identity.serve_keys)
        app.on_shutdown.append(self._close_with)
        return app

    async def _close_with(self, app: web.Application) -> None:
        del app
        await self.close()

    async def _serve_metadata(self, request: web.Request) -> web.Response:
        del request
        metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com",
            "jwks_uri": f"{self.public_url}/identity/v1/.well-known/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }
        return web.json_response(metadata)

    def _refresh_for_those_looking(self, conversation: Conversation, message: Message) -> None:
        members = self.tenant.members(conversation)
        for client in self._clients.values():
            if client.looking and client.account in members:
                task = asyncio.create_task(client.refreshes(conversation, message))
                self._background.add(task)
                task.add_done_callback(self._background.discard)


def _below(prefix: str, routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    return [web.route(each.method, prefix + each.path, each.handler) for each in routes]
