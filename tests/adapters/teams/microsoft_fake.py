"""Microsoft's side on loopback: the identity provider and the Bot Connector, as little of them as these tests need."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

APP_ID = "11111111-2222-3333-4444-555555555555"
TENANT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
PASSWORD = "a-loopback-password"
ISSUER = "https://api.botframework.com"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


FIRST_KEY, SECOND_KEY = new_key(), new_key()


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    authorization: str | None
    body: Any


@dataclass
class Microsoft:
    """What the fake has been asked, and how it answers from now on."""

    url: str = ""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"first": FIRST_KEY})
    endorsements: list[str] = field(default_factory=lambda: ["msteams", "webchat"])
    calls: list[Call] = field(default_factory=list)
    metadata_reads: int = 0
    metadata_status: int = 200
    token_requests: list[dict[str, str]] = field(default_factory=list)
    token_lifetime: int = 3600
    token_answer: tuple[int, dict[str, Any]] | None = None
    connector: Handler | None = None
    delay: float = 0.0
    in_flight: int = 0
    most_in_flight: int = 0

    @property
    def service_url(self) -> str:
        return f"{self.url}/teams/"

    @property
    def metadata_url(self) -> str:
        return f"{self.url}/openid"

    @property
    def token_url(self) -> str:
        return f"{self.url}/{{tenant}}/token"

    def token(self, *, key: str = "first", signed_with: Any = None, algorithm: str = "RS256", **changes: Any) -> str:
        """An inbound token; a claim set to None is left out."""
        now = time.time()
        claims = {
            "iss": ISSUER,
            "aud": APP_ID,
            "exp": now + 3600,
            "nbf": now - 60,
            "serviceurl": self.service_url,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        secret = signed_with if signed_with is not None else self.keys.get(key, FIRST_KEY)
        return jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": key})

    def activity(self, **changes: Any) -> dict[str, Any]:
        return {
            "type": "message",
            "id": "1700000000001",
            "text": "sso status",
            "channelId": "msteams",
            "serviceUrl": self.service_url,
            "from": {"id": "29:ana", "name": "Ana", "aadObjectId": "ana-object-id"},
            "recipient": {"id": f"28:{APP_ID}", "name": "SSO Usher"},
            "conversation": {"id": "a:ana", "conversationType": "personal", "tenantId": TENANT},
            "channelData": {"tenant": {"id": TENANT}},
            **changes,
        }

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/openid", self._openid)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/{tenant}/token", self._token)
        app.router.add_route("*", "/teams/v3/{rest:.*}", self._connect)
        return app

    async def _openid(self, request: web.Request) -> web.Response:
        self.metadata_reads += 1
        return web.json_response(
            {"issuer": ISSUER, "jwks_uri": f"{self.url}/keys"},
            status=self.metadata_status,
            headers={"Location": "/keys"} if self.metadata_status == 302 else None,
        )

    async def _keys(self, request: web.Request) -> web.Response:
        listed = []
        for name, key in self.keys.items():
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            listed.append({**public, "kid": name, "use": "sig", "endorsements": self.endorsements})
        return web.json_response({"keys": [*listed, {"kty": "EC", "kid": "other"}, {"kty": "RSA", "kid": "broken"}]})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.token_requests.append({**form, "tenant": request.match_info["tenant"]})
        await asyncio.sleep(0)
        if self.token_answer is not None:
            status, answer = self.token_answer
            return web.json_response(answer, status=status)
        token = f"token-{len(self.token_requests)}"
        return web.json_response({"token_type": "Bearer", "access_token": token, "expires_in": self.token_lifetime})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        path = request.raw_path.removeprefix("/teams").split("?", maxsplit=1)[0]
        authorization = request.headers.get("Authorization")
        self.calls.append(Call(request.method, path, dict(request.query), authorization, body))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.connector is not None:
                return await self.connector(request)
            return web.json_response({"id": f"activity-{len(self.calls)}"}, status=201)
        finally:
            self.in_flight -= 1
