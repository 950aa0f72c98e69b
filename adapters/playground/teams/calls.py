"""Every call that the bot makes passes through here: noted, authenticated, counted, and met by faults."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from adapters.playground.teams.faults import Faults
from adapters.playground.teams.refusal import Refused, bad_syntax


@dataclass
class Call:
    """One call by the bot. ``status`` is None while it runs and when it was never answered."""

    operation: str
    method: str
    path: str
    at: float
    body: Any = None
    status: int | None = None
    answer: Any = None


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Calls:
    """The log of calls, and the gate in front of the handlers."""

    def __init__(self, faults: Faults, now: Callable[[], float]) -> None:
        self.log: list[Call] = []
        self._faults = faults
        self._now = now

    def gate(
        self, operation: str, admit: Callable[[str, web.Request], None], handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler that notes the call, lets faults happen, and asks ``admit`` (which may raise Refused) first."""

        async def admitted(request: web.Request) -> web.StreamResponse:
            try:
                admit(operation, request)
                return await handler(request)
            except Refused as refusal:
                return refusal.response()

        async def noted(request: web.Request) -> web.StreamResponse:
            call = Call(operation, request.method, request.path_qs, self._now())
            self.log.append(call)
            call.body = await _readable_body(request)
            response = await self._faults.around(operation, request, admitted)
            if response is None:
                # The connection is gone; aiohttp wants an answer all the same and drops it.
                return web.Response()
            call.status = response.status
            call.answer = response.text if isinstance(response, web.Response) else None
            return response

        return noted

    def made(self, operation: str) -> list[Call]:
        """The calls of this operation, oldest first."""
        return [each for each in self.log if each.operation == operation]


async def _readable_body(request: web.Request) -> Any:
    if not request.can_read_body or request.content_type != "application/json":
        return None
    try:
        return await request.json()
    except ValueError:
        return await request.text()


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's body, a JSON object; raises Refused (400 BadSyntax) when it is anything else."""
    try:
        body = await request.json()
    except ValueError:
        raise bad_syntax("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise bad_syntax("The body is not a JSON object.")
    return body
