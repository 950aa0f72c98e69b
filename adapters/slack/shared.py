"""One app in several Slack workspaces, strictly apart: for each its own adapter, token, caches and connections.

Which workspace a request is from counts only after Slack's signature was found right.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from adapters.slack.adapter import PATH, SlackAdapter
from adapters.slack.door import knock
from adapters.slack.inbound import read, refusal
from adapters.slack.oauth import INSTALL, REDIRECT, OAuth
from adapters.slack.platform import LIMITS
from adapters.slack.tokens import NotRenewed, Token, Tokens
from bot.events import NotFound, Target
from bot.messages import Message
from bot.model import Person, Platform, Workspace
from bot.ports import (
    DirectoryUnavailable,
    Limits,
    NeverLeft,
    Outcome,
    Reason,
    Refused,
    Sent,
    Store,
    StoreUnavailable,
    Throttled,
    Unclear,
)


@dataclass
class _Site:
    """A workspace's adapter, and the token that it uses: as stored, and opened."""

    secret: str
    token: Token
    adapter: SlackAdapter


class Sites:
    """The adapter of each workspace: of the one whose token is in the settings, and of those installed by link."""

    def __init__(
        self,
        home: SlackAdapter | None,
        made: Callable[[str], SlackAdapter],
        tokens: Tokens,
        store: Store,
        limits: Limits = LIMITS,
    ) -> None:
        """`made` makes an adapter of a bot token. `limits` are each workspace's."""
        self.limits = limits
        self.home = home
        self._made = made
        self._tokens = tokens
        self._store = store
        self._installed: dict[str, _Site] = {}

    async def of(self, workspace: Workspace) -> SlackAdapter | None:
        """None for a workspace that has no token. Raises NotRenewed, StoreUnavailable."""
        here = self.home.install.current if self.home else None
        if here is not None and here.workspace_id == workspace.id:
            return self.home
        site = self._installed.get(workspace.id)
        if site is not None and site.secret == workspace.secret and not self._tokens.is_ending(site.token):
            return site.adapter
        token = await self._tokens.lasting(workspace)
        site = self._installed.get(workspace.id)
        if token is None:
            self._installed.pop(workspace.id, None)
            if site is not None:
                await site.adapter.stop()
            return None
        if site is None:
            adapter = self._made(token.access)
            site = self._installed[workspace.id] = _Site(str(workspace.secret), token, adapter)
        elif token.ends_at is None or site.token.ends_at is None or token.ends_at >= site.token.ends_at:
            site.secret, site.token = str(workspace.secret), token  # else the caller's row is older than ours
            site.adapter.use(token.access)
        site.adapter.install.known(workspace)
        return site.adapter

    async def with_another_token(self, workspace: Workspace) -> SlackAdapter | None:
        """Slack refuses the token: the adapter with the one that was stored meanwhile, None when there is none."""
        site = self._installed.get(workspace.id)
        async with self._store.transaction() as tx:
            stored = await tx.people.workspace(workspace.id)
        if site is None or stored is None or stored.secret == site.secret:
            return None
        return await self.of(stored)

    def is_home(self, team_id: str) -> bool:
        """Whether it is the workspace whose token is in the settings; so is any while that one is not known yet."""
        if self.home is None:
            return False
        return self.home.install.current is None or self.home.install.current.team_id == team_id

    async def of_team(self, team_id: str) -> SlackAdapter | None:
        """By Slack's id. Raises StoreUnavailable, also when the settings' workspace is not known yet."""
        if self.home is not None:
            if self.home.install.current is None:
                raise StoreUnavailable
            if self.home.install.current.team_id == team_id:
                return self.home
        async with self._store.transaction() as tx:
            workspace = await tx.people.workspace(Workspace.key(Platform.SLACK, team_id))
        try:
            return None if workspace is None else await self.of(workspace)
        except NotRenewed:
            raise StoreUnavailable from None  # Slack asks again

    async def stop(self) -> None:
        """Close them all."""
        for site in self._installed.values():
            await site.adapter.stop()
        self._installed.clear()
        if self.home is not None:
            await self.home.stop()


class SitesPlatform:
    """bot.ports.ChatPlatform: each message goes with its own workspace's token."""

    platform = Platform.SLACK
    can_find = True

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self.limits = sites.limits

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:
        """See adapters.slack.platform."""
        return await self._tried(workspace, lambda site: site.platform.send(workspace, person, message, delivery_id))

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        """See adapters.slack.platform."""
        return await self._tried(workspace, lambda site: site.platform.update(workspace, person, sent, message))

    async def find(
        self, workspace: Workspace, person: Person, delivery_id: str, since: datetime
    ) -> Sent | Unclear | Throttled | None:
        """See adapters.slack.platform."""
        try:
            site = await self._sites.of(workspace)
        except NotRenewed:
            site = None
        if site is None:
            return Unclear(Reason.TOKEN_REVOKED)
        return await site.platform.find(workspace, person, delivery_id, since)

    async def _tried(self, workspace: Workspace, call: Callable[[SlackAdapter], Awaitable[Outcome]]) -> Outcome:
        """Once more with the token that another replica has just renewed: what Slack refused was not shown."""
        try:
            site = await self._sites.of(workspace)
            outcome = Refused(Reason.TOKEN_REVOKED) if site is None else await call(site)
            if outcome != Refused(Reason.TOKEN_REVOKED):
                return outcome
            site = await self._sites.with_another_token(workspace)
            return outcome if site is None else await call(site)
        except (NotRenewed, StoreUnavailable):
            return NeverLeft()


class SitesDirectory:
    """bot.ports.Directory: names are looked up in their own workspace only."""

    platform = Platform.SLACK

    def __init__(self, sites: Sites) -> None:
        self._sites = sites

    async def resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """See adapters.slack.directory."""
        site = await self._site(workspace)
        if site is None:
            raise DirectoryUnavailable
        return await site.directory.resolve(workspace, targets)

    async def away(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, datetime | None]:
        """See adapters.slack.directory."""
        site = await self._site(workspace)
        return {} if site is None else await site.directory.away(workspace, people)

    async def managers(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, Person]:
        """See adapters.slack.directory."""
        site = await self._site(workspace)
        return {} if site is None else await site.directory.managers(workspace, people)

    async def admins_in(self, workspace: Workspace, group: str) -> Collection[str]:
        """See adapters.slack.directory."""
        site = await self._site(workspace)
        return () if site is None else await site.directory.admins_in(workspace, group)

    async def _site(self, workspace: Workspace) -> SlackAdapter | None:
        try:
            return await self._sites.of(workspace)
        except NotRenewed:
            raise DirectoryUnavailable from None


class SharedSlackAdapter:
    """adapters.chat.ChatAdapter for an app that workspaces install by link."""

    def __init__(self, signing_secret: str, sites: Sites, oauth: OAuth, tokens: Tokens) -> None:
        self._sites = sites
        self.tokens = tokens
        self._signing_secret = signing_secret
        self._verifier = SignatureVerifier(signing_secret)
        self._oauth = oauth
        self.platform = SitesPlatform(self._sites)
        self.directory = SitesDirectory(self._sites)

    def add_routes(self, app: web.Application) -> None:
        """POST /slack/events, GET /slack/install, GET /slack/oauth_redirect."""
        app.router.add_post(PATH, self._serve)
        app.router.add_get(INSTALL, self._oauth.install)
        app.router.add_get(REDIRECT, self._oauth.redirect)

    async def _serve(self, request: web.Request) -> web.Response:
        received = await read(request)
        if isinstance(received, web.Response):
            return received
        if not self._verifier.is_valid_request(received.raw_body, dict(request.headers)):
            return refusal(401, "signature")
        if received.body.get("type") == "url_verification":
            return web.json_response({"challenge": str(received.body.get("challenge"))})
        try:
            site = await self._sites.of_team(received.context.team_id or "")
        except StoreUnavailable:
            return refusal(503, "database")
        return refusal(403, "workspace") if site is None else await site.answer(received)

    async def start(self) -> None:
        """The settings' workspace; the others when something is from or for them. Raises PlatformUnavailable."""
        if self._sites.home is not None:
            await self._sites.home.start()

    async def stop(self) -> None:
        """Close the connections."""
        await self._sites.stop()
        await self.tokens.close()

    async def check(self) -> None:
        """Raises PlatformUnavailable."""
        if self._sites.home is not None:
            await self._sites.home.check()

    async def knock(self, public_url: str) -> None:
        """At POST /slack/events; the settings' own workspace may use Socket Mode. Raises PlatformUnavailable."""
        await knock(f"{public_url}{PATH}", self._signing_secret)
        if self._sites.home is not None:
            await self._sites.home.knock(public_url)
