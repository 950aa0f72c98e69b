"""Socket Mode: the same commands, interactions and events over a WebSocket.

Source: docs.slack.dev/apis/events-api/using-socket-mode.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from adapters.playground.slack.bot_connection import BotAnswer, NoAnswer

if TYPE_CHECKING:
    from adapters.playground.slack.emulator import SlackEmulator
    from adapters.playground.slack.world import Json


class SocketMode:
    """Delivers envelopes over the newest WebSocket that the bot has opened, and waits for their acknowledgements."""

    def __init__(self, slack: SlackEmulator) -> None:
        self._slack = slack
        self._tickets: set[str] = set()
        self._socket: web.WebSocketResponse | None = None
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        slack.web_api.methods["apps.connections.open"] = self._open

    @property
    def connected(self) -> bool:
        """Whether the bot has a WebSocket open."""
        return self._socket is not None and not self._socket.closed

    def _open(self, _args: Json) -> Json:
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        base = self._slack.api_url.removesuffix("/api/").replace("http", "ws", 1)
        return {"url": f"{base}/socket/{ticket}"}

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """GET from the bot: a ticket of apps.connections.open opens one connection."""
        ticket = request.match_info["ticket"]
        if ticket not in self._tickets:
            raise web.HTTPForbidden
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._socket = socket
        app = {"app_id": self._slack.world.app_id}
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": app})
        self._slack.world.changed()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._acknowledge(message.data)
        return socket

    def _acknowledge(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.pop(ack.get("envelope_id", ""), None) if isinstance(ack, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(ack.get("payload") or {})

    async def command(self, fields: dict[str, str]) -> BotAnswer:
        """A slash command."""
        return await self._deliver("slash_commands", dict(fields), {"accepts_response_payload": True})

    async def interaction(self, payload: Json) -> BotAnswer:
        """A block_actions, view_submission or view_closed payload."""
        accepts = payload["type"] == "view_submission"
        return await self._deliver("interactive", payload, {"accepts_response_payload": accepts})

    async def event(self, envelope: Json, headers: dict[str, str]) -> BotAnswer:
        """An Events API envelope; the retry headers become fields."""
        attempt = int(headers.get("X-Slack-Retry-Num", 0))
        reason = headers.get("X-Slack-Retry-Reason", "")
        more = {"retry_attempt": attempt, "retry_reason": reason, "accepts_response_payload": False}
        return await self._deliver("events_api", envelope, more)

    async def _deliver(self, kind: str, payload: Json, more: Json) -> BotAnswer:
        socket = self._socket
        if socket is None or socket.closed:
            raise NoAnswer("dispatch_failed", "no Socket Mode connection")
        envelope_id = str(uuid.uuid4())
        self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        waiting = self._waiting[envelope_id]
        try:
            await socket.send_json({"envelope_id": envelope_id, "type": kind, "payload": payload, **more})
            answer = await asyncio.wait_for(waiting, self._slack.bot.answer_within)
        except TimeoutError:
            raise NoAnswer("operation_timeout") from None
        except ConnectionError as error:
            raise NoAnswer("dispatch_failed", str(error)) from None
        finally:
            self._waiting.pop(envelope_id, None)
        return BotAnswer(200, json.dumps(answer) if answer else "")

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell the bot to reconnect, as Slack does every few hours."""
        if self._socket is not None and not self._socket.closed:
            await self._socket.send_json({"type": "disconnect", "reason": reason})

    async def close(self) -> None:
        """Close the WebSocket."""
        if self._socket is not None:
            await self._socket.close()
