"""The bot at work for a long time, while both platforms fail as platforms do: what it takes of the machine stays the
same, and nothing is left open.

It runs in a process of its own on PostgreSQL, with a clock that is ten times as fast. Day after day new people are
invited on both platforms; most confirm, some have a problem that an admin answers, some do nothing and are reminded,
and the admins look at the status.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from resource import getpagesize
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic

from adapters.bench.databases import databases
from adapters.bench.figures import Figure, compared, figure
from adapters.bench.kills.at_random import trouble_on_slack, trouble_on_teams
from adapters.bench.kills.colleagues import INVITATION, Colleague, OnSlack, OnTeams
from adapters.bench.kills.stage import Stage, both_platforms
from adapters.bench.kills.story import Story
from adapters.bench.size import Size

A_DAY_OF = 20  # people who are invited each day on each platform
SAMPLED_EVERY = 0.5  # seconds
WARM_UP = 0.5  # of the time, in which caches fill; what is measured then is what the rest is compared with
SEED = 1
PASSED_ON = "I have passed this on to the admins"
# What asyncio, aiohttp, aiosqlite, SQLAlchemy and the interpreter say of what nobody closed, awaited or looked at.
LEFT_OPEN = re.compile(
    r"[Uu]nclosed |was destroyed but|never awaited|never retrieved|ResourceWarning|garbage collector"
)
_PAGE = getpagesize()
FAILED = re.compile(r'"level": "(error|critical)"|^Traceback')


@dataclass
class Taken:
    """What the process had of the machine, looked at again and again."""

    pid: int
    memory: list[float] = field(default_factory=list)  # MB
    files: list[int] = field(default_factory=list)

    async def watch(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(SAMPLED_EVERY)
            process = Path("/proc") / str(self.pid)
            pages = int((process / "statm").read_text().split()[1])
            self.memory.append(pages * _PAGE / 2**20)
            self.files.append(sum(1 for _ in (process / "fd").iterdir()))


class Office:
    """The people of one platform, one day after the other."""

    def __init__(
        self, story: Story, newcomers: Callable[[], Sequence[Colleague]], group: str, one_problem: asyncio.Lock
    ) -> None:
        self._story = story
        self._one_problem = one_problem  # at a time, for the admins are told of those on both platforms
        self._newcomers = newcomers
        self._group = group
        self._idle: list[Colleague] = []
        self.invited = 0

    async def day(self) -> None:
        """New people come, and everybody does what they do."""
        story, admin, people = self._story, self._story.admin, self._newcomers()
        await story.look_up(self._group)
        await story.insists(admin.agrees, lambda: sum(_reached(each) for each in people) >= len(people) * 0.9)
        self.invited += sum(_reached(each) for each in people)
        done, troubled, idle = people[: len(people) * 3 // 4], people[-2], people[-1]
        await asyncio.gather(*(story.confirm(each) for each in done if _reached(each)))
        if _reached(troubled):
            async with self._one_problem:
                await story.fills_in(
                    troubled, lambda: troubled.presses("I have a problem"), lambda: troubled.messages(PASSED_ON)
                )
                await story.fills_in(admin, lambda: admin.presses("Answer"), lambda: not _must_answer(admin))
            await story.confirm(troubled)
        self._idle.append(idle)
        for command in ("status", "help", "problems"):
            await admin.says(command)
        await asyncio.gather(*(story.confirm(each) for each in self._idle[:-5] if _reached(each)))
        del self._idle[:-5]


def _must_answer(admin: Colleague) -> bool:
    return admin.has_form() or admin.may_press("Answer")


def _reached(who: Colleague) -> bool:
    return who.messages(INVITATION) > 0


def _offices(stage: Stage, on_teams: Story) -> tuple[Office, Office]:
    slack, teams = stage.playground.slack, stage.playground.teams

    def on_slack() -> list[Colleague]:
        return [OnSlack(slack.person(each.id)) for each in slack.add_people(A_DAY_OF, into_group="everybody")]

    def in_team() -> list[Colleague]:
        return [OnTeams(teams.person(each.key)) for each in teams.add_people(A_DAY_OF)]

    one_problem = asyncio.Lock()
    return (
        Office(stage.story, on_slack, "@everybody", one_problem),
        Office(on_teams, in_team, "team", one_problem),
    )


@asynccontextmanager
async def _watched(pid: int) -> AsyncIterator[Taken]:
    taken = Taken(pid)
    watching = asyncio.create_task(taken.watch())
    try:
        yield taken
    finally:
        watching.cancel()


def _matching(pattern: re.Pattern[str], lines: Sequence[str]) -> int:
    return sum(pattern.search(each) is not None for each in lines)


async def measured(size: Size) -> AsyncIterator[Figure]:
    """On PostgreSQL where there is one."""
    async with databases(size.database_url) as urls:
        url = urls.get("PostgreSQL", urls["SQLite"])
        with TemporaryDirectory(prefix="usher-bench-") as directory:
            async for each in soaked(url, Path(directory) / "bot.log", size.minutes):
                yield each


async def soaked(url: str, log: Path, minutes: float) -> AsyncIterator[Figure]:
    """So many minutes. `log` is the file that the bot's process writes to."""
    async with both_platforms(url, log) as (stage, on_teams):
        offices = _offices(stage, on_teams)
        await stage.story.set_up()
        trouble_on_slack(stage, SEED)
        trouble_on_teams(stage, SEED)
        async with _watched(stage.bot.pid) as taken:
            days, end = 0, monotonic() + minutes * 60
            while monotonic() < end:
                await asyncio.gather(*(each.day() for each in offices))
                stage.bot.move(timedelta(days=1))
                days += 1
        exit_code = await stage.bot.leaves()
    name = f"soak, {minutes:g} minutes, {days} days, {sum(each.invited for each in offices)} people"
    warm = int(len(taken.memory) * WARM_UP)
    late = len(taken.memory) * 3 // 4
    before, after = median(taken.memory[warm:late]), median(taken.memory[late:])
    yield compared(f"{name}: memory in the last quarter, beside the one before", after, "MB", before, "<= 1.05")
    files_before, files_after = median(taken.files[warm:late]), median(taken.files[late:])  # a peak is load, no leak
    yield compared(f"{name}: open files, the same way", files_after, "", files_before, "<= 1.1")
    said = log.read_text().splitlines()  # noqa: ASYNC240  # the bot has stopped
    yield figure(f"{name}: left open, as the log says", _matching(LEFT_OPEN, said), "lines", "<= 0")
    yield figure(f"{name}: errors in the log", _matching(FAILED, said), "lines", "<= 0")
    yield figure(f"{name}: deaths", stage.bot.deaths + (exit_code != 0), "", "<= 0")
    shown = stage.slack_deliveries()
    yield figure(f"{name}: shown twice in Slack", shown.total() - len(shown), "messages", "<= 0")
