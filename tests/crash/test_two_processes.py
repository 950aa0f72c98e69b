"""Two processes on one PostgreSQL: whatever reaches both of them, or is due for both, happens once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adapters.bench.kills.colleagues import INVITATION, REMINDER
from adapters.bench.kills.stage import slack_alone, teams_alone
from bot.model import DeliveryKind, DeliveryState

PEOPLE = 40


async def test_on_slack(postgresql_url: str, tmp_path: Path) -> None:
    async with slack_alone(postgresql_url, tmp_path / "bot.log", replicas=2) as stage:
        slack, story, (one, other) = stage.playground.slack, stage.story, stage.urls
        people = [slack.person(user.id) for user in slack.add_people(PEOPLE, into_group="everybody")]
        olivia = slack.person("olivia")
        stage.playground.point_at(one)
        await story.set_up()
        stage.playground.point_at(other)
        await story.look_up("@everybody")
        proposal = olivia.direct_messages[-1].snapshot()

        async def agree(at: str) -> None:
            stage.playground.point_at(at)
            await olivia.presses(proposal, "Send to ")

        await asyncio.gather(agree(one), agree(other))
        await story.settled()
        await story.days_pass(lambda: all(_count(each, REMINDER) for each in people))
        before = len(olivia.direct_messages) + len(olivia.whispers)
        await olivia.types("sso status")
        stage.playground.point_at(one)
        await slack.events.redeliver()
        await story.happens(lambda: len(olivia.direct_messages) + len(olivia.whispers) > before + 1)

        assert all((_count(each, INVITATION), _count(each, REMINDER)) == (1, 1) for each in people)
        assert set(stage.slack_deliveries().values()) == {1}
        assert len(olivia.direct_messages) + len(olivia.whispers) == before + 1
        assert set(await stage.ledger.states()) == {DeliveryState.SENT}


async def test_on_teams(postgresql_url: str, tmp_path: Path) -> None:
    async with teams_alone(postgresql_url, tmp_path / "bot.log", replicas=2) as stage:
        teams, story, (one, other) = stage.playground.teams, stage.story, stage.urls
        people = [each.name for each in teams.add_people(PEOPLE)]
        adele = teams.person("adele")
        stage.playground.point_at(one)
        await story.set_up()
        stage.playground.point_at(other)
        await story.look_up("team")
        pressed = len(teams.deliveries)
        await story.admin.agrees()
        stage.playground.point_at(one)
        await teams.redeliver(teams.deliveries[pressed])
        await story.settled()
        shown = stage.teams_deliveries
        await story.days_pass(lambda: all(shown()[name, DeliveryKind.REMINDER] for name in people))
        before = len(adele.chat)
        asked = await adele.types("status")
        stage.playground.point_at(other)
        await teams.redeliver(asked)
        await story.happens(lambda: len(adele.chat) > before + 2)

        assert set(shown().values()) == {1}
        assert len(adele.chat) == before + 2  # the question, and one answer
        assert not (await stage.ledger.states())[DeliveryState.UNKNOWN]


def _count(person: object, words: str) -> int:
    return sum(words in each.visible for each in person.direct_messages)  # type: ignore[attr-defined]
