"""The line to the bot: signed HTTP requests to {bot_url}/slack/events, answered in three seconds or not at all."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

import aiohttp

if TYPE_CHECKING:
    from adapters.playground.slack.world import Json


class NoAnswer(Exception):
    """The bot did not answer in time (`operation_timeout`), or not with 2xx, or was not there (`dispatch_failed`)."""

    def __init__(self, error: str, detail: str = "") -> None:
        super().__init__(f"{error}: {detail}" if detail else error)
        self.error = error


@dataclass(frozen=True)
class BotAnswer:
    """What the bot answered a request with."""

    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Json | None:
        """The body when it is a JSON object."""
        try:
            body = json.loads(self.text)
        except ValueError:
            return None
        return body if isinstance(body, dict) else None


class Line(Protocol):
    """Any way to reach the bot: HTTP, or a Socket Mode connection that took its place."""

    async def command(self, fields: dict[str, str]) -> BotAnswer: ...  # noqa: D102
    async def interaction(self, payload: Json) -> BotAnswer: ...  # noqa: D102
    async def event(self, envelope: Json, headers: dict[str, str]) -> BotAnswer: ...  # noqa: D102


def signature(secret: str, timestamp: str, body: str) -> str:
    """X-Slack-Signature: docs.slack.dev/authentication/verifying-requests-from-slack."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class BotConnection:
    """Sends signed requests to the bot.

    Tests may change `signing_secret` or `clock_skew` (seconds) to see requests refused, and shorten `answer_within`.
    """

    def __init__(self, signing_secret: str, bot_url: str) -> None:
        self.signing_secret = signing_secret
        self.bot_url = bot_url
        self.clock_skew = 0.0
        self.answer_within = 3.0
        self._session: aiohttp.ClientSession | None = None

    async def command(self, fields: dict[str, str]) -> BotAnswer:
        """A slash command."""
        return await self.send(urlencode(fields), "application/x-www-form-urlencoded")

    async def interaction(self, payload: Json) -> BotAnswer:
        """A block_actions, view_submission or view_closed payload."""
        body = urlencode({"payload": json.dumps(payload)})
        return await self.send(body, "application/x-www-form-urlencoded")

    async def event(self, envelope: Json, headers: dict[str, str]) -> BotAnswer:
        """An Events API envelope; `headers` carry the retry number."""
        return await self.send(json.dumps(envelope), "application/json", headers)

    async def send(self, body: str, content_type: str, headers: dict[str, str] | None = None) -> BotAnswer:
        """POST this body. Raises NoAnswer."""
        timestamp = str(int(time.time() + self.clock_skew))
        signed = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.signing_secret, timestamp, body),
            **(headers or {}),
        }
        answer = await self._post(body, signed)
        if not 200 <= answer.status < 300:
            raise NoAnswer("dispatch_failed", f"{answer.status} {answer.text[:200]}")
        return answer

    async def _post(self, body: str, headers: dict[str, str]) -> BotAnswer:
        if self._session is None or self._session.closed:
            # Slack does not keep connections to apps open across requests, and a restarted bot must be reachable.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0))
        timeout = aiohttp.ClientTimeout(total=self.answer_within)
        url = f"{self.bot_url.rstrip('/')}/slack/events"
        try:
            async with self._session.post(url, data=body.encode(), headers=headers, timeout=timeout) as response:
                return BotAnswer(response.status, await response.text(), dict(response.headers))
        except TimeoutError:
            raise NoAnswer("operation_timeout") from None
        except aiohttp.ClientError as error:
            raise NoAnswer("dispatch_failed", str(error)) from None

    async def close(self) -> None:
        """Close the HTTP session."""
        if self._session is not None:
            await self._session.close()
