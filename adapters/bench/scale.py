"""A million invitees in a thousand workspaces, on paper: what a real run of two thousand costs, multiplied.

Statements are counted where they are run. The rate is that of one process with a platform that answers at once, so
what remains is the bot and its database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from math import ceil
from time import perf_counter

from sqlalchemy import text

from adapters.bench.databases import databases
from adapters.bench.figures import Figure, figure
from adapters.bench.rows import invite, person, workspace
from adapters.bench.size import Size
from adapters.slack.platform import LIMITS
from bot.clock import SystemClock
from bot.dispatcher import Dispatcher
from bot.messages import Message
from bot.model import Person, Platform, Workspace
from bot.ports import Limits, Outcome, Sent
from storage import migrate
from storage.database import Database, create_engine
from storage.watching import Asked

PEOPLE, WORKSPACES = 2_000, 10
ALL_PEOPLE, ALL_WORKSPACES = 1_000_000, 1_000
SIZE = {
    "sqlite": "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)",
    "postgresql": "SELECT pg_database_size(current_database())",
}


class _AtOnce:
    """Implements bot.ports.ChatPlatform: takes everything, at once."""

    platform = Platform.SLACK
    limits = Limits(1_000_000, 1_000_000, LIMITS.in_flight, 1_000_000)
    can_find = True

    def __init__(self, everybody: int) -> None:
        self._left = everybody
        self.done = asyncio.Event()

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:  # noqa: ARG002
        """It has arrived."""
        await asyncio.sleep(0)
        self._left -= 1
        if not self._left:
            self.done.set()
        return Sent(person.channel_id, delivery_id)

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:  # noqa: ARG002
        """Nothing changes here."""
        return sent

    async def find(self, *_: object) -> None:
        """Nothing is unclear here."""


async def measured(size: Size) -> AsyncIterator[Figure]:
    """On both databases."""
    people = size.of(PEOPLE, at_least=200)
    async with databases(size.database_url) as urls:
        for kind, url in urls.items():
            statements, seconds, grown = await _sent(url, people)
            for each in _on_paper(kind, statements / people, people / seconds, grown / people):
                yield each


def _on_paper(kind: str, statements: float, per_second: float, size: float) -> list[Figure]:
    name = f"scale, {kind}"
    shortest = (ALL_PEOPLE / ALL_WORKSPACES - LIMITS.burst) / LIMITS.per_second
    one_process = ALL_PEOPLE / per_second
    return [
        figure(f"{name}: statements for a delivery, invitation to arrival", statements, ""),
        figure(f"{name}: deliveries of one process", per_second, "a second"),
        figure(f"{name}: {ALL_PEOPLE:,} invited and written to, database", size * ALL_PEOPLE / 1e9, "GB"),
        figure(f"{name}: the same, by Slack's limits of {ALL_WORKSPACES:,} workspaces", shortest / 60, "minutes"),
        figure(f"{name}: the same, one process", max(one_process, shortest) / 60, "minutes"),
        figure(f"{name}: replicas for an hour", ceil(one_process / 3600), ""),
        figure(f"{name}: replicas so that only Slack's limits count", ceil(one_process / shortest), ""),
    ]


async def _sent(url: str, many: int) -> tuple[int, float, int]:
    """Everybody invited and written to: statements, seconds of sending, bytes that the database has grown."""
    await migrate.upgrade(url)
    before = await _size(url)
    now, clock = datetime.now(UTC), SystemClock()
    places = [workspace(Platform.SLACK, now, f"T{number}") for number in range(WORKSPACES)]
    people = [person(places[number % WORKSPACES], f"U{number}", f"D{number}", now) for number in range(many)]
    store = Database(url)
    platform = _AtOnce(many)
    dispatcher = Dispatcher(store, {Platform.SLACK: platform}, clock)
    statements = 0

    def count(asked: Asked) -> AbstractContextManager[None]:
        nonlocal statements
        statements += asked.text not in {"BEGIN", "COMMIT"}
        return nullcontext()

    with store.watched(count):
        await _invited(store, places, people, now)
        begun = perf_counter()
        running = asyncio.create_task(dispatcher.run())
        await platform.done.wait()
        await dispatcher.stop()
        await running
        seconds = perf_counter() - begun
    await store.close()
    return statements, seconds, await _size(url) - before


async def _invited(store: Database, places: Sequence[Workspace], people: Sequence[Person], now: datetime) -> None:
    async with store.transaction() as tx:
        for place in places:
            await tx.people.save_workspace(place)
    await invite(store, places[0], people, now)


async def _size(url: str) -> int:
    engine = create_engine(url)
    async with engine.connect() as connection:
        found = await connection.scalar(text(SIZE[engine.dialect.name]))
    await engine.dispose()
    return int(found or 0)
