"""The few recurring jobs, given to APScheduler: it is the pulse, the truth is in the database.

A late, missed or doubled run changes nothing, and there is never a job for each invitee.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.absences import Absences
from bot.admin_groups import AdminGroups
from bot.digesting import send_digests
from bot.erasing import erase_due
from bot.model import HOME_COMPANY, Platform
from bot.ports import ChatPlatform, Clock, Directory, Handle, SonarQubeCloud, StaleWrite, Store, StoreUnavailable
from bot.progress import Pace, show_progress
from bot.reminders import queue_due
from bot.sign_ins import note_sign_ins

REMINDERS_EVERY = 15.0  # seconds
PROGRESS_EVERY = 3.0  # Slack's chat.update allows about one a second for each message
DIGESTS_EVERY = 60.0
ERASING_EVERY = 60.0
ADMIN_GROUPS_EVERY = 300.0
SIGN_INS_EVERY = 900.0  # SonarQube Cloud's rate limit is not published
HOUSEKEEPING_EVERY = 3600.0
KEEP_INBOX = timedelta(days=7)  # Slack repeats an event for minutes, Teams for less
KEEP_APPROVALS = timedelta(days=30)  # the audit log tells of them for ever
KEEP_LISTS = timedelta(days=7)  # a list of whom to invite; one that is a week old is asked for anew

log = structlog.get_logger(__name__)


def build_scheduler(
    store: Store,
    platforms: Mapping[Platform, ChatPlatform],
    clock: Clock,
    *,
    reminders_every: float = REMINDERS_EVERY,
    progress_every: float = PROGRESS_EVERY,
    admins: Collection[str] = (),
    keep_for: timedelta | None = None,
    directories: Mapping[Platform, Directory] | None = None,
) -> AsyncIOScheduler:
    """A scheduler with every recurring job, not yet started. Its jobs are kept in memory.

    `directories` tell who is away, and who is whose manager. `admins` (as in USHER_ADMINS) stay known when a rollout
    is erased; `keep_for` is how long after its end that happens by itself.
    """
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    pace = Pace.allowed_by(platforms)
    absences = Absences(store, directories or {}, clock)

    async def reminders() -> None:
        _tell("reminders.queued", await queue_due(store, clock, absences.put_off))

    async def progress() -> None:
        await show_progress(store, platforms, clock, pace)

    async def digests() -> None:
        _tell("digests.queued", await send_digests(store, clock, directories or {}))

    async def erasing() -> None:
        _tell("people.erased", await erase_due(store, clock, admins, keep_for))

    async def housekeeping() -> None:
        async with store.transaction() as tx:
            await tx.finishing.forget_handouts(clock.now())
            await tx.inbox.forget(clock.now() - KEEP_INBOX)
            await tx.approvals.forget(clock.now() - KEEP_APPROVALS)
            await tx.lists.forget(clock.now() - KEEP_LISTS)

    jobs: tuple[tuple[Callable[[], Awaitable[None]], float], ...] = (
        (reminders, reminders_every),
        (progress, progress_every),
        (digests, DIGESTS_EVERY),
        (erasing, ERASING_EVERY),
        (housekeeping, HOUSEKEEPING_EVERY),
    )
    for job, seconds in jobs:
        every(scheduler, seconds, job)
    return scheduler


def _tell(event: str, count: int) -> None:
    if count:
        log.info(event, count=count)


def watch_sign_ins(scheduler: AsyncIOScheduler, store: Store, sonarqube: SonarQubeCloud, handle: Handle) -> None:
    """One job more, where SonarQube Cloud may be asked who has signed in."""

    async def sign_ins() -> None:
        _tell("sign_ins.seen", await note_sign_ins(store, sonarqube, handle))

    every(scheduler, SIGN_INS_EVERY, sign_ins)


def watch_admin_groups(
    scheduler: AsyncIOScheduler,
    store: Store,
    directories: Mapping[Platform, Directory],
    groups: AdminGroups,
    clock: Clock,
) -> None:
    """One job more, where groups have admins in them."""

    async def admin_groups() -> None:
        await groups.refresh(store, directories, HOME_COMPANY, clock.now())

    every(scheduler, ADMIN_GROUPS_EVERY, admin_groups)


def every(scheduler: AsyncIOScheduler, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
    """A job more, known by its name."""
    scheduler.add_job(_guarded(job), IntervalTrigger(seconds=seconds), id=job.__name__, name=job.__name__)


def _guarded(job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A failed run is told of and the next one tries again."""

    async def run() -> None:
        try:
            await job()
        except (StoreUnavailable, StaleWrite) as failure:
            log.warning("job.put_off", job=job.__name__, why=type(failure).__name__)
        except asyncio.CancelledError:
            log.info(
                "job.interrupted", job=job.__name__
            )  # the bot is being stopped; APScheduler would call it an error
        except Exception:
            log.exception("job.failed", job=job.__name__)

    return run
