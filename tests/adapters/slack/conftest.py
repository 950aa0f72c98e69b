"""The Slack adapter in front of the emulated workspace: real signed requests, real Web API calls, over loopback."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from adapters.playground.slack import SlackEmulator
from adapters.slack.adapter import SlackAdapter, SlackConfig
from bot.clock import SystemClock
from bot.events import Event
from bot.model import Person, Workspace
from bot.ports import StoreUnavailable
from bot.transition import Reply

SECRET = "playground-signing-secret"
TOKEN = "xoxb-playground"


class Workspaces:
    """As much of bot.ports.Store as the Slack adapter uses: workspaces."""

    def __init__(self) -> None:
        self.rows: dict[str, Workspace] = {}
        self.down = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        if self.down:
            raise StoreUnavailable
        yield SimpleNamespace(people=self)

    async def workspace(self, workspace_id: str) -> Workspace | None:
        row = self.rows.get(workspace_id)
        return row.model_copy() if row else None

    async def save_workspace(self, workspace: Workspace) -> None:
        self.rows[workspace.id] = workspace


@dataclass
class Engine:
    """Remembers what it was told and answers what the test says: a reply, an exception, or a function of the event."""

    heard: list[Event] = field(default_factory=list)
    answer: Reply | Exception | Callable[[Any], Any] | None = None

    async def __call__(self, event: Event) -> Reply | None:
        self.heard.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        answer = self.answer(event) if callable(self.answer) else self.answer
        return await answer if inspect.isawaitable(answer) else answer

    @property
    def last(self) -> Any:
        return self.heard[-1]


@pytest.fixture
async def slack():
    async with SlackEmulator().serving() as emulator:
        yield emulator


@pytest.fixture
def store():
    return Workspaces()


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
def workspace(adapter, store):
    return next(iter(store.rows.values()))


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
