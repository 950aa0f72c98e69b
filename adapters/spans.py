"""Spans from a click to the database, and from a queued delivery to the platform. They carry ids, kinds and outcomes;
of a request its route, never its query; of a statement its text, never its parameters.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from adapters.metrics import platform_of, route_of, state_after
from adapters.tracing import Around
from bot.events import ButtonPressed, Event, FormSubmitted
from bot.messages import Message
from bot.model import Delivery, Person, Workspace
from bot.observer import Observer
from bot.ports import ChatPlatform, Handle, Outcome, Sent, Throttled, Unclear
from bot.settling import Settlement
from bot.transition import Reply

T = TypeVar("T")

NAME = "sso-usher"
POLLED = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds, by nobody
LONGEST_STATEMENT = 500  # characters
_EXPORTERS: dict[str, type[SpanExporter]] = {"otlp": OTLPSpanExporter, "console": ConsoleSpanExporter}


@asynccontextmanager
async def sending(exporters: Sequence[str]) -> AsyncIterator[Spans]:
    """Spans that go to these exporters, which read their OTEL_… variables themselves."""
    own = Resource({SERVICE_NAME: NAME, SERVICE_VERSION: version(NAME)})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    for name in exporters:
        provider.add_span_processor(BatchSpanProcessor(_EXPORTERS[name]()))
    spans = Spans(provider.get_tracer(NAME, version(NAME)))
    try:
        yield spans
    finally:
        await asyncio.to_thread(provider.shutdown)


class Spans:
    """Implements adapters.tracing.Tracing."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def middlewares(self) -> Sequence[Middleware]:
        """One that makes a span of each request; below the proxy's, where it sends one along."""

        @web.middleware
        async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
            route = route_of(request)
            if route in POLLED:
                return await handler(request)
            with self._tracer.start_as_current_span(
                f"{request.method} {route}",
                propagate.extract(request.headers),
                SpanKind.SERVER,
                {"http.request.method": request.method, "http.route": route},
                record_exception=False,
            ) as span:
                response = await handler(request)
                span.set_attribute("http.response.status_code", response.status)
                return response

        return (traced,)

    def handle(self, handle: Handle) -> Handle:
        """The same engine; what it asks the database is below the event's span."""

        async def traced(event: Event) -> Reply | None:
            kind = type(event).__name__
            with self._tracer.start_as_current_span(
                f"event {kind}", attributes=_about_event(event), record_exception=False
            ):
                return await handle(event)

        return traced

    def platform(self, platform: ChatPlatform) -> ChatPlatform:
        """The same platform."""
        return _TracedPlatform(platform, self._tracer)

    def observer(self, observer: Observer) -> Observer:
        """The same observer, and a span of each attempt to deliver."""
        return _TracedObserver(observer, self._tracer)

    def statements(self) -> Around:
        """A span of each that belongs to another span. What the bot asks by itself every second is none."""
        return self._statement

    @contextmanager
    def _statement(self, system: str, statement: str) -> Iterator[None]:
        if not trace.get_current_span().is_recording():
            yield
            return
        operation = statement.split(maxsplit=1)[0].upper()
        about = {
            "db.system.name": system,
            "db.operation.name": operation,
            "db.query.text": statement[:LONGEST_STATEMENT],
        }
        with self._tracer.start_as_current_span(
            f"database {operation}",
            kind=SpanKind.CLIENT,
            attributes=about,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:  # its text may quote a row: only its kind is told
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


def _about_event(event: Event) -> dict[str, str]:
    about = {
        "usher.platform": platform_of(event.workspace_id),
        "usher.workspace.id": event.workspace_id,
        "usher.event.id": event.id,
    }
    if isinstance(event, ButtonPressed | FormSubmitted):
        about |= {"usher.conversation": event.token.conversation, "usher.action": event.token.action}
    return about


class _TracedPlatform:
    """A ChatPlatform with a span of each call."""

    def __init__(self, platform: ChatPlatform, tracer: trace.Tracer) -> None:
        self._inner = platform
        self._tracer = tracer
        self.platform = platform.platform
        self.limits = platform.limits
        self.can_find = platform.can_find

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:
        """As the platform does."""
        with self._call("send") as span:
            return _told(span, await self._inner.send(workspace, person, message, delivery_id))

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:
        """As the platform does."""
        with self._call("update") as span:
            return _told(span, await self._inner.update(workspace, person, sent, message))

    async def find(
        self, workspace: Workspace, person: Person, delivery_id: str, since: datetime
    ) -> Sent | Unclear | Throttled | None:
        """As the platform does."""
        with self._call("find") as span:
            return _told(span, await self._inner.find(workspace, person, delivery_id, since))

    @contextmanager
    def _call(self, operation: str) -> Iterator[Span]:
        name = f"{self.platform.value} {operation}"
        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, record_exception=False) as span:
            yield span


def _told(span: Span, outcome: T) -> T:
    span.set_attribute("usher.outcome", type(outcome).__name__)
    return outcome


class _TracedObserver:
    """An Observer with a span of each attempt."""

    def __init__(self, observer: Observer, tracer: trace.Tracer) -> None:
        self._inner = observer
        self._tracer = tracer

    @contextmanager
    def attempt(self, delivery: Delivery) -> Iterator[None]:
        """One span from the claimed delivery to its settlement."""
        about: dict[str, str | int] = {
            "usher.platform": platform_of(delivery.lane),
            "usher.workspace.id": delivery.lane,
            "usher.delivery.id": delivery.id,
            "usher.delivery.attempt": delivery.attempt,
            "usher.invitation.id": delivery.invitation_id or "",
            "usher.wave.id": delivery.wave_id or "",
        }
        name = f"delivery {delivery.kind.value}"
        with (
            self._tracer.start_as_current_span(name, attributes=about, record_exception=False),
            self._inner.attempt(delivery),
        ):
            yield

    def settled(self, delivery: Delivery, settlement: Settlement) -> None:
        """Told on the attempt's span."""
        trace.get_current_span().set_attribute("usher.delivery.state", state_after(delivery, settlement).value)
        self._inner.settled(delivery, settlement)
