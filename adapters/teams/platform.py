"""Direct messages to people in Teams: bot.ports.ChatPlatform."""

from datetime import datetime

from adapters.teams import outcomes
from adapters.teams.connector import Connector
from adapters.teams.connector_error import ConnectorError
from adapters.teams.opening import LoginLinks
from adapters.teams.proactive import ProactiveInstall, after_installing
from adapters.teams.render import message_activity
from bot.messages import Message
from bot.model import Person, Platform, Workspace
from bot.ports import Limits, Outcome, Reason, Refused, Sent, Throttled, Unclear
from bot.readers import reader_of
from bot.texts import Reader

# 30 calls a second for an app in a tenant, whatever they do (learn.microsoft.com, "Optimize your bot: rate limiting";
# the page has also named 50), and at least a second between two messages to one person, which keeps to that page's
# windows for a conversation: 7 in 1 s, 8 in 2 s, 60 in 30 s. The first message to somebody also makes their chat.
# Ten in flight, so that a crash leaves at most ten messages unclear.
LIMITS = Limits(
    per_second=30.0,
    burst=5,
    in_flight=10,
    others_per_second=10.0,
    counted_together=True,
    first_message_calls=2,
)


class TeamsPlatform:
    """Sends and updates messages in personal chats. One request shows one message; it is never repeated here."""

    platform = Platform.TEAMS
    can_find = False  # the Connector cannot be asked for a message

    def __init__(
        self,
        connector: Connector,
        app_id: str,
        limits: Limits = LIMITS,
        links: LoginLinks | None = None,
        proactive: ProactiveInstall | None = None,
    ) -> None:
        self.limits = limits
        self._connector = connector
        self._app_id = app_id
        self._links = links
        self._proactive = proactive

    def activity(self, message: Message, reader: Reader) -> dict[str, object]:
        """The activity that shows a message."""
        return message_activity(self._links.shown(message) if self._links else message, reader)

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:  # noqa: ARG002  # Teams has no place for an id that could be found again
        """One message; the conversation is made first where it is not known, which shows nothing."""
        conversation_id = person.channel_id or await self._first_conversation(workspace, person)
        if not isinstance(conversation_id, str):
            return conversation_id
        activity = self.activity(message, reader_of(person))
        try:
            message_id = await self._posted(workspace.service_url, conversation_id, activity)
        except ConnectorError as error:
            return outcomes.of_send(error)
        # A success without an id is a gateway's page, not the Connector's answer.
        return Sent(conversation_id, message_id) if message_id else Unclear(Reason.SERVER_ERROR)

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        """Replace the message."""
        activity = self.activity(message, reader_of(person))
        try:
            await self._connector.update(workspace.service_url, sent.channel_id, sent.message_id, activity)
        except ConnectorError as error:
            return outcomes.of_send(error)
        return sent

    async def find(
        self,
        workspace: Workspace,  # noqa: ARG002  # bot.ports.ChatPlatform
        person: Person,  # noqa: ARG002
        delivery_id: str,  # noqa: ARG002
        since: datetime,  # noqa: ARG002
    ) -> Sent | Unclear | Throttled | None:
        """Teams cannot say: always Unclear."""
        return Unclear(Reason.INTERRUPTED)

    async def _first_conversation(self, workspace: Workspace, person: Person) -> str | Outcome:
        """The new chat's id; or what came of trying to make it. Installs the app first where that is wanted."""
        made = await self._made(workspace, person)
        if made != Refused(Reason.NOT_INSTALLED) or self._proactive is None:
            return made
        hindered = await self._proactive.install(person)
        if hindered is not None:
            return hindered
        made = await self._made(workspace, person)
        return made if isinstance(made, str) else after_installing(made)

    async def _made(self, workspace: Workspace, person: Person) -> str | Outcome:
        try:
            return await self.conversation(workspace, person.user_id)
        except ConnectorError as error:
            return outcomes.of_create(error)

    async def conversation(self, workspace: Workspace, user_id: str) -> str:
        """The id of the personal chat with somebody (Teams or Entra id). Raises ConnectorError."""
        tenant = workspace.external_id
        try:
            return await self._connector.create_personal_conversation(
                workspace.service_url, tenant, self._app_id, user_id
            )
        except ConnectorError as error:
            if error.status != 401:
                raise
        # 401 says that nothing was done, and the connector has dropped the token: once more, with a new one.
        return await self._connector.create_personal_conversation(
            workspace.service_url, tenant, self._app_id, user_id
        )

    async def _posted(self, service_url: str, conversation_id: str, activity: dict[str, object]) -> str:
        try:
            return await self._connector.send(service_url, conversation_id, activity)
        except ConnectorError as error:
            if error.status != 401:
                raise
        # As above: what was refused with 401 has not been shown.
        return await self._connector.send(service_url, conversation_id, activity)
