"""Microsoft Teams, put together: adapters.chat.ChatAdapter."""

from dataclasses import dataclass, field, replace

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

from adapters.background import Background
from adapters.chat import PlatformUnavailable
from adapters.teams.activities import Actors
from adapters.teams.authentication import TeamsAuthentication, required
from adapters.teams.cloud_adapter import TeamsCloudAdapter
from adapters.teams.connector import TIMEOUT, Connector
from adapters.teams.connector_error import ConnectorError
from adapters.teams.credentials import TOKEN_URL, BotCredentials, TokenUnavailable
from adapters.teams.directory import TeamsDirectory
from adapters.teams.door import knock
from adapters.teams.graph import GRAPH_URL, Graph
from adapters.teams.inbound import Inbound
from adapters.teams.install import GLOBAL_SERVICE_URL, Installation
from adapters.teams.opening import LoginLinks
from adapters.teams.platform import LIMITS, TeamsPlatform
from adapters.teams.proactive import ProactiveInstall
from adapters.teams.profiles import ASK_WHO_WITHIN, Profiles
from adapters.teams.replies import Replies
from adapters.teams.roster import Rosters
from adapters.teams.service_url import SERVICE_HOSTS
from adapters.teams.signing_keys import METADATA_URL, KeysUnavailable, SigningKeys
from bot.ports import Clock, DirectoryUnavailable, Handle, Store

MESSAGES_PATH = "/api/messages"
# Requests in flight to one host: the dispatcher's ten, and those that answer people.
CONNECTIONS = 40


@dataclass(frozen=True)
class TeamsConfig:
    """The bot's registration in one tenant, and where Microsoft is. `token_url` may contain "{tenant}".

    `service_url` serves until Teams has told the tenant's own. `service_hosts` are those that the bot's token may
    be sent to; `allow_loopback` adds this machine, for the playground and tests.
    """

    app_id: str
    app_password: str = field(repr=False)
    tenant_id: str
    company: str = "default"
    openid_metadata_url: str = METADATA_URL
    token_url: str = TOKEN_URL
    graph_url: str = GRAPH_URL
    service_url: str = GLOBAL_SERVICE_URL
    service_hosts: tuple[str, ...] = SERVICE_HOSTS
    allow_loopback: bool = False
    time_out: ClientTimeout = TIMEOUT  # for one call of the Bot Connector
    messages_per_second: float = LIMITS.per_second  # all calls in the tenant
    catalog_app_id: str = ""  # the app's id in the organization's catalogue, where it may be installed for people
    login_links: LoginLinks | None = None  # where who opens the login page is to be noted
    ask_who_within: float = ASK_WHO_WITHIN  # seconds; the person waits for the bot's answer meanwhile


class TeamsAdapter:
    """Events come in at POST /api/messages, messages go out through `platform`.

    Is made inside a running event loop. Raises ValueError when app id, password or tenant id is empty.
    """

    def __init__(self, config: TeamsConfig, handle: Handle, store: Store, clock: Clock) -> None:
        for value, setting in (
            (config.app_id, "USHER_TEAMS_APP_ID"),
            (config.app_password, "USHER_TEAMS_APP_PASSWORD"),
            (config.tenant_id, "USHER_TEAMS_TENANT_ID"),
        ):
            required(value, setting)
        # No cookies: Microsoft's load balancers set some, and they would tie all tenants' calls together.
        self._session = ClientSession(connector=TCPConnector(limit=CONNECTIONS), cookie_jar=DummyCookieJar())
        self._keys = SigningKeys(self._session, config.openid_metadata_url)
        self._credentials = BotCredentials(
            config.app_id, config.app_password, config.tenant_id, self._session, token_url=config.token_url
        )
        connector = Connector(
            self._session,
            self._credentials,
            hosts=config.service_hosts,
            allow_loopback=config.allow_loopback,
            timeout=config.time_out,
        )
        self._background = Background(ConnectorError)
        self._installation = Installation(
            store,
            clock,
            config.tenant_id,
            config.app_id,
            company=config.company,
            service_url=config.service_url,
        )
        graph = Graph(self._session, self._credentials, clock, config.graph_url)
        self._proactive = ProactiveInstall(graph, config.catalog_app_id, clock) if config.catalog_app_id else None
        self.platform = TeamsPlatform(
            connector,
            config.app_id,
            replace(LIMITS, per_second=config.messages_per_second),
            config.login_links,
            self._proactive,
        )
        self._login_links, self._store, self._clock = config.login_links, store, clock
        profiles = Profiles(connector, clock, self._background, config.ask_who_within)
        self.directory = TeamsDirectory(
            Rosters(connector, profiles, clock, config.app_id),
            graph,
            self._installation,
            store,
            clock,
        )
        inbound = Inbound(
            handle,
            self._installation,
            Actors(self._installation, profiles, clock),
            self.directory,
            Replies(connector, self.platform, self._installation, self._background),
        )
        authentication = TeamsAuthentication(config.app_id, config.tenant_id, self._keys, connector)
        self._door = TeamsCloudAdapter(authentication, inbound.on_turn)

    def add_routes(self, app: web.Application) -> None:
        """POST /api/messages; and, where it is wanted, GET /login/{proof}."""
        app.router.add_post(MESSAGES_PATH, self._door.process)
        if self._login_links is not None:
            self._login_links.add_routes(app, self._store, self._clock)

    async def start(self) -> None:
        """Make the tenant known to the store. Raises StoreUnavailable."""
        await self._installation.known()

    async def stop(self) -> None:
        """Finish what is still to be shown, as far as it can be soon, and close the connections."""
        await self._background.stop()
        await self._session.close()

    async def settled(self) -> None:
        """Return when every answer that was promised has been shown."""
        await self._background.settled()

    async def check(self) -> None:
        """Raises PlatformUnavailable when Microsoft's keys or an access token cannot be had."""
        try:
            await self._keys.warm_up()
        except KeysUnavailable as error:
            raise PlatformUnavailable(f"{error}: check that Microsoft's servers can be reached") from error
        try:
            await self._credentials.token()
        except TokenUnavailable as error:
            raise PlatformUnavailable(
                f"Microsoft gives the bot no access token ({error.code}): check USHER_TEAMS_APP_ID, "
                "USHER_TEAMS_APP_PASSWORD and USHER_TEAMS_TENANT_ID"
            ) from error

    async def knock(self, public_url: str) -> None:
        """At POST /api/messages, and at Graph where it is to install the app. Raises PlatformUnavailable."""
        await knock(f"{public_url}{MESSAGES_PATH}")
        if self._proactive is None:
            return
        try:
            granted = await self._proactive.is_granted()
        except DirectoryUnavailable as error:
            raise PlatformUnavailable("Microsoft Graph does not answer at USHER_TEAMS_GRAPH_URL") from error
        if not granted:
            raise PlatformUnavailable(
                "the app may not be installed for people: grant TeamsAppInstallation.ReadWriteSelfForUser.All with "
                "admin consent, or leave USHER_TEAMS_CATALOG_APP_ID empty"
            )
