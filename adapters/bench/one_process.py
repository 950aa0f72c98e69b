"""Memory of a process that does the bot's recurring work on a database once: `python -m … URL` prints bytes."""

from __future__ import annotations

import asyncio
import resource
import sys

from bot.clock import SystemClock
from bot.reminders import queue_due
from storage.database import Database


async def _run(url: str) -> None:
    store, clock = Database(url), SystemClock()
    await queue_due(store, clock)
    async with store.transaction() as tx:
        await tx.deliveries.lanes(clock.now())
        await tx.backlog.ready(clock.now(), 10_000)
        await tx.backlog.reminders(clock.now(), 10_000)
        await tx.rollouts.running_waves()
    await store.close()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1]))
