"""Microsoft Graph v1.0, as far as a bot uses it: users, tags, group members, installing the app for somebody.

Source: learn.microsoft.com, Microsoft Graph REST API v1.0 reference: "List users", "Get user", "List manager", "List
teamworkTags", "List teamworkTagMembers", "List group members", "Install app for user".
"""

import re

from aiohttp import web

from adapters.playground.teams.bot_link import BotLink
from adapters.playground.teams.calls import Calls, json_object
from adapters.playground.teams.identity import GRAPH_SCOPE, Identity
from adapters.playground.teams.refusal import Refused
from adapters.playground.teams.tenant import Account, Json, Tag, Team, Tenant

_FILTER = re.compile(r"\s*(mail|userPrincipalName)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


class Graph:
    """Serves Graph's routes.

    Switch ``may_install`` off and the app lacks the permission TeamsAppInstallation.ReadWriteSelfForUser.All.
    """

    def __init__(self, tenant: Tenant, identity: Identity, calls: Calls, link: BotLink) -> None:
        self._tenant = tenant
        self._identity = identity
        self._calls = calls
        self._link = link
        self.may_install = True
        self.page_size = 100

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted under ``/graph/v1.0``."""
        table = [
            ("GET", "/users", "graph_users", self._users),
            ("GET", "/users/{user}", "graph_user", self._user),
            ("GET", "/users/{user}/manager", "graph_manager", self._manager),
            ("POST", "/users/{user}/teamwork/installedApps", "graph_install", self._install),
            ("GET", "/teams/{team}/tags", "graph_tags", self._tags),
            ("GET", "/teams/{team}/tags/{tag}/members", "graph_tag_members", self._tag_members),
            ("GET", "/groups/{team}/members", "graph_group_members", self._group_members),
            ("GET", "/groups/{team}/owners", "graph_group_owners", self._group_owners),
        ]
        return [
            web.route(method, path, self._calls.gate(operation, self._admit, handler))
            for method, path, operation, handler in table
        ]

    def _admit(self, operation: str, request: web.Request) -> None:
        del operation
        if not self._identity.accepts(request.headers.get("Authorization"), GRAPH_SCOPE):
            raise Refused(401, "InvalidAuthenticationToken", "Access token is empty, expired or for another API.")

    async def _users(self, request: web.Request) -> web.Response:
        people = [each for each in self._tenant.accounts.values() if not each.left]
        condition = request.query.get("$filter")
        if condition is not None:
            people = [each for each in people if _matches(each, condition)]
        return self._page(request, [_user_json(each) for each in people])

    async def _user(self, request: web.Request) -> web.Response:
        return web.json_response(_user_json(self._account(request)))

    async def _manager(self, request: web.Request) -> web.Response:
        manager = self._tenant.accounts.get(self._account(request).manager)
        if manager is None:
            raise Refused(404, "Request_ResourceNotFound", "Resource 'manager' does not exist.")
        return web.json_response({"@odata.type": "#microsoft.graph.user", **_user_json(manager)})

    async def _install(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        if "teamsApp@odata.bind" not in body:
            raise Refused(400, "BadRequest", "Bad bind value; teamsApp@odata.bind is missing.")
        if not self.may_install:
            raise Refused(403, "Forbidden", "Missing role permissions on the request.")
        account = self._account(request)
        if account.installed:
            raise Refused(409, "Conflict", "Caller is already installed for this user.")
        await self._link.install(account)
        return web.Response(status=201)

    async def _tags(self, request: web.Request) -> web.Response:
        team = self._team(request)
        return self._page(request, [_tag_json(team, each) for each in team.tags])

    async def _tag_members(self, request: web.Request) -> web.Response:
        team = self._team(request)
        tag = next((each for each in team.tags if each.id == request.match_info["tag"]), None)
        if tag is None:
            raise Refused(404, "NotFound", "No tag was found with this id.")
        people = [self._tenant.accounts[key] for key in tag.members]
        members = [
            {
                "id": f"{tag.id}-{each.aad_object_id}",
                "displayName": each.name,
                "tenantId": self._tenant.id,
                "userId": each.aad_object_id,
            }
            for each in people
            if not each.left
        ]
        return self._page(request, members)

    async def _group_members(self, request: web.Request) -> web.Response:
        team = self._team(request)
        people = [self._tenant.accounts[key] for key in team.members]
        members = [{"@odata.type": "#microsoft.graph.user", **_user_json(each)} for each in people if not each.left]
        return self._page(request, members)

    async def _group_owners(self, request: web.Request) -> web.Response:
        team = self._team(request)
        people = [self._tenant.accounts[key] for key in team.owners]
        owners = [{"@odata.type": "#microsoft.graph.user", **_user_json(each)} for each in people if not each.left]
        return self._page(request, owners)

    def _account(self, request: web.Request) -> Account:
        account = self._tenant.account(request.match_info["user"])
        if account is None:
            raise Refused(404, "Request_ResourceNotFound", "Resource does not exist.")
        return account

    def _team(self, request: web.Request) -> Team:
        team = self._tenant.team(request.match_info["team"])
        if team is None:
            raise Refused(404, "NotFound", "No team was found with this group id.")
        return team

    def _page(self, request: web.Request, rows: list[Json]) -> web.Response:
        """One page of rows, with ``@odata.nextLink`` when there are more."""
        try:
            size = int(request.query.get("$top") or self.page_size)
            start = int(request.query.get("$skiptoken") or 0)
        except ValueError:
            raise Refused(400, "BadRequest", "$top or $skiptoken is not valid.") from None
        page: Json = {"value": rows[start : start + size]}
        if start + size < len(rows):
            following = self._link.public_url_of(request.rel_url.update_query({"$skiptoken": str(start + size)}))
            page["@odata.nextLink"] = following
        return web.json_response(page)


def _matches(account: Account, condition: str) -> bool:
    """Whether ``mail eq '…' or userPrincipalName eq '…'`` holds; raises Refused for any other filter."""
    clauses = [_FILTER.fullmatch(each) for each in re.split(r"\s+or\s+", condition)]
    wanted: dict[str, set[str]] = {"mail": set(), "userprincipalname": set()}
    for clause in clauses:
        if clause is None:
            raise Refused(400, "BadRequest", f"Invalid filter clause: {condition}")
        wanted[clause[1].casefold()].add(clause[2].replace("''", "'").casefold())
    return account.email.casefold() in wanted["mail"] or account.upn.casefold() in wanted["userprincipalname"]


def _user_json(account: Account) -> Json:
    given_name, _, surname = account.name.partition(" ")
    return {
        "id": account.aad_object_id,
        "displayName": account.name,
        "givenName": given_name,
        "surname": surname,
        "mail": account.email,
        "userPrincipalName": account.upn,
        "preferredLanguage": account.locale,
        "accountEnabled": not account.disabled,
        "userType": "Guest" if account.guest else "Member",
        "mailboxSettings": {"timeZone": account.timezone},
    }


def _tag_json(team: Team, tag: Tag) -> Json:
    return {
        "id": tag.id,
        "teamId": team.aad_group_id,
        "displayName": tag.name,
        "description": "",
        "memberCount": len(tag.members),
        "tagType": "standard",
    }
