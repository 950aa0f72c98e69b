from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from adapters.teams.connector import Connector
from adapters.teams.credentials import BotCredentials
from tests.adapters.teams.microsoft_fake import APP_ID, PASSWORD, TENANT, Microsoft


@pytest.fixture
async def microsoft() -> AsyncIterator[Microsoft]:
    fake = Microsoft()
    async with TestServer(fake.app()) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
def credentials(microsoft: Microsoft, session: ClientSession) -> BotCredentials:
    return BotCredentials(APP_ID, PASSWORD, TENANT, session, token_url=microsoft.token_url)


@pytest.fixture
def connector(session: ClientSession, credentials: BotCredentials) -> Connector:
    return Connector(session, credentials, allow_loopback=True)
