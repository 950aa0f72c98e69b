from dataclasses import dataclass

from botbuilder.schema import Activity, ResourceResponse
from botframework.connector.auth.connector_factory import ConnectorFactory

from adapters.teams.connector import KNOWN_ADDRESSES, Connector


class TurnConversations:
    """The operations that the SDK's adapter calls in a turn, for one service URL. They take the SDK's activities."""

    def __init__(self, connector: Connector, service_url: str) -> None:
        self._connector = connector
        self._service_url = service_url

    async def send_to_conversation(self, conversation_id: str, activity: Activity) -> ResourceResponse:
        """Show `activity`. Raises ConnectorError, as all operations here."""
        sent = await self._connector.send(self._service_url, conversation_id, activity.serialize())
        return ResourceResponse(id=sent)

    async def reply_to_activity(self, conversation_id: str, activity_id: str, activity: Activity) -> ResourceResponse:
        """Show `activity` as the answer to another."""
        sent = await self._connector.reply(self._service_url, conversation_id, activity_id, activity.serialize())
        return ResourceResponse(id=sent)

    async def update_activity(self, conversation_id: str, activity_id: str, activity: Activity) -> ResourceResponse:
        """Replace an activity."""
        updated = await self._connector.update(self._service_url, conversation_id, activity_id, activity.serialize())
        return ResourceResponse(id=updated)

    async def delete_activity(self, conversation_id: str, activity_id: str) -> None:
        """Remove an activity."""
        await self._connector.delete(self._service_url, conversation_id, activity_id)


@dataclass(frozen=True)
class TurnClient:
    """What the SDK's adapter needs of a connector client: its conversations."""

    conversations: TurnConversations


class TurnConnectorFactory(ConnectorFactory):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's hook for outbound clients: the shared connector instead of a client built in each turn."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._clients: dict[str, TurnClient] = {}

    async def create(
        self,
        service_url: str,
        audience: str | None = None,  # noqa: ARG002  # the SDK's signature
    ) -> TurnClient:
        """The client for `service_url`, kept. Costs no request and cannot fail: calls check the address."""
        client = self._clients.get(service_url)
        if client is None:
            if len(self._clients) >= KNOWN_ADDRESSES:
                self._clients.clear()
            client = self._clients[service_url] = TurnClient(TurnConversations(self._connector, service_url))
        return client
