"""What waits in the database, for GET /metrics: asked when somebody looks, and not more often than needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.model import Platform
from bot.ports import Clock, Store, StoreUnavailable, Waiting

FRESH_FOR = 10.0  # seconds; more scrapers than one cost nothing more
PATIENCE = 2.0  # seconds that a scrape waits for the database; Prometheus waits for 10
COUNTED = 10_000  # of each lane and priority; from there on it is "very many"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """What waited at one moment."""

    at: datetime
    ready: Mapping[Platform, Waiting]
    reminders: Waiting


class BacklogCollector(Collector):
    """Gauges of what was found last; none while the database does not answer, so that no alert judges by old ones.

    `connections` tells how many database connections are in use and how many are idle.
    """

    def __init__(self, store: Store, clock: Clock, connections: Callable[[], tuple[int, int]]) -> None:
        self._store = store
        self._clock = clock
        self._connections = connections
        self._found: Snapshot | None = None
        self._asked = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Ask the database unless it was asked just now. Never raises and never waits for longer than PATIENCE."""
        if time.monotonic() - self._asked < FRESH_FOR:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="backlog")
        # Not cancelled when it takes longer: a thread that waits for a locked file would not let go of it anyway.
        done, _ = await asyncio.wait({self._asking}, timeout=PATIENCE)
        if not done:
            self._found = None

    async def stop(self) -> None:
        """Let go of the database."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    async def _ask(self) -> None:
        try:
            async with self._store.transaction() as tx:
                now = self._clock.now()
                ready, reminders = await tx.backlog.ready(now, COUNTED), await tx.backlog.reminders(now, COUNTED)
            self._found = Snapshot(now, ready, reminders)
        except StoreUnavailable:
            self._found = None
        except Exception:
            log.exception("metrics.failed")
            self._found = None
        self._asked = time.monotonic()

    def collect(self) -> Iterable[Metric]:
        """The gauges, as prometheus_client asks for them."""
        yield _gauge("usher_database_up", "1 when the database answered", float(self._found is not None))
        yield self._pool()
        if self._found is not None:
            yield from _backlog(self._found)

    def _pool(self) -> Metric:
        pool = GaugeMetricFamily("usher_database_connections", "Connections of the pool", labels=["state"])
        for state, number in zip(("in_use", "idle"), self._connections(), strict=True):
            pool.add_metric([state], number)
        return pool


def _backlog(found: Snapshot) -> Iterable[Metric]:
    ready = GaugeMetricFamily(
        "usher_deliveries_ready", "Deliveries that could be sent at once, counted up to a limit", labels=["platform"]
    )
    oldest = GaugeMetricFamily(
        "usher_deliveries_oldest_ready_age_seconds", "How long the oldest of them waits", labels=["platform"]
    )
    for platform, waiting in sorted(found.ready.items()):
        ready.add_metric([platform.value], waiting.count)
        oldest.add_metric([platform.value], _age(found.at, waiting))
    yield ready
    yield oldest
    yield _gauge(
        "usher_reminders_due", "Reminders that are due and not queued, counted up to a limit", found.reminders.count
    )
    late = _age(found.at, found.reminders)
    yield _gauge("usher_reminders_oldest_due_age_seconds", "How long the oldest of them is due", late)


def _age(now: datetime, waiting: Waiting) -> float:
    return (now - waiting.since).total_seconds() if waiting.since else 0.0


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
