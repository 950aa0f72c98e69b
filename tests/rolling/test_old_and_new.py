"""An upgrade without a pause: a replica of the version before and one of this version on one database.

The old one is the code of an older commit, run with today's libraries. `make rolling` runs this; it needs the history.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from aiohttp import ClientSession

from adapters.playground.demo import Playground
from bot.clock import MovableClock
from storage import migrate
from tests.e2e.on_slack import OnSlack
from tests.e2e.rollouts import confirms_everything, invites, sets_up
from tests.serve.usher import START_WITHIN, Serving, environment, serving

ROOT = Path(__file__).parents[2]
OLD = "16207dfc3d457480919f0f566d0b6f6e14bb206f"  # before migration 0017
OLD_REVISION = "0016"


@pytest.fixture(scope="session")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rooms as they were."""
    directory = tmp_path_factory.mktemp("old")
    rooms = ["bot", "adapters", "storage", "manifest"]
    archive = subprocess.run(["git", "archive", OLD, *rooms], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(directory, filter="data")
    return directory


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    playground = Playground(MovableClock())
    async with playground.slack.serving(), playground.teams.running():
        yield playground


async def ready(running: Serving) -> Serving:
    """When Slack has been asked who the bot is."""
    deadline = monotonic() + START_WITHIN
    async with ClientSession() as session:
        while (await session.get(f"{running.url}/readyz")).status != 200:
            assert monotonic() < deadline
    return running


@asynccontextmanager
async def old_serving(code: Path, env: dict[str, str], cwd: Path) -> AsyncIterator[Serving]:
    """`usher serve` of the older commit."""
    async with serving({**env, "PYTHONPATH": str(code)}, cwd, [sys.executable, "-P", "-m", "adapters"]) as running:
        yield running


def shown(playground: Playground) -> list[str]:
    """The delivery id of every message that has one, as often as it was shown."""
    channels = playground.slack.world.channels.values()
    return [
        each.metadata["event_payload"]["delivery"] for place in channels for each in place.messages if each.metadata
    ]


async def test_both_versions_work_side_by_side_and_nothing_is_sent_twice(
    old_code: Path, playground: Playground, postgresql_url: str, tmp_path: Path
) -> None:
    env = environment(playground.settings(postgresql_url))
    admin, first, second, third = (OnSlack(playground.slack, each) for each in ("olivia", "alice", "bob", "emil"))
    await migrate.downgrade(postgresql_url, OLD_REVISION)

    async with old_serving(old_code, env, tmp_path) as old:
        playground.point_at((await ready(old)).url)
        assert await migrate.current(postgresql_url) == OLD_REVISION
        await sets_up(admin)
        await invites(admin, first, second)

        async with serving(env, tmp_path) as new:
            assert await migrate.current(postgresql_url) == migrate.newest()
            await confirms_everything(first)  # by the old one, on the new tables
            playground.point_at((await ready(new)).url)
            await confirms_everything(second)
            await admin.types("/sso status")
            await admin.reads("2 of 2 done")
            playground.point_at(old.url)
            await invites(admin, third)  # rows without what the old version does not know
            playground.point_at(new.url)
            await admin.types("/sso status")
            await admin.presses("Charts")
            await admin.reads("How far people got")
            assert await old.stopped() == 0
            await confirms_everything(third)
            await admin.types("/sso status")
            await admin.reads("3 of 3 done")

    sent = shown(playground)
    assert len(sent) == len(set(sent))


async def test_the_old_version_starts_again_on_the_new_tables(
    old_code: Path, playground: Playground, postgresql_url: str, tmp_path: Path
) -> None:
    """A pod that is moved in the middle of the upgrade, or the way back."""
    env = environment(playground.settings(postgresql_url))
    admin, invitee = (OnSlack(playground.slack, each) for each in ("olivia", "alice"))
    async with serving(env, tmp_path) as new:
        playground.point_at((await ready(new)).url)
        await sets_up(admin)
        assert await new.stopped() == 0
    async with old_serving(old_code, env, tmp_path) as old:
        playground.point_at((await ready(old)).url)
        assert await migrate.current(postgresql_url) == migrate.newest()
        await asyncio.wait_for(invites(admin, invitee), 60)
        await confirms_everything(invitee)
        await admin.types("/sso status")
        await admin.reads("1 of 1 done")
