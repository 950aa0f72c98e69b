"""One app in two Slack workspaces, installed by link, and the bot before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import select
from yarl import URL

from adapters.assembly import assembled
from adapters.playground.slack import SlackEmulator
from adapters.server import served
from adapters.settings import Settings
from bot import faultpoints
from storage.database import create_engine
from storage.tables import METADATA
from tests.e2e.office import UNHURRIED, OfficeClock

KEY = "the key of two workspaces which is long"
TOKENS = {"T0ACME": "xoxb-of-acme-1234567890", "T0EVIL": "xoxb-of-evil-0987654321"}


@dataclass
class Exchange:
    """Slack's one Web API before both emulators: whose token or code it is, theirs is the call."""

    slacks: dict[str, SlackEmulator]

    async def handle(self, request: web.Request) -> web.Response:
        body, form = await request.read(), await request.post()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        of_token = {slack.credentials.bot_token: slack for slack in self.slacks.values()}
        of_code = {code: slack for slack in self.slacks.values() for code in slack.credentials.codes}
        of_code |= {slack.credentials.refresh_token: slack for slack in self.slacks.values()}
        code = form.get("code") or form.get("refresh_token")
        slack = of_token.get(token) or of_code.get(str(code), self.slacks["T0EVIL"])
        headers = {
            name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers
        }
        url = f"{slack.url}/api/{request.match_info['method']}"
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            return web.Response(body=await answer.read(), status=answer.status, content_type="application/json")


class Two:
    """Both workspaces and the bot."""

    def __init__(self, file: Path, **changed: Any) -> None:
        """`changed` are settings."""
        self.file = file
        self._changed = changed
        self.clock = OfficeClock()
        self.slacks = {
            team: SlackEmulator(now=lambda: self.clock.now().timestamp(), bot_token=token, team_id=team)
            for team, token in TOKENS.items()
        }
        self.acme, self.evil = self.slacks.values()
        self.url = ""
        self._stack = AsyncExitStack()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Two]:
        faultpoints.install(lambda _: self.clock.something_happens())
        async with self._stack as stack:
            exchange = web.Application()
            exchange.router.add_post("/api/{method}", Exchange(self.slacks).handle)
            api = await stack.enter_async_context(served(exchange, "127.0.0.1", 0))
            for slack in self.slacks.values():
                slack.bot.answer_within = slack.triggers.lives_for = UNHURRIED.answer
                await stack.enter_async_context(slack.serving())
            settings = self._settings(api)
            bot = await stack.enter_async_context(assembled(settings, self.clock, limits=UNHURRIED))
            self.url = await stack.enter_async_context(served(bot.application(), "127.0.0.1", 0))
            for slack in self.slacks.values():
                slack.bot.bot_url = self.url
            await stack.enter_async_context(bot.running())
            yield self
        faultpoints.install(None)

    def _settings(self, api: str) -> Settings:
        usual = Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=SecretStr(f"sqlite:///{self.file}"),
            public_url="http://127.0.0.1",
            secret_key=SecretStr(KEY),
            admins=("alice@example.com",),
            slack_client_id="111.222",
            slack_client_secret=SecretStr("playground-client-secret"),
            slack_signing_secret=SecretStr("playground-signing-secret"),
            slack_api_url=f"{api}/api/",
        )
        return usual.model_copy(update=self._changed)

    async def asked(self) -> tuple[str, str]:
        """Press "Add to Slack": the state that Slack is sent, and the browser's cookie."""
        query, cookie = await self.consents()
        return query["state"], cookie

    async def consents(self) -> tuple[Mapping[str, str], str]:
        """The same, with all that Slack is sent."""
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(f"{self.url}/slack/install", allow_redirects=False) as answer,
        ):
            assert answer.status == 302
            return URL(answer.headers["Location"]).query, answer.cookies["usher_slack_install"].value

    async def comes_back(self, **query: str) -> int:
        cookie = {"Cookie": f"usher_slack_install={query.pop('cookie', '')}"}
        url = URL(f"{self.url}/slack/oauth_redirect") % query
        async with aiohttp.ClientSession() as browser, browser.get(url, headers=cookie) as answer:
            return answer.status

    async def install(self, slack: SlackEmulator) -> int:
        query, cookie = await self.consents()
        code = slack.credentials.issue_code(query.get("code_challenge", ""))
        return await self.comes_back(state=query["state"], cookie=cookie, code=code)

    async def rows(self, table: str) -> list[Any]:
        engine = create_engine(f"sqlite:///{self.file}")
        try:
            async with engine.connect() as connection:
                return list(await connection.execute(select(METADATA.tables[table])))
        finally:
            await engine.dispose()
