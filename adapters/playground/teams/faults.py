"""What can go wrong between a bot and Microsoft, on demand.

Operations are called ``create_conversation``, ``send``, ``reply``, ``update``, ``delete``, ``members``,
``paged_members``, ``member``, ``team``, ``channels``, ``graph_users``, ``graph_user``, ``graph_tags``,
``graph_tag_members``, ``graph_group_members``, ``graph_install`` and ``token``; ``any`` stands for each of them.
"""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from adapters.playground.teams.refusal import RETRYABLE, refusal_response

Kind = Literal["status", "reset_before", "reset_after", "never_answer", "not_json", "late"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Fault:
    """One thing going wrong with one call; ``seconds`` is a 429's Retry-After, or how late a call is accepted."""

    kind: Kind
    status: int = 0
    seconds: float = 0.0


class Faults:
    """The faults to come. What is queued for an operation happens first; then what has a probability."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)  # noqa: S311 - chance in tests, repeatable on purpose
        self.closing = asyncio.Event()
        self._queued: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._likely: defaultdict[str, list[tuple[float, Fault]]] = defaultdict(list)

    def answer(self, operation: str, status: int, *, times: int = 1, retry_after: float = 1.0) -> None:
        """The next calls are refused with this status (412, 429, 500, 502, 503 or 504); nothing is stored."""
        self._queue(operation, Fault("status", status, retry_after), times)

    def reset_before_acceptance(self, operation: str, *, times: int = 1) -> None:
        """The connection breaks before Teams has taken the call: nothing is stored."""
        self._queue(operation, Fault("reset_before"), times)

    def reset_after_acceptance(self, operation: str, *, times: int = 1) -> None:
        """Teams takes the call, so the message IS there, and the connection breaks before the answer."""
        self._queue(operation, Fault("reset_after"), times)

    def never_answer(self, operation: str, *, times: int = 1) -> None:
        """The call is read and neither acted on nor answered."""
        self._queue(operation, Fault("never_answer"), times)

    def answer_without_json(self, operation: str, *, times: int = 1) -> None:
        """A gateway's HTML page comes back with status 200; nothing is stored."""
        self._queue(operation, Fault("not_json"), times)

    def accept_late(self, operation: str, seconds: float, *, times: int = 1) -> None:
        """The call is acted on, and answered, only after so many seconds, even if the bot has stopped waiting."""
        self._queue(operation, Fault("late", seconds=seconds), times)

    def sometimes(self, operation: str, probability: float, fault: Fault) -> None:
        """From now on this fault meets a call with this probability (0 to 1), by the seeded random."""
        self._likely[operation].append((probability, fault))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._queued.clear()
        self._likely.clear()

    def _queue(self, operation: str, fault: Fault, times: int) -> None:
        self._queued[operation].extend([fault] * times)

    def _next(self, operation: str) -> Fault | None:
        for name in (operation, "any"):
            if self._queued[name]:
                return self._queued[name].popleft()
        for probability, fault in [*self._likely[operation], *self._likely["any"]]:
            if self.random.random() < probability:
                return fault
        return None

    async def around(self, operation: str, request: web.Request, handler: Handler) -> web.StreamResponse | None:
        """Answer the request through ``handler``, unless something goes wrong. None: the connection was cut."""
        fault = self._next(operation)
        if fault is None:
            return await handler(request)
        match fault.kind:
            case "status":
                return _refused(fault)
            case "not_json":
                return web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html")
            case "late":
                await self._wait(fault.seconds)
                return await handler(request)
            case "never_answer":
                await self._wait_until_given_up(request)
            case "reset_after":
                await handler(request)
            case "reset_before":
                pass
        _cut(request)
        return None

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return

    async def _wait_until_given_up(self, request: web.Request) -> None:
        while request.transport is not None and not self.closing.is_set():
            await self._wait(0.02)


def _refused(fault: Fault) -> web.Response:
    code, message = RETRYABLE[fault.status]
    headers = {"Retry-After": f"{fault.seconds:g}"} if fault.status == 429 else {}
    return refusal_response(fault.status, code, message, headers)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
