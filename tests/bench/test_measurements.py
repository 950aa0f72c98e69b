"""Every measurement, small: it runs, and its figures say what they are compared with. Goals are for a quiet machine."""

from __future__ import annotations

import asyncio
import gc
import importlib

import pytest

from adapters.bench.figures import Figure
from adapters.bench.loop_watch import watching
from adapters.bench.size import Size

SMALL = 0.01


async def small(measurement: str, postgresql_server: str) -> dict[str, Figure]:
    """As in a process of its own: what the tests before it have left in memory is not collected meanwhile, which takes
    a third of a second when it comes.
    """
    module = importlib.import_module(f"adapters.bench.{measurement}")
    size = Size(SMALL, database_url=postgresql_server)
    gc.collect()
    gc.freeze()
    try:
        return {each.name: each async for each in module.measured(size)}
    finally:
        gc.unfreeze()


@pytest.mark.timeout(300)
async def test_inbound_has_both_platforms_on_both_databases_beside_their_sdks(postgresql_server: str) -> None:
    figures = await small("inbound", postgresql_server)
    for platform, sdk in (("slack", "slack-bolt"), ("teams", "botbuilder")):
        for database in ("SQLite", "PostgreSQL"):
            rate = figures[f"inbound {platform}, {database}, beside {sdk}"]
            assert rate.value > 0
            assert rate.reference is not None
            assert rate.ratio == rate.value / rate.reference
            assert figures[f"{rate.name}: p99 at half of that"].value > 0


@pytest.mark.timeout(300)
async def test_reminders_are_measured_with_nobody_due_and_with_some(postgresql_server: str) -> None:
    figures = await small("reminders", postgresql_server)
    for database in ("SQLite", "PostgreSQL"):
        name = f"reminders, {database}"
        assert figures[f"{name}: beside a run with 1,000"].ok, figures
        assert figures[f"{name}: memory that 10,000 take more than 1,000"].ok, figures
        assert figures[f"{name}: longest that the event loop was kept"].ok, figures


@pytest.mark.timeout(300)
async def test_outbound_has_both_platforms_on_both_databases_beside_their_clients(postgresql_server: str) -> None:
    figures = await small("outbound", postgresql_server)
    for platform in ("slack", "teams"):
        for database in ("SQLite", "PostgreSQL"):
            rate = figures[f"outbound, {platform}, {database}"]
            assert rate.value > 0
            assert rate.reference is not None
            assert rate.ratio == rate.value / rate.reference


async def test_the_platforms_limits_are_used_up_and_kept(postgresql_server: str) -> None:
    """On the simulated clock: the machine does not matter, and the goals do."""
    figures = await small("limit", postgresql_server)
    assert len(figures) == 4
    assert all(each.ok for each in figures.values()), figures


async def test_start_is_measured_from_an_empty_database_to_ready(postgresql_server: str) -> None:
    figures = await small("start", postgresql_server)
    for database in ("SQLite", "PostgreSQL"):
        assert figures[f"start, {database}: an empty database to ready"].value > 0


@pytest.mark.timeout(120)
async def test_scale_counts_the_statements_of_a_real_run(postgresql_server: str) -> None:
    figures = await small("scale", postgresql_server)
    for database in ("SQLite", "PostgreSQL"):
        # by groups, not one by one: see docs/benchmarks.md
        assert 0 < figures[f"scale, {database}: statements for a delivery, invitation to arrival"].value < 8
        assert figures[f"scale, {database}: replicas for an hour"].value >= 1


async def test_what_keeps_the_event_loop_is_seen() -> None:
    def busy() -> None:
        sum(range(300_000))

    with watching() as longest:
        asyncio.get_running_loop().call_soon(busy)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert longest.seconds > 0.001
    assert "busy" in longest.by
