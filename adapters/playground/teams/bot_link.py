"""The way to the bot: posts activities with a signed token, as the Connector does, and keeps what came back."""

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from adapters.playground.teams.activities import ActivityWriter
from adapters.playground.teams.identity import Identity
from adapters.playground.teams.tenant import Account, Json, Tenant

UNREACHABLE = "Unable to reach app. Please try again."


@dataclass
class Delivery:
    """One activity on its way to the bot. ``status`` is 504 when the bot gave no answer in time.

    ``problem`` says what a person would not see but a developer must know, such as a card that Teams cannot show.
    """

    activity: Json
    status: int = 504
    body: Any = None
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the bot answered with success."""
        return 200 <= self.status < 300


class BotLink:
    """Delivers activities to ``bot_url`` (the bot's ``/api/messages``). Time-outs are in seconds.

    An invoke must be answered in 10 to 15 seconds (learn.microsoft.com, "Universal Actions for Adaptive Cards"; the
    stricter end is used); a message in 15.
    """

    def __init__(self, tenant: Tenant, identity: Identity, writer: ActivityWriter) -> None:
        self._tenant = tenant
        self._identity = identity
        self._writer = writer
        self._session: aiohttp.ClientSession | None = None
        self.bot_url: str | None = None
        self.public_url = ""
        self.invoke_timeout = 10.0
        self.message_timeout = 15.0
        self.deliveries: list[Delivery] = []

    def public_url_of(self, url: URL) -> str:
        """The URL of a request to this application, as the bot can call it."""
        return str(URL(self.public_url).origin().join(url.relative() if url.is_absolute() else url))

    async def deliver(self, activity: Json) -> Delivery:
        """Post an activity to the bot and return what it answered; raises nothing when the bot cannot be reached."""
        token = self._identity.token_for_bot(self._writer.service_url)
        return await self.deliver_with(activity, {"Authorization": f"Bearer {token}"})

    async def deliver_with(self, activity: Json, headers: dict[str, str]) -> Delivery:
        """Post an activity under headers of the caller's making, for tests with wrong tokens."""
        delivery = Delivery(activity)
        self.deliveries.append(delivery)
        seconds = self.invoke_timeout if activity["type"] == "invoke" else self.message_timeout
        try:
            async with asyncio.timeout(seconds):
                await self._post(delivery, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            delivery.problem = f"{UNREACHABLE} ({type(error).__name__})"
        else:
            if not delivery.ok:
                delivery.problem = f"{UNREACHABLE} (status {delivery.status})"
        self._tenant.changed()
        return delivery

    async def _post(self, delivery: Delivery, headers: dict[str, str]) -> None:
        if self.bot_url is None:
            raise ConnectionRefusedError
        if self._session is None:
            self._session = aiohttp.ClientSession()
        # learn.microsoft.com, "Conversation events in your Teams bot", section "Request headers of the bot".
        teams_headers = {
            "x-ms-conversation-id": delivery.activity["conversation"]["id"],
            "x-ms-tenant-id": self._tenant.id,
        }
        async with self._session.post(
            self.bot_url, json=delivery.activity, headers={**teams_headers, **headers}
        ) as response:
            body = await response.text()
            delivery.body = _parsed(body, response.content_type)
            delivery.status = response.status

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the same activity again under the same id, as after a lost answer."""
        return await self.deliver(delivery.activity)

    async def redeliver_under_new_id(self, delivery: Delivery) -> Delivery:
        """Deliver the same activity again under a new id, as Teams does with some invokes."""
        return await self.deliver({**delivery.activity, "id": f"f:{uuid.uuid4()}"})

    async def install(self, account: Account) -> None:
        """Install the app for a person and tell the bot."""
        account.installed = True
        for activity in self._writer.installation(account, "add"):
            await self.deliver(activity)

    async def uninstall(self, account: Account) -> None:
        """Remove the app for a person and tell the bot."""
        account.installed = False
        for activity in self._writer.installation(account, "remove"):
            await self.deliver(activity)

    async def close(self) -> None:
        """Close the connections to the bot."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _parsed(body: str, content_type: str) -> Any:
    if not body or content_type != "application/json":
        return body or None
    try:
        return json.loads(body)
    except ValueError:
        return body
