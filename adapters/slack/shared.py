"""One app in several Slack workspaces, strictly apart: for each its own adapter, token, caches and connections.

Which workspace a request is from counts only after Slack's signature was found right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from adapters.slack.adapter import PATH, SlackAdapter
from adapters.slack.door import knock
from adapters.slack.inbound import read, refusal
from adapters.slack.oauth import INSTALL, REDIRECT, OAuth
from adapters.slack.platform import LIMITS
from bot.events import NotFound, Target
from bot.messages import Message
from bot.model import Person, Platform, Workspace
from bot.ports import (
    DirectoryUnavailable,
    Limits,
    Outcome,
    Reason,
    Refused,
    Sent,
    Store,
    StoreUnavailable,
    Throttled,
    Unclear,
)


class Sites:
    """The adapter of each workspace: of the one whose token is in the settings, and of those installed by link."""

    def __init__(
        self,
        home: SlackAdapter | None,
        made: Callable[[str], SlackAdapter | None],
        store: Store,
        limits: Limits = LIMITS,
    ) -> None:
        """`made` makes an adapter of a sealed token; None when no key opens it. `limits` are each workspace's."""
        self.limits = limits
        self.home = home
        self._made = made
        self._store = store
        self._installed: dict[str, tuple[str, SlackAdapter]] = {}

    async def of(self, workspace: Workspace) -> SlackAdapter | None:
        """None for a workspace that has no token."""
        here = self.home.install.current if self.home else None
        if here is not None and here.workspace_id == workspace.id:
            return self.home
        old = self._installed.get(workspace.id)
        if old is not None and old[0] == workspace.secret:
            return old[1]
        self._installed.pop(workspace.id, None)
        site = None
        if workspace.secret is not None and workspace.active:
            site = self._made(workspace.secret)
        if site is not None:
            site.install.known(workspace)
            self._installed[workspace.id] = (str(workspace.secret), site)
        if old is not None:
            await old[1].stop()
        return site

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
        return None if workspace is None else await self.of(workspace)

    async def stop(self) -> None:
        """Close them all."""
        for _, site in self._installed.values():
            await site.stop()
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
        site = await self._sites.of(workspace)
        if site is None:
            return Refused(Reason.TOKEN_REVOKED)
        return await site.platform.send(workspace, person, message, delivery_id)

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        """See adapters.slack.platform."""
        site = await self._sites.of(workspace)
        if site is None:
            return Refused(Reason.TOKEN_REVOKED)
        return await site.platform.update(workspace, person, sent, message)

    async def find(
        self, workspace: Workspace, person: Person, delivery_id: str, since: datetime
    ) -> Sent | Unclear | Throttled | None:
        """See adapters.slack.platform."""
        site = await self._sites.of(workspace)
        if site is None:
            return Unclear(Reason.TOKEN_REVOKED)
        return await site.platform.find(workspace, person, delivery_id, since)


class SitesDirectory:
    """bot.ports.Directory: names are looked up in their own workspace only."""

    platform = Platform.SLACK

    def __init__(self, sites: Sites) -> None:
        self._sites = sites

    async def resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """See adapters.slack.directory."""
        site = await self._sites.of(workspace)
        if site is None:
            raise DirectoryUnavailable
        return await site.directory.resolve(workspace, targets)

    async def away(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, datetime | None]:
        """See adapters.slack.directory."""
        site = await self._sites.of(workspace)
        return {} if site is None else await site.directory.away(workspace, people)

    async def managers(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, Person]:
        """See adapters.slack.directory."""
        site = await self._sites.of(workspace)
        return {} if site is None else await site.directory.managers(workspace, people)

    async def admins_in(self, workspace: Workspace, group: str) -> Collection[str]:
        """See adapters.slack.directory."""
        site = await self._sites.of(workspace)
        return () if site is None else await site.directory.admins_in(workspace, group)


class SharedSlackAdapter:
    """adapters.chat.ChatAdapter for an app that workspaces install by link."""

    def __init__(self, signing_secret: str, sites: Sites, oauth: OAuth) -> None:
        self._sites = sites
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
        await self._oauth.close()

    async def check(self) -> None:
        """Raises PlatformUnavailable."""
        if self._sites.home is not None:
            await self._sites.home.check()

    async def knock(self, public_url: str) -> None:
        """At POST /slack/events; the settings' own workspace may use Socket Mode. Raises PlatformUnavailable."""
        await knock(f"{public_url}{PATH}", self._signing_secret)
        if self._sites.home is not None:
            await self._sites.home.knock(public_url)
