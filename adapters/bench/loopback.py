"""Slack and Microsoft as far as a measurement needs them: each call is answered at once with what its caller expects.

The emulators of the playground check what they are told, which costs more than the bot does.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from adapters.playground.teams.identity import Identity

Json = dict[str, Any]

TEAM, TENANT = "T0BENCH", "3b1f0c52-8b1c-4a57-9c32-0c4b7b0f6f10"
APP_ID, APP_PASSWORD = "5f0c9a4e-7f0e-4c55-9d0a-3b8f5a1d2c77", "loopback-only"
SIGNING_SECRET = "bench-signing-secret"  # noqa: S105  # there is nothing behind it
BOT_TOKEN = "xoxb-bench"  # noqa: S105
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)


def email_of(user_id: str) -> str:
    """The address that both platforms tell."""
    return f"{user_id}@bench.example".casefold()


class Loopback:
    """Where both platforms are, on one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.identity = Identity(APP_ID, APP_PASSWORD, TENANT)

    @property
    def service_url(self) -> str:
        """The Connector's address, as activities name it."""
        return f"{self.url}/connector/"

    @property
    def metadata_url(self) -> str:
        """Where a bot finds the keys of the Connector's tokens."""
        return f"{self.url}/identity/metadata"

    def settings(self, database_url: str) -> dict[str, str]:
        """A bot's, that talks to nobody else."""
        return {
            "USHER_DATABASE_URL": database_url,
            "USHER_PUBLIC_URL": "https://usher.bench.example",
            "USHER_SECRET_KEY": "a measurement keeps no secrets at all",
            "USHER_ADMINS": email_of("ADMIN"),
            "USHER_EVENTS_PER_MINUTE": "0",  # a few people do what thousands would
            "USHER_SLACK_BOT_TOKEN": BOT_TOKEN,
            "USHER_SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "USHER_SLACK_API_URL": f"{self.url}/slack/api/",
            "USHER_TEAMS_APP_ID": APP_ID,
            "USHER_TEAMS_APP_PASSWORD": APP_PASSWORD,
            "USHER_TEAMS_TENANT_ID": TENANT,
            "USHER_TEAMS_OPENID_METADATA_URL": self.metadata_url,
            "USHER_TEAMS_TOKEN_URL": f"{self.url}/identity/token",
            "USHER_TEAMS_GRAPH_URL": f"{self.url}/graph",
        }

    def answer(self, path: str, body: str) -> Json:
        """To any request."""
        last = path.partition("?")[0].rpartition("/")[2]
        match last:
            case "auth.test":
                who = {"team": "Bench", "user_id": "UBOT", "bot_id": "BBOT", "url": "https://bench.slack.com/"}
                return {"ok": True, "team_id": TEAM, **who}
            case "users.info":
                return {"ok": True, "user": _slack_user(parse_qs(body)["user"][0])}
            case "metadata":
                return {"issuer": "https://api.botframework.com", "jwks_uri": f"{self.url}/identity/keys"}
            case "keys":
                return self.identity.keys()
            case "token":
                return {"token_type": "Bearer", "expires_in": 3600, "access_token": "bench"}
        if "/members/" in path:
            return {"id": last, "name": last, "email": email_of(last), "userRole": "user"}
        return {"ok": True, "id": "1", "channel": "D1", "ts": "1700000000.000100", "view": {"id": "V1"}}


def _slack_user(user_id: str) -> Json:
    profile = {"real_name": user_id, "email": email_of(user_id)}
    return {"id": user_id, "name": user_id, "team_id": TEAM, "profile": profile, "tz": "UTC", "locale": "en-US"}


@asynccontextmanager
async def loopback() -> AsyncIterator[Loopback]:
    """Serve both in this process."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                answer = json.dumps(here.answer(head.split(b" ", 2)[1].decode(), body.decode())).encode()
                lines = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(lines.encode() + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here = Loopback(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield here
    finally:
        server.close()
