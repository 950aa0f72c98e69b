"""Four processes on one PostgreSQL while 300 invitations go out: they keep the workspace's limit together, and when the
one that sends is killed, or is told to stop, another goes on. Nobody starts those again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.bench.kills.stage import Stage, slack_alone, teams_alone
from adapters.bench.kills.story import SETTLED_WITHIN
from adapters.playground.teams.tenant import Conversation
from adapters.slack.platform import LIMITS as SLACK
from adapters.teams.platform import LIMITS as TEAMS
from bot.model import DeliveryKind, DeliveryState
from bot.ports import Reason

REPLICAS, PEOPLE = 4, 300
TAKEN_OVER_WITHIN = 30.0  # seconds of the bot's time, which is ten times as fast
WINDOW = 10.0
BUNCHED = 1.1  # the machine is busy: what left evenly may arrive together


async def senders_go(stage: Stage, arrived: Callable[[], int]) -> None:
    """The sender is killed twice and told to stop once, each time after some more have arrived."""
    replicas = [stage.bot, *stage.bot.replicas]
    for turn, how in enumerate(("dies", "dies", "leaves"), start=1):
        await stage.story.arrives(partial(_so_many, arrived, turn * PEOPLE // 5))
        sender = await stage.ledger.sender()
        (bot,) = (each for each in replicas if each.pid == sender)
        replicas.remove(bot)
        stage.playground.point_at(replicas[0].url)
        if how == "dies":
            await bot.dies_for_good()
        else:
            assert await bot.leaves() == 0


def _so_many(arrived: Callable[[], int], many: int) -> bool:
    return arrived() >= many


async def settled(stage: Stage) -> None:
    """The last process has done everything; where the platform can be asked, it has asked what is unclear."""
    async with asyncio.timeout(SETTLED_WITHIN):
        while await stage.ledger.on_its_way(stage.bot.now(), unknown=stage.bot.can_find):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def one_limit(arrived: Sequence[float], per_second: float, burst: int) -> None:
    """No more than one process may send, and never a long pause."""
    most = max(sum(begin <= each < begin + WINDOW for each in arrived) for begin in arrived)
    assert most <= (WINDOW * per_second + burst) * BUNCHED, most
    gaps = [later - earlier for earlier, later in pairwise(arrived[: PEOPLE * 9 // 10])]
    assert max(gaps) < TAKEN_OVER_WITHIN, max(gaps)


@pytest.mark.crossed
async def test_on_slack(postgresql_url: str, tmp_path: Path) -> None:
    async with slack_alone(postgresql_url, tmp_path / "bot.log", replicas=REPLICAS) as stage:
        slack, story = stage.playground.slack, stage.story
        users = slack.add_people(PEOPLE, into_group="everybody")
        await story.set_up()
        await story.look_up("@everybody")
        await story.admin.agrees()
        await senders_go(stage, lambda: len(stage.slack_deliveries()))
        await settled(stage)

        shown = [each for user in users for each in slack.person(user.id).direct_messages]
        one_limit(sorted(float(each.ts) for each in shown), SLACK.per_second, SLACK.burst)
        assert set(stage.slack_deliveries().values()) == {1}
        assert len(shown) == PEOPLE
        assert set(await stage.ledger.states()) == {DeliveryState.SENT}


async def test_on_teams(postgresql_url: str, tmp_path: Path) -> None:
    async with teams_alone(postgresql_url, tmp_path / "bot.log", replicas=REPLICAS) as stage:
        teams, story = stage.playground.teams, stage.story
        people = {each.name for each in teams.add_people(PEOPLE)}
        arrived: list[float] = []
        teams.tenant.bot_wrote.append(lambda chat, _: arrived.append(_moment(stage, chat, people)))
        await story.set_up()
        await story.look_up("team")
        await story.admin.agrees()
        await senders_go(stage, lambda: len(stage.teams_deliveries()))
        await settled(stage)

        one_limit([each for each in arrived if each], TEAMS.per_second, TEAMS.burst)
        shown = stage.teams_deliveries()
        assert set(shown.values()) == {1}
        unknown = await stage.ledger.unknown()
        assert set(unknown) <= {Reason.INTERRUPTED}
        assert unknown.total() <= 2 * TEAMS.in_flight, "the third was told to stop, and finished"
        known = await stage.ledger.may_have_arrived()
        assert all(known[name, DeliveryKind.INVITATION] for name in people)


def _moment(stage: Stage, chat: Conversation, people: set[str]) -> float:
    """When it came, by the bot's clock; 0 when it came to nobody of these."""
    return stage.bot.now().timestamp() if chat.account is not None and chat.account.name in people else 0.0
