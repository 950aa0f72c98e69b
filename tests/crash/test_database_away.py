"""The database is away for a minute while 200 invitations go out: the bot stays alive, says so, and goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.bench.kills.hurried_clock import SPEED
from adapters.bench.kills.stage import Stage, slack_alone, teams_alone
from bot.model import DeliveryKind
from bot.ports import Reason

PEOPLE = 200
A_MINUTE = 60.0 / SPEED  # of the bot's, in real seconds
AWAY = "I cannot reach my database right now"


async def minute_without(stage: Stage, server: Any, arrived: Any) -> None:
    """Stopped when a third has arrived, started a minute later."""
    story = stage.story
    await story.arrives(lambda: arrived() >= PEOPLE // 3)
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(A_MINUTE / 2)
    asked = story.admin.messages(AWAY)
    await story.insists(lambda: story.admin.says("status"), lambda: story.admin.messages(AWAY) > asked)
    before = arrived()
    await asyncio.sleep(A_MINUTE / 2)
    assert arrived() == before, "nothing is sent that cannot be noted"
    await asyncio.to_thread(server.start)
    await story.arrives(lambda: arrived() >= PEOPLE * 9 // 10)
    await story.settled()
    assert stage.bot.deaths == 0
    assert stage.bot.mishaps == []


@pytest.mark.crossed
async def test_on_slack(stoppable_postgresql: Any, tmp_path: Path) -> None:
    async with slack_alone(str(stoppable_postgresql.get_uri()), tmp_path / "bot.log") as stage:
        slack = stage.playground.slack
        users = slack.add_people(PEOPLE, into_group="everybody")
        await stage.story.set_up()
        await stage.story.look_up("@everybody")
        await stage.story.admin.agrees()
        await minute_without(stage, stoppable_postgresql, lambda: len(stage.slack_deliveries()))
        assert set(stage.slack_deliveries().values()) == {1}
        assert all(slack.person(each.id).direct_messages for each in users)


async def test_on_teams(stoppable_postgresql: Any, tmp_path: Path) -> None:
    async with teams_alone(str(stoppable_postgresql.get_uri()), tmp_path / "bot.log") as stage:
        people = {each.name for each in stage.playground.teams.add_people(PEOPLE)}
        await stage.story.set_up()
        await stage.story.look_up("team")
        await stage.story.admin.agrees()
        await minute_without(stage, stoppable_postgresql, lambda: len(stage.teams_deliveries()))
        assert set(stage.teams_deliveries().values()) == {1}
        assert set(await stage.ledger.unknown()) <= {Reason.INTERRUPTED}
        known = await stage.ledger.may_have_arrived()
        assert all(known[name, DeliveryKind.INVITATION] for name in people)
