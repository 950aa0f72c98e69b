"""A freshly opened office for each test, on each database; stories that use `chat` are told on each platform."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.e2e.office import Chat, Office


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with Office(database_url).opened() as office:
        yield office


@pytest.fixture(params=["slack", "teams"])
def chat(request: pytest.FixtureRequest, office: Office) -> Chat:
    return Chat(request.param, office)
