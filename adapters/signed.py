"""Addresses that only the bot can have made: what they hold goes with a proof, HMAC-SHA-256 cut to 128 bits.

`purpose` keeps one kind of address from being taken for another. The first of `keys` signs, each is taken.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

PROOF_BYTES = 16


class Signer:
    """Signs for one purpose with the words of USHER_SECRET_KEY."""

    def __init__(self, purpose: str, keys: Sequence[str]) -> None:
        self._purpose = purpose
        self._keys = tuple(keys)

    def signed(self, content: str) -> str:
        """The content with its proof, fit for a path if the content is."""
        return f"{content}.{self._proof(self._keys[0], content)}"

    def opened(self, signed: str) -> str | None:
        """The content; None when it was not signed here for this purpose."""
        content, _, given = signed.rpartition(".")
        made = (self._proof(key, content) for key in self._keys)
        return content if any(hmac.compare_digest(each.encode(), given.encode()) for each in made) else None

    def _proof(self, key: str, content: str) -> str:
        mac = hmac.new(key.encode(), f"{self._purpose}:{content}".encode(), sha256).digest()
        return urlsafe_b64encode(mac[:PROOF_BYTES]).decode().rstrip("=")
