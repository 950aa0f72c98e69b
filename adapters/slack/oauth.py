"""Installing by link: Slack's OAuth flow (docs.slack.dev/authentication/installing-with-oauth).

The state is proof that whoever comes back with a code is the browser that was sent off: it is kept in a cookie of
that browser, sealed, counts once and for ten minutes. Nothing is looked up or stored before it was found right.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any, Protocol

import structlog
from aiohttp import web
from yarl import URL

from adapters.slack.install import SCOPES
from adapters.slack.web_api import ApiFailed, WebApi
from bot.model import Platform, Workspace
from bot.ports import Clock, Store

log = structlog.get_logger(__name__)

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
COOKIE = "usher_slack_install"
LIVES = timedelta(minutes=10)


class Vault(Protocol):
    """Seals what is stored; `open` raises when it was not sealed here."""

    def seal(self, plain: str) -> str: ...  # noqa: D102
    def open(self, sealed: str) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class OAuthConfig:
    """The app's own credentials, and where the bot is reached."""

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str
    public_url: str


class OAuth:
    """The two routes. An installed workspace is a company of its own."""

    def __init__(
        self, config: OAuthConfig, store: Store, clock: Clock, vault: Vault, is_home: Callable[[str], bool]
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._vault = vault
        self._is_home = is_home  # by the token in the settings, not by link
        self._api = WebApi("", config.api_url)

    @property
    def _redirect_uri(self) -> str:
        return f"{self._config.public_url}{REDIRECT}"

    async def install(self, _request: web.Request) -> web.Response:
        """GET /slack/install: off to Slack's consent page."""
        state = token_urlsafe(32)
        asked = {"client_id": self._config.client_id, "scope": ",".join(SCOPES), "redirect_uri": self._redirect_uri}
        consent = URL(self._config.api_url).origin() / "oauth/v2/authorize" % {**asked, "state": state}
        sent = web.Response(status=302, headers={"Location": str(consent), "Cache-Control": "no-store"})
        until = (self._clock.now() + LIVES).timestamp()
        sent.set_cookie(
            COOKIE,
            self._vault.seal(json.dumps([state, until])),
            max_age=int(LIVES.total_seconds()),
            path=REDIRECT,
            httponly=True,
            secure=self._config.public_url.startswith("https://"),
            samesite="Lax",
        )
        return sent

    async def redirect(self, request: web.Request) -> web.Response:
        """GET /slack/oauth_redirect: 200 installed, 400 refused, 403 another browser, or too late."""
        state = self._proven(request)
        if state is None:
            return _page(403, "This link was not asked for in this browser, or is too old. Begin again.")
        if "code" not in request.query:
            return _page(400, "Slack has not installed SSO Usher.")
        async with self._store.transaction() as tx:
            used = hashlib.sha256(state.encode()).hexdigest()
            if not await tx.inbox.remember(f"slack-install:{used}", self._clock.now()):
                return _page(403, "This link was used already. Begin again.")
        try:
            answer = await self._api.call(
                "oauth.v2.access",
                client_id=self._config.client_id,
                client_secret=self._config.client_secret,
                code=request.query["code"],
                redirect_uri=self._redirect_uri,
            )
        except ApiFailed as failed:
            log.warning("slack.not_installed", why=str(failed))
            return _page(400, "Slack refused the installation. Begin again.")
        return await self._installed(answer.data)

    def _proven(self, request: web.Request) -> str | None:
        try:
            state, until = json.loads(self._vault.open(request.cookies.get(COOKIE, "")))
        except Exception:  # noqa: BLE001  # whatever it is, it is no proof
            return None
        same = compare_digest(state.encode(), request.query.get("state", "").encode("utf-8", "replace"))
        return state if same and self._clock.now().timestamp() < until else None

    async def _installed(self, data: dict[str, Any]) -> web.Response:
        team, token = data.get("team") or {}, data.get("access_token")
        if not token or not team.get("id") or data.get("is_enterprise_install"):
            return _page(400, "SSO Usher is installed in one workspace at a time, not in a whole organization.")
        if data.get("expires_in"):
            return _page(400, "Turn token rotation off in the app's settings: SSO Usher does not support it yet.")
        if self._is_home(str(team["id"])):
            return _page(400, "This workspace is installed by the token in SSO Usher's settings.")
        await self._save(str(team["id"]), str(team.get("name") or ""), data)
        return _page(200, "SSO Usher is installed. Go on in Slack with /sso help.")

    async def _save(self, team_id: str, name: str, data: dict[str, Any]) -> None:
        workspace_id = Workspace.key(Platform.SLACK, team_id)
        async with self._store.transaction() as tx:
            known = await tx.people.workspace(workspace_id)
            workspace = Workspace(
                id=workspace_id,
                platform=Platform.SLACK,
                external_id=team_id,
                name=name,
                company=workspace_id,
                bot_user_id=str(data.get("bot_user_id") or ""),
                secret=self._vault.seal(str(data["access_token"])),
                installed_at=known.installed_at if known else self._clock.now(),
            )
            await tx.people.save_workspace(workspace)
        log.info("slack.installed", workspace=workspace_id)

    async def close(self) -> None:
        """End the connections."""
        await self._api.close()


def _page(status: int, sentence: str) -> web.Response:
    done = web.Response(status=status, text=f"{sentence}\n", headers={"Cache-Control": "no-store"})
    done.del_cookie(COOKIE, path=REDIRECT)
    return done
