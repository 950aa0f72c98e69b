"""What sleeping invitations cost: a run of the reminders' job with nobody due and with a thousand, of a million."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

from adapters.bench.apscheduler_jobs import fired_a_second
from adapters.bench.databases import databases
from adapters.bench.figures import Figure, compared, figure
from adapters.bench.loop_watch import watching
from adapters.bench.size import Size
from adapters.bench.sleepers import put_to_sleep, wake
from bot.clock import SystemClock
from bot.reminders import queue_due
from storage.database import Database

FEW, MANY, DUE = 1_000, 1_000_000, 1_000
RUNS = 40
ROUNDS = 3


async def measured(size: Size) -> AsyncIterator[Figure]:
    """On both databases."""
    many, due = size.of(MANY, at_least=FEW), size.of(DUE, at_least=100)
    async with databases(size.database_url) as few, databases(size.database_url) as full:
        for kind in full:
            await put_to_sleep(few[kind], FEW, datetime.now(UTC))
            await put_to_sleep(full[kind], many, datetime.now(UTC))
            async for each in _measured(kind, few[kind], full[kind], many, due):
                yield each


async def _measured(kind: str, few: str, full: str, many: int, due: int) -> AsyncIterator[Figure]:
    name = f"reminders, {kind}"
    of_few, of_many = await _idle_runs(few, full)
    yield figure(f"{name}: a run, none due among {many:,}", of_many * 1000, "ms", "<= 5")
    yield compared(f"{name}: beside a run with {FEW:,}", of_many * 1000, "ms", of_few * 1000, "<= 2")
    memory, less = await _memory(full), await _memory(few)
    yield figure(f"{name}: memory that {many:,} take more than {FEW:,}", (memory - less) / 1e6, "MB", "<= 20")
    rates: list[float] = []
    others: list[float] = []
    stalls: list[float] = []
    for _ in range(ROUNDS):
        others.append(await fired_a_second(due))
        rate, stall = await _busy_run(full, due)
        rates.append(rate)
        stalls.append(stall)
    yield compared(
        f"{name}: {due:,} due, queued, beside APScheduler's jobs", median(rates), "a second", median(others), ">= 50"
    )
    yield figure(f"{name}: longest that the event loop was kept", max(stalls) * 1000, "ms", "<= 50")


async def _idle_runs(few: str, full: str) -> tuple[float, float]:
    """Seconds of a run on each, in turns."""
    small, large, clock = Database(few), Database(full), SystemClock()
    took: dict[Database, list[float]] = {small: [], large: []}
    for _ in range(RUNS):
        for store, times in took.items():
            begun = perf_counter()
            queued = await queue_due(store, clock)
            times.append(perf_counter() - begun)
            assert not queued, "nobody is due"
    await small.close()
    await large.close()
    return median(took[small]), median(took[large])


async def _busy_run(url: str, due: int) -> tuple[float, float]:
    """Reminders queued a second, and the longest that one step of it kept the loop."""
    store, clock = Database(url), SystemClock()
    await wake(url, 1, datetime.now(UTC))
    await queue_due(store, clock)  # the first run of a process makes its statements
    await wake(url, due, datetime.now(UTC))
    with watching() as longest:
        begun = perf_counter()
        queued = await queue_due(store, clock)
        took = perf_counter() - begun
    await store.close()
    assert queued == due, (queued, due)
    return queued / took, longest.seconds


async def _memory(url: str) -> int:
    """Bytes at most, of a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.bench.one_process", url, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return int(out)
