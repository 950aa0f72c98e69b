"""An emulated SonarQube Cloud: the two methods of its Web API that the bot calls.

Shapes: the web service's self-description (`api/webservices/list`) and the clients of SonarSource's own tools.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict

from aiohttp import web


class EmulatedSonarQubeCloud:
    """Members by organization; `token` is the only good one."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.failing_with: int | None = None  # an HTTP status that every call is answered with
        self.calls: list[str] = []
        self._members: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        self.app = web.Application()
        self.app.router.add_get("/api/authentication/validate", self._validate)
        self.app.router.add_get("/api/organizations/search_members", self._search_members)

    def has_member(self, organization: str, email: str, login: str) -> None:
        """Somebody with an account has joined an organization."""
        avatar = hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()
        self._members[organization].append(
            {"login": login, "name": login.split("@", maxsplit=1)[0], "avatar": avatar}
        )

    def signs_in_with_sso(self, organization: str, email: str) -> None:
        """A first sign-in: makes an account whose login ends in the connection's id."""
        self.has_member(
            organization, email, f"{email.split('@', maxsplit=1)[0]}-x7fq@saml-5d3f0c9a-0000-4000-8000-c0ffee000000"
        )

    def _is_authorized(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.token}"

    async def _validate(self, request: web.Request) -> web.Response:
        return web.json_response({"valid": self._is_authorized(request)})

    async def _search_members(self, request: web.Request) -> web.Response:
        self.calls.append(request.query_string)
        if self.failing_with is not None:
            return web.Response(status=self.failing_with, text="<html>no</html>")
        if not self._is_authorized(request):
            return web.json_response({"errors": [{"msg": "Insufficient privileges"}]}, status=403)
        if (organization := request.query["organization"]) not in self._members:
            return web.json_response({"errors": [{"msg": f"No organization for key '{organization}'"}]}, status=404)
        page, size = int(request.query.get("p", "1")), min(int(request.query.get("ps", "50")), 500)
        members = self._members[organization]
        paging = {"pageIndex": page, "pageSize": size, "total": len(members)}
        return web.json_response({"users": members[(page - 1) * size : page * size], "paging": paging})
