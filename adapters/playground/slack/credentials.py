"""The app's credentials: which tokens the Web API accepts, and the code exchange of the OAuth flow."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from adapters.playground.slack.refusal import Refused

SCOPES = (
    "channels:read,chat:write,commands,groups:read,im:history,im:write,usergroups:read,users.profile:read,"
    "users:read,users:read.email"
)

ROTATED_AFTER = 43200  # seconds


@dataclass
class Credentials:
    """What the app got when it was created (and, by `bot_token`, installed)."""

    bot_token: str
    signing_secret: str
    app_token: str = "xapp-playground"  # noqa: S105 - there is nothing behind it
    client_id: str = "111.222"
    client_secret: str = "playground-client-secret"  # noqa: S105
    scopes: str = SCOPES
    revoked: bool = False
    inactive: bool = False
    codes: dict[str, bool] = field(default_factory=dict)
    challenges: dict[str, str] = field(default_factory=dict)  # by code, where PKCE was asked for
    rotates: bool = False  # token rotation is switched on in the app
    refresh_token: str = ""
    ends_at: float = 0.0  # POSIX time; of a token that is rotated

    def check(self, token: str, expected: str, now: float = 0.0) -> None:
        """Raises Refused: not_authed, invalid_auth, token_revoked, account_inactive, token_expired."""
        if not token:
            raise Refused("not_authed")
        if not secrets.compare_digest(token.encode(), expected.encode()):
            raise Refused("invalid_auth")
        if self.revoked:
            raise Refused("token_revoked")
        if self.inactive:
            raise Refused("account_inactive")
        if token == self.bot_token and self.refresh_token and now >= self.ends_at:
            raise Refused("token_expired")

    def issue_code(self, challenge: str = "") -> str:
        """A code as it comes to the redirect URL after somebody pressed Allow; `challenge` is PKCE's."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = False
        if challenge:
            self.challenges[code] = challenge
        return code

    def exchange(self, code: str, verifier: str, now: float) -> str:
        """The bot token for a code. Raises Refused: invalid_code, code_already_used, invalid_code_verifier."""
        if code not in self.codes:
            raise Refused("invalid_code")
        if self.codes[code]:
            raise Refused("code_already_used")
        if self.challenges.get(code, "") != (_challenge(verifier) if verifier else ""):
            raise Refused("invalid_code_verifier")
        self.codes[code] = True
        return self._anew(now) if self.rotates else self.bot_token

    def refresh(self, refresh_token: str, now: float) -> str:
        """The next bot token; what it was asked with is used up. Raises Refused: invalid_refresh_token."""
        if not self.refresh_token or refresh_token != self.refresh_token:
            raise Refused("invalid_refresh_token")
        return self._anew(now)

    def knows(self, client_id: str, client_secret: str) -> None:
        """Raises Refused: invalid_client_id, bad_client_secret."""
        if client_id != self.client_id:
            raise Refused("invalid_client_id")
        if client_secret != self.client_secret:
            raise Refused("bad_client_secret")

    def _anew(self, now: float) -> str:
        self.bot_token = f"xoxe.xoxb-1-{secrets.token_urlsafe(24)}"
        self.refresh_token = f"xoxe-1-{secrets.token_urlsafe(24)}"
        self.ends_at = now + ROTATED_AFTER
        return self.bot_token


def _challenge(verifier: str) -> str:
    """RFC 7636, section 4.6."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
