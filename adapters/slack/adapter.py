"""Slack, as the composition root sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.request.async_request import AsyncBoltRequest

from adapters.background import Background
from adapters.chat import PlatformUnavailable
from adapters.pictures import Pictures
from adapters.slack.directory import SlackDirectory
from adapters.slack.door import knock
from adapters.slack.inbound import ASK_WHO_WITHIN, Inbound
from adapters.slack.install import Install
from adapters.slack.people import People
from adapters.slack.platform import LIMITS, SlackPlatform
from adapters.slack.replies import Replies
from adapters.slack.web_api import TIME_OUT, ApiFailed, WebApi, sdk_log
from bot.ports import Clock, Handle, Store

log = structlog.get_logger(__name__)

PATH = "/slack/events"


@dataclass(frozen=True)
class SlackConfig:
    """The app's credentials. With an `app_token` events come through Socket Mode, and no signing secret is needed."""

    bot_token: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    api_url: str = "https://slack.com/api/"
    time_out: float = TIME_OUT  # seconds, for one call of the Web API
    messages_per_minute: float = LIMITS.per_second * 60  # in the workspace
    ask_who_within: float = ASK_WHO_WITHIN  # seconds; the person waits for the bot's answer meanwhile
    pictures: Pictures | None = None  # of charts, where Slack can fetch them

    def __post_init__(self) -> None:
        if not self.bot_token:
            raise ValueError("Slack needs a bot token")
        if not self.signing_secret and not self.app_token:
            raise ValueError("Slack needs a signing secret, or an app token for Socket Mode")


class SlackAdapter:
    """adapters.chat.ChatAdapter for one Slack workspace."""

    def __init__(self, config: SlackConfig, handle: Handle, store: Store, clock: Clock) -> None:
        self._config = config
        self._api = WebApi(config.bot_token, config.api_url, config.time_out)
        self._background = Background(ApiFailed)
        people = People(self._api, clock)
        self.install = Install(self._api, store, clock)
        limits = replace(LIMITS, per_second=config.messages_per_minute / 60)
        self.platform = SlackPlatform(self._api, limits, config.pictures)
        self.directory = SlackDirectory(self._api, people, clock)
        self._inbound = Inbound(
            signing_secret=config.signing_secret,
            api=self._api,
            install=self.install,
            people=people,
            replies=Replies(self._api, self._background, config.pictures),
            background=self._background,
            handle=handle,
            clock=clock,
            ask_who_within=config.ask_who_within,
        )
        self._socket: AsyncSocketModeHandler | None = None

    def add_routes(self, app: web.Application) -> None:
        """POST /slack/events; not without a signing secret, since then anybody could sign."""
        if self._config.signing_secret:
            app.router.add_post(PATH, self._inbound.serve)

    def use(self, bot_token: str) -> None:
        """The same workspace has another token."""
        self._api.use(bot_token)

    async def answer(self, received: AsyncBoltRequest) -> web.Response:
        """What `read` made of a request of this workspace."""
        return await self._inbound.answer(received)

    async def start(self) -> None:
        """Store the workspace; connect where Socket Mode is wanted. Raises PlatformUnavailable, StoreUnavailable."""
        here = await self.install.begin()
        if self._config.app_token:
            await self._connect()
        log.info("slack.started", workspace=here.workspace_id, socket_mode=bool(self._config.app_token))

    async def knock(self, public_url: str) -> None:
        """At POST /slack/events; or, with Socket Mode, whether Slack would let the bot connect."""
        if self._config.app_token:
            await self._socket_address()
        else:
            await knock(f"{public_url}{PATH}", self._config.signing_secret)

    async def _socket_address(self) -> str:
        """Raises PlatformUnavailable."""
        door = WebApi(self._config.app_token, self._config.api_url, self._config.time_out)
        try:
            answer = await door.call("apps.connections.open")
        except ApiFailed as failed:
            raise PlatformUnavailable(
                f"Slack: no Socket Mode with USHER_SLACK_APP_TOKEN ({failed}). It needs the scope connections:write."
            ) from None
        finally:
            await door.close()
        return str(answer.data.get("url") or "")

    async def _connect(self) -> None:
        """The first address is asked for here: left to itself, the SDK tries a refused token again for ever."""
        address = await self._socket_address()
        client = self._api.client()
        self._socket = AsyncSocketModeHandler(
            self._inbound.app, self._config.app_token, logger=sdk_log, web_client=client
        )
        self._socket.client.wss_uri = address
        await self._socket.connect_async()  # type: ignore[no-untyped-call]  # the SDK

    async def _disconnect(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close_async()  # type: ignore[no-untyped-call]  # the SDK

    async def stop(self) -> None:
        """Disconnect, let the last answers be shown, close the connections."""
        await self._disconnect()
        await self._background.stop()
        await self._api.close()

    async def check(self) -> None:
        """Raises PlatformUnavailable."""
        await self.install.check()
