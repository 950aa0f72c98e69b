from collections.abc import AsyncIterator

import pytest

from adapters.playground.teams import TeamsEmulator
from tests.playground.teams.small_bot import SmallBot


class Hands:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 1_767_600_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def teams(clock: Hands) -> AsyncIterator[TeamsEmulator]:
    async with TeamsEmulator(now=clock).running() as emulator:
        yield emulator


@pytest.fixture
async def bot(teams: TeamsEmulator) -> AsyncIterator[SmallBot]:
    async with SmallBot(teams).running() as running:
        yield running
