"""The pulse: APScheduler itself, with short intervals. The truth is in the database, so that no run matters by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.model import Delivery, DeliveryKind, InboxEntry
from bot.ports import StoreUnavailable
from bot.schedule import KEEP_INBOX, build_scheduler
from storage.database import Database
from tests.builders import DAY, GRACE, NOON
from tests.doubles import StoppedClock
from tests.rows import invited_people, settled, stored

OFTEN, NEVER = 0.01, 3600.0  # seconds


class BehindADoor:
    """The real store; `admitted` is awaited before each transaction."""

    def __init__(self, store: Database, admitted: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._admitted = admitted

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        await self._admitted()
        async with self._store.transaction() as tx:
            yield tx


@contextmanager
def started(scheduler: AsyncIOScheduler) -> Iterator[AsyncIOScheduler]:
    scheduler.start()
    try:
        yield scheduler
    finally:
        if scheduler.running:
            scheduler.shutdown(wait=False)


def told(scheduler: AsyncIOScheduler, about: int, job: str) -> asyncio.Queue[Any]:
    """What the scheduler tells about a job from now on."""
    heard: asyncio.Queue[Any] = asyncio.Queue()
    scheduler.add_listener(lambda event: event.job_id == job and heard.put_nowait(event), about)
    return heard


def test_a_handful_of_jobs_however_many_are_invited(store: Database) -> None:
    scheduler = build_scheduler(store, {}, StoppedClock())
    every = {job.id: job.trigger.interval.total_seconds() for job in scheduler.get_jobs()}
    assert every == {"reminders": 15, "progress": 3, "digests": 60, "erasing": 60, "housekeeping": 3600}


async def test_what_is_due_is_queued_when_the_time_comes(store: Database) -> None:
    await invited_people(store, GRACE)
    await settled(store, due_at=NOON)
    scheduler = build_scheduler(store, {}, StoppedClock(), reminders_every=OFTEN, progress_every=NEVER)
    runs = told(scheduler, EVENT_JOB_EXECUTED, "reminders")

    with started(scheduler):
        await runs.get()
        await runs.get()

    kinds = [each.kind for each in await stored(store, Delivery)]
    assert kinds.count(DeliveryKind.REMINDER) == 1


async def test_after_a_day_asleep_a_job_runs_once_and_not_for_each_time_it_missed(store: Database) -> None:
    async with store.transaction() as tx:
        await tx.inbox.remember("old", NOON - KEEP_INBOX - DAY)
        await tx.inbox.remember("new", NOON)
    scheduler = build_scheduler(store, {}, StoppedClock())
    begun = told(scheduler, EVENT_JOB_SUBMITTED, "housekeeping")
    ended = told(scheduler, EVENT_JOB_EXECUTED, "housekeeping")

    with started(scheduler):
        scheduler.modify_job("housekeeping", next_run_time=datetime.now(UTC) - timedelta(days=1))
        await ended.get()
        next_run = scheduler.get_job("housekeeping").next_run_time

    assert len(begun.get_nowait().scheduled_run_times) == 1
    assert begun.empty()
    assert next_run > datetime.now(UTC)
    assert [each.event_id for each in await stored(store, InboxEntry)] == ["new"]


async def test_a_run_that_takes_longer_than_its_interval_is_not_joined_by_another(store: Database) -> None:
    door, inside = asyncio.Event(), 0

    async def admitted() -> None:
        nonlocal inside
        inside += 1
        await door.wait()

    slow = BehindADoor(store, admitted)
    scheduler = build_scheduler(slow, {}, StoppedClock(), reminders_every=OFTEN, progress_every=NEVER)
    left_out = told(scheduler, EVENT_JOB_MAX_INSTANCES, "reminders")
    ended = told(scheduler, EVENT_JOB_EXECUTED, "reminders")

    with started(scheduler):
        await left_out.get()
        await left_out.get()
        assert inside == 1
        door.set()
        await ended.get()


async def test_a_run_that_failed_is_told_of_and_the_next_one_makes_up_for_it(store: Database) -> None:
    await invited_people(store, GRACE)
    await settled(store, due_at=NOON)
    failures = [StoreUnavailable(), RuntimeError("a mistake of ours")]

    async def admitted() -> None:
        if failures:
            raise failures.pop(0)

    troubled = BehindADoor(store, admitted)
    scheduler = build_scheduler(troubled, {}, StoppedClock(), reminders_every=OFTEN, progress_every=NEVER)
    runs = told(scheduler, EVENT_JOB_EXECUTED, "reminders")

    with structlog.testing.capture_logs() as logged, started(scheduler):
        for _ in range(3):
            await runs.get()

    about_the_job = [(each["event"], each["log_level"]) for each in logged]
    assert about_the_job[:3] == [("job.put_off", "warning"), ("job.failed", "error"), ("reminders.queued", "info")]
    assert logged[2]["count"] == 1


async def test_a_run_that_the_stop_interrupts_is_no_error(store: Database, caplog: pytest.LogCaptureFixture) -> None:
    reached = asyncio.Event()

    async def admitted() -> None:
        reached.set()
        await asyncio.Event().wait()

    stuck = BehindADoor(store, admitted)
    scheduler = build_scheduler(stuck, {}, StoppedClock(), reminders_every=OFTEN, progress_every=NEVER)
    ended = told(scheduler, EVENT_JOB_EXECUTED, "reminders")

    with structlog.testing.capture_logs() as logged, started(scheduler):
        await reached.wait()
        scheduler.shutdown(wait=False)
        await ended.get()

    assert [(each["event"], each["log_level"]) for each in logged] == [("job.interrupted", "info")]
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
