"""Who is calling: the check of the Bot Framework's token before anything of a request is believed.

The rules are those of learn.microsoft.com, "Authentication with the Bot Connector API", section "Connector to
bot authentication", and two of our own: only the configured tenant is served, and only Microsoft Teams. On
channels like Direct Line the client writes channelData itself, so that a tenant found there proves nothing.
"""

import time
from dataclasses import dataclass
from typing import Any

import jwt
from botbuilder.schema import Activity, CallerIdConstants
from botframework.connector.auth import AuthenticationConstants, BotFrameworkAuthentication, ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.auth.connector_factory import ConnectorFactory

from adapters.teams.connector import Connector
from adapters.teams.credentials import CONNECTOR_SCOPE
from adapters.teams.signing_keys import SigningKey, SigningKeys
from adapters.teams.turn_connector import TurnConnectorFactory

ISSUER = "https://api.botframework.com"
LEEWAY = 300  # seconds: "industry-standard clock-skew is 5 minutes", the same section
MOST_KNOWN = 100  # valid tokens that are remembered; the Connector has a few at a time
CHANNELS = frozenset({"msteams"})


class TokenRejected(Exception):
    """The caller is not the Bot Framework (401). The text says why, without anything from the token."""


class TenantRefused(Exception):
    """The Bot Framework calls for somebody whom this bot does not serve (403)."""


@dataclass(frozen=True)
class Verified:
    """What a valid token says, and the key that it is signed with."""

    claims: dict[str, Any]
    key_id: str
    key: SigningKey

    def has_ended(self) -> bool:
        """As `jwt.decode` would find."""
        return int(self.claims["exp"]) <= time.time() - LEEWAY


class TeamsAuthentication(BotFrameworkAuthentication):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's authentication hook: verifies inbound tokens and hands out the outbound connector.

    `app_id` and `tenant_id` are the bot's registration; an empty one raises ValueError, because the SDK takes an
    empty app id as "let everybody in".
    """

    def __init__(
        self,
        app_id: str,
        tenant_id: str,
        keys: SigningKeys,
        connector: Connector,
        *,
        issuer: str = ISSUER,
        channels: frozenset[str] = CHANNELS,
    ) -> None:
        self.app_id = required(app_id, "USHER_TEAMS_APP_ID")
        self._tenant_id = required(tenant_id, "USHER_TEAMS_TENANT_ID").casefold()
        self._keys = keys
        self._issuer = issuer
        self._channels = channels
        self._connector_factory = TurnConnectorFactory(connector)
        self._known: dict[str, Verified] = {}

    async def authenticate_request(self, activity: Activity, auth_header: str | None) -> AuthenticateRequestResult:
        """The verified caller of `activity`.

        `auth_header` is the Authorization header as received. Raises TokenRejected, TenantRefused, or
        KeysUnavailable when the token cannot be judged now.
        """
        verified = await self._verified(_bearer(auth_header))
        _check_endorsement(activity, verified.key)
        _check_service_url(activity, verified.claims)
        self._check_tenant(activity)

        result = AuthenticateRequestResult()
        result.claims_identity = ClaimsIdentity(verified.claims, is_authenticated=True)
        result.audience = CONNECTOR_SCOPE
        result.caller_id = CallerIdConstants.public_azure_channel
        result.connector_factory = self._connector_factory
        return result

    async def authenticate_streaming_request(
        self,
        auth_header: str,  # noqa: ARG002  # the SDK's signature
        channel_id_header: str,  # noqa: ARG002
    ) -> AuthenticateRequestResult:
        """Streaming transports are not served: always TokenRejected."""
        raise TokenRejected("streaming is not supported")

    def create_connector_factory(
        self,
        claims_identity: ClaimsIdentity,  # noqa: ARG002  # the SDK's signature
    ) -> ConnectorFactory:
        """The one connector factory, for proactive turns."""
        return self._connector_factory

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """None: nobody signs in through this bot, and the SDK would build a slow client in each turn."""

    def get_originating_audience(self) -> str:
        """The scope of outbound tokens."""
        return CONNECTOR_SCOPE

    async def _verified(self, token: str) -> Verified:
        """The Connector sends one token with very many activities: its signature is checked once for as long as the
        key is the same, its end always.
        """
        known = self._known.get(token)
        if known is not None and not known.has_ended() and await self._keys.find(known.key_id) is known.key:
            return known
        key_id = _key_id(token)
        key = await self._keys.find(key_id)
        if key is None:
            raise TokenRejected("the token's signing key is unknown")
        verified = Verified(self._claims(token, key), key_id, key)
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[token] = verified
        return verified

    def _claims(self, token: str, key: SigningKey) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self.app_id,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "aud", "iss"], "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenRejected(f"the token is not valid: {type(error).__name__}") from error

    def _check_tenant(self, activity: Activity) -> None:
        if activity.channel_id not in self._channels:
            raise TenantRefused("the channel is not served")
        named = _tenants(activity)
        if not named or any(tenant.casefold() != self._tenant_id for tenant in named):
            raise TenantRefused("the tenant is not served")


def required(value: str, setting: str) -> str:
    """`value` without surrounding blanks. Raises ValueError, naming the setting, when nothing is left."""
    stripped = (value or "").strip()
    if not stripped:
        raise ValueError(f"{setting} is empty: Microsoft Teams cannot be served without it")
    return stripped


def _bearer(auth_header: str | None) -> str:
    scheme, _, token = (auth_header or "").partition(" ")
    if scheme.casefold() != "bearer" or not token.strip():
        raise TokenRejected("the request has no bearer token")
    return token.strip()


def _key_id(token: str) -> str:
    """Raises TokenRejected. Checked before the key is looked up, so that what can never be valid costs no request."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenRejected("the token is not a JWT") from error
    if header.get("alg") != "RS256":
        raise TokenRejected("the token is not signed with RS256")
    key_id = header.get("kid")
    if not isinstance(key_id, str):
        raise TokenRejected("the token names no signing key")
    return key_id


def _check_endorsement(activity: Activity, key: SigningKey) -> None:
    if not activity.channel_id or activity.channel_id not in key.endorsements:
        raise TokenRejected("the signing key does not vouch for the channel")


def _check_service_url(activity: Activity, claims: dict[str, Any]) -> None:
    claimed = claims.get(AuthenticationConstants.SERVICE_URL_CLAIM)
    # Replies go to the activity's address: without this check a stolen token could send ours elsewhere.
    if not claimed or claimed != activity.service_url:
        raise TokenRejected("the token is for another service address")


def _tenants(activity: Activity) -> list[str]:
    """Every tenant that the activity names. They have to agree."""
    channel_data = activity.channel_data if isinstance(activity.channel_data, dict) else {}
    tenant = channel_data.get("tenant")
    named = [
        activity.conversation.tenant_id if activity.conversation else None,
        tenant.get("id") if isinstance(tenant, dict) else None,
    ]
    return [str(value) for value in named if value]
