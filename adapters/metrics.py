"""What GET /metrics shows. The engine and the platforms are wrapped, so that neither knows of being measured."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from bot.events import Event
from bot.messages import Message
from bot.model import Person, Workspace
from bot.ports import ChatPlatform, Handle, Outcome, Sent, Throttled, Unclear
from bot.transition import Reply


class Metrics:
    """One registry for each bot, so that two bots in one test process do not share counters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Histogram(
            "usher_event_seconds",
            "Time from an event to its committed decision",
            ["kind"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2),
        )
        self.failed_events = Counter(
            "usher_events_failed", "Events that could not be decided", ["kind"], registry=self.registry
        )
        self.calls = Counter(
            "usher_platform_calls",
            "Messages given to a platform, by what came of them",
            ["platform", "operation", "outcome"],
            registry=self.registry,
        )

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)

    def measured(self, handle: Handle) -> Handle:
        """The same engine, timed."""

        async def timed(event: Event) -> Reply | None:
            kind = type(event).__name__
            with self.failed_events.labels(kind).count_exceptions(), self.events.labels(kind).time():
                return await handle(event)

        return timed


class MeasuredPlatform:
    """A ChatPlatform whose outcomes are counted."""

    def __init__(self, platform: ChatPlatform, metrics: Metrics) -> None:
        self._inner = platform
        self._calls = metrics.calls
        self.platform = platform.platform
        self.limits = platform.limits
        self.can_find = platform.can_find

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:
        """As the platform does."""
        return self._count("send", await self._inner.send(workspace, person, message, delivery_id))

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        """As the platform does."""
        return self._count("update", await self._inner.update(workspace, person, sent, message))

    async def find(
        self, workspace: Workspace, person: Person, delivery_id: str, since: datetime
    ) -> Sent | Unclear | Throttled | None:
        """As the platform does."""
        return await self._inner.find(workspace, person, delivery_id, since)

    def _count(self, operation: str, outcome: Outcome) -> Outcome:
        self._calls.labels(self.platform.value, operation, type(outcome).__name__.lower()).inc()
        return outcome
