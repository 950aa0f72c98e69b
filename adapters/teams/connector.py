"""Calls to the Bot Connector, Teams' side of a conversation: one request for each call, never a second one.

Retrying is the dispatcher's job, since only it can remember that a message may already have arrived. So every
failure says whether that is possible. Protocol: learn.microsoft.com, "API reference for the Bot Connector
service".
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
)
from yarl import URL

from adapters.teams.connector_error import ConnectorError, Outcome, refusal
from adapters.teams.credentials import BotCredentials, TokenUnavailable
from adapters.teams.service_url import SERVICE_HOSTS, ServiceUrlRefused, check_service_url

Json = dict[str, Any]

TIMEOUT = ClientTimeout(total=30.0, connect=10.0)
PAGE_SIZE = 200  # 50 to 500: learn.microsoft.com, "Get Teams-specific context for your bot"
KNOWN_ADDRESSES = 1000

# aiohttp raises these before it has written a byte of the request.
NEVER_SENT = (ClientConnectorError, ConnectionTimeoutError, ClientHttpProxyError, InvalidURL)


@dataclass(frozen=True)
class MemberPage:
    """Some members as the service describes them, and the token for the next page (None on the last)."""

    members: list[Json]
    continuation_token: str | None


class Connector:
    """The Bot Connector's operations that the bot needs. Every method may raise ConnectorError.

    One object per process, on one shared session. `hosts` and `allow_loopback` say where the bot's token may be
    sent (see service_url).
    """

    def __init__(
        self,
        session: ClientSession,
        credentials: BotCredentials,
        *,
        hosts: tuple[str, ...] = SERVICE_HOSTS,
        allow_loopback: bool = False,
        timeout: ClientTimeout = TIMEOUT,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._hosts = hosts
        self._allow_loopback = allow_loopback
        self._timeout = timeout
        self._addresses: dict[str, URL] = {}

    async def create_personal_conversation(
        self, service_url: str, tenant_id: str, app_id: str, member_id: str
    ) -> str:
        """The id of the 1:1 conversation with a person, made if need be; Teams answers the same id each time.

        `member_id` is the person's id in Teams ("29:…") or Entra object id. Nothing is shown to the person, so
        that an UNKNOWN outcome may be tried again.
        """
        body = {
            "bot": {"id": app_id if app_id.startswith("28:") else f"28:{app_id}"},
            "members": [{"id": member_id}],
            "isGroup": False,
            "tenantId": tenant_id,
            "channelData": {"tenant": {"id": tenant_id}},
        }
        answer = await self._call("create", "POST", service_url, "v3/conversations", body=body)
        return _text(_required("create", answer), "id")

    async def send(self, service_url: str, conversation_id: str, activity: Mapping[str, Any]) -> str:
        """Show a new activity in a conversation. The new activity's id, "" when the service names none."""
        path = f"v3/conversations/{_part(conversation_id)}/activities"
        return _id(await self._call("send", "POST", service_url, path, body=activity))

    async def reply(
        self, service_url: str, conversation_id: str, activity_id: str, activity: Mapping[str, Any]
    ) -> str:
        """Answer an activity. The new activity's id, "" when the service names none."""
        path = f"v3/conversations/{_part(conversation_id)}/activities/{_part(activity_id)}"
        return _id(await self._call("reply", "POST", service_url, path, body=activity))

    async def update(
        self, service_url: str, conversation_id: str, activity_id: str, activity: Mapping[str, Any]
    ) -> str:
        """Replace an activity of the bot's own. Its id."""
        path = f"v3/conversations/{_part(conversation_id)}/activities/{_part(activity_id)}"
        body = {**activity, "id": activity_id}
        return _id(await self._call("update", "PUT", service_url, path, body=body)) or activity_id

    async def delete(self, service_url: str, conversation_id: str, activity_id: str) -> None:
        """Remove an activity of the bot's own."""
        path = f"v3/conversations/{_part(conversation_id)}/activities/{_part(activity_id)}"
        await self._call("delete", "DELETE", service_url, path)

    async def members_page(
        self,
        service_url: str,
        conversation_id: str,
        *,
        continuation_token: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> MemberPage:
        """One page of the members of a chat, or of a team when given the id of the team or one of its channels."""
        query = {"pageSize": str(page_size)}
        if continuation_token:
            query["continuationToken"] = continuation_token
        path = f"v3/conversations/{_part(conversation_id)}/pagedmembers"
        answer = _required("members", await self._call("members", "GET", service_url, path, query=query))
        members = [member for member in answer.get("members") or () if isinstance(member, dict)]
        return MemberPage(members, answer.get("continuationToken") or None)

    async def members(
        self, service_url: str, conversation_id: str, *, page_size: int = PAGE_SIZE
    ) -> AsyncIterator[Json]:
        """Every member, page after page."""
        token: str | None = None
        while True:
            page = await self.members_page(
                service_url, conversation_id, continuation_token=token, page_size=page_size
            )
            for member in page.members:
                yield member
            if page.continuation_token in {None, token}:  # a token that repeats would never end
                return
            token = page.continuation_token

    async def member(self, service_url: str, conversation_id: str, member_id: str) -> Json:
        """One member. Somebody who is not there: REFUSED with status 404."""
        path = f"v3/conversations/{_part(conversation_id)}/members/{_part(member_id)}"
        return _required("member", await self._call("member", "GET", service_url, path))

    async def team(self, service_url: str, team_id: str) -> Json:
        """A team's details: id, name, aadGroupId, and counts where Teams gives them."""
        path = f"v3/teams/{_part(team_id)}"
        return _required("team", await self._call("team", "GET", service_url, path))

    async def channels(self, service_url: str, team_id: str) -> list[Json]:
        """A team's channels. The General channel has the team's id and may have no name."""
        path = f"v3/teams/{_part(team_id)}/conversations"
        answer = _required("channels", await self._call("channels", "GET", service_url, path))
        return [channel for channel in answer.get("conversations") or () if isinstance(channel, dict)]

    def address(self, service_url: str) -> URL:
        """The checked address, remembered. Raises ServiceUrlRefused."""
        known = self._addresses.get(service_url)
        if known is None:
            known = check_service_url(service_url, self._hosts, allow_loopback=self._allow_loopback)
            if len(self._addresses) >= KNOWN_ADDRESSES:
                self._addresses.clear()
            self._addresses[service_url] = known
        return known

    async def _call(
        self,
        operation: str,
        method: str,
        service_url: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Json | None:
        """The answer's JSON object, or None when it has none. Raises ConnectorError."""
        try:
            address = self.address(service_url)
            token = await self._credentials.token()
        except ServiceUrlRefused as error:
            raise ConnectorError(operation, Outcome.NEVER_LEFT, code="ServiceUrlRefused") from error
        except TokenUnavailable as error:
            raise ConnectorError(operation, Outcome.NEVER_LEFT, code=error.code) from error
        # Already quoted: yarl would otherwise undo the quoting of ";" and "@" in conversation ids.
        url = URL(f"{address}/{path}", encoded=True).update_query(query or {})
        try:
            async with self._session.request(
                method,
                url,
                json=body,
                headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,  # a redirect would carry the token to another host
            ) as response:
                answer = await _json(response)
        except NEVER_SENT as error:
            raise ConnectorError(operation, Outcome.NEVER_LEFT, code=type(error).__name__) from error
        except (ClientError, OSError) as error:
            raise ConnectorError(operation, Outcome.UNKNOWN, code=type(error).__name__) from error
        if response.status == 401:
            self._credentials.reject()
        if not 200 <= response.status < 300:
            raise refusal(operation, response, answer)
        return answer


def _part(identifier: str) -> str:
    """An id as one part of a path: whatever is in it cannot lead elsewhere. Raises ConnectorError."""
    if not identifier.strip("."):
        raise ConnectorError("address", Outcome.NEVER_LEFT, code="MalformedId")
    return quote(identifier, safe="")


async def _json(response: ClientResponse) -> Json | None:
    try:
        answer = await response.json(content_type=None)
    except (ClientError, OSError, ValueError):
        # The status has arrived and decides; a body that was cut off does not make it unknown again.
        return None
    return answer if isinstance(answer, dict) else None


def _id(answer: Json | None) -> str:
    return str((answer or {}).get("id") or "")


def _required(operation: str, answer: Json | None) -> Json:
    if answer is None:
        raise ConnectorError(operation, Outcome.UNKNOWN, status=200, code="MalformedAnswer")
    return answer


def _text(answer: Json, key: str) -> str:
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise ConnectorError("create", Outcome.UNKNOWN, status=200, code="MalformedAnswer")
    return value
