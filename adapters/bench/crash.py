"""kill -9 at 50 random moments within a rollout to 10,000 people, while the platform fails as platforms do.

The bot runs in a process of its own on PostgreSQL, with a clock that is ten times as fast; so are its rates. Slack
can be asked what has arrived: nothing is lost and nothing is shown twice. Teams cannot: nothing is shown twice, what
was being sent at a kill is unknown, the admin is told how many, and a reminder reaches everybody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from adapters.bench.databases import databases
from adapters.bench.figures import Figure, figure
from adapters.bench.kills.at_random import Killing, kill_while, trouble_on_slack, trouble_on_teams
from adapters.bench.kills.hurried_clock import SPEED
from adapters.bench.kills.stage import Stage, slack_alone, teams_alone
from adapters.bench.size import Size
from adapters.teams.platform import LIMITS as TEAMS
from bot.model import DeliveryKind
from bot.ports import Reason

PEOPLE, KILLS = 10_000, 50
SEED = 1
SETTLED_WITHIN = 120.0  # seconds of the bot's time after its last start
PER_PERSON = 0.3  # seconds of real time, with much room: what is slower has come to a stop


async def measured(size: Size) -> AsyncIterator[Figure]:
    """Both platforms, on PostgreSQL where there is one."""
    people = size.of(PEOPLE, at_least=100)
    killing = Killing(people, size.of(KILLS, at_least=3), SEED, 60 + people * PER_PERSON)
    async with databases(size.database_url) as urls:
        url = urls.get("PostgreSQL", urls["SQLite"])
        with TemporaryDirectory(prefix="usher-bench-") as directory:
            async for each in on_slack(url, Path(directory) / "slack.log", killing):
                yield each
    async with databases(size.database_url) as urls:
        url = urls.get("PostgreSQL", urls["SQLite"])
        with TemporaryDirectory(prefix="usher-bench-") as directory:
            async for each in on_teams(url, Path(directory) / "teams.log", killing):
                yield each


async def on_slack(url: str, log: Path, killing: Killing) -> AsyncIterator[Figure]:
    """What came of it on Slack. `log` is the file that the bot's processes write to."""
    async with slack_alone(url, log, settled_within=killing.within) as stage:
        slack = stage.playground.slack
        users = slack.add_people(killing.people, into_group="everybody")
        await stage.story.set_up()
        await stage.story.look_up("@everybody")
        trouble_on_slack(stage, killing.seed)
        await stage.story.invite()
        await kill_while(stage, lambda: len(stage.slack_deliveries()), killing)
        name, seconds = _name("slack", killing), await _settled(stage)
        invited = sum(bool(slack.person(user.id).direct_messages) for user in users)
        shown = stage.slack_deliveries()
        yield figure(f"{name}: lost", killing.people - invited, "messages", "<= 0")
        yield figure(f"{name}: shown twice", sum(many - 1 for many in shown.values()), "messages", "<= 0")
        untrue = set(shown) ^ set(await stage.ledger.sent())
        yield figure(f"{name}: shown and not known, or known and not shown", len(untrue), "messages", "<= 0")
        yield figure(f"{name}: settled after the last start", seconds, "s", f"<= {SETTLED_WITHIN:.0f}")


async def on_teams(url: str, log: Path, killing: Killing) -> AsyncIterator[Figure]:
    """What came of it on Teams, up to the reminder that repairs what is unknown."""
    async with teams_alone(url, log, settled_within=killing.within) as stage:
        teams, admin = stage.playground.teams, stage.story.admin
        people = {each.name for each in teams.add_people(killing.people)}
        await stage.story.set_up()
        await stage.story.look_up("team")
        trouble_on_teams(stage, killing.seed)
        await stage.story.invite()
        await kill_while(stage, lambda: stage.teams_deliveries().total(), killing)
        name, seconds = _name("teams", killing), await _settled(stage)
        teams.faults.clear()
        shown = stage.teams_deliveries()
        yield figure(f"{name}: shown twice", sum(many - 1 for many in shown.values()), "messages", "<= 0")
        yield figure(f"{name}: settled after the last start", seconds, "s", f"<= {SETTLED_WITHIN:.0f}")

        unknown = (await stage.ledger.unknown())[Reason.INTERRUPTED]
        at_most = TEAMS.in_flight * killing.kills
        yield figure(f"{name}: unknown", unknown, "messages", f"<= {at_most}")
        told = f"{unknown} {'message' if unknown == 1 else 'messages'}: it may or may not have arrived"
        await stage.story.insists(lambda: admin.says("status"), lambda: not unknown or admin.messages(told))
        known = {who for who, _ in await stage.ledger.may_have_arrived()} | await stage.ledger.failed()
        yield figure(f"{name}: neither sent, unknown nor failed", len(people - known), "people", "<= 0")

        await stage.story.days_pass(lambda: not _missing(stage, people))
        yield figure(f"{name}: not reached after one reminder", _missing(stage, people), "people", "<= 0")
        twice = sum(many - 1 for many in stage.teams_deliveries().values())
        yield figure(f"{name}: shown twice, reminders included", twice, "messages", "<= 0")


async def _settled(stage: Stage) -> float:
    """Seconds of the bot's time since it was last started."""
    await stage.bot.up.wait()
    begun = monotonic()
    await stage.story.settled()
    return (monotonic() - begun) * SPEED


def _missing(stage: Stage, people: set[str]) -> int:
    shown = stage.teams_deliveries()
    return sum(not shown[name, DeliveryKind.REMINDER] for name in people)


def _name(platform: str, killing: Killing) -> str:
    return f"crash, {platform}, {killing.people:,} people, {killing.kills} kills"
