"""What the reminders are compared with: APScheduler with one job for each invitee, kept by its SQLAlchemyJobStore."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

_left: list[int] = []
_done: list[asyncio.Event] = []


def _remind(number: int) -> None:
    _left[0] -= 1
    if _left[0] == 0:
        _done[0].set()
    del number


async def fired_a_second(many: int) -> float:
    """How many jobs that are due at once it fires a second."""
    with TemporaryDirectory(prefix="usher-bench-") as directory:
        store = SQLAlchemyJobStore(url=f"sqlite:///{Path(directory) / 'jobs.db'}")
        scheduler = AsyncIOScheduler(
            timezone="UTC", jobstores={"default": store}, job_defaults={"misfire_grace_time": None}
        )
        scheduler.start(paused=True)
        due = datetime.now(UTC) - timedelta(seconds=1)
        for number in range(many):
            scheduler.add_job(_remind, "date", run_date=due, args=(number,), id=str(number))
        _left[:], _done[:] = [many], [asyncio.Event()]
        begun = perf_counter()
        scheduler.resume()
        await _done[0].wait()
        took = perf_counter() - begun
        scheduler.shutdown(wait=False)
    return many / took
