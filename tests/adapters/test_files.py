"""Files for admins over HTTP: a link that shows a page, gives the file once, and tells nothing to anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
import structlog
from aiohttp import web

from adapters import files
from adapters.server import served
from bot.finishing import FileKind, Handout
from storage.database import Database
from tests.doubles import StoppedClock
from tests.storage.stored_things import NOW, invite, rollout

SECRET = "s3cret" * 7


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
async def url(store: Database, clock: StoppedClock) -> AsyncIterator[str]:
    app = web.Application()
    files.add_routes(app, store, clock)
    async with served(app, "127.0.0.1", 0) as address:
        yield f"{address}/files/"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def offers(store: Database, kind: FileKind, people=("ada", "ben")) -> None:
    await invite(store, people)
    async with store.transaction() as tx:
        await tx.save(
            Handout(
                id=Handout.key(SECRET),
                kind=kind,
                rollout_id="r1",
                workspace_id="slack:T1",
                person_id="slack:T1:ada",
                expires_at=NOW + timedelta(minutes=15),
                version=1,
            )
        )


async def test_looking_at_the_link_takes_nothing_away_and_pressing_the_button_does(store, url, http):
    await offers(store, FileKind.PEOPLE)
    for _ in range(3):
        async with http.get(url + SECRET) as page:
            assert page.status == 200
            assert "Download" in await page.text()
    async with http.post(url + SECRET) as file:
        assert file.status == 200
        assert file.headers["Content-Disposition"] == 'attachment; filename="people.csv"'
        assert file.headers["Cache-Control"] == "no-store"
        lines = (await file.text("utf-8-sig")).splitlines()
    assert lines[0].startswith("name,email,")
    assert sorted(line.split(",")[1] for line in lines[1:]) == ["ada@acme.example", "ben@acme.example"]
    for again in (http.post, http.get):
        async with again(url + SECRET) as page:
            assert page.status == 404
            assert "does not work any more" in await page.text()


async def test_fetching_is_audited_for_whom_the_link_was_made(store, url, http):
    await offers(store, FileKind.REMOVAL)
    async with http.post(url + SECRET) as file:
        assert file.status == 200
    async with store.transaction() as tx:
        (entry,) = await tx.audit.entries("acme", 10)
    assert (entry.action, entry.actor, entry.subject) == ("file.fetched.removal", "slack:T1:ada", "r1")


@pytest.mark.parametrize("kind", FileKind)
async def test_every_kind_of_file_can_be_fetched(store, url, http, kind):
    await offers(store, kind)
    async with http.post(url + SECRET) as file:
        assert file.status == 200
        assert await file.text("utf-8-sig")


async def test_a_link_expires(store, url, http, clock):
    await offers(store, FileKind.PEOPLE)
    clock.forward(minutes=15)
    for method in (http.get, http.post):
        async with method(url + SECRET) as page:
            assert page.status == 404


async def test_nobody_fetches_the_people_of_a_rollout_that_is_erased(store, url, http):
    await offers(store, FileKind.PEOPLE)
    async with store.transaction() as tx:
        await tx.save(rollout().model_copy(update={"erased_at": NOW, "version": 2}))
    async with http.post(url + SECRET) as page:
        assert page.status == 404


@pytest.mark.parametrize("guess", ["", "guess", SECRET[:-1], SECRET + "x", "../healthz", Handout.key(SECRET)])
async def test_a_guess_finds_nothing(store, url, http, guess):
    """Not even the digest that the database holds."""
    await offers(store, FileKind.PEOPLE)
    for method in (http.get, http.post):
        async with method(url + guess) as page:
            assert page.status in (404, 405)


async def test_neither_the_link_nor_a_name_reaches_the_log(store, url, http):
    await offers(store, FileKind.PEOPLE)
    with structlog.testing.capture_logs() as logged:
        async with http.post(url + SECRET) as file:
            await file.read()
    assert logged == [{"event": "file.fetched", "kind": FileKind.PEOPLE, "log_level": "info"}]


async def test_a_long_list_comes_whole_in_pages(store, url, http, monkeypatch):
    monkeypatch.setattr("bot.exports.PAGE", 7)
    await offers(store, FileKind.PEOPLE, tuple(f"p{number}" for number in range(30)))
    async with http.post(url + SECRET) as file:
        lines = (await file.text("utf-8-sig")).splitlines()
    assert len(lines) == 31
    assert len(set(lines)) == 31
