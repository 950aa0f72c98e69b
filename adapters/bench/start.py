"""From starting the process to ready: `usher serve` on an empty database, so with every migration, both platforms on
loopback.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from adapters.bench.databases import databases
from adapters.bench.figures import Figure, figure
from adapters.bench.loopback import Loopback, loopback
from adapters.bench.server_process import bot
from adapters.bench.size import Size

STARTS = 5


async def measured(size: Size) -> AsyncIterator[Figure]:
    """On both databases, and once more on what the first start has migrated."""
    starts = size.of(STARTS)
    fresh: dict[str, list[float]] = {}
    again: dict[str, list[float]] = {}
    async with loopback() as here:
        for _ in range(starts):
            async with databases(size.database_url) as urls:
                for kind, url in urls.items():
                    fresh.setdefault(kind, []).append(await _start(here, url))
                    again.setdefault(kind, []).append(await _start(here, url))
    for kind, seconds in fresh.items():
        yield figure(f"start, {kind}: an empty database to ready", median(seconds), "s", "<= 2")
        yield figure(f"start, {kind}: again", median(again[kind]), "s", "<= 2")


async def _start(here: Loopback, url: str) -> float:
    with TemporaryDirectory(prefix="usher-bench-") as directory:
        async with bot(here.settings(url), directory) as server:
            return perf_counter() - server.began
