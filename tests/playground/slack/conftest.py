from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from adapters.playground.slack import SlackEmulator


@dataclass
class LittleBot:
    """A bolt app that the tests teach what to do; `heard` keeps what it was told."""

    slack: SlackEmulator
    app: AsyncApp
    client: AsyncWebClient
    heard: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def _client(slack: SlackEmulator, token: str = "xoxb-playground") -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=slack.api_url, retry_handlers=[], timeout=1)


@pytest.fixture
async def slack():
    async with SlackEmulator().serving() as emulator:
        yield emulator
        assert emulator.bot._session is None or not emulator.bot._session.closed
    assert emulator.bot._session is None or emulator.bot._session.closed


@pytest.fixture
async def client(slack):
    return _client(slack)


@pytest.fixture
async def bot(slack):
    async def authorize(**_: Any) -> AuthorizeResult:
        world = slack.world
        return AuthorizeResult(
            enterprise_id=None,
            team_id=world.team_id,
            bot_user_id=world.bot_user_id,
            bot_id=world.bot_id,
            bot_token="xoxb-playground",
        )

    app = AsyncApp(signing_secret="playground-signing-secret", authorize=authorize, client=_client(slack))
    little = LittleBot(slack, app, _client(slack))

    async def receive(request: web.Request) -> web.Response:
        little.headers.append(dict(request.headers))
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", receive)
    runner = web.AppRunner(server, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.bot.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield little
    await runner.cleanup()
