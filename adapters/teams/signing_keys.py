import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.teams.renewable import Clock, Lease, Renewable

METADATA_URL = "https://login.botframework.com/v1/.well-known/openidconfiguration"

RENEW_AFTER = 12 * 3600.0
# "Check at least every 24 hours": learn.microsoft.com, "Authentication with the Bot Connector API", step 2.
EXPIRES_AFTER = 24 * 3600.0
PAUSE_AFTER_FAILURE = 5.0


class KeysUnavailable(Exception):
    """The identity provider's keys cannot be had, so nothing can be said about a token.

    `retry_after` is in seconds.
    """

    def __init__(self, reason: str, retry_after: float = PAUSE_AFTER_FAILURE) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True)
class SigningKey:
    """A public RSA key and the channels whose activities its signatures vouch for."""

    key: jwt.PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """The Bot Framework's signing keys, read from its OpenID metadata without blocking the event loop.

    The SDK's own cache never asks again for a key that it does not know, and reads with a blocking client
    that has no time-out. Here an unknown key id asks again, at most once in `min_refresh` seconds, because
    anybody can make key ids up.
    """

    def __init__(
        self,
        session: ClientSession,
        metadata_url: str = METADATA_URL,
        *,
        min_refresh: float = 60.0,
        timeout: float = 10.0,
        clock: Clock = time.monotonic,
    ) -> None:
        self._session = session
        self._metadata_url = metadata_url
        self._min_refresh = min_refresh
        self._timeout = ClientTimeout(total=timeout)
        self._keys = Renewable(self._fetch, pause=PAUSE_AFTER_FAILURE, clock=clock)

    async def find(self, key_id: str) -> SigningKey | None:
        """The key, or None when the identity provider has no such key. Raises KeysUnavailable."""
        keys = await self._keys.get()
        if key_id not in keys and self._keys.age >= self._min_refresh:
            keys = await self._keys.renew()
        return keys.get(key_id)

    async def warm_up(self) -> None:
        """Read the keys now: tells a readiness check whether they can be had. Raises KeysUnavailable."""
        await self._keys.get()

    async def _fetch(self) -> Lease[Mapping[str, SigningKey]]:
        try:
            metadata = await self._get(self._metadata_url)
            keys_url = str(metadata["jwks_uri"])
            if keys_url.startswith("http:") and not self._metadata_url.startswith("http:"):
                raise KeysUnavailable("the metadata names a key address without TLS")
            keys = _parse((await self._get(keys_url))["keys"])
        except (ClientError, OSError, ValueError, KeyError, TypeError) as error:
            raise KeysUnavailable(f"signing keys cannot be read: {type(error).__name__}") from error
        if not keys:
            raise KeysUnavailable("the identity provider lists no usable key")
        return Lease(keys, RENEW_AFTER, EXPIRES_AFTER)

    async def _get(self, url: str) -> dict[str, Any]:
        async with self._session.get(url, timeout=self._timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise KeysUnavailable(f"the identity provider answered {response.status}")
            document = await response.json(content_type=None)
        if not isinstance(document, dict):
            raise TypeError(url)
        return document


def _parse(listed: list[dict[str, Any]]) -> dict[str, SigningKey]:
    """The RSA keys for signatures, by key id. One that cannot be used does not spoil the others."""
    keys = {}
    for entry in listed:
        key_id = entry.get("kid")
        if not isinstance(key_id, str) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK.from_dict(entry, algorithm="RS256")
        except (jwt.PyJWTError, ValueError):
            continue
        keys[key_id] = SigningKey(key, frozenset(entry.get("endorsements") or ()))
    return keys
