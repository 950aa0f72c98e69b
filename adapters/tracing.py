"""Traces, off unless the standard OTEL_… variables ask for them. Only then is OpenTelemetry imported: adapters.spans.

Something wrong with them is told and does not stop the bot: in many clusters such variables are set for everybody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from importlib.util import find_spec
from typing import Protocol

import structlog
from aiohttp.typedefs import Middleware

from bot.observer import Observer
from bot.ports import ChatPlatform, Handle

Around = Callable[[str, str], AbstractContextManager[object]]  # of a statement: the database's name, and its text

EXPORTERS = ("otlp", "console")
PROTOCOL = "http/protobuf"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

log = structlog.get_logger(__name__)


class Tracing(Protocol):
    """What the composition root wraps: everything an event or a delivery passes on its way."""

    def middlewares(self) -> Sequence[Middleware]:
        """Around every request."""
        ...

    def handle(self, handle: Handle) -> Handle:
        """Around every event."""
        ...

    def platform(self, platform: ChatPlatform) -> ChatPlatform:
        """Around every call of a platform."""
        ...

    def observer(self, observer: Observer) -> Observer:
        """Around every attempt to deliver."""
        ...

    def statements(self) -> Around | None:
        """Around everything that is asked of the database; None: nothing is to be."""
        ...


class Untraced:
    """Nothing is wrapped."""

    def middlewares(self) -> Sequence[Middleware]:
        """None."""
        return ()

    def handle(self, handle: Handle) -> Handle:
        """As it is."""
        return handle

    def platform(self, platform: ChatPlatform) -> ChatPlatform:
        """As it is."""
        return platform

    def observer(self, observer: Observer) -> Observer:
        """As it is."""
        return observer

    def statements(self) -> None:
        """Nothing is around them."""


def exporters(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Where traces are to go, by OTEL_TRACES_EXPORTER's names; empty: nowhere. Unlike OpenTelemetry's own default, an
    endpoint has to be named.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().casefold() == "true":
        return ()
    named = [name.strip().casefold() for name in environment.get("OTEL_TRACES_EXPORTER", "").split(",")]
    if any(named):
        return tuple(name for name in named if name not in {"", "none"})
    return ("otlp",) if any(environment.get(name) for name in _ENDPOINTS) else ()


def problems(environment: Mapping[str, str]) -> Sequence[str]:
    """Why traces that are asked for are not sent, one line each, with what to do."""
    wanted = exporters(environment)
    if not wanted:
        return ()
    if not _installed():
        return (
            "OTEL_… variables ask for traces, but OpenTelemetry is not installed: pip install 'sso-usher[otel]'.",
        )
    found = [
        f"OTEL_TRACES_EXPORTER names {name}: only {' and '.join(EXPORTERS)} are there."
        for name in wanted
        if name not in EXPORTERS
    ]
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), PROTOCOL)
    if "otlp" in wanted and protocol != PROTOCOL:
        found.append(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}: only {PROTOCOL} is there.")
    return found


@asynccontextmanager
async def started(environment: Mapping[str, str]) -> AsyncIterator[Tracing]:
    """Tracing as the variables want it; what was traced is sent on leaving."""
    wrong = problems(environment)
    for problem in wrong:
        log.warning("tracing.off", why=problem)
    wanted = exporters(environment)
    if wrong or not wanted:
        yield Untraced()
        return
    from adapters.spans import sending  # noqa: PLC0415  # not there unless asked for

    async with sending(wanted) as spans:
        yield spans


def _installed() -> bool:
    try:
        return all(map(find_spec, ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")))
    except ModuleNotFoundError:
        return False
