"""The workspace that the bot's token belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from adapters.chat import PlatformUnavailable
from adapters.slack.web_api import Answer, ApiFailed, ApiRefused, ApiThrottled, WebApi
from bot.model import Platform, Workspace
from bot.ports import Clock, Store

log = structlog.get_logger(__name__)

# Exactly what the code calls for; the manifest is tested against it.
SCOPES = (
    "channels:read",  # conversations.members of public channels
    "chat:write",  # chat.*
    "commands",  # /sso
    "groups:read",  # conversations.members of private channels that the bot is in
    "im:history",  # the message.im event; conversations.history to find a message whose answer was lost
    "im:write",  # conversations.open
    "usergroups:read",  # usergroups.*
    "users.profile:read",  # team.profile.get, users.profile.get: who is whose manager
    "users:read",  # users.info, users.list
    "users:read.email",  # addresses; users.lookupByEmail
)
EVENTS = ("app_home_opened", "app_uninstalled", "message.im", "tokens_revoked")

_WRONG_TOKEN = {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}


@dataclass(frozen=True)
class Installation:
    """What auth.test tells."""

    workspace_id: str
    team_id: str
    bot_user_id: str
    bot_id: str


class Install:
    """Knows the configured workspace once `begin` was successful, and forgets it when the app is uninstalled."""

    def __init__(self, api: WebApi, store: Store, clock: Clock) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self.current: Installation | None = None

    async def begin(self) -> Installation:
        """Ask whose token it is and store the workspace. Raises PlatformUnavailable, StoreUnavailable."""
        data = (await self._auth_test()).data
        team_id = str(data["team_id"])
        here = Installation(
            Workspace.key(Platform.SLACK, team_id), team_id, str(data.get("user_id")), str(data.get("bot_id"))
        )
        await self._save(here, name=str(data.get("team") or ""))
        self.current = here
        return here

    def known(self, workspace: Workspace) -> None:
        """The workspace was installed by link, and is stored."""
        self.current = Installation(workspace.id, workspace.external_id, workspace.bot_user_id, "")

    async def check(self) -> None:
        """Raises PlatformUnavailable when Slack does not answer, refuses the token, or a scope is missing."""
        answer = await self._auth_test()
        missing = sorted(set(SCOPES) - set(answer.scopes)) if answer.scopes else []
        if missing:
            raise PlatformUnavailable(
                f"Slack: the app lacks the scopes {', '.join(missing)}. Update its manifest and reinstall it."
            )

    async def uninstalled(self) -> None:
        """The workspace removed the app: remember it as inactive. Raises StoreUnavailable."""
        here = self.current
        if here is None:
            return
        async with self._store.transaction() as tx:
            workspace = await tx.people.workspace(here.workspace_id)
            if workspace is not None:
                workspace.active, workspace.secret = False, None
                await tx.people.save_workspace(workspace)
        self.current = None
        log.warning("slack.uninstalled", workspace=here.workspace_id)

    async def _save(self, here: Installation, name: str) -> None:
        async with self._store.transaction() as tx:
            workspace = await tx.people.workspace(here.workspace_id)
            if workspace is None:
                workspace = Workspace(
                    id=here.workspace_id,
                    platform=Platform.SLACK,
                    external_id=here.team_id,
                    installed_at=self._clock.now(),
                )
            workspace.name, workspace.bot_user_id, workspace.active = name, here.bot_user_id, True
            await tx.people.save_workspace(workspace)

    async def _auth_test(self) -> Answer:
        try:
            answer = await self._api.call("auth.test")
        except ApiRefused as refused:
            what = "is not valid (any more)" if refused.error in _WRONG_TOKEN else f"is refused ({refused.error})"
            raise PlatformUnavailable(
                f"Slack: USHER_SLACK_BOT_TOKEN {what}. Reinstall the app and copy it anew."
            ) from None
        except ApiThrottled:
            raise PlatformUnavailable("Slack: too many calls; try again in a minute.") from None
        except ApiFailed as failed:
            raise PlatformUnavailable(f"Slack does not answer at USHER_SLACK_API_URL ({failed}).") from None
        if not answer.data.get("team_id"):
            raise PlatformUnavailable("Slack: what answers at USHER_SLACK_API_URL is not Slack's Web API.")
        return answer
