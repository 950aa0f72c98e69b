"""Slack's Web API: one request for one call, and every way in which it can end, told apart.

The SDK's own retries are off: its connection-error handler sends a message a second time when only the answer was
lost. Whether a call may be repeated is the caller's to know.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.patience import SOON, patiently
from bot.ports import Reason

TIME_OUT = 10.0  # seconds, for a whole call
CONNECT_TIME_OUT = 5.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Methods that take JSON; the others take forms only (docs.slack.dev/apis/web-api, "JSON-encoded bodies").
JSON_FAMILIES = ("chat.", "views.")
# Slack's own faults, whatever became of the call (docs.slack.dev/reference/methods/chat.postMessage, errors).
SLACKS_FAULT = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
DEFAULT_RETRY_AFTER = 30.0

# The SDK logs requests and answers, words and addresses included, at DEBUG. Its loggers never go below this level.
sdk_log = logging.getLogger("adapters.slack.sdk")
sdk_log.setLevel(logging.ERROR)


class ApiFailed(Exception):
    """A call did not end well. The text holds the method and Slack's error code, nothing that was sent."""


class ApiThrottled(ApiFailed):
    """Too fast: nothing was done. `retry_after` in seconds."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(f"{method}: rate limited")
        self.retry_after = retry_after


class NotSent(ApiFailed):
    """The request never left: no connection, no name, no TLS."""


class Unanswered(ApiFailed):
    """Whether Slack did it is not known."""

    def __init__(self, method: str, reason: Reason) -> None:
        super().__init__(f"{method}: {reason.value}")
        self.reason = reason


class ApiRefused(ApiFailed):
    """Slack says no: `error` is its code."""

    def __init__(self, method: str, error: str) -> None:
        super().__init__(f"{method}: {error}")
        self.error = error


@dataclass(frozen=True)
class Answer:
    """What Slack answered. `scopes` are those of the token, where Slack tells them."""

    data: dict[str, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()


class WebApi:
    """Calls with one bot token. Opens its connections at the first call; `close` ends them."""

    def __init__(self, bot_token: str, api_url: str, time_out: float = TIME_OUT) -> None:
        self._token = bot_token
        self._url = api_url if api_url.endswith("/") else f"{api_url}/"
        self._time_out = time_out
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    @property
    def token(self) -> str:
        """The bot token."""
        return self._token

    def use(self, bot_token: str) -> None:
        """Call with this token from now on; what is under way ends with the old one."""
        self._token = bot_token
        if self._client is not None:
            self._client.token = bot_token

    async def call(self, method: str, **arguments: Any) -> Answer:
        """One request; arguments that are None are left out. Raises ApiFailed, as one of its kinds."""
        given = {name: value for name, value in arguments.items() if value is not None}
        client = self._open()
        try:
            if method.startswith(JSON_FAMILIES):
                response = await client.api_call(method, json=given)
            else:
                response = await client.api_call(method, data=given)
        except Exception as error:  # noqa: BLE001  # `failure` raises again what it does not know
            raise failure(method, error) from None  # the cause quotes what was sent
        data = response.data if isinstance(response.data, dict) else {}
        scopes = str(response.headers.get("x-oauth-scopes") or "")
        return Answer(data, tuple(filter(None, (scope.strip() for scope in scopes.split(",")))))

    async def respond(self, response_url: str, **content: Any) -> None:
        """Use a response_url: five times within thirty minutes of the click. Raises ApiFailed."""
        self._open()
        webhook = AsyncWebhookClient(response_url, session=self._session, retry_handlers=[], logger=sdk_log)
        try:
            response = await webhook.send_dict({name: value for name, value in content.items() if value is not None})
        except Exception as error:  # noqa: BLE001
            raise failure("response_url", error) from None
        if response.status_code != 200:
            raise ApiRefused("response_url", f"http_{response.status_code}")

    async def close(self) -> None:
        """End the connections. May be called more than once."""
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    def client(self, session: aiohttp.ClientSession | None = None) -> AsyncWebClient:
        """A client without retries, for the SDK's parts that want one."""
        client = AsyncWebClient(
            token=self._token, base_url=self._url, session=session, retry_handlers=[], logger=sdk_log
        )
        if urlsplit(self._url).hostname in LOOPBACK:
            client.proxy = None  # the SDK takes a proxy from the environment and asks for no exceptions to it
        return client

    def _open(self) -> AsyncWebClient:
        if self._client is None:
            times = aiohttp.ClientTimeout(total=self._time_out, connect=min(CONNECT_TIME_OUT, self._time_out / 2))
            self._session = aiohttp.ClientSession(timeout=times)
            self._client = self.client(self._session)
        return self._client


class PatientApi:
    """The same calls for somebody who waits for an answer: what Slack has provably not done is tried again."""

    def __init__(self, api: WebApi) -> None:
        self._api = api

    async def call(self, method: str, **arguments: Any) -> Answer:
        """See WebApi.call."""
        return await patiently(lambda: self._api.call(method, **arguments), again_after)

    async def respond(self, response_url: str, **content: Any) -> None:
        """See WebApi.respond."""
        await patiently(lambda: self._api.respond(response_url, **content), again_after)


def again_after(error: Exception) -> float | None:
    """In how many seconds a call that failed may be tried again; None when it may have done something."""
    match error:
        case ApiThrottled():
            return error.retry_after
        case NotSent():
            return SOON
        case _:
            return None


def failure(method: str, error: Exception) -> ApiFailed:
    """Which kind of failure an exception of the SDK or of aiohttp is.

    The order counts: aiohttp's connection errors are also OSErrors, its connect time-out is also a TimeoutError.
    """
    match error:
        case SlackApiError():
            return _refusal(method, error.response)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError() | aiohttp.InvalidURL():
            return NotSent(f"{method}: {type(error).__name__}")
        case asyncio.TimeoutError():
            return Unanswered(method, Reason.TIMED_OUT)
        case aiohttp.ClientError() | OSError():
            return Unanswered(method, Reason.CONNECTION_LOST)
        case SlackClientError() | json.JSONDecodeError() | UnicodeDecodeError():
            return Unanswered(method, Reason.SERVER_ERROR)
        case _:
            raise error


def _refusal(method: str, response: Any) -> ApiFailed:
    """`response` is the SDK's, or aiohttp's own when the body was not the JSON that it claims to be."""
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    data = getattr(response, "data", None)
    error = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or error in {"ratelimited", "rate_limited"}:
        return ApiThrottled(method, _seconds(response.headers.get("Retry-After")))
    if status >= 500 or not error or error in SLACKS_FAULT:
        return Unanswered(method, Reason.SERVER_ERROR)
    return ApiRefused(method, error)


def _seconds(header: object) -> float:
    try:
        return max(0.0, float(str(header)))
    except ValueError:
        return DEFAULT_RETRY_AFTER
