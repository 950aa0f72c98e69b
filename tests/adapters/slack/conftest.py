"""The Slack adapter in front of the emulated workspace: real signed requests, real Web API calls, over loopback."""

from __future__ import annotations

import shutil

import pytest
from aiohttp import web

from adapters.playground.slack import SlackEmulator
from adapters.slack.adapter import SlackAdapter, SlackConfig
from bot.clock import SystemClock
from bot.model import Person
from storage.database import Database
from tests.adapters.slack.slack_under_test import SECRET, TOKEN, Engine, stored_workspace


@pytest.fixture
async def slack():
    async with SlackEmulator().serving() as emulator:
        yield emulator


@pytest.fixture
async def store(migrated_sqlite, tmp_path):
    """SQLite alone: what the adapter stores is one row, and both databases have tests of their own."""
    database = Database(f"sqlite:///{shutil.copyfile(migrated_sqlite, tmp_path / 'usher.db')}")
    yield database
    await database.close()


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
async def adapter(slack, engine, store):
    """Started, and served where the emulator finds it."""
    adapter = SlackAdapter(SlackConfig(TOKEN, SECRET, api_url=slack.api_url), engine, store, SystemClock())
    await adapter.start()
    application = web.Application()
    adapter.add_routes(application)
    runner = web.AppRunner(application, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.bot.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield adapter
    await runner.cleanup()
    await adapter.stop()


@pytest.fixture
async def workspace(adapter, store):
    return await stored_workspace(store)


@pytest.fixture
def person_of(slack, workspace):
    """The bot's Person for somebody of the emulated workspace."""

    def of(handle: str) -> Person:
        user = slack.person(handle).user
        return Person(
            id=Person.key(workspace.id, user.id),
            workspace_id=workspace.id,
            user_id=user.id,
            name=user.real_name,
            seen_at=workspace.installed_at,
        )

    return of
