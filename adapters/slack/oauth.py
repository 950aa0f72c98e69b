"""Installing by link: Slack's OAuth flow (docs.slack.dev/authentication/installing-with-oauth).

The state is proof that whoever comes back with a code is the browser that was sent off: it is kept in a cookie of
that browser, sealed, counts once and for ten minutes. Nothing is looked up or stored before it was found right.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import timedelta
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any

import structlog
from aiohttp import web
from yarl import URL

from adapters.slack.install import SCOPES
from adapters.slack.tokens import AppCredentials, Token, Tokens
from adapters.slack.web_api import ApiFailed
from bot.model import Platform, Workspace
from bot.ports import Clock, Store

log = structlog.get_logger(__name__)

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
COOKIE = "usher_slack_install"
LIVES = timedelta(minutes=10)


@dataclass(frozen=True)
class OAuthConfig:
    """The app, and where the bot is reached. `pkce` where it is switched on in the app (RFC 7636)."""

    app: AppCredentials
    public_url: str
    pkce: bool = False


class OAuth:
    """The two routes. An installed workspace is a company of its own."""

    def __init__(
        self,
        config: OAuthConfig,
        store: Store,
        clock: Clock,
        tokens: Tokens,
        is_home: Callable[[str], bool],
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._tokens = tokens
        self._is_home = is_home  # by the token in the settings, not by link

    @property
    def _redirect_uri(self) -> str:
        return f"{self._config.public_url}{REDIRECT}"

    async def install(self, _request: web.Request) -> web.Response:
        """GET /slack/install: off to Slack's consent page."""
        begun = _Begun(token_urlsafe(32), token_urlsafe(48), (self._clock.now() + LIVES).timestamp())
        app = self._config.app
        asked = {"client_id": app.client_id, "scope": ",".join(SCOPES), "redirect_uri": self._redirect_uri}
        if self._config.pkce:
            asked |= {"code_challenge": begun.challenge, "code_challenge_method": "S256"}
        consent = URL(app.api_url).origin() / "oauth/v2/authorize" % {**asked, "state": begun.state}
        sent = web.Response(status=302, headers={"Location": str(consent), "Cache-Control": "no-store"})
        sent.set_cookie(
            COOKIE,
            self._tokens.vault.seal(json.dumps(astuple(begun))),
            max_age=int(LIVES.total_seconds()),
            path=REDIRECT,
            httponly=True,
            secure=self._config.public_url.startswith("https://"),
            samesite="Lax",
        )
        return sent

    async def redirect(self, request: web.Request) -> web.Response:
        """GET /slack/oauth_redirect: 200 installed, 400 refused, 403 another browser, or too late."""
        begun = self._proven(request)
        if begun is None:
            return _page(403, "This link was not asked for in this browser, or is too old. Begin again.")
        if "code" not in request.query:
            return _page(400, "Slack has not installed SSO Usher.")
        async with self._store.transaction() as tx:
            used = hashlib.sha256(begun.state.encode()).hexdigest()
            if not await tx.inbox.remember(f"slack-install:{used}", self._clock.now()):
                return _page(403, "This link was used already. Begin again.")
        try:
            verifier = {"code_verifier": begun.verifier} if self._config.pkce else {}
            data = await self._tokens.exchanged(
                code=request.query["code"], redirect_uri=self._redirect_uri, **verifier
            )
        except ApiFailed as failed:
            log.warning("slack.not_installed", why=str(failed))
            return _page(400, "Slack refused the installation. Begin again.")
        return await self._installed(data)

    def _proven(self, request: web.Request) -> _Begun | None:
        sealed = self._tokens.vault.opened(request.cookies.get(COOKIE, ""))
        if sealed is None:
            return None
        begun = _Begun(*json.loads(sealed))
        same = compare_digest(begun.state.encode(), request.query.get("state", "").encode("utf-8", "replace"))
        return begun if same and self._clock.now().timestamp() < begun.until else None

    async def _installed(self, data: Mapping[str, Any]) -> web.Response:
        team, token = data.get("team") or {}, Token.of_answer(data, self._clock.now())
        if token is None or not team.get("id") or data.get("is_enterprise_install"):
            return _page(400, "SSO Usher is installed in one workspace at a time, not in a whole organization.")
        if self._is_home(str(team["id"])):
            return _page(400, "This workspace is installed by the token in SSO Usher's settings.")
        await self._save(str(team["id"]), str(team.get("name") or ""), str(data.get("bot_user_id") or ""), token)
        return _page(200, "SSO Usher is installed. Go on in Slack with /sso help.")

    async def _save(self, team_id: str, name: str, bot_user_id: str, token: Token) -> None:
        workspace_id = Workspace.key(Platform.SLACK, team_id)
        async with self._store.transaction() as tx:
            known = await tx.people.workspace(workspace_id)
            workspace = Workspace(
                id=workspace_id,
                platform=Platform.SLACK,
                external_id=team_id,
                name=name,
                company=workspace_id,
                bot_user_id=bot_user_id,
                secret=self._tokens.sealed(token),
                installed_at=known.installed_at if known else self._clock.now(),
            )
            await tx.people.save_workspace(workspace)
        log.info("slack.installed", workspace=workspace_id)


@dataclass(frozen=True)
class _Begun:
    """An installation that somebody has begun: what only their browser brings back, until when (POSIX time)."""

    state: str
    verifier: str
    until: float

    @property
    def challenge(self) -> str:
        """RFC 7636, section 4.2, S256."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _page(status: int, sentence: str) -> web.Response:
    done = web.Response(status=status, text=f"{sentence}\n", headers={"Cache-Control": "no-store"})
    done.del_cookie(COOKIE, path=REDIRECT)
    return done
