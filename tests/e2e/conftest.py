"""A freshly opened office for each test, on each database; stories that use `chat` are told on each platform."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.slack import inbound
from adapters.teams import profiles
from bot import engine
from tests.e2e.office import Chat, Office


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """These stories tell what happens, not how fast: on a machine that is busy otherwise, nobody gives up early."""
    monkeypatch.setattr(engine, "ANSWER_WITHIN", 20.0)
    monkeypatch.setattr(inbound, "ASK_WHO_WITHIN", 10.0)
    monkeypatch.setattr(profiles, "WAIT", 10.0)


@pytest.fixture
async def office(database_url: str, unhurried: None) -> AsyncIterator[Office]:
    async with Office(database_url).opened() as office:
        yield office


@pytest.fixture(params=["slack", "teams"])
def chat(request: pytest.FixtureRequest, office: Office) -> Chat:
    return Chat(request.param, office)
