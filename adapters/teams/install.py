"""Where the bot is installed: the tenant's row, and the personal chats and teams that it hears from."""

from collections import OrderedDict

from adapters.teams.authentication import required
from bot.model import Person, Platform, Workspace
from bot.ports import Clock, Store

# Where Teams takes messages before it has told the tenant's own address (learn.microsoft.com, "Send proactive
# messages", section "Get the service URL").
GLOBAL_SERVICE_URL = "https://smba.trafficmanager.net/teams/"
KNOWN_TEAMS = 200


class Installation:
    """The one tenant that this bot serves. Operations raise StoreUnavailable."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        tenant_id: str,
        app_id: str,
        *,
        company: str = "default",
        service_url: str = GLOBAL_SERVICE_URL,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tenant_id = required(tenant_id, "USHER_TEAMS_TENANT_ID")
        self._bot_user_id = f"28:{app_id}"
        self._company = company
        self._service_url = service_url
        self._row: Workspace | None = None
        self._teams: OrderedDict[str, None] = OrderedDict()

    @property
    def workspace_id(self) -> str:
        """The tenant's workspace id."""
        return Workspace.key(Platform.TEAMS, self._tenant_id)

    @property
    def teams(self) -> tuple[str, ...]:
        """Teams that the bot has heard from since it started, the latest first: where rosters can be read."""
        return tuple(reversed(self._teams))

    async def known(self, service_url: str = "") -> Workspace:
        """The tenant's row. It is stored when it is new, and when Teams has moved to another `service_url`."""
        row = self._row
        if row is None or (service_url and service_url != row.service_url):
            row = self._row = await self._stored(service_url)
        return row

    async def _stored(self, service_url: str) -> Workspace:
        async with self._store.transaction() as tx:
            old = await tx.people.workspace(self.workspace_id)
            row = Workspace(
                id=self.workspace_id,
                platform=Platform.TEAMS,
                external_id=self._tenant_id,
                name=old.name if old else "",
                company=self._company,
                active=True,
                bot_user_id=self._bot_user_id,
                service_url=service_url or (old.service_url if old else "") or self._service_url,
                installed_at=old.installed_at if old else self._clock.now(),
            )
            if old is None or row.model_dump() != old.model_dump():
                await tx.people.save_workspace(row)
        return row

    def hears_from(self, team_id: str) -> None:
        """The bot is in this team."""
        self._teams[team_id] = None
        self._teams.move_to_end(team_id)
        if len(self._teams) > KNOWN_TEAMS:
            self._teams.popitem(last=False)

    def left(self, team_id: str) -> None:
        """The bot was removed from this team."""
        self._teams.pop(team_id, None)

    async def uninstalled(self, user_id: str) -> None:
        """Somebody removed the bot: their chat with it can no longer be written to."""
        person_id = Person.key(self.workspace_id, user_id)
        async with self._store.transaction() as tx:
            await tx.people.removed_app(person_id)

    async def chat_of(self, person: Person) -> str:
        """The id of the personal chat with somebody, "" when it is not known."""
        if person.channel_id:
            return person.channel_id
        async with self._store.transaction() as tx:
            known = await tx.people.person(person.id)
        return known.channel_id if known else ""
