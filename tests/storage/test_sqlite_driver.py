"""Short statements run on the event loop, all others in the connection's own thread: what they find is the same."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest

from storage import sqlite_driver

COUNT = "SELECT count(*) FROM number AS one, number AS other"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
async def connection(file: Path) -> AsyncIterator[sqlite_driver.Connection]:
    opened = await sqlite_driver.connect(str(file), isolation_level=None)
    await run(opened, "CREATE TABLE number (id INTEGER PRIMARY KEY, word TEXT)")
    yield opened
    await opened.close()
    await sqlite_driver.ended()


async def run(connection: sqlite_driver.Connection, statement: str, parameters: tuple[object, ...] = ()):
    cursor = connection.cursor()
    await cursor.execute(statement, parameters)
    return list(await cursor.fetchall()), cursor.rowcount


async def fill(connection: sqlite_driver.Connection, numbers: int) -> None:
    cursor = connection.cursor()
    await cursor.executemany(
        "INSERT INTO number (id, word) VALUES (?, ?)", [(each, "one") for each in range(numbers)]
    )


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In which thread each statement was run: "here" or "there"."""
    ran = list[str]()
    original = sqlite_driver._run

    def noted(made: sqlite3.Connection, how: object, statement: str, parameters: object) -> object:
        ran.append("here" if threading.current_thread() is threading.main_thread() else "there")
        return original(made, how, statement, parameters)

    monkeypatch.setattr(sqlite_driver, "_run", noted)
    return ran


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("BEGIN IMMEDIATE", ()),
        ("SELECT word FROM number WHERE id = ?", (1,)),
        ("INSERT INTO number (id, word) VALUES (?, ?)", (9, "nine")),
        ("INSERT INTO number (id, word) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", (1, "again")),
        ("UPDATE number SET word=? WHERE number.id = ?", ("first", 1)),
        ("UPDATE number SET word=?\n WHERE number.id = ? AND number.word = ?", ("first", 1, "one")),
        ("DELETE FROM number WHERE number.id = ?", (1,)),
    ],
)
async def test_what_is_surely_short_runs_on_the_event_loop(connection, threads, statement, parameters):
    await fill(connection, 3)
    threads.clear()

    await run(connection, statement, parameters)

    assert threads == ["here"]


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("UPDATE number SET word=?", ("all",)),
        ("UPDATE number SET word=? WHERE number.word = ?", ("all", "one")),
        ("UPDATE number SET word=? WHERE number.id = ? OR number.word = ?", ("all", 1, "one")),
        ("UPDATE number SET word=? WHERE number.id = ? AND number.word = ? OR 1", ("all", 1, "one")),
        ("DELETE FROM number WHERE number.word = ?", ("one",)),
        ("INSERT INTO number (id, word) SELECT id + 100, word FROM number", ()),
        ("INSERT INTO number (id, word) VALUES " + ", ".join(["(?, ?)"] * 60), tuple(range(100, 220))),
        ("CREATE INDEX words ON number (word)", ()),
        ("COMMIT", ()),
    ],
)
async def test_what_may_touch_many_rows_runs_in_the_thread(connection, threads, statement, parameters):
    await fill(connection, 3)
    await run(connection, "BEGIN IMMEDIATE")
    threads.clear()

    await run(connection, statement, parameters)

    assert threads == ["there"]


async def test_a_question_that_takes_long_is_asked_again_in_the_thread(connection, threads):
    await fill(connection, 1000)
    threads.clear()

    began = perf_counter()
    asking = asyncio.create_task(run(connection, COUNT))
    await asyncio.sleep(0)
    kept = perf_counter() - began

    assert await asking == ([(1_000_000,)], -1)
    assert threads == ["here", "there"]
    assert kept < 0.05
    assert await run(connection, COUNT) == ([(1_000_000,)], -1)


async def test_a_question_that_was_broken_off_ends_no_transaction(connection):
    await fill(connection, 1000)
    await run(connection, "BEGIN IMMEDIATE")
    await run(connection, "UPDATE number SET word=? WHERE number.id = ?", ("changed", 1))

    await run(connection, COUNT)
    await run(connection, "COMMIT")

    assert await run(connection, "SELECT word FROM number WHERE id = 1") == ([("changed",)], -1)


async def test_a_writer_that_has_to_wait_for_another_process_waits_in_the_thread(connection, threads, file):
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        beginning = asyncio.create_task(run(connection, "BEGIN IMMEDIATE"))
        await asyncio.sleep(0.2)
        assert not beginning.done()
        other.execute("COMMIT")
        await beginning

    assert threads == ["here", "there"]
    await run(connection, "ROLLBACK")


async def test_a_statement_waits_for_one_that_was_cancelled_and_still_runs(connection, threads):
    await fill(connection, 3000)
    asking = asyncio.create_task(run(connection, COUNT))
    await asyncio.sleep(0.01)
    asking.cancel()
    threads.clear()

    assert await run(connection, "SELECT word FROM number WHERE id = 1") == ([("one",)], -1)

    assert threads == ["there"]  # on the event loop it would have kept everybody waiting
    await run(connection, "SELECT word FROM number WHERE id = 1")
    assert threads == ["there", "here"]


async def test_many_short_statements_let_others_have_their_turn(connection):
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    for _ in range(sqlite_driver.IN_A_ROW * 5):
        await run(connection, "SELECT 1")
    task.cancel()

    assert turns >= 4


async def test_an_error_on_the_event_loop_is_the_databases_own(connection):
    await fill(connection, 3)

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await run(connection, "INSERT INTO number (id, word) VALUES (?, ?)", (1, "again"))
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        await run(connection, "SELECT nobody FROM number")
