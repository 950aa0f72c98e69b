"""The tokens of the workspaces that install the app by link, and their renewal where Slack lets them expire.

With token rotation a token lasts twelve hours, and what it is renewed with works once
(docs.slack.dev/authentication/using-token-rotation): of all replicas, one at a time renews a workspace's.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from adapters.slack.web_api import ApiFailed, ApiRefused, WebApi
from bot.columns import Vault
from bot.model import Platform, Workspace
from bot.ports import Clock, Store

log = structlog.get_logger(__name__)

RENEW_EVERY = 300.0  # seconds
RENEW_BEFORE = timedelta(hours=2)  # of the twelve: time for a dozen attempts, and for a bot that was down a while
ENDING = timedelta(minutes=1)  # what ends this soon is not begun with
# Another replica renews it: how often to look, and seconds between.
LOOKS, LOOK_EVERY = 10, 0.5
# What is left is to install the app again (docs.slack.dev/reference/methods/oauth.v2.access, errors).
_LOST = {"invalid_refresh_token", "token_revoked", "token_expired", "invalid_grant"}


class NotRenewed(Exception):
    """The token has ended, and Slack gives no new one at the moment."""


@dataclass(frozen=True)
class AppCredentials:
    """The app's own, which are the same in every workspace."""

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str


@dataclass(frozen=True)
class Token:
    """A bot token; with rotation also when it ends, and what it is renewed with."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    ends_at: datetime | None = None

    def ends_by(self, moment: datetime) -> bool:
        """Whether it will not work any more then."""
        return self.ends_at is not None and self.ends_at <= moment

    @classmethod
    def of_answer(cls, data: Mapping[str, Any], now: datetime) -> Token | None:
        """What oauth.v2.access answers; None when that is no token which could be kept alive."""
        access, refresh = str(data.get("access_token") or ""), str(data.get("refresh_token") or "")
        if not data.get("expires_in"):
            return cls(access) if access else None
        ends_at = now + timedelta(seconds=int(data["expires_in"]))
        return cls(access, refresh, ends_at) if access and refresh else None

    @classmethod
    def read(cls, stored: str) -> Token:
        """As `written`; a token that does not end is stored as it is."""
        if not stored.startswith("{"):
            return cls(stored)
        kept = json.loads(stored)
        return cls(kept["access"], kept["refresh"], datetime.fromtimestamp(kept["ends_at"], UTC))

    def written(self) -> str:
        """To be sealed and stored."""
        if self.ends_at is None:
            return self.access
        kept = {"access": self.access, "refresh": self.refresh, "ends_at": self.ends_at.timestamp()}
        return json.dumps(kept)


class Tokens:
    """Opens, seals and renews. Operations raise StoreUnavailable."""

    def __init__(self, app: AppCredentials, store: Store, clock: Clock, vault: Vault) -> None:
        self._app = app
        self._store = store
        self._clock = clock
        self.vault = vault
        self._api = WebApi("", app.api_url)
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def exchanged(self, **proof: str) -> Mapping[str, Any]:
        """What Slack gives for a code, or for what a token is renewed with. Raises ApiFailed."""
        answer = await self._api.call(
            "oauth.v2.access", client_id=self._app.client_id, client_secret=self._app.client_secret, **proof
        )
        return answer.data

    def sealed(self, token: Token) -> str:
        """To be stored."""
        return self.vault.seal(token.written())

    def stored(self, workspace: Workspace) -> Token | None:
        """None for a workspace without one, and when no key opens it."""
        plain = self.vault.opened(workspace.secret) if workspace.secret and workspace.active else None
        return None if plain is None else Token.read(plain)

    def is_ending(self, token: Token) -> bool:
        """Whether it has to be renewed before it is used."""
        return token.ends_by(self._clock.now() + ENDING)

    async def lasting(self, workspace: Workspace) -> Token | None:
        """A token that works; None where there is none. Raises NotRenewed."""
        token = self.stored(workspace)
        if token is None or not self.is_ending(token):
            return token
        return await self._renewed(workspace.id, ENDING)

    async def renew(self) -> None:
        """Renew what ends soon, in every workspace."""
        async with self._store.transaction() as tx:
            workspaces = await tx.people.workspaces()
        soon = self._clock.now() + RENEW_BEFORE
        for workspace in workspaces:
            token = self.stored(workspace) if workspace.platform is Platform.SLACK else None
            if token is None or not token.ends_by(soon):
                continue
            try:
                await self._renewed(workspace.id, RENEW_BEFORE)
            except NotRenewed:
                log.warning("slack.token_ended", workspace=workspace.id)

    async def _renewed(self, workspace_id: str, before: timedelta) -> Token | None:
        for _ in range(LOOKS):
            async with (
                self._one_at_a_time[workspace_id],
                self._store.lane(f"slack-token:{workspace_id}") as is_ours,
            ):
                async with self._store.transaction() as tx:
                    workspace = await tx.people.workspace(workspace_id)
                token = None if workspace is None else self.stored(workspace)
                if token is None or not token.ends_by(self._clock.now() + before):
                    return token
                if is_ours:
                    return await self._renewed_now(workspace_id, token)
                if not self.is_ending(token):
                    return token
            await self._clock.sleep(LOOK_EVERY)
        raise NotRenewed

    async def _renewed_now(self, workspace_id: str, old: Token) -> Token | None:
        """The new one, or the old one while it lasts."""
        has_ended = self.is_ending(old)
        try:
            answer = await self.exchanged(grant_type="refresh_token", refresh_token=old.refresh)
        except ApiFailed as failed:
            is_lost = isinstance(failed, ApiRefused) and failed.error in _LOST
            log.warning("slack.token_not_renewed", workspace=workspace_id, why=str(failed), is_lost=is_lost)
            if not has_ended:
                return old
            if not is_lost:
                raise NotRenewed from None
            await self._store_anew(workspace_id, None)
            return None
        new = Token.of_answer(answer, self._clock.now())
        if new is None:
            raise NotRenewed
        await self._store_anew(workspace_id, new)
        log.info("slack.token_renewed", workspace=workspace_id)
        return new

    async def _store_anew(self, workspace_id: str, token: Token | None) -> None:
        """None: the workspace has to install the app again."""
        async with self._store.transaction() as tx:
            workspace = await tx.people.workspace(workspace_id)
            if workspace is None or workspace.secret is None:  # removed meanwhile
                return
            workspace.secret = None if token is None else self.sealed(token)
            workspace.active = token is not None
            await tx.people.save_workspace(workspace)

    async def close(self) -> None:
        """End the connections."""
        await self._api.close()
