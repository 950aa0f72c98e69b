"""`usher doctor`: a line for each thing that has to work, on a bot that runs and on one that does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from adapters import about
from adapters.outside import address_fault, clock_fault, is_open_to_everybody
from adapters.playground.demo import Playground
from adapters.playground.sonarqube import EmulatedSonarQubeCloud
from bot.clock import SystemClock
from storage import migrate
from tests.serve.usher import Ended, environment, run, serving


@pytest.fixture
def env(playground: Playground, tmp_path: Path) -> dict[str, str]:
    """Of a bot that talks to the emulators, at an address where it can be served."""
    port = unused_port()
    playground.public_url = f"http://127.0.0.1:{port}"
    settings = playground.settings(f"sqlite:///{tmp_path / 'usher.db'}")
    return environment(settings, USHER_PORT=str(port))


def lines(ended: Ended) -> dict[str, str]:
    """What is said of each thing, with its mark."""
    found = {}
    for line in ended.out.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, said = rest.partition(": ")
        found[name] = f"{mark} {said}".strip()
    return found


WELL = ["Settings", "Database", "Clock", "Public address", "Slack", "Events from Slack", "Teams", "Events from Teams"]


async def test_it_finds_everything_well_where_the_bot_runs(env: dict[str, str], tmp_path: Path) -> None:
    async with serving(env, tmp_path):
        ended = await run("doctor", env=env, cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert lines(ended) == dict.fromkeys(WELL, "✓")


async def test_where_the_bot_does_not_run_it_says_so_and_changes_nothing(env: dict[str, str], tmp_path: Path) -> None:
    ended = await run("doctor", env=env, cwd=tmp_path)
    assert ended.code == 1
    said = lines(ended)
    assert said["Database"].startswith("! has no tables yet: `usher serve`")
    assert "Is `usher serve` running" in said["Public address"]
    assert "/slack/events does not answer" in said["Events from Slack"]
    assert "/api/messages does not answer" in said["Events from Teams"]
    assert said["Slack"] == said["Teams"] == "✓"
    assert await migrate.current(env["USHER_DATABASE_URL"]) is None


async def test_an_older_database_is_told_of_and_left_as_it_is(env: dict[str, str], tmp_path: Path) -> None:
    url = env["USHER_DATABASE_URL"]
    await migrate.upgrade(url, "0016")
    ended = await run("doctor", env=env, cwd=tmp_path)
    assert lines(ended)["Database"] == (
        f"! is at 0016: `usher serve` brings it to {migrate.newest()}. Make a backup first."
    )
    assert await migrate.current(url) == "0016"


async def test_scopes_that_are_missing_are_named(playground: Playground, env: dict[str, str], tmp_path: Path) -> None:
    scopes = playground.slack.credentials.scopes.split(",")
    playground.slack.credentials.scopes = ",".join(sorted({*scopes} - {"im:write", "users.profile:read"}))
    ended = await run("doctor", env=env, cwd=tmp_path)
    assert lines(ended)["Slack"].startswith("✗ Slack: the app lacks the scopes im:write, users.profile:read.")


async def test_another_signing_secret_than_the_running_bots_is_noticed(env: dict[str, str], tmp_path: Path) -> None:
    async with serving(env, tmp_path):
        ended = await run("doctor", env={**env, "USHER_SLACK_SIGNING_SECRET": "quite-another-secret"}, cwd=tmp_path)
    assert "the running bot has another USHER_SLACK_SIGNING_SECRET" in lines(ended)["Events from Slack"]
    assert "quite-another" not in ended.out + ended.err


async def test_with_socket_mode_slack_is_asked_for_a_connection(env: dict[str, str], tmp_path: Path) -> None:
    for token, said in (
        ("xapp-playground", "✓"),
        ("xapp-wrong", "✗ Slack: no Socket Mode with USHER_SLACK_APP_TOKEN"),
    ):
        ended = await run("doctor", env={**env, "USHER_SLACK_APP_TOKEN": token}, cwd=tmp_path)
        assert lines(ended)["Events from Slack"].startswith(said)


@pytest.mark.parametrize("valid", [True, False])
async def test_sonarqubes_token_is_tried(env: dict[str, str], tmp_path: Path, valid: bool) -> None:
    async with TestServer(EmulatedSonarQubeCloud("squ_the-good-one").app) as sonarqube:
        token = "squ_the-good-one" if valid else "squ_not-this-one"
        asked = {"USHER_SONARQUBE_TOKEN": token, "USHER_SONARQUBE_API_URL": str(sonarqube.make_url(""))}
        ended = await run("doctor", env=env | asked, cwd=tmp_path)
    assert lines(ended)["SonarQube Cloud"].startswith("✓" if valid else "✗ ")
    assert token not in ended.out + ended.err


@asynccontextmanager
async def answering(**pages: web.Response) -> AsyncIterator[str]:
    """A server that is not the bot."""
    app = web.Application()

    async def said(request: web.Request) -> web.Response:
        return pages[request.path.removeprefix("/")]

    for name in pages:
        app.router.add_get(f"/{name}", said)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_a_public_address_that_leads_elsewhere_is_noticed() -> None:
    async with answering(about=web.Response(text="Welcome to nginx!")) as url:
        assert "is not SSO Usher (200 at /about)" in await address_fault(url, about.PAGE)
    async with answering() as url:
        assert "is not SSO Usher (404 at /about)" in await address_fault(url, about.PAGE)
    async with answering(about=web.Response(text=about.PAGE)) as url:
        assert await address_fault(url, about.PAGE) == ""
    assert "does not answer" in await address_fault(f"http://127.0.0.1:{unused_port()}", about.PAGE)


async def test_figures_that_everybody_can_read_are_noticed() -> None:
    async with answering(metrics=web.Response(text="usher_deliveries_total 1")) as url:
        assert await is_open_to_everybody(url)
    async with answering() as url:
        assert not await is_open_to_everybody(url)
    assert not await is_open_to_everybody(f"http://127.0.0.1:{unused_port()}")


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (timedelta(seconds=50), ""),
        (timedelta(seconds=-50), ""),
        (timedelta(minutes=4), "seconds ahead. Set it by NTP"),
        (timedelta(minutes=-4), "seconds behind. Set it by NTP"),
    ],
)
async def test_a_clock_that_is_wrong_is_noticed(off: timedelta, said: str) -> None:
    async with answering(time=web.Response(text="now")) as url:
        fault = await clock_fault(f"{url}/time", SystemClock().now() + off)
    assert fault is not None
    assert said in fault
    assert bool(fault) == bool(said)


@pytest.mark.parametrize("date", ["yesterday", ""])
async def test_where_nobody_tells_the_time_nothing_is_claimed(date: str) -> None:
    async with answering(time=web.Response(headers={"Date": date})) as url:
        assert await clock_fault(f"{url}/time", SystemClock().now()) is None
    assert await clock_fault(f"http://127.0.0.1:{unused_port()}", SystemClock().now()) is None
