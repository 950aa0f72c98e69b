"""A task that is cancelled while it uses the database ends, whatever moment it was cancelled at."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.ports import StoreUnavailable
from storage import sqlite_driver
from storage.database import Database
from tests.storage.stored_things import begin, person

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 5, 8, 13])
async def test_a_loop_that_rides_out_outages_ends_when_it_is_cancelled(store: Database, milliseconds: int):
    async def forgets_for_ever() -> None:
        while True:
            try:
                async with store.transaction() as tx:
                    await tx.inbox.forget(LONG_AGO)
            except StoreUnavailable:
                continue

    await store.ping()
    task = asyncio.create_task(forgets_for_ever())
    await asyncio.sleep(milliseconds / 1000)
    task.cancel()
    await asyncio.wait([task], timeout=2.0)
    assert task.cancelled()
    await store.ping()


@pytest.mark.parametrize("milliseconds", [3, 5, 8, 13, 21, 34])
async def test_a_cancelled_transaction_leaves_nothing_locked(store: Database, database_url: str, milliseconds: int):
    """Closed and opened again, as at a restart within one process."""

    async def stores_for_ever() -> None:
        while True:
            async with store.transaction() as tx:
                await tx.people.meet([person(f"u{number}") for number in range(300)])

    await begin(store, [])
    task = asyncio.create_task(stores_for_ever())
    await asyncio.sleep(milliseconds / 1000)
    task.cancel()
    await asyncio.wait([task])
    await store.close()
    anew = Database(database_url)
    async with asyncio.timeout(2), anew.transaction() as tx:
        await tx.inbox.forget(LONG_AGO)
    await anew.close()


async def test_a_connection_that_is_told_twice_to_close_is_closed_and_keeps_nobody_waiting(tmp_path: Path):
    """SQLAlchemy lets go of a connection that is being closed when the task that closes it is cancelled."""
    connection = await sqlite_driver.connect(str(tmp_path / "some.db"))
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    connection.stop()
    await asyncio.wait_for(closing, 5.0)
