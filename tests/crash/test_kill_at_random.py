"""kill -9 at ten random moments while 200 invitations go out and the platform fails as platforms do: `usher bench crash`,
small.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from adapters.bench.crash import on_slack, on_teams
from adapters.bench.figures import Figure
from adapters.bench.kills.at_random import Killing

KILLING = Killing(people=200, kills=10, seed=1, within=60.0)


async def promises_kept(figures: AsyncIterator[Figure]) -> int:
    """How many; how long it took is told by the bench, and is the machine's affair here."""
    measured = [each async for each in figures if each.unit != "s"]
    assert all(each.ok for each in measured), measured
    return len(measured)


async def test_slack_loses_nothing_and_shows_nothing_twice(database_url: str, tmp_path: Path) -> None:
    assert await promises_kept(on_slack(database_url, tmp_path / "bot.log", KILLING)) == 3


async def test_teams_shows_nothing_twice_and_everything_is_accounted_for(database_url: str, tmp_path: Path) -> None:
    assert await promises_kept(on_teams(database_url, tmp_path / "bot.log", KILLING)) == 5
