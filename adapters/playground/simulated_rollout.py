"""A whole rollout on simulated time: time goes from one thing that happens to the next, so weeks take seconds."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from adapters.playground import simulated_people
from adapters.playground.simulated_chat import Arrival, Kind, SimulatedClock, SimulatedDirectory, SimulatedPlatform
from adapters.playground.simulated_database import database_in_memory
from adapters.playground.simulated_people import ADMIN_ZONE, Actor, Admin, Invitee
from bot.dispatcher import Dispatcher
from bot.engine import ANSWER_WITHIN, Engine
from bot.events import MessageRef
from bot.lookups import LookUpWorker
from bot.messages import Message
from bot.model import Person, ReminderPolicy
from bot.ports import InvitationView, RolloutCounts, Store
from bot.progress import show_progress
from bot.ratelimit import SAFETY
from bot.reminders import queue_due
from bot.roles import Admins
from bot.texts import zone
from bot.waves import WaveWorker

FIRST_DAY = date(2026, 1, 5)  # a Monday
BEGINS_AT = 9  # o'clock, where the admin is
TICK = timedelta(minutes=15)  # how often reminders are looked for; the real bot looks every 15 seconds
LATER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What is tried."""

    people: int
    days: int
    seed: int
    policy: ReminderPolicy
    first_day: date = FIRST_DAY

    @property
    def start(self) -> datetime:
        """Nine o'clock on the first day, where the admin is."""
        return datetime.combine(self.first_day, time(BEGINS_AT), zone(ADMIN_ZONE)).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """Midnight after the last day, where the admin is."""
        day_after = self.first_day + timedelta(days=self.days)
        return datetime.combine(day_after, time(), zone(ADMIN_ZONE)).astimezone(UTC)

    def day_of(self, moment: datetime) -> int:
        """Which day it is where the admin is; the first is 1."""
        return (moment.astimezone(zone(ADMIN_ZONE)).date() - self.first_day).days + 1


@dataclass(frozen=True)
class Outcome:
    """What came of it: the platform's log, the people, and what the database says in the end."""

    plan: Plan
    arrivals: Sequence[Arrival]
    invitees: Sequence[Invitee]
    views: Sequence[InvitationView]
    counts: RolloutCounts
    problems: int
    updates: int

    @property
    def done_at(self) -> Sequence[datetime]:
        """When people finished."""
        return [view.invitation.done_at for view in self.views if view.invitation.done_at is not None]

    @cached_property
    def done_ids(self) -> frozenset[str]:
        """Who finished, by person id."""
        return frozenset(view.person.id for view in self.views if view.invitation.done_at is not None)

    @cached_property
    def reminders(self) -> Mapping[str, int]:
        """How many reminders reached each invitee, by person id."""
        sent = Counter(each.person_id for each in self.arrivals if each.kind is Kind.REMINDER)
        return {invitee.person.id: sent[invitee.person.id] for invitee in self.invitees}


class Schedule:
    """Who does something when."""

    def __init__(self) -> None:
        self._planned: list[tuple[datetime, int]] = []
        self._actors: dict[str, tuple[int, Actor]] = {}
        self._by_number: list[Actor] = []

    def add(self, person: Person, actor: Actor) -> None:
        """From now on, messages to `person` reach `actor`."""
        self._actors[person.id] = (len(self._by_number), actor)
        self._by_number.append(actor)

    def deliver(self, person: Person, message: Message, where: MessageRef, now: datetime) -> None:
        """A message reaches somebody, who may plan something."""
        number, actor = self._actors[person.id]
        at = actor.receive(message, where, now)
        if at is not None:
            heapq.heappush(self._planned, (at, number))

    @property
    def next_at(self) -> datetime:
        """When the next one acts."""
        return self._planned[0][0] if self._planned else LATER

    def due(self, now: datetime) -> list[Actor]:
        """Those who act now."""
        due = []
        while self.next_at <= now:
            due.append(self._by_number[heapq.heappop(self._planned)[1]])
        return due


class Trial:
    """The bot, the people and the clock."""

    def __init__(self, store: Store, plan: Plan, answer_within: float) -> None:
        self._store = store
        self._plan = plan
        self._clock = SimulatedClock(plan.start)
        self._schedule = Schedule()
        self._platform = SimulatedPlatform(self._clock, self._schedule.deliver)
        self._platforms = {self._platform.platform: self._platform}
        self._engine = Engine(store, self._clock, Admins(frozenset()), answer_within=answer_within)
        self._dispatcher = Dispatcher(store, self._platforms, self._clock, jitter=_seeded(plan, "jitter"))
        self._workspace = simulated_people.workspace(plan.start)
        self._invitees = [self._invitee(number) for number in range(1, plan.people + 1)]
        self._next_tick = plan.start + TICK
        self._next_pass = LATER
        self._something_happened = False  # since the last tick

    def _invitee(self, number: int) -> Invitee:
        chance = _seeded(self._plan, str(number))
        person = simulated_people.person(self._workspace, number, chance)
        invitee = Invitee(person, self._engine, chance)
        self._schedule.add(person, invitee)
        return invitee

    async def run(self, passed: Callable[[datetime], None]) -> Outcome:
        """Set up, invite everybody, and let the days pass; `passed` is told how far the time is."""
        await self._begin()
        while (moment := min(self._schedule.next_at, self._next_tick, self._next_pass)) < self._plan.end:
            self._clock.move_to(moment)
            await self._people_act(moment)
            if moment >= self._next_tick:
                await self._tick(moment)
                passed(moment)
            if moment >= self._next_pass:
                await self._send(moment)
        return await self._outcome()

    async def _begin(self) -> None:
        async with self._store.transaction() as tx:
            await tx.people.save_workspace(self._workspace)
        who = simulated_people.admin(self._workspace)
        admin = Admin(who, self._engine, _seeded(self._plan, "admin"))
        self._schedule.add(who, admin)
        await admin.set_up(self._plan.policy)
        await admin.invite_everybody()
        everybody = [invitee.person for invitee in self._invitees]
        directories = {self._platform.platform: SimulatedDirectory(everybody)}
        await LookUpWorker(self._store, directories, self._engine, self._clock).run_once()
        self._next_pass = self._plan.start

    async def _people_act(self, now: datetime) -> None:
        for actor in self._schedule.due(now):
            await actor.act()
            if await WaveWorker(self._store, self._clock).run_once():  # whom the admin has just invited
                limits = self._platform.limits
                self._next_pass = now + timedelta(seconds=limits.burst / limits.per_second * SAFETY)
            self._something_happened = True

    async def _tick(self, now: datetime) -> None:
        """What the real bot's scheduler does; a tick at which nothing has happened sends nothing."""
        queued = await queue_due(self._store, self._clock)
        if queued or self._something_happened:
            await show_progress(self._store, self._platforms, self._clock)
            self._next_pass = now
        self._something_happened = False
        self._next_tick = now + TICK

    async def _send(self, now: datetime) -> None:
        """One pass; the next when as many as a pass takes may go again, and after an idle one with the next tick."""
        limits = self._platform.limits
        before = len(self._platform.arrivals)
        if not await self._dispatcher.run_once():
            self._next_pass = LATER
            return
        self._something_happened = True
        if len(self._platform.arrivals) > before:
            self._next_pass = now + timedelta(seconds=limits.burst / limits.per_second * SAFETY)
        else:
            self._next_pass = now + timedelta(seconds=limits.in_flight / limits.others_per_second * SAFETY)

    async def _outcome(self) -> Outcome:
        ids = [invitee.invitation_id for invitee in self._invitees if invitee.invitation_id]
        async with self._store.transaction() as tx:
            rollout = await tx.rollouts.current(self._workspace.company)
            assert rollout is not None, "the admin has set it up"
            counts = await tx.invitations.counts(rollout.id)
            views = await tx.invitations.views(ids)
        return Outcome(
            self._plan,
            self._platform.arrivals,
            self._invitees,
            tuple(views.values()),
            counts,
            sum(invitee.reported for invitee in self._invitees),
            self._platform.updates,
        )


async def try_out(
    plan: Plan, passed: Callable[[datetime], None] = lambda _: None, *, answer_within: float = ANSWER_WITHIN
) -> Outcome:
    """Run the plan on a database of its own, which is removed in the end.

    Raises StoreUnavailable when the bot does not answer somebody within so many seconds.
    """
    async with database_in_memory() as store:
        return await Trial(store, plan, answer_within).run(passed)


def _seeded(plan: Plan, name: str) -> random.Random:
    """Chance of one's own for each person, so that the order in which they act changes nobody's choices."""
    return random.Random(f"{plan.seed}:{name}")  # noqa: S311  # people who do not exist, not secrets
