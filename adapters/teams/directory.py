"""Who is behind a mention, a team, a channel, a tag or an e-mail address in Teams: bot.ports.Directory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

import structlog

from adapters.teams.connector_error import ConnectorError
from adapters.teams.graph import Graph, GraphRefused
from adapters.teams.install import Installation
from adapters.teams.roster import MEMBERS_AGE, Rosters, email_of, object_id_of, person_of
from bot.events import NotFound, Problem, Target, TargetKind
from bot.model import Person, Platform, Workspace
from bot.ports import Clock, Store

Json = dict[str, Any]

log = structlog.get_logger(__name__)

# Teams that are asked for somebody who is named by e-mail address before Graph is.
TEAMS_ASKED = 10
# People whom Graph is asked about one by one; those of a team are asked for together.
ASKED_SINGLY = 100


_USER_FIELDS = "id,displayName,mail,userPrincipalName,accountEnabled,userType"


@dataclass
class Found:
    """What has been found so far: each person once, in the order in which they were named."""

    people: dict[str, Person] = field(default_factory=dict)
    object_ids: dict[str, str] = field(default_factory=dict)  # by person id
    left_out: dict[tuple[str, Problem], NotFound] = field(default_factory=dict)

    def add(self, found: Person | NotFound, object_id: str = "") -> None:
        """Take somebody in, or note why not."""
        if isinstance(found, NotFound):
            self.left_out.setdefault((found.label, found.problem), found)
            return
        self.people.setdefault(found.id, found)
        if object_id:
            self.object_ids[found.id] = object_id

    def leave_out(self, label: str, problem: Problem) -> None:
        """Note somebody, or a target, that is left out."""
        self.add(NotFound(label, problem))


class TeamsDirectory:
    """Resolves targets from the store, the rosters of teams, and Graph as far as the tenant allows it."""

    platform = Platform.TEAMS

    def __init__(
        self, rosters: Rosters, graph: Graph, installation: Installation, store: Store, clock: Clock
    ) -> None:
        self._rosters = rosters
        self._graph = graph
        self._installation = installation
        self._store = store
        self._clock = clock
        self._disabled: dict[str, tuple[datetime, set[str]]] = {}  # by team

    async def resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """Everybody behind the targets once, and who or what is left out. Raises DirectoryUnavailable."""
        found = Found()
        for target in dict.fromkeys(targets):
            await self._resolve(workspace, target, found)
        await self._leave_out_disabled(found)
        return await self._with_what_is_known(list(found.people.values())), list(found.left_out.values())

    async def away(
        self,
        workspace: Workspace,  # noqa: ARG002  # bot.ports.Directory
        people: Sequence[Person],  # noqa: ARG002
    ) -> Mapping[str, datetime | None]:
        """Nobody: Teams tells presence with a further Graph permission only, and that is not a holiday."""
        return {}

    async def managers(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, Person]:
        """As Entra knows them, where the tenant lets the bot ask (User.Read.All). Raises DirectoryUnavailable."""
        found: dict[str, Person] = {}
        for person in people:
            try:
                manager = await self._manager(workspace, person)
            except GraphRefused as refused:
                if refused.status != 404:
                    return found  # the tenant does not let the bot ask
                continue
            if manager is not None:
                found[person.id] = manager
        return found

    async def _manager(self, workspace: Workspace, person: Person) -> Person | None:
        """None for somebody who is not to be written to. Source: Graph's "List manager"."""
        user = await self._graph_user(person.email) if person.email else None
        if user is None:
            return None
        manager = await self._graph.get(f"/users/{user.get('id')}/manager", {"$select": _USER_FIELDS})
        found = Found()
        await self._graph_person(workspace, manager, "", found)
        return next(iter(found.people.values()), None)

    async def admins_in(self, workspace: Workspace, group: str) -> Collection[str]:  # noqa: ARG002
        """Of "entra:" or "owners:" and a group's object id, by e-mail address and sign-in name."""
        kind, _, group_id = group.partition(":")
        path = {"entra": f"/groups/{group_id}/members", "owners": f"/groups/{group_id}/owners"}.get(kind)
        if path is None:
            return ()
        try:
            users = [each async for each in self._graph.listed(path, {"$select": _USER_FIELDS, "$top": "999"})]
        except GraphRefused as refused:
            log.warning("teams.admin_group_refused", status=refused.status)
            return ()
        active = (user for user in users if user.get("accountEnabled") is not False)
        return {str(user.get(name) or "") for user in active for name in ("mail", "userPrincipalName")} - {""}

    async def teams_id(self, workspace: Workspace, object_id: str) -> str:
        """The Teams id ("29:…") of an Entra object id; the object id itself where Teams does not tell it."""
        member = await self._member(workspace, object_id)
        return str((member or {}).get("id") or object_id)

    async def _resolve(self, workspace: Workspace, target: Target, found: Found) -> None:
        match target.kind:
            case TargetKind.PERSON:
                await self._person(workspace, target, found)
            case TargetKind.TEAM | TargetKind.CHANNEL:
                await self._team(workspace, target, found)
            case TargetKind.TAG:
                await self._tag(workspace, target, found)
            case TargetKind.EMAIL:
                await self._email(workspace, target, found)
            case TargetKind.GROUP:  # user groups are Slack's
                found.leave_out(target.label or target.id, Problem.GROUPS_NOT_ALLOWED)
            case TargetKind.LINE:
                found.leave_out(target.label, Problem.NO_ADDRESS)
            case _:
                assert_never(target.kind)

    async def _person(self, workspace: Workspace, target: Target, found: Found) -> None:
        if target.id.startswith("28:"):
            found.leave_out(target.label or target.id, Problem.BOT)
            return
        member = await self._member(workspace, target.id)
        if member is not None:
            found.add(person_of(workspace, member, self._clock), object_id_of(member))
        elif await self._stored(Person.key(workspace.id, target.id)) or target.label:
            # Teams tells nothing about somebody who has not installed the bot, but the mention itself is true.
            found.add(self._bare(workspace, target.id, target.label))
        else:
            found.leave_out(target.id, Problem.UNKNOWN_PERSON)

    async def _member(self, workspace: Workspace, any_id: str) -> Json | None:
        """Somebody from a roster that the bot can read; None when no roster has them."""
        for team_id in self._installation.teams[:TEAMS_ASKED]:
            try:
                return await self._rosters.member(workspace, team_id, any_id)
            except ConnectorError:
                continue
        try:
            return await self._rosters.by_chat(workspace, any_id)
        except ConnectorError:
            return None

    async def _team(self, workspace: Workspace, target: Target, found: Found) -> None:
        label = target.label or target.id
        try:
            members = await self._rosters.members(workspace, target.id)
        except ConnectorError as error:
            found.leave_out(label, Problem.NOT_IN_CHANNEL if error.status == 403 else Problem.UNKNOWN_CHANNEL)
            return
        if not members:
            found.leave_out(label, Problem.EMPTY_GROUP)
        disabled = await self._disabled_in(workspace, target.id)
        for member in members:
            self._add_member(workspace, member, disabled, found)

    def _add_member(self, workspace: Workspace, member: Json, disabled: set[str] | None, found: Found) -> None:
        person, object_id = person_of(workspace, member, self._clock), object_id_of(member)
        if isinstance(person, Person) and disabled is not None and object_id in disabled:
            found.leave_out(person.name or person.user_id, Problem.DEACTIVATED)
        else:
            found.add(person, object_id if disabled is None else "")

    async def _disabled_in(self, workspace: Workspace, team_id: str) -> set[str] | None:
        """Object ids of a team's disabled accounts, remembered for MEMBERS_AGE; None when Graph does not tell."""
        at, kept = self._disabled.get(team_id, (None, set()))
        if at is not None and self._clock.now() - at < MEMBERS_AGE:
            return kept
        try:
            group_id = await self._rosters.group_id(workspace, team_id)
            users = self._graph.listed(f"/groups/{group_id}/members", {"$select": "id,accountEnabled", "$top": "999"})
            disabled = {str(user.get("id")) async for user in users if user.get("accountEnabled") is False}
        except (ConnectorError, GraphRefused):
            return None
        self._disabled[team_id] = (self._clock.now(), disabled)
        return disabled

    async def _tag(self, workspace: Workspace, target: Target, found: Found) -> None:
        """Tags and their members are Graph's; their Teams ids are the team's roster's."""
        label = target.label or target.id
        team_id, _, tag_id = target.id.partition("/")
        try:
            group_id = await self._rosters.group_id(workspace, team_id)
            path = f"/teams/{group_id}/tags/{tag_id}/members"
            tagged = [str(row.get("userId") or "") async for row in self._graph.listed(path)]
            roster = {object_id_of(each): each for each in await self._rosters.members(workspace, team_id)}
        except GraphRefused as refused:
            found.leave_out(label, Problem.UNKNOWN_GROUP if refused.status == 404 else Problem.TAGS_NOT_ALLOWED)
            return
        except ConnectorError:
            found.leave_out(label, Problem.NOT_IN_CHANNEL)
            return
        if not tagged:
            found.leave_out(label, Problem.EMPTY_GROUP)
        disabled = await self._disabled_in(workspace, team_id)
        for object_id in tagged:
            if object_id in roster:
                self._add_member(workspace, roster[object_id], disabled, found)

    async def _email(self, workspace: Workspace, target: Target, found: Found) -> None:
        """From the store, then the rosters, then Graph."""
        email, label = target.id.casefold(), target.label or target.id
        async with self._store.transaction() as tx:
            known = await tx.people.by_email(workspace.id, email)
        if known is not None:
            found.add(known)
            return
        member = await self._by_principal_name(workspace, email)
        if member is not None:
            found.add(person_of(workspace, member, self._clock), object_id_of(member))
            return
        try:
            user = await self._graph_user(email)
        except GraphRefused:
            user = None
        if user is None:
            found.leave_out(label, Problem.UNKNOWN_EMAIL)
        else:
            await self._graph_person(workspace, user, label, found)

    async def _by_principal_name(self, workspace: Workspace, email: str) -> Json | None:
        for team_id in self._installation.teams[:TEAMS_ASKED]:
            try:
                member = await self._rosters.member(workspace, team_id, email)
            except ConnectorError:
                continue
            if email_of(member) == email or str(member.get("userPrincipalName") or "").casefold() == email:
                return member
        return None

    async def _graph_user(self, email: str) -> Json | None:
        quoted = email.replace("'", "''")
        query = {
            "$filter": f"mail eq '{quoted}' or userPrincipalName eq '{quoted}'",
            "$select": _USER_FIELDS,
        }
        async for user in self._graph.listed("/users", query):
            return user
        return None

    async def _graph_person(self, workspace: Workspace, user: Json, label: str, found: Found) -> None:
        if user.get("accountEnabled") is False:
            found.leave_out(label, Problem.DEACTIVATED)
            return
        if str(user.get("userType") or "").casefold() == "guest":
            found.leave_out(label, Problem.GUEST)
            return
        object_id = str(user.get("id") or "")
        user_id = await self.teams_id(workspace, object_id)
        person = self._bare(workspace, user_id, str(user.get("displayName") or ""))
        found.add(person.model_copy(update={"email": email_of(user)}), object_id)

    async def _leave_out_disabled(self, found: Found) -> None:
        """Rosters still hold disabled accounts; Graph, where it answers, knows them."""
        for person_id, object_id in list(found.object_ids.items())[:ASKED_SINGLY]:
            try:
                user = await self._graph.get(f"/users/{object_id}", {"$select": "id,accountEnabled"})
            except GraphRefused as refused:
                if refused.status != 404:
                    return  # the tenant does not let the bot ask
                continue
            if user.get("accountEnabled") is False:
                person = found.people.pop(person_id)
                found.leave_out(person.name or person.email or person.user_id, Problem.DEACTIVATED)

    async def _with_what_is_known(self, people: list[Person]) -> list[Person]:
        """A roster tells neither time zone nor language nor chat: what events have told of them is kept."""
        async with self._store.transaction() as tx:
            known: Mapping[str, Person] = {each.id: each for each in await tx.people.by_ids(p.id for p in people)}
        return [_merged(person, known.get(person.id)) for person in people]

    async def _stored(self, person_id: str) -> bool:
        async with self._store.transaction() as tx:
            return await tx.people.person(person_id) is not None

    def _bare(self, workspace: Workspace, user_id: str, name: str) -> Person:
        return Person(
            id=Person.key(workspace.id, user_id),
            workspace_id=workspace.id,
            user_id=user_id,
            name=name,
            seen_at=self._clock.now(),
        )


def _merged(person: Person, known: Person | None) -> Person:
    if known is None:
        return person
    kept: dict[str, object] = {"time_zone": known.time_zone, "locale": known.locale, "channel_id": known.channel_id}
    kept |= {"is_workspace_admin": known.is_workspace_admin}
    return person.model_copy(update={**kept, "name": person.name or known.name, "email": person.email or known.email})
