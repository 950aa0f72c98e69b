"""The counterpart in these tests: a bot that checks tokens and calls the Connector as any bot must."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import jwt
from aiohttp import web

from adapters.playground.teams import APP_ID, APP_PASSWORD, TeamsEmulator

Json = dict[str, Any]
CARD = "application/vnd.microsoft.card.adaptive"


def card(*body: Json, actions: list[Json] | None = None, **more: Any) -> Json:
    return {"type": "AdaptiveCard", "version": "1.5", "body": list(body), "actions": actions or [], **more}


def text(words: str) -> Json:
    return {"type": "TextBlock", "text": words}


def execute(title: str, verb: str, **data: Any) -> Json:
    return {"type": "Action.Execute", "title": title, "verb": verb, "data": data}


def with_card(content: Json) -> Json:
    return {"type": "message", "attachments": [{"contentType": CARD, "content": content}]}


def shows(content: Json) -> Json:
    return {"statusCode": 200, "type": CARD, "value": content}


def says(words: str) -> Json:
    return {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": words}


class SmallBot:
    """Keeps what it hears; ``answer`` maps an activity to (status, JSON body)."""

    def __init__(self, teams: TeamsEmulator) -> None:
        self.teams = teams
        self.heard: list[Json] = []
        self.answer: Callable[[Json], tuple[int, Any]] = lambda _: (200, None)
        self.session: aiohttp.ClientSession
        self.token = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SmallBot"]:
        app = web.Application()
        app.router.add_post("/api/messages", self._hear)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.teams.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/messages"
        async with aiohttp.ClientSession() as self.session:
            yield self
        await runner.cleanup()

    async def _hear(self, request: web.Request) -> web.Response:
        activity = await request.json()
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = await self.claims(token)
        if claims["serviceurl"] != activity["serviceUrl"]:
            return web.Response(status=401)
        self.heard.append(activity)
        status, body = self.answer(activity)
        return web.Response(status=status) if body is None else web.json_response(body, status=status)

    async def claims(self, token: str) -> Json:
        async with self.session.get(self.teams.openid_metadata_url) as response:
            metadata = await response.json()
        async with self.session.get(metadata["jwks_uri"]) as response:
            keys = jwt.PyJWKSet.from_dict(await response.json())
        key = keys[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key.key, algorithms=["RS256"], audience=APP_ID, issuer=metadata["issuer"])

    async def signs_in(self, scope: str = "https://api.botframework.com/.default", **form: str) -> tuple[int, Json]:
        wanted = {
            "grant_type": "client_credentials",
            "client_id": APP_ID,
            "client_secret": APP_PASSWORD,
            "scope": scope,
            **form,
        }
        async with self.session.post(self.teams.token_url, data=wanted) as response:
            body = await response.json()
            self.token = body.get("access_token", "")
            return response.status, body

    async def calls(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        status, answer, _ = await self.calls_whole(method, path, body, **more)
        return status, answer

    async def calls_whole(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any, Any]:
        if not self.token:
            await self.signs_in()
        url = path if path.startswith("http") else f"{self.teams.service_url}v3/{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(method, url, json=body, headers=headers, **more) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else None, response.headers

    async def asks_graph(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        await self.signs_in("https://graph.microsoft.com/.default")
        return await self.calls(method, path if path.startswith("http") else f"{self.teams.graph_url}/{path}", body)

    async def meets(self, key: str) -> str:
        """Create the personal chat with this person; returns its id."""
        status, body = await self.calls("POST", "conversations", self.chat_with(key))
        assert status == 201, body
        return str(body["id"])

    def chat_with(self, key: str) -> Json:
        member = {"id": self.teams.tenant.accounts[key].id}
        return {
            "bot": {"id": f"28:{APP_ID}"},
            "members": [member],
            "isGroup": False,
            "tenantId": self.teams.tenant.id,
        }

    async def writes(self, conversation: str, activity: Json | str) -> tuple[int, Any]:
        body = {"type": "message", "text": activity} if isinstance(activity, str) else activity
        return await self.calls("POST", f"conversations/{quote(conversation, safe='')}/activities", body)

    async def edits(self, conversation: str, activity_id: str, activity: Json) -> tuple[int, Any]:
        path = f"conversations/{quote(conversation, safe='')}/activities/{activity_id}"
        return await self.calls("PUT", path, activity)
