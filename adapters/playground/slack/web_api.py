"""The Web API over HTTP, `/api/<method>`: read the call, spoil it where a fault says so, run the method, answer."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from adapters.playground.slack import (
    methods_chat,
    methods_conversations,
    methods_people,
    methods_views,
)
from adapters.playground.slack.arguments import read_arguments
from adapters.playground.slack.pictures import fetch_pictures
from adapters.playground.slack.refusal import Refused
from adapters.playground.slack.scopes import check_scope
from adapters.playground.slack.world import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.playground.slack.credentials import Credentials
    from adapters.playground.slack.faults import Fault, Faults
    from adapters.playground.slack.rate_limits import RateLimits
    from adapters.playground.slack.triggers import Triggers
    from adapters.playground.slack.world import World


@dataclass
class ApiCall:
    """One line of the log. `accepted`: the method ran and said ok. `status` 0: the caller got no HTTP answer."""

    method: str
    args: Json
    at: float
    status: int = 0
    accepted: bool = False
    answer: Json = field(default_factory=dict)


class WebApi:
    """Answers Web API calls on this world; `log` lists all of them, oldest first."""

    def __init__(
        self, world: World, credentials: Credentials, triggers: Triggers, faults: Faults, limits: RateLimits
    ) -> None:
        self.log: list[ApiCall] = []
        self.closing = asyncio.Event()
        self.methods: dict[str, Callable[[Json], Json]] = _methods(world, credentials, triggers)
        self._world = world
        self._credentials = credentials
        self._faults = faults
        self._limits = limits

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One HTTP request to /api/<method>."""
        method = request.match_info["method"]
        call = ApiCall(method, {}, time.time())
        self.log.append(call)
        try:
            args = await read_arguments(request)
        except Refused as refused:
            call.answer = refused.body()
            return self._respond(call)
        token = str(args.pop("token", ""))
        call.args = args
        try:
            await fetch_pictures(args)
        except Refused as refused:
            call.answer = refused.body()
            return self._respond(call)
        fault = self._faults.for_call(method)
        return await self._spoiled(request, call, token, fault) if fault else self._answer(call, token)

    def _answer(self, call: ApiCall, token: str) -> web.Response:
        wait = self._limits.refuse(call.method, str(call.args.get("channel", "")))
        if wait is not None:
            call.answer = {"ok": False, "error": "ratelimited"}
            return self._respond(call, 429, {"Retry-After": str(wait)})
        self._run(call, token)
        return self._respond(call)

    def _run(self, call: ApiCall, token: str) -> None:
        try:
            self._check_token(call.method, token)
            check_scope(self._world, self._credentials.scopes, call.method, call.args)
            call.answer = {"ok": True, **self.methods.get(call.method, _unknown_method)(call.args)}
            call.accepted = True
        except Refused as refused:
            call.answer = refused.body()

    def _check_token(self, method: str, token: str) -> None:
        if method == "oauth.v2.access":
            return
        app_level = method == "apps.connections.open"
        expected = self._credentials.app_token if app_level else self._credentials.bot_token
        self._credentials.check(token, expected, self._world.now())

    def _respond(self, call: ApiCall, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
        call.status = status
        scopes = {"x-oauth-scopes": self._credentials.scopes}
        return web.json_response(call.answer, status=status, headers=scopes | (headers or {}))

    async def _spoiled(self, request: web.Request, call: ApiCall, token: str, fault: Fault) -> web.StreamResponse:
        if fault.late:
            await self._pause(fault.late)
        if fault.accepted:
            self._run(call, token)
        if fault.answer == "normal":
            return self._respond(call)
        if fault.answer == "reset":
            _reset(request)
            return web.Response(status=500)
        if fault.answer == "nothing":
            await self.closing.wait()
            _reset(request)
            return web.Response(status=500)
        return _broken_page(call, fault)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return


def _unknown_method(_args: Json) -> Json:
    raise Refused("unknown_method")


def _reset(request: web.Request) -> None:
    """Break the connection as a crashing peer does: RST, not FIN."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _broken_page(call: ApiCall, fault: Fault) -> web.Response:
    call.status = fault.status
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.status == 429:
        call.answer = {"ok": False, "error": "ratelimited"}
        return web.json_response(call.answer, status=429, headers=headers)
    page = f"<html><body><h1>{fault.status}</h1>Something went wrong.</body></html>"
    return web.Response(text=page, content_type="text/html", status=fault.status, headers=headers)


def _methods(world: World, credentials: Credentials, triggers: Triggers) -> dict[str, Callable[[Json], Json]]:
    of_world: dict[str, Callable[[World, Json], Json]] = {
        "auth.test": methods_people.auth_test,
        "chat.delete": methods_chat.delete,
        "chat.getPermalink": methods_chat.get_permalink,
        "chat.postEphemeral": methods_chat.post_ephemeral,
        "chat.postMessage": methods_chat.post_message,
        "chat.update": methods_chat.update,
        "conversations.history": methods_conversations.history,
        "conversations.info": methods_conversations.info,
        "conversations.list": methods_conversations.list_,
        "conversations.members": methods_conversations.members,
        "conversations.open": methods_conversations.open_,
        "team.profile.get": methods_people.team_profile_get,
        "usergroups.list": methods_people.usergroups_list,
        "usergroups.users.list": methods_people.usergroups_users_list,
        "users.info": methods_people.users_info,
        "users.list": methods_people.users_list,
        "users.lookupByEmail": methods_people.users_lookup_by_email,
        "users.profile.get": methods_people.users_profile_get,
        "views.publish": methods_views.publish,
        "views.update": methods_views.update,
    }
    return {name: partial(method, world) for name, method in of_world.items()} | {
        "views.open": partial(methods_views.open_, world, triggers),
        "views.push": partial(methods_views.push, world, triggers),
        "oauth.v2.access": partial(methods_people.oauth_v2_access, world, credentials),
    }
