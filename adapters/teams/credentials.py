import time
from functools import partial

from aiohttp import ClientError, ClientSession, ClientTimeout
from botframework.connector.auth import AppCredentials

from adapters.teams.renewable import Clock, Lease, Renewable

TOKEN_URL = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"  # noqa: S105  # an address
CONNECTOR_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"

RENEW_BEFORE = 300.0
PAUSE_AFTER_FAILURE = 5.0


class TokenUnavailable(Exception):
    """No access token can be had, so no request was made with one.

    `status` is the token endpoint's answer, None when there was none; `code` its error, as "invalid_client".
    """

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(f"no access token: {code}")
        self.code = code
        self.status = status


class BotCredentials(AppCredentials):  # type: ignore[misc]  # the SDK ships no types
    """The bot's own identity towards Microsoft: client credentials of a single-tenant app registration.

    One object per process: it keeps the tokens, one for each scope. The SDK's credentials are made anew in each
    turn and ask with a blocking client. `token_url` may contain "{tenant}". Raises ValueError when something is
    empty. Protocol: learn.microsoft.com, "Microsoft identity platform and the OAuth 2.0 client credentials flow".
    """

    def __init__(
        self,
        app_id: str,
        app_password: str,
        tenant_id: str,
        session: ClientSession,
        *,
        token_url: str = TOKEN_URL,
        timeout: float = 10.0,
        clock: Clock = time.monotonic,
    ) -> None:
        for name, value in (("app id", app_id), ("app password", app_password), ("tenant id", tenant_id)):
            if not (value or "").strip():
                raise ValueError(f"the Teams {name} is empty")
        super().__init__(app_id, channel_auth_tenant=tenant_id, oauth_scope=CONNECTOR_SCOPE)
        self._password = app_password
        self._session = session
        self._token_url = token_url.replace("{tenant}", tenant_id)
        self._timeout = ClientTimeout(total=timeout)
        self._clock = clock
        self._tokens: dict[str, Renewable[str]] = {}

    async def token(self, scope: str = CONNECTOR_SCOPE) -> str:
        """An access token for `scope`, from the cache while it lasts. Raises TokenUnavailable."""
        return await self._for(scope).get()

    def reject(self, scope: str = CONNECTOR_SCOPE) -> None:
        """The service refused the token of `scope`: the next call asks for another."""
        self._for(scope).forget()

    def get_access_token(self, force_refresh: bool = False) -> str:  # noqa: ARG002  # the SDK's signature
        """Always RuntimeError: the SDK's blocking clients must not be used in this process."""
        raise RuntimeError("await token() instead: a blocking request would stop the event loop")

    def _for(self, scope: str) -> Renewable[str]:
        if scope not in self._tokens:
            fetch = partial(self._fetch, scope)
            self._tokens[scope] = Renewable(fetch, pause=PAUSE_AFTER_FAILURE, clock=self._clock)
        return self._tokens[scope]

    async def _fetch(self, scope: str) -> Lease[str]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.microsoft_app_id,
            "client_secret": self._password,
            "scope": scope,
        }
        try:
            async with self._session.post(
                self._token_url, data=form, timeout=self._timeout, allow_redirects=False
            ) as response:
                status = response.status
                answer = await response.json(content_type=None)
        except (ClientError, OSError, ValueError) as error:
            raise TokenUnavailable(type(error).__name__) from error
        if not isinstance(answer, dict):
            raise TokenUnavailable("malformed_answer", status)
        if status != 200:
            raise TokenUnavailable(str(answer.get("error", "unknown")), status)
        return _lease(answer)


def _lease(answer: dict[str, object]) -> Lease[str]:
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    try:
        lifetime = float(str(seconds))
    except ValueError:
        lifetime = 0.0
    if not isinstance(token, str) or not token or lifetime <= 0:
        raise TokenUnavailable("malformed_answer", 200)
    # A token that lives shorter than the margin is renewed at half its life.
    return Lease(token, max(lifetime - RENEW_BEFORE, lifetime / 2), lifetime)
