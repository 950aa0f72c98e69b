"""The app's credentials: which tokens the Web API accepts, and the code exchange of the OAuth flow."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from adapters.playground.slack.refusal import Refused

SCOPES = (
    "channels:read,chat:write,commands,groups:read,im:history,im:write,usergroups:read,users.profile:read,"
    "users:read,users:read.email"
)


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

    def check(self, token: str, expected: str) -> None:
        """Raises Refused: not_authed, invalid_auth, token_revoked, account_inactive."""
        if not token:
            raise Refused("not_authed")
        if not secrets.compare_digest(token.encode(), expected.encode()):
            raise Refused("invalid_auth")
        if self.revoked:
            raise Refused("token_revoked")
        if self.inactive:
            raise Refused("account_inactive")

    def issue_code(self) -> str:
        """A code as it comes to the redirect URL after somebody pressed Allow."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = False
        return code

    def exchange(self, code: str, client_id: str, client_secret: str) -> str:
        """The bot token for a code.

        Raises Refused: invalid_client_id, bad_client_secret, invalid_code, code_already_used.
        """
        if client_id != self.client_id:
            raise Refused("invalid_client_id")
        if client_secret != self.client_secret:
            raise Refused("bad_client_secret")
        if code not in self.codes:
            raise Refused("invalid_code")
        if self.codes[code]:
            raise Refused("code_already_used")
        self.codes[code] = True
        return self.bot_token
