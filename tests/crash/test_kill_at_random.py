"""kill -9 at ten random moments while 200 invitations go out and the platform fails as platforms do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from adapters.playground.slack.faults import answers, rate_limited, reset_after_acceptance
from adapters.playground.teams.faults import Fault
from bot.model import DeliveryKind, DeliveryState
from bot.ports import Reason
from tests.crash.stage import Stage, slack_alone, teams_alone

PEOPLE, KILLS = 200, 10
IN_FLIGHT = 10
THROTTLED, BROKEN, LOST = 0.05, 0.01, 0.002  # of all calls that send
WITHIN = 60.0  # seconds; it takes about ten


@pytest.mark.parametrize("seed", [1])
async def test_slack_loses_nothing_and_shows_nothing_twice(seed: int, database_url: str, tmp_path: Path) -> None:
    async with slack_alone(database_url, tmp_path / "bot.log") as stage:
        slack = stage.playground.slack
        people = slack.add_people(PEOPLE, into_group="everybody")
        await stage.story.set_up()
        await stage.story.look_up("@everybody")
        slack.faults.seed(seed)
        slack.faults.sometimes("chat.postMessage", rate_limited(1), THROTTLED)
        slack.faults.sometimes("chat.postMessage", answers(503), BROKEN / 2)
        slack.faults.sometimes("chat.postMessage", answers(500, accepted=True), BROKEN / 2)
        slack.faults.sometimes("chat.postMessage", reset_after_acceptance(), LOST)
        await stage.story.invite()

        await _kill_while(stage, lambda: len(stage.slack_deliveries()), seed)
        await stage.story.settled()

        shown = stage.slack_deliveries()
        invited = [each for user in people for each in slack.person(user.id).direct_messages]
        assert len(invited) == PEOPLE
        assert set(shown.values()) == {1}
        assert sorted(shown) == sorted(await stage.ledger.sent())


@pytest.mark.parametrize("seed", [1])
async def test_teams_shows_nothing_twice_and_everything_is_accounted_for(
    seed: int, database_url: str, tmp_path: Path
) -> None:
    async with teams_alone(database_url, tmp_path / "bot.log") as stage:
        teams, admin = stage.playground.teams, stage.story.admin
        people = {each.name for each in teams.add_people(PEOPLE)}
        await stage.story.set_up()
        await stage.story.look_up("team")
        teams.faults.random.seed(seed)
        teams.faults.sometimes("send", THROTTLED, Fault("status", 429, 1))
        teams.faults.sometimes("send", BROKEN, Fault("status", 503))
        teams.faults.sometimes("send", LOST, Fault("reset_after"))
        await stage.story.invite()

        await _kill_while(stage, lambda: stage.teams_deliveries().total(), seed)
        await stage.story.settled()
        teams.faults.clear()

        shown, known = stage.teams_deliveries(), await stage.ledger.may_have_arrived()
        assert set(shown.values()) == {1}
        assert set(shown) <= set(known)
        assert {name for name, _ in known} >= people
        assert set(await stage.ledger.states()) <= {DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.DEAD}
        unknown = await stage.ledger.unknown()
        assert 0 < unknown[Reason.INTERRUPTED] <= KILLS * IN_FLIGHT
        lost = unknown[Reason.INTERRUPTED]
        told = f"{lost} {'message' if lost == 1 else 'messages'}: it may or may not have arrived"
        await stage.story.insists(lambda: admin.says("status"), lambda: admin.messages(told))

        await stage.story.days_pass(lambda: _everybody_reached(stage, people))
        assert max(stage.teams_deliveries().values()) == 1


def _everybody_reached(stage: Stage, people: set[str]) -> bool:
    shown = stage.teams_deliveries()
    return all(shown[name, DeliveryKind.REMINDER] for name in people)


async def _kill_while(stage: Stage, arrived: Callable[[], int], seed: int) -> None:
    """Kill each time when so many messages more have arrived; and in between wherever that meets the bot."""
    chance = random.Random(seed)
    begun = arrived()
    deadline = monotonic() + WITHIN
    for many in sorted(chance.sample(range(1, PEOPLE * 9 // 10), KILLS)):
        while arrived() - begun < many:
            assert monotonic() < deadline, f"only {arrived() - begun} of {many} arrived"
            await asyncio.sleep(chance.uniform(0.001, 0.01))
        await stage.bot.killed()
    assert stage.bot.deaths == KILLS
