"""`usher demo --autoplay`: a whole rollout by itself, on both platforms, told in the terminal.

The people are the emulators' clients, pressing real buttons; the bot is the real one. Only time is hurried.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from adapters.playground.demo import Assemble, Playground, playing
from adapters.playground.invitees import Invitee, OnSlack, OnTeams
from adapters.server import Bot
from bot.conversations.bars import bar
from bot.model import CheckKind, DeliveryState, Rollout
from bot.ports import Reason, RolloutCounts

PATIENCE = 20.0  # seconds of real time for what should take one
LONGEST = timedelta(days=30)  # of simulated time
WILLING = 0.6  # of those who were just written to
SIGN_IN_CHECKS = ("I can see my organizations", "My tasks work as before")
UNREACHABLE = ("Isaiah Langer", "Lidia Holloway")  # of the emulated tenant: not installed, blocked
REASONS: dict[str, str] = {Reason.NOT_INSTALLED: "has not installed the app", Reason.BLOCKED: "has blocked the bot"}
TOKEN_CHECKS = ("I generated my token", "I don't use tokens")


async def autoplay(assembled: Assemble, console: Console, *, people: int = 60, seed: int = 7) -> int:
    """Play a rollout with `people` invitees; returns 0 when it ended as it should, 1 otherwise."""
    started = monotonic()
    with TemporaryDirectory(prefix="usher-demo-") as directory:
        async with playing(assembled, f"sqlite:///{Path(directory) / 'demo.db'}") as (playground, bot):
            story = Story(playground, bot, console, random.Random(seed))  # noqa: S311  # a story, not a secret
            well = await story.told(people)
    console.print(f"Took {monotonic() - started:.0f} seconds.")
    return 0 if well else 1


class Story:
    """The rollout, act by act."""

    def __init__(self, playground: Playground, bot: Bot, console: Console, chance: random.Random) -> None:
        self._slack, self._teams = playground.slack, playground.teams
        self._clock = playground.clock
        self._bot = bot
        self._console = console
        self._chance = chance
        self._answered: dict[str, int] = {}  # how many messages each had when they last looked

    async def told(self, people: int) -> bool:
        """All acts; True when everybody who can be reached, but one, is done."""
        invitees = await self._cast(people)
        self._clock.move(_until_monday_morning(self._clock.now()))
        await self._set_up()
        await self._invite_on_slack()
        await self._invite_on_teams()
        never = self._chance.choice([each for each in invitees if isinstance(each, OnSlack)])
        await self._until_done(invitees, never)
        return await self._ending(never)

    def _say(self, act: str, words: str) -> None:
        self._console.print(f"[bold cyan]{act:<9}[/] {words}")

    async def _cast(self, people: int) -> list[Invitee]:
        """Half in a Slack user group, half in a Teams team; beside those who are there from the beginning."""
        engineers = ["alice", "bob", "chen", "divya"]
        more = self._slack.add_people(max(people // 2 - len(engineers), 0), into_group="engineering")
        on_slack = [self._slack.person(handle) for handle in (*engineers, *(user.name for user in more))]
        accounts = self._teams.tenant.accounts
        there = [key for key, account in accounts.items() if not (account.guest or account.disabled)]
        added = self._teams.add_people(max(people - people // 2 - len(there), 0))
        on_teams = [self._teams.person(key) for key in (*there, *(account.key for account in added))]
        return [
            *(OnSlack(self._slack, each) for each in on_slack),
            *(OnTeams(each) for each in on_teams),
        ]

    async def _set_up(self) -> None:
        olivia = self._slack.person("olivia")
        await olivia.types("/sso setup")
        await self._slack.until(lambda: olivia.modal)
        await olivia.submits({"Enterprise name": "Acme Corp", "Enterprise key": "acme"})
        await olivia.submits({})
        await olivia.submits({"User groups": ["The user groups exist in SonarQube Cloud"]})
        await olivia.submits(
            {
                "How did people sign in before?": ["GitHub"],
                "Organizations": "acme-web\nacme-core",
                "Do people use personal access tokens?": "Yes",
            }
        )
        await olivia.submits({})
        await olivia.submits({})
        self._say("Setup", "Olivia set the rollout of Acme Corp up in Slack: JIT, GitHub before, tokens used.")

    async def _invite_on_slack(self) -> None:
        olivia = self._slack.person("olivia")
        await olivia.types("/sso invite @engineering")
        messages = await self._slack.until(lambda: [m for m in olivia.direct_messages if _send_label(m.buttons)])
        label = _send_label(messages[-1].buttons)
        await olivia.presses(messages[-1], label)
        self._say("Invite", f"Olivia typed /sso invite @engineering in Slack and pressed “{label}”.")

    async def _invite_on_teams(self) -> None:
        adele = self._teams.person("adele")
        await self._teams.install_in_team("adele")
        await adele.types_in("Builds", "@SSO Usher sso invite team")
        await self._teams.until(lambda: any(_send_label(each.buttons) for each in adele.chat))
        card = next(each for each in reversed(adele.chat) if _send_label(each.buttons))
        label = _send_label(card.buttons)
        await adele.presses(card, "Yes, go ahead")
        self._say("Invite", f"Adele wrote “sso invite team” in a Teams channel and pressed “{label}”.")

    async def _until_done(self, invitees: Sequence[Invitee], never: Invitee) -> None:
        """Days pass; each day some do what is asked, and the reminders find the others."""
        columns = (
            TextColumn("[bold cyan]{task.description:<9}[/]"),
            BarColumn(40),
            MofNCompleteColumn(),
            TextColumn("{task.fields[day]}"),
        )
        reachable = [each for each in invitees if each is not never and each.name not in UNREACHABLE]
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("Done", total=len(invitees), day="day 0")
            for day in range(LONGEST.days):
                await self._a_day(reachable, day)
                counts = await self._counts()
                progress.update(task, completed=counts.done, day=f"day {day}, {counts.reminders} reminders")
                if counts.done >= len(reachable):
                    return
                await self._night()

    async def _night(self) -> None:
        """A day passes in steps, so that working hours come round in every time zone."""
        for _ in range(3):
            self._clock.move(timedelta(hours=8))
            self._bot.wake()
            await asyncio.sleep(0.05)
            await self._settled()

    async def _a_day(self, people: Sequence[Invitee], day: int) -> None:
        """Most do it at once, the others some day; two have a problem first, which an admin answers."""
        if day == 1:
            await self._problems([each for each in people if not each.done()])
        for each in people:
            nudged = each.asked() > self._answered.get(each.name, 0)
            if nudged and self._chance.random() < WILLING:
                await each.presses(SIGN_IN_CHECKS[0])
                await each.presses(SIGN_IN_CHECKS[1])
                await each.presses(*self._chance.sample(TOKEN_CHECKS, 2))
            self._answered[each.name] = each.asked()

    async def _problems(self, people: Sequence[Invitee]) -> None:
        on_slack = next(each for each in people if isinstance(each, OnSlack))
        await on_slack.reports("I am asked for a code sent by e-mail", "The code never arrives.")
        on_teams = next(each for each in people if isinstance(each, OnTeams))
        await on_teams.reports("unknown_key", "The page says that the key is unknown.")
        await self._answer_problems()

    async def _answer_problems(self) -> None:
        olivia = self._slack.person("olivia")
        reported = await self._slack.until(lambda: [m for m in olivia.direct_messages if "Answer" in m.buttons])
        for message in reported:
            await olivia.presses(message, "Answer")
            await self._slack.until(lambda: olivia.modal)
            await olivia.submits({"Your answer": "I have looked into it; please try again."})
        self._say("Problems", f"{len(reported)} problems were passed to Olivia; she answered them.")

    async def _settled(self) -> None:
        """Wait until nothing is on its way."""
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            await asyncio.sleep(0.1)
            deliveries = (await self._counts()).deliveries or {}
            if not deliveries.get(DeliveryState.READY) and not deliveries.get(DeliveryState.SENDING):
                return

    async def _rollout(self) -> Rollout:
        async with self._bot.store.transaction() as tx:
            rollout = await tx.rollouts.current("default")
        assert rollout is not None
        return rollout

    async def _counts(self) -> RolloutCounts:
        rollout = await self._rollout()
        async with self._bot.store.transaction() as tx:
            return await tx.invitations.counts(rollout.id)

    async def _ending(self, never: Invitee) -> bool:
        counts, rollout = await self._counts(), await self._rollout()
        async with self._bot.store.transaction() as tx:
            missing = await tx.invitations.open_views(rollout.id, 100)
        self._console.print(_table(counts))
        for each in missing:
            self._say("Open", f"{each.person.name}: {REASONS.get(each.invitation.unreachable, 'never confirmed')}")
        reached_but_open = [each.person.name for each in missing if not each.invitation.unreachable]
        return reached_but_open == [never.name] and counts.invited == counts.done + len(missing)


def _until_monday_morning(now: datetime) -> timedelta:
    monday = (now + timedelta(days=7 - now.weekday())).replace(hour=8, minute=0, second=0, microsecond=0)
    return monday - now


def _send_label(buttons: Sequence[str]) -> str:
    return next((label for label in buttons if label.startswith("Send to ")), "")


def _table(counts: RolloutCounts) -> Table:
    table = Table(title="The rollout of Acme Corp", title_justify="left")
    table.add_column("")
    table.add_column("People", justify="right")
    table.add_column("", no_wrap=True)
    confirmed = counts.confirmed or {}
    rows = (
        ("Invited", counts.invited),
        ("Message arrived", counts.reached),
        ("Access confirmed", confirmed.get(CheckKind.ACCESS, 0)),
        ("Tasks confirmed", confirmed.get(CheckKind.TASKS, 0)),
        ("Token settled", confirmed.get(CheckKind.TOKEN, 0)),
        ("Done", counts.done),
    )
    for name, value in rows:
        table.add_row(name, str(value), bar(value, counts.invited))
    table.add_section()
    table.add_row("Reminders sent", str(counts.reminders), "")
    return table
