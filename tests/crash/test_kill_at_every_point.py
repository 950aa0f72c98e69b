"""The bot is killed in each act of a rollout, at each of its fault points; it comes back, and the story goes on."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

import bot
import storage
from adapters.bench.kills.stage import slack_alone, teams_alone
from adapters.bench.kills.story import Plan
from bot import faultpoints
from bot.model import DeliveryState

PLANS: tuple[Plan, ...] = (
    {
        "set up": ("engine.after_inbox",),
        "look up": ("look_up.after_claim",),
        "invite": ("dispatcher.after_claim",),
        "remind": ("reminders.after_plan", "reminders.after_enqueue"),
        "answer": ("engine.after_commit",),
        "confirm": ("engine.before_commit",),
    },
    {
        "set up": ("engine.before_commit",),
        "look up": ("look_up.after_answer",),
        "invite": ("dispatcher.after_send",),
        "remind": ("reminders.after_plan_commit", "reminders.after_commit"),
        "report": ("engine.after_inbox",),
        "confirm": ("engine.after_commit",),
    },
    {
        "set up": ("engine.after_commit",),
        "look up": ("look_up.before_done",),
        "invite": ("dispatcher.before_settle_commit",),
        "remind": ("dispatcher.after_claim",),
        "answer": ("engine.before_commit",),
        "confirm": ("dispatcher.after_update",),
    },
    {
        "look up": ("look_up.after_list", "dispatcher.after_send"),
        "invite": ("wave.before_commit", "dispatcher.after_settle"),
        "remind": ("dispatcher.before_settle_commit",),
        "report": ("engine.after_commit",),
        "confirm": ("engine.after_inbox",),
    },
    {
        "look up": ("dispatcher.after_claim",),
        "invite": ("engine.after_commit", "wave.after_commit"),
        "remind": ("dispatcher.after_send",),
        "report": ("engine.before_commit",),
        "answer": ("engine.after_inbox", "engine.after_commit"),
    },
)
# where Slack can be asked what has become of a message: killed while sending, while asking, while sending again
SLACK_PLANS = (*PLANS, {"invite": ("dispatcher.after_claim", "dispatcher.after_find", "dispatcher.after_send")})


def test_every_fault_point_of_the_code_is_known() -> None:
    """Those of digests have a test of their own (tests/bot/test_digests.py): the story has none."""
    rooms = (Path(bot.__file__).parent, Path(storage.__file__).parent)
    sources = [path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py")]
    reached = {point for source in sources for point in re.findall(r'faultpoints\.reach\("([\w.]+)"\)', source)}
    assert reached == {*faultpoints.POINTS, *faultpoints.DIGEST_POINTS}


def test_every_fault_point_is_in_a_plan() -> None:
    assert {point for plan in SLACK_PLANS for point in chain(*plan.values())} == set(faultpoints.POINTS)


@pytest.mark.parametrize("plan", SLACK_PLANS)
async def test_on_slack_everybody_is_done_and_each_message_was_shown_once(
    plan: Plan, database_url: str, tmp_path: Path
) -> None:
    async with slack_alone(database_url, tmp_path / "bot.log") as stage:
        await stage.story.told("@engineering", plan)

        shown = stage.slack_deliveries()
        assert set(shown.values()) == {1}
        assert sorted(shown) == sorted(await stage.ledger.sent())


@pytest.mark.parametrize("plan", PLANS)
async def test_on_teams_everybody_is_done_and_no_message_was_shown_twice(
    plan: Plan, database_url: str, tmp_path: Path
) -> None:
    async with teams_alone(database_url, tmp_path / "bot.log") as stage:
        await stage.story.told("team", plan)

        shown, known = stage.teams_deliveries(), await stage.ledger.may_have_arrived()
        assert all(shown[each] <= known[each] for each in shown)
        assert not (await stage.ledger.states())[DeliveryState.SENDING]
