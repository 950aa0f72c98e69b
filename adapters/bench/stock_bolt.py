"""What the bot is compared with: a slack-bolt application that does nothing, run as `python -m …stock_bolt`.

As the bot's it authorizes from memory. "plain" leaves bolt's own way to acknowledge, which looks every 10 ms whether
the listener has acknowledged; "same" acknowledges after the listener, as the bot must.
"""

from __future__ import annotations

import re
import sys

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck

from adapters.bench.loopback import BOT_TOKEN, SIGNING_SECRET, TEAM

ANYTHING = re.compile(r"[\s\S]*")


async def _authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token=BOT_TOKEN, bot_id="BBOT", bot_user_id="UBOT")


async def _nothing(ack: AsyncAck) -> None:
    await ack()


def application(kind: str) -> web.Application:
    """Commands and buttons, acknowledged."""
    app = AsyncApp(signing_secret=SIGNING_SECRET, authorize=_authorize, process_before_response=(kind == "same"))
    app.command(ANYTHING)(_nothing)
    app.action(ANYTHING)(_nothing)

    async def serve(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    site = web.Application()
    site.router.add_post("/slack/events", serve)
    return site


def listening(url: str) -> None:
    """Tell whoever started this process where it listens."""
    print(url, flush=True)  # noqa: T201


if __name__ == "__main__":
    import asyncio

    from adapters.server import served

    async def _serve() -> None:
        async with served(application(sys.argv[1]), "127.0.0.1", 0) as url:
            listening(url)
            await asyncio.Event().wait()

    asyncio.run(_serve())
