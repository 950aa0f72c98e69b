"""The identity side of the emulated Microsoft: tokens for the bot's calls, and signed tokens on calls to the bot.

Tokens live by the wall clock, not by the playground's clock: the bot's libraries check them against the wall clock.
"""

import base64
import secrets
import time
from dataclasses import dataclass
from functools import cache

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.playground.teams.tenant import Json

ISSUER = "https://api.botframework.com"
CONNECTOR_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
TOKEN_LIFETIME = 3600


@cache
def _private_key(number: int) -> rsa.RSAPrivateKey:
    """Key number n, made when first asked for and once in a process: making one takes a good part of a second."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class _IssuedToken:
    scope: str
    expires: float


class Identity:
    """Issues and checks tokens for one bot registration (``app_id``, ``app_password``)."""

    def __init__(self, app_id: str, app_password: str, tenant_id: str) -> None:
        self.app_id = app_id
        self.app_password = app_password
        self.tenant_id = tenant_id
        self.endorsements = ["msteams"]
        self.requests_for_tokens = 0
        self.now = time.time
        self._key_number = 0
        self._issued: dict[str, _IssuedToken] = {}

    @property
    def _key_id(self) -> str:
        return f"usher-playground-{self._key_number}"

    def rotate_key(self) -> None:
        """Sign with a new key from now on; the old one is no longer published."""
        self._key_number += 1

    def revoke_tokens(self) -> None:
        """Make every token issued so far worthless: the next call that carries one gets 401."""
        self._issued.clear()

    def token_for_bot(self, service_url: str, **claims: object) -> str:
        """A signed token as the Connector sends to a bot; ``claims`` replace or add claims (None removes one).

        Claims: learn.microsoft.com, "Authenticate requests with the Bot Connector API", section
        "Connector to Bot: sample JWT components".
        """
        now = int(self.now())
        standard: Json = {
            "iss": ISSUER,
            "aud": self.app_id,
            "serviceurl": service_url,
            "nbf": now - 5,
            "exp": now + TOKEN_LIFETIME,
        }
        wanted = {name: value for name, value in {**standard, **claims}.items() if value is not None}
        headers = {"kid": self._key_id, "x5t": self._key_id}
        return jwt.encode(wanted, _private_key(self._key_number), algorithm="RS256", headers=headers)

    def accepts(self, authorization: str | None, scope: str) -> bool:
        """Whether this Authorization header carries a token issued here for this scope and still good."""
        kind, _, token = (authorization or "").partition(" ")
        issued = self._issued.get(token)
        return (
            kind.casefold() == "bearer"
            and issued is not None
            and issued.scope == scope
            and issued.expires > self.now()
        )

    def issue(self, scope: str) -> str:
        """A new bearer token for this scope."""
        token = secrets.token_urlsafe(48)
        self._issued[token] = _IssuedToken(scope, self.now() + TOKEN_LIFETIME)
        return token

    def keys(self) -> Json:
        """The published key set, with the channels that each key may sign for."""
        numbers = _private_key(self._key_number).public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "kid": self._key_id,
            "x5t": self._key_id,
            "n": _base64_of(numbers.n),
            "e": _base64_of(numbers.e),
            "endorsements": self.endorsements,
        }
        return {"keys": [key]}

    async def serve_token(self, request: web.Request) -> web.Response:
        """POST of an OAuth 2.0 client_credentials form; answers with a token or with Entra's error JSON."""
        self.requests_for_tokens += 1
        form = await request.post()
        scope = str(form.get("scope", ""))
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "AADSTS70003: The grant type is not supported.")
        if form.get("client_id") != self.app_id:
            return _refusal(400, "unauthorized_client", "AADSTS700016: The application was not found.")
        if form.get("client_secret") != self.app_password:
            return _refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if scope not in (CONNECTOR_SCOPE, GRAPH_SCOPE):
            return _refusal(400, "invalid_scope", f"AADSTS70011: The scope {scope} is not valid.")
        if request.match_info["tenant"] not in (self.tenant_id, "botframework.com"):
            return _refusal(400, "invalid_request", "AADSTS90002: The tenant was not found.")
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": TOKEN_LIFETIME,
                "ext_expires_in": TOKEN_LIFETIME,
                "access_token": self.issue(scope),
            }
        )

    async def serve_keys(self, request: web.Request) -> web.Response:
        """GET of the JSON Web Key Set."""
        del request
        return web.json_response(self.keys())


def _refusal(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)


def _base64_of(number: int) -> str:
    length = (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(length, "big")).decode().rstrip("=")
