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
from bot.engine import Engine
from bot.events import TargetKind
from bot.finishing import FileKind, Handout
from bot.model import Dialog, LookUp
from bot.ports import StoreUnavailable
from bot.roles import Admins
from storage.database import Database
from tests.doubles import StoppedClock
from tests.rows import changed, stored
from tests.storage.stored_things import NOW, invite, rollout

SECRET = "s3cret" * 7


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def engine(store: Database, clock: StoppedClock) -> Engine:
    return Engine(store, clock, Admins.of("ada@acme.example"))


@pytest.fixture
async def url(store: Database, clock: StoppedClock, engine: Engine) -> AsyncIterator[str]:
    app = web.Application()
    files.add_routes(app, store, clock, engine)
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


@pytest.mark.parametrize("kind", [each for each in FileKind if each is not FileKind.ADDRESSES])
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


async def asks_for_a_list(store: Database, **changes: object) -> None:
    """`/sso invite csv` by Ada."""
    await invite(store, ["ada"])
    await changed(store, "person", is_workspace_admin=True)
    dialog = {"conversation": "invite", "workspace_id": "slack:T1", "person_id": "slack:T1:ada", "rollout_id": "r1"}
    async with store.transaction() as tx:
        await tx.save(Dialog(id="d1", step="file", version=1, updated_at=NOW, **dialog | changes))
        await tx.save(
            Handout(
                id=Handout.key(SECRET),
                kind=FileKind.ADDRESSES,
                rollout_id="r1",
                workspace_id="slack:T1",
                person_id="slack:T1:ada",
                subject="d1",
                expires_at=NOW + timedelta(minutes=15),
                version=1,
            )
        )


def a_file(content: bytes | str, name: str = "list") -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field(name, content, filename="people.csv", content_type="text/csv")
    return form


async def asked(store: Database) -> list[LookUp]:
    return await stored(store, LookUp)


async def test_a_list_is_handed_in_once(store, url, http):
    await asks_for_a_list(store)
    async with http.get(url + SECRET) as page:
        assert 'type="file"' in await page.text()
    lines = "Name,E-mail\nBen,ben@acme.example\nCleo,\n,Dan@acme.example\n"
    async with http.post(url + SECRET, data=a_file(lines)) as page:
        assert page.status == 200
        said = await page.text()
    assert "2 addresses" in said
    assert "1 line has none." in said
    (look_up,) = await asked(store)
    assert [(each["kind"], each["label"]) for each in look_up.targets] == [
        (TargetKind.EMAIL, "2: ben@acme.example"),
        (TargetKind.EMAIL, "4: Dan@acme.example"),
        (TargetKind.LINE, "3: Cleo"),
    ]
    for again in (http.post(url + SECRET, data=a_file("eve@acme.example")), http.get(url + SECRET)):
        async with again as page:
            assert page.status == 404
    assert len(await asked(store)) == 1
    async with store.transaction() as tx:
        actions = [entry.action for entry in await tx.audit.entries("acme", 10)]
    assert sorted(actions) == ["file.fetched.addresses", "invite.asked"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (a_file("nobody\nnowhere\n"), "There is no e-mail address in that file."),
        (a_file(b"\x00\x01\x02" * 100), "That file is no text."),
        (a_file("x" * 1_000_001), "larger than 1000 kB"),
        (a_file("ben@acme.example", name="other"), "Choose a file first."),
        ({"list": "ben@acme.example"}, "Choose a file first."),
        (a_file('"ben@acme.example\n' * 3 + '"' + "x" * 200_000), "Line"),
    ],
    ids=["no address", "no text", "too large", "other field", "no file", "no end"],
)
async def test_whatever_is_no_list_can_be_tried_again(store, url, http, form, said):
    await asks_for_a_list(store)
    async with http.post(url + SECRET, data=form) as page:
        assert (page.status, said in await page.text()) == (400, True)
    assert not await asked(store)
    async with http.post(url + SECRET, data=a_file("ben@acme.example")) as page:
        assert page.status == 200
    assert len(await asked(store)) == 1


async def test_who_is_no_admin_any_more_hands_nothing_in(store, url, http):
    await asks_for_a_list(store)
    await changed(store, "person", is_workspace_admin=False)
    async with http.post(url + SECRET, data=a_file("ben@acme.example")) as page:
        assert (page.status, "no admin of this rollout" in await page.text()) == (403, True)
    assert not await asked(store)


async def test_while_the_database_is_away_the_list_is_not_lost(store, clock, http):
    await asks_for_a_list(store)

    async def away(_event: object) -> None:
        raise StoreUnavailable

    app = web.Application()
    files.add_routes(app, store, clock, away)
    form = a_file("ben@acme.example")
    async with served(app, "127.0.0.1", 0) as address, http.post(f"{address}/files/{SECRET}", data=form) as page:
        assert page.status == 503
        assert "Try again." in await page.text()
    async with store.transaction() as tx:
        assert (await tx.finishing.handout(Handout.key(SECRET))).is_there(NOW)


async def test_neither_the_addresses_nor_the_lines_reach_the_log(store, url, http):
    await asks_for_a_list(store)
    with structlog.testing.capture_logs() as logged:
        async with http.post(url + SECRET, data=a_file("ben@acme.example\nCleo\n")) as page:
            await page.read()
    assert {"event": "list.handed_in", "people": 1, "without": 1, "log_level": "info"} in logged
    assert not any("acme" in str(each) or "Cleo" in str(each) for each in logged)
