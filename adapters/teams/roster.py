"""Members of teams, as the Bot Connector tells them, and how they become people."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from adapters.teams.connector import Connector
from adapters.teams.connector_error import ConnectorError, Outcome
from adapters.teams.profiles import Profiles
from bot.events import NotFound, Problem
from bot.model import Person, Workspace
from bot.ports import Clock, DirectoryUnavailable

Json = dict[str, Any]
T = TypeVar("T")

ATTEMPTS = 4
# How long a team's members are remembered: lists that are asked for one after the other, and several tags of a team,
# cost one look-up; whoever has just changed a team is not told what was true before for long.
MEMBERS_AGE = timedelta(minutes=2)
MOST_REMEMBERED = 50  # teams and channels
LONGEST_WAIT = 30.0  # seconds; a longer Retry-After is the caller's to wait for
DEFAULT_WAIT = 5.0


class Rosters:
    """Reads members patiently: a bounded number of 429s is waited out, then DirectoryUnavailable is raised."""

    def __init__(self, connector: Connector, profiles: Profiles, clock: Clock, app_id: str) -> None:
        self._connector = connector
        self._profiles = profiles
        self._clock = clock
        self._app_id = app_id
        self._kept: OrderedDict[str, tuple[datetime, Sequence[Json]]] = OrderedDict()
        self._group_ids: dict[str, str] = {}  # they never change

    async def members(self, workspace: Workspace, conversation_id: str) -> Sequence[Json]:
        """Every member, remembered for MEMBERS_AGE. Raises ConnectorError when Teams refuses, DirectoryUnavailable
        else.
        """
        at, kept = self._kept.get(conversation_id, (None, ()))
        if at is not None and self._clock.now() - at < MEMBERS_AGE:
            return kept
        members = [member async for member in self._pages(workspace, conversation_id)]
        self._kept[conversation_id] = (self._clock.now(), members)
        self._kept.move_to_end(conversation_id)
        if len(self._kept) > MOST_REMEMBERED:
            self._kept.popitem(last=False)
        return members

    async def _pages(self, workspace: Workspace, conversation_id: str) -> AsyncIterator[Json]:
        token: str | None = None
        while True:
            page = await self._patiently(
                lambda token=token: self._connector.members_page(  # type: ignore[misc]  # a lambda's default
                    workspace.service_url, conversation_id, continuation_token=token
                )
            )
            for member in page.members:
                self._keep(member)
                yield member
            if page.continuation_token in {None, token}:
                return
            token = page.continuation_token

    async def member(self, workspace: Workspace, conversation_id: str, any_id: str) -> Json:
        """One member by Teams id, Entra object id or user principal name. Raises as `members` does."""
        member = await self._patiently(lambda: self._connector.member(workspace.service_url, conversation_id, any_id))
        self._keep(member)
        return member

    async def by_chat(self, workspace: Workspace, any_id: str) -> Json:
        """Somebody by way of their personal chat with the bot. Raises as `members` does."""
        chat = await self._patiently(
            lambda: self._connector.create_personal_conversation(
                workspace.service_url, workspace.external_id, self._app_id, any_id
            )
        )
        return await self.member(workspace, chat, any_id)

    async def group_id(self, workspace: Workspace, team_id: str) -> str:
        """A team's id in Entra and Graph. Raises as `members` does."""
        if team_id not in self._group_ids:
            team = await self._patiently(lambda: self._connector.team(workspace.service_url, team_id))
            self._group_ids[team_id] = str(team.get("aadGroupId") or "")
        return self._group_ids[team_id]

    def _keep(self, member: Json) -> None:
        if isinstance(member.get("id"), str):
            self._profiles.keep(member["id"], member)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return await call()
            except ConnectorError as error:
                if error.status not in {401, 429} and error.outcome is Outcome.REFUSED:
                    raise
                wait = 0.0 if error.status == 401 else _wait(error)
                if wait > LONGEST_WAIT:
                    raise DirectoryUnavailable(wait) from error
            await self._clock.sleep(wait)
        try:
            return await call()
        except ConnectorError as error:
            if error.status != 429 and error.outcome is Outcome.REFUSED:
                raise
            raise DirectoryUnavailable(_wait(error)) from error


def _wait(error: ConnectorError) -> float:
    return DEFAULT_WAIT if error.retry_after is None else error.retry_after


def person_of(workspace: Workspace, member: Mapping[str, Any], clock: Clock) -> Person | NotFound:
    """A roster's member as a person, or why they are left out."""
    user_id, name = str(member.get("id") or ""), str(member.get("name") or "")
    if not user_id or user_id.startswith("28:"):
        return NotFound(name or user_id, Problem.BOT if user_id else Problem.UNKNOWN_PERSON)
    tenant = str(member.get("tenantId") or "")
    if tenant and tenant.casefold() != workspace.external_id.casefold():
        return NotFound(name or user_id, Problem.OTHER_WORKSPACE)
    if str(member.get("userRole") or "").casefold() in {"guest", "anonymous"}:
        return NotFound(name or user_id, Problem.GUEST)
    return Person(
        id=Person.key(workspace.id, user_id),
        workspace_id=workspace.id,
        user_id=user_id,
        name=name,
        email=email_of(member),
        seen_at=clock.now(),
    )


def email_of(member: Mapping[str, Any]) -> str:
    """The e-mail address, else the user principal name if it is one; case-folded. "" when there is none."""
    email = str(member.get("email") or member.get("mail") or member.get("userPrincipalName") or "")
    # A guest's principal name holds another company's address in Entra's own spelling.
    return email.casefold() if "@" in email and "#ext#" not in email.casefold() else ""


def object_id_of(member: Mapping[str, Any]) -> str:
    """The Entra object id, "" when the roster tells none."""
    return str(member.get("aadObjectId") or member.get("objectId") or "")
