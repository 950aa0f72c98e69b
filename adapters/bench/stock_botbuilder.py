"""What the bot is compared with: Microsoft's CloudAdapter with its token validation, answering "Echo: …".

The SDK is untouched; its settings name the loopback address as Microsoft's. Run as `python -m …stock_botbuilder URL`.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web
from botbuilder.core import ActivityHandler, MessageFactory, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botframework.connector.auth import AppCredentials, ServiceClientCredentialsFactory

from adapters.bench.loopback import APP_ID, APP_PASSWORD
from adapters.server import served


class _Token(AppCredentials):  # type: ignore[misc]  # the SDK ships no types
    """MSAL takes no http address, so the token is a constant: less work than the SDK's own."""

    def get_access_token(self, force_refresh: bool = False) -> str:  # noqa: ARG002  # the SDK's signature
        return "bench"


class _Credentials(ServiceClientCredentialsFactory):  # type: ignore[misc]
    def __init__(self) -> None:
        self._token = _Token(APP_ID)

    async def is_valid_app_id(self, app_id: str) -> bool:
        return app_id == APP_ID

    async def is_authentication_disabled(self) -> bool:
        return False

    async def create_credentials(self, *_: object, **__: object) -> AppCredentials:
        return self._token


class _Configuration:
    """The names that the SDK asks for."""

    def __init__(self, metadata_url: str) -> None:
        self.APP_ID, self.APP_PASSWORD, self.APP_TYPE = APP_ID, APP_PASSWORD, "MultiTenant"
        self.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL = metadata_url
        self.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL = metadata_url
        self.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER = "https://api.botframework.com"  # noqa: S105
        self.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE = "https://api.botframework.com/.default"
        self.TO_CHANNEL_FROM_BOT_LOGIN_URL = "https://login.microsoftonline.com/botframework.com"
        self.OAUTH_URL = "https://api.botframework.com"
        self.CALLER_ID = "urn:botframework:azure"


class _Echo(ActivityHandler):  # type: ignore[misc]
    async def on_message_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(MessageFactory.text(f"Echo: {turn_context.activity.text}"))


def application(metadata_url: str) -> web.Application:
    """The SDK's own sample, "02.echo-bot"."""
    adapter = CloudAdapter(
        ConfigurationBotFrameworkAuthentication(_Configuration(metadata_url), credentials_factory=_Credentials())
    )
    echo = _Echo()

    async def serve(request: web.Request) -> web.Response:
        return await adapter.process(request, echo) or web.Response(status=200)

    site = web.Application()
    site.router.add_post("/api/messages", serve)
    return site


async def _serve(metadata_url: str) -> None:
    async with served(application(metadata_url), "127.0.0.1", 0) as url:
        print(url, flush=True)  # noqa: T201  # read by whoever started this process
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
