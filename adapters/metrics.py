"""What GET /metrics shows; docs/operations.md lists it. The engine, the platforms and the web server are wrapped and
the dispatcher is observed, so that none of them knows of being measured.

Labels hold words from this program only: no names, no addresses, no ids.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import assert_never

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from bot.events import Event
from bot.messages import Message
from bot.model import Delivery, DeliveryState, Person, Workspace
from bot.ports import ChatPlatform, Handle, NeverLeft, Outcome, Refused, Sent, Throttled, Unclear
from bot.settling import MAX_ATTEMPTS, NotNeeded, NotNow, Settlement
from bot.transition import Reply

PEOPLE_WAIT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)  # seconds; Slack waits for 3
PLATFORMS_TAKE = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds


class Metrics:
    """One registry for each bot, so that two bots in one test process do not share counters. Implements
    bot.observer.Observer.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._until: dict[str, float] = {}
        ProcessCollector(registry=self.registry)
        Info("usher_build", "The version that runs", registry=self.registry).info({"version": version("sso-usher")})
        self.events = self._histogram(
            "usher_event_duration_seconds",
            "From an event's arrival at the engine to its committed decision",
            ("platform", "kind"),
            PEOPLE_WAIT,
        )
        self.failed_events = self._counter(
            "usher_events_failed", "Events that could not be decided", ("platform", "kind")
        )
        self.requests = self._histogram(
            "usher_http_request_duration_seconds",
            "From a request's arrival to its answer",
            ("route", "status"),
            PEOPLE_WAIT,
        )
        self.calls = self._counter(
            "usher_platform_calls",
            "Messages given to a platform, by what came of them",
            ("platform", "operation", "outcome"),
        )
        self.throttled = self._counter(
            "usher_platform_throttled_seconds", "How long the platform told us to wait, added up", ("platform",)
        )
        self.throttled_until = Gauge(
            "usher_platform_throttled_until_timestamp_seconds",
            "Until when the platform told us to wait",
            ["platform"],
            registry=self.registry,
        )
        self.deliveries = self._counter(
            "usher_deliveries",
            "Settled attempts to deliver, by the state that followed (docs/delivery.md)",
            ("platform", "kind", "outcome"),
        )
        self.attempts = self._histogram(
            "usher_delivery_attempt_duration_seconds",
            "From a claimed delivery to its settlement",
            ("platform",),
            PLATFORMS_TAKE,
        )
        self.log_entries = self._counter(
            "usher_log_entries", "Warnings and errors that were logged, by what they are about", ("level", "place")
        )

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)

    def measured(self, handle: Handle) -> Handle:
        """The same engine, timed."""

        async def timed(event: Event) -> Reply | None:
            labels = platform_of(event.workspace_id), type(event).__name__
            with self.failed_events.labels(*labels).count_exceptions(), self.events.labels(*labels).time():
                return await handle(event)

        return timed

    def middleware(self) -> Middleware:
        """Times every request. An address that does not exist has no label of its own."""

        @web.middleware
        async def timed(request: web.Request, handler: Handler) -> web.StreamResponse:
            began, status = time.perf_counter(), 500
            try:
                response = await handler(request)
                status = response.status
            except web.HTTPException as answer:
                status = answer.status
                raise
            finally:
                took = time.perf_counter() - began
                self.requests.labels(route_of(request), str(status)).observe(took)
            return response

        return timed

    @contextmanager
    def counting_log(self) -> Iterator[None]:
        """Count warnings and errors until the block ends; those that USHER_LOG_LEVEL lets through."""
        counter = _LogCounter(self.log_entries)
        logging.getLogger().addHandler(counter)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(counter)

    @contextmanager
    def attempt(self, delivery: Delivery) -> Iterator[None]:
        """Time one attempt."""
        with self.attempts.labels(platform_of(delivery.lane)).time():
            yield

    def settled(self, delivery: Delivery, settlement: Settlement) -> None:
        """Count what came of a delivery."""
        outcome = state_after(delivery, settlement)
        self.deliveries.labels(platform_of(delivery.lane), delivery.kind.value, outcome.value).inc()

    def waits(self, platform: str, seconds: float) -> None:
        """Note that a platform told us to wait."""
        self.throttled.labels(platform).inc(seconds)
        self._until[platform] = max(self._until.get(platform, 0.0), time.time() + seconds)  # the longest of all lanes
        self.throttled_until.labels(platform).set(self._until[platform])

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=buckets)


class MeasuredPlatform:
    """A ChatPlatform whose outcomes are counted."""

    def __init__(self, platform: ChatPlatform, metrics: Metrics) -> None:
        self._inner = platform
        self._metrics = metrics
        self.platform = platform.platform
        self.limits = platform.limits
        self.can_find = platform.can_find

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:
        """As the platform does."""
        outcome = await self._inner.send(workspace, person, message, delivery_id)
        self._count("send", outcome)
        return outcome

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        """As the platform does."""
        outcome = await self._inner.update(workspace, person, sent, message)
        self._count("update", outcome)
        return outcome

    async def find(
        self, workspace: Workspace, person: Person, delivery_id: str, since: datetime
    ) -> Sent | Unclear | Throttled | None:
        """As the platform does."""
        found = await self._inner.find(workspace, person, delivery_id, since)
        self._count("find", found)
        return found

    def _count(self, operation: str, outcome: Outcome | None) -> None:
        name = "absent" if outcome is None else _OUTCOMES[type(outcome)]
        self._metrics.calls.labels(self.platform.value, operation, name).inc()
        if isinstance(outcome, Throttled):
            self._metrics.waits(self.platform.value, outcome.retry_after)


_OUTCOMES: dict[type[Outcome], str] = {
    Sent: "sent",
    Throttled: "throttled",
    NeverLeft: "never_left",
    Refused: "refused",
    Unclear: "unclear",
}


class _LogCounter(logging.Handler):
    """The place is our own event's name, or the library that had something to say."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(logging.WARNING)
        self._counter = counter

    def emit(self, record: logging.LogRecord) -> None:
        """Count one entry."""
        place = record.msg.get("event") if isinstance(record.msg, dict) else record.name.partition(".")[0]
        self._counter.labels(record.levelname.lower(), str(place)).inc()


def state_after(delivery: Delivery, settlement: Settlement) -> DeliveryState:
    """The state that `settlement` leads to, as bot.settling stores it."""
    match settlement:
        case Sent():
            return DeliveryState.SENT
        case NotNow():
            return DeliveryState.READY
        case Throttled() | NeverLeft():
            return DeliveryState.READY if delivery.attempt < MAX_ATTEMPTS else DeliveryState.DEAD
        case Refused():
            return DeliveryState.DEAD
        case Unclear():
            return DeliveryState.UNKNOWN
        case NotNeeded():
            return DeliveryState.WITHDRAWN
        case _:
            assert_never(settlement)


def platform_of(workspace_id: str) -> str:
    """The platform that a workspace, or its lane, belongs to."""
    return workspace_id.partition(":")[0]


def route_of(request: web.Request) -> str:
    """The route's own path, whatever was asked for."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
