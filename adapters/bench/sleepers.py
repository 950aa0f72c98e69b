"""Very many invitations in the database, made by the database: what sleeps until its reminder is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import String, Table, bindparam, cast, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

from adapters.bench.rows import workspace
from bot.model import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Invitation,
    Person,
    Platform,
    ReminderPolicy,
    Rollout,
    Wave,
)
from storage import migrate
from storage.database import create_engine
from storage.rows import values
from storage.tables import DELIVERY, INVITATION, PERSON, ROLLOUT, WAVE, WORKSPACE

SLEEP = timedelta(days=300)
FIRST = 10_000_000  # so that all numbers have as many digits
PORTION = 50_000  # rows in one statement, which the bot's engine gives twenty seconds
# At any hour of any day, so that the figures do not depend on when they are made.
ALWAYS = ReminderPolicy(hour_from=0, hour_to=24, weekdays=tuple(range(7)))


async def put_to_sleep(url: str, people: int, now: datetime) -> None:
    """A migrated database with so many people, each with an invitation and a message that arrived."""
    await migrate.upgrade(url)
    engine = create_engine(url)
    here = workspace(Platform.SLACK, now)
    rollout = Rollout(
        id="rollout",
        company=here.company,
        name="Acme Corp",
        enterprise_key="acme",
        login_url="https://sonarcloud.io/login/sso?enterprise_key=acme",
        policy=ALWAYS,
        created_by="nobody",
        created_at=now,
        version=1,
    )
    wave = Wave(
        id="wave",
        rollout_id=rollout.id,
        workspace_id=here.id,
        created_by="nobody",
        created_at=now,
        finished_at=now,
        version=1,
    )
    async with engine.begin() as connection:
        for table, row in ((WORKSPACE, here), (ROLLOUT, rollout), (WAVE, wave)):
            await connection.execute(insert(table), values(row))
    for table, alike, differing in _rows(here.id, now):
        for done in range(0, people, PORTION):
            numbers = range(FIRST + done, FIRST + min(done + PORTION, people))
            async with engine.begin() as connection:
                await _numbered(connection, table, alike, differing, numbers)
    await analyze(engine)
    await engine.dispose()


async def analyze(engine: AsyncEngine) -> None:
    """The statistics that PostgreSQL's own housekeeping would have gathered by now."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE")


async def wake(url: str, many: int, now: datetime) -> None:
    """So many of them are due now."""
    engine = create_engine(url)
    ids = select(INVITATION.c.id).order_by(INVITATION.c.id).limit(many)
    async with engine.begin() as connection:
        await connection.execute(update(INVITATION).where(INVITATION.c.id.in_(ids)).values(due_at=now))
    await engine.dispose()


def _rows(lane: str, now: datetime) -> list[tuple[Table, SQLModel, Mapping[str, str]]]:
    who = Person(id="", workspace_id=lane, user_id="", name="Somebody", channel_id="D1", seen_at=now)
    sleeping = Invitation(
        id="",
        rollout_id="rollout",
        person_id="",
        identity="",
        wave_id="wave",
        needs=(),
        invited_at=now,
        reached_at=now,
        last_contact_at=now,
        due_at=now + SLEEP,
    )
    arrived = Delivery(
        id="",
        key="",
        kind=DeliveryKind.INVITATION,
        lane=lane,
        priority=1,
        person_id="",
        rollout_id="rollout",
        wave_id="wave",
        invitation_id="",
        state=DeliveryState.SENT,
        sent_at=now,
        claimed_at=now,
        attempt=1,
        channel_id="D1",
        message_id="1700000000.000100",
        not_before=now,
        created_at=now,
    )
    return [
        (PERSON, who, {"id": "p", "user_id": "U", "email": "mail-"}),
        (INVITATION, sleeping, {"id": "i", "person_id": "p", "identity": "mail-"}),
        (DELIVERY, arrived, {"id": "d", "key": "k", "person_id": "p", "invitation_id": "i"}),
    ]


async def _numbered(
    connection: AsyncConnection, table: Table, alike: SQLModel, differing: Mapping[str, str], numbered: range
) -> None:
    """Rows like this one, with columns that end in the row's number."""
    numbers = select(literal(numbered.start).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < numbered.stop - 1))
    names = list(type(alike).model_fields)
    columns = [
        literal(differing[name]) + cast(numbers.c.n, String)
        if name in differing
        else bindparam(name, getattr(alike, name), table.c[name].type)
        for name in names
    ]
    await connection.execute(insert(table).from_select(names, select(*columns)))
