"""Both emulators, waiting for a bot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.playground.demo import Playground
from bot.clock import MovableClock


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    """An emulated Slack workspace and Teams tenant."""
    playground = Playground(MovableClock())
    async with playground.slack.serving(), playground.teams.running():
        yield playground
