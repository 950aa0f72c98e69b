"""What people do, a second: `/sso status` and confirming buttons in equal parts through the whole bot, which runs in
a process of its own, beside slack-bolt and botbuilder with handlers that decide nothing and store nothing.

Rounds of the bot and of what it is compared with take turns, and the median counts: other work on the machine then
disturbs both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from rich.console import Console
from sqlalchemy import func, select

from adapters.bench import inbound_requests as requests
from adapters.bench.databases import databases
from adapters.bench.figures import Figure, compared, figure
from adapters.bench.http_load import as_fast_as_possible, at_a_rate
from adapters.bench.loopback import TEAM, TENANT, Loopback, email_of, loopback
from adapters.bench.rows import person, workspace
from adapters.bench.server_process import bot, module
from adapters.bench.size import Size
from bot.messages import Token
from bot.model import Person, Platform, ReminderPolicy, Rollout, Wave, Workspace, derived_id
from bot.ports import Store
from storage import migrate
from storage.database import Database, create_engine
from storage.tables import AUDIT, CHECK

ROUNDS = 5
BOT_REQUESTS = 600  # in a round, half of them of each kind
STOCK_REQUESTS = {Platform.SLACK: 3000, Platform.TEAMS: 200}
STATUS_OF = 200  # people are in the rollout whose status is asked for
GOALS = {Platform.SLACK: ">= 0.5", Platform.TEAMS: ">= 8"}
EXTERNAL_IDS = {Platform.SLACK: TEAM, Platform.TEAMS: TENANT}


@dataclass(frozen=True)
class Office:
    """A workspace with two rollouts: the status of the newer, smaller one is asked for, and the people of the older
    one confirm. Were it one, the status of thousands would be measured, and nothing else.
    """

    here: Loopback
    workspace: Workspace
    people: Sequence[Person]

    async def fill(self, store: Store) -> None:
        """Everything into the database."""
        now = datetime.now(UTC)
        few = [person(self.workspace, f"S{number}", "", now) for number in range(STATUS_OF)]
        async with store.transaction() as tx:
            await tx.people.save_workspace(self.workspace)
            await tx.people.meet([*self.people, *few])
        await self._invite(store, "older", self.people, now.replace(year=now.year - 1))
        await self._invite(store, "newer", few, now)

    async def _invite(self, store: Store, name: str, people: Sequence[Person], at: datetime) -> None:
        rollout = Rollout(
            id=self._rollout(name),
            company=self.workspace.company,
            name="Acme Corp",
            enterprise_key=f"acme-{name}",
            login_url="https://sonarcloud.io/login/sso?enterprise_key=acme",
            policy=ReminderPolicy(),
            created_by=people[0].id,
            created_at=at,
            version=1,
        )
        wave = Wave(
            id=f"wave-{rollout.id}",
            rollout_id=rollout.id,
            workspace_id=self.workspace.id,
            created_by=people[0].id,
            created_at=at,
            finished_at=at,
            version=1,
        )
        async with store.transaction() as tx:
            await tx.save(rollout)
            await tx.save(wave)
            await tx.invitations.invite(rollout, wave, people, at)
            await tx.deliveries.hold(rollout.id)  # sending is measured elsewhere

    def _rollout(self, name: str) -> str:
        return f"{name}-{self.workspace.platform.value}"

    def status(self, number: int) -> list[bytes]:
        """So many requests for the status."""
        if self.workspace.platform is Platform.SLACK:
            return [requests.slack_command(self.here, "status") for _ in range(number)]
        return [requests.teams_message(self.here, "sso status") for _ in range(number)]

    def presses(self, people: Sequence[Person], action: str) -> list[bytes]:
        """Each of these people presses a button of their invitation."""
        press = requests.slack_press if self.workspace.platform is Platform.SLACK else requests.teams_press
        older = self._rollout("older")
        return [
            press(self.here, each.user_id, Token("confirm", action, derived_id(older, each.identity), 0))
            for each in people
        ]

    def some(self, turn: int, number: int) -> list[bytes]:
        """The requests of a round: nobody confirms twice."""
        half = number // 2
        people = self.people[turn * half : (turn + 1) * half]
        return requests.in_turn(self.status(half), self.presses(people, "access"))


def _office(here: Loopback, platform: Platform, people: int) -> Office:
    now = datetime.now(UTC)
    place = workspace(platform, now, EXTERNAL_IDS[platform], here.service_url)
    names = (f"U{number}" for number in range(people))
    everybody = [person(place, name, f"D{name}", now) for name in names]
    assert everybody[0].email == email_of("U0"), "else the bot learns of other addresses than the invitations have"
    return Office(here, place, everybody)


async def _filled(url: str, office: Office) -> None:
    await migrate.upgrade(url)
    store = Database(url)
    try:
        await office.fill(store)
    finally:
        await store.close()


async def _check(url: str, presses: int) -> None:
    """Raises AssertionError when the bot has not done what was asked: to say no costs less."""
    engine = create_engine(url)
    async with engine.connect() as connection:
        confirmed = await connection.scalar(select(func.count()).select_from(CHECK))
        refused = await connection.scalar(select(func.count()).where(AUDIT.c.outcome != "done"))
    await engine.dispose()
    assert (confirmed, refused) == (presses, 0)


@dataclass(frozen=True)
class Side:
    """One of the two that take turns: where it is, and how many requests it gets in a round."""

    url: str
    requests: int


async def _compared(name: str, office: Office, ours: Side, stock: Side, rounds: int) -> AsyncIterator[Figure]:
    await as_fast_as_possible(ours.url, office.status(32))
    await as_fast_as_possible(ours.url, office.presses(office.people, "show"))  # so that the bot has met everybody
    stock_requests = office.status(stock.requests)
    await as_fast_as_possible(stock.url, stock_requests[:50])
    rates: list[float] = []
    stock_rates: list[float] = []
    for turn in range(rounds):
        stock_rates.append(await as_fast_as_possible(stock.url, stock_requests))
        rates.append(await as_fast_as_possible(ours.url, office.some(turn, ours.requests)))
    platform = office.workspace.platform
    yield compared(f"inbound {name}", median(rates), "requests/s", median(stock_rates), GOALS[platform])
    took = await at_a_rate(ours.url, office.some(rounds, ours.requests), median(rates) / 2)
    yield figure(f"inbound {name}: p99 at half of that", quantiles(took, n=100)[-1] * 1000, "ms", "<= 100")


async def _stock(stack: AsyncExitStack, here: Loopback) -> dict[Platform, tuple[str, str]]:
    """What the bot is compared with, and where it is."""
    bolt = await stack.enter_async_context(module("adapters.bench.stock_bolt", "plain"))
    found = {Platform.SLACK: ("slack-bolt", bolt.url)}
    if find_spec("botbuilder.integration"):
        botbuilder = await stack.enter_async_context(module("adapters.bench.stock_botbuilder", here.metadata_url))
        found[Platform.TEAMS] = ("botbuilder", botbuilder.url)
    else:
        Console(stderr=True).print("Teams is left out: botbuilder-integration-aiohttp is not installed.")
    return found


async def measured(size: Size) -> AsyncIterator[Figure]:
    """Both platforms, on both databases."""
    number, rounds = size.of(BOT_REQUESTS, at_least=64) // 2 * 2, size.of(ROUNDS)
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(loopback())
        stock = await _stock(stack, here)
        directory = stack.enter_context(TemporaryDirectory(prefix="usher-bench-"))
        for platform, (beside, stock_url) in stock.items():
            office = _office(here, platform, (rounds + 1) * number // 2)
            stock_number = size.of(STOCK_REQUESTS[platform], at_least=64)
            urls = await stack.enter_async_context(databases(size.database_url))
            for kind, url in urls.items():
                await _filled(url, office)
                name = f"{platform.value}, {kind}, beside {beside}"
                async with bot(here.settings(url), directory) as server:
                    async for each in _compared(
                        name, office, Side(server.url, number), Side(stock_url, stock_number), rounds
                    ):
                        yield each
                await _check(url, len(office.people))
