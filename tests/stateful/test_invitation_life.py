"""The invitation's life in any order of events: clicks, ticks, answers of the platform, crashes and what comes twice.

The engine, the dispatcher and the database are the real ones; the platform is in memory and the clock stands still
until it is moved. HYPOTHESIS_EXAMPLES makes the search longer than the test-suite has time for.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import Callable, Coroutine
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text as sql

from bot import faultpoints
from bot.dispatcher import Dispatcher
from bot.engine import Engine
from bot.events import Event
from bot.lookups import LookUpWorker
from bot.messages import Token
from bot.model import (
    AuditEntry,
    Check,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Invitation,
    Person,
    Platform,
    ReminderPolicy,
    derived_id,
)
from bot.ports import NeverLeft, Reason, Refused, Throttled, Unclear
from bot.reminders import queue_due
from bot.roles import Admins
from bot.waves import WaveWorker
from storage.database import Database
from storage.tables import METADATA, SEALING
from tests.builders import ADA, button, command, mention, person, press, rollout, submit
from tests.doubles import Arrived, MemoryDirectory, MemoryPlatform, StoppedClock
from tests.rows import installed, rolled_out, stored

STEPS = 40
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "0"))
POLICY = ReminderPolicy(first_after_days=1, every_days=1, at_most=3, weekdays=(0, 1, 2, 3, 4, 5, 6))
ROLLOUT = rollout(policy=POLICY)

INVITEES = tuple(person(name) for name in ("grace", "linus", "margaret"))
BYSTANDER = person("mallory")
PEOPLE = (ADA, *INVITEES, BYSTANDER)
ACTIONS = ("access", "tasks", "token", "no_token", "later", "show")
UNDER_WAY = (DeliveryState.READY, DeliveryState.SENDING)

outcomes = st.sampled_from(
    [
        None,
        None,
        Throttled(5),
        NeverLeft(),
        Refused(Reason.BLOCKED),
        Unclear(Reason.TIMED_OUT),
        Unclear(Reason.SERVER_ERROR),
    ]
)
invitees = st.sampled_from(INVITEES)


class Crash(BaseException):
    """The process is gone."""


def invitation_of(invitee: Person) -> str:
    return derived_id(ROLLOUT.id, invitee.identity)


class InvitationLife(RuleBasedStateMachine):
    """Rules are what can happen; invariants are what the bot promises."""

    open_store: Callable[[], Coroutine[Any, Any, Database]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.clock = StoppedClock()
        self.platform = MemoryPlatform(clock=self.clock, before_answer=self.note)
        self.past: list[Event] = []
        self.closed: set[str] = set()  # person ids: done or exempt, as committed
        self.paused = False
        self.at_most = POLICY.at_most
        self.broken: list[str] = []  # promises, as seen from inside a send
        self.checks: set[tuple[str, str]] = set()

    @initialize(can_find=st.booleans(), invited=st.booleans(), sent=st.booleans())
    def begin(self, can_find: bool, invited: bool, sent: bool) -> None:
        self.platform.can_find = can_find
        self.store = self.run(self.open_store())
        self.run(installed(self.store, people=PEOPLE))
        self.run(rolled_out(self.store, ROLLOUT))
        self.start()
        if invited:
            self.invite(list(INVITEES), confirm=True)
        if sent:
            self.send([], late=False, passes=1)

    def start(self) -> None:
        """A new process: nothing is left in memory."""
        self.engine = Engine(self.store, self.clock, Admins.of(""))
        platforms = {Platform.SLACK: self.platform}
        self.dispatcher = Dispatcher(self.store, platforms, self.clock, jitter=random.Random(1))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(_alone(work))

    def note(self, arrived: Arrived) -> None:
        """What must hold at the moment at which a message arrives."""
        title = arrived.message.title.key if arrived.message.title else ""
        if title not in ("invitation.title", "reminder.title"):
            return
        if arrived.person_id in self.closed:
            self.broken.append(f"{title} to {arrived.person_id}, who is done or exempt")
        if self.paused:
            self.broken.append(f"{title} while the rollout is paused")

    def tell(self, event: Event) -> Any:
        """An event from a platform, and what was committed because of it."""
        self.past.append(event)
        reply = self.run(self.engine(event))
        self.look()
        return reply

    def look(self) -> None:
        for invitation in self.run(stored(self.store, Invitation)):
            if not invitation.is_open:
                self.closed.add(invitation.person_id)

    # what people do

    @rule(some=st.lists(invitees, min_size=1, unique_by=lambda each: each.id), confirm=st.booleans())
    def invite(self, some: list[Person], confirm: bool) -> None:
        people = sorted(some, key=lambda each: each.id)
        self.tell(command("invite", *(mention(each) for each in people)))
        directory = MemoryDirectory(answers=[(people, ())])
        self.run(LookUpWorker(self.store, {Platform.SLACK: directory}, self.engine, self.clock).run_once())
        lists = [each for each in self.run(stored(self.store, Delivery)) if each.key.endswith(":list")]
        for each in lists:
            buttons = [pressable.token.action for pressable in each.content.buttons]
            if confirm and "send" in buttons:
                self.tell(press(button(each.content, "send").token))
        self.run(WaveWorker(self.store, self.clock).run_once())

    @rule(who=invitees, action=st.sampled_from(ACTIONS), version=st.integers(0, 9))
    def press_own(self, who: Person, action: str, version: int) -> None:
        self.tell(press(Token("confirm", action, invitation_of(who), version), who))

    @rule(who=invitees, other=st.sampled_from(PEOPLE), action=st.sampled_from(ACTIONS))
    def press_somebody_elses(self, who: Person, other: Person, action: str) -> None:
        if other is not who:
            self.tell(press(Token("confirm", action, invitation_of(who)), other))

    @rule(who=invitees, days=st.integers(-1, 5))
    def snooze(self, who: Person, days: int) -> None:
        day = (self.clock.now() + timedelta(days=days)).date().isoformat()
        self.tell(submit(Token("confirm", "snooze", invitation_of(who)), who, day=day))

    @rule(who=invitees)
    def exempt(self, who: Person) -> None:
        self.tell(command("exempt leaves", mention(who)))

    @rule(word=st.sampled_from(["pause", "resume"]))
    def pause_or_resume(self, word: str) -> None:
        self.tell(command(word))
        self.paused = word == "pause"

    @rule(who=st.sampled_from([*INVITEES, None]))
    def remind(self, who: Person | None) -> None:
        if who is not None:
            self.tell(command("remind", mention(who)))
            return
        self.tell(press(Token("remind", "send", ROLLOUT.id, self.run(self._version()))))

    async def _version(self) -> int:
        async with self.store.transaction() as tx:
            current = await tx.rollouts.rollout(ROLLOUT.id)
            assert current is not None
            return current.version

    @rule(at_most=st.sampled_from([1, 3, 5]))
    def change_policy(self, at_most: int) -> None:
        """As `/sso setup` stores it; the next tick plans everybody anew."""
        self.at_most = at_most
        self.run(self._change_policy())
        self.tick()

    async def _change_policy(self) -> None:
        async with self.store.transaction() as tx:
            current = await tx.rollouts.rollout(ROLLOUT.id)
            assert current is not None
            policy = current.policy.model_copy(update={"at_most": self.at_most})
            changes = {"policy": policy, "planned_up_to": "", "version": current.version + 1}
            await tx.save(current.model_copy(update=changes))

    @precondition(lambda self: self.past)
    @rule(which=st.integers(0, 10**6))
    def an_event_comes_again(self, which: int) -> None:
        assert self.run(self.engine(self.past[which % len(self.past)])) is None

    # what goes on by itself

    @rule()
    def tick(self) -> None:
        self.run(queue_due(self.store, self.clock))

    @rule(script=st.lists(outcomes, max_size=4), late=st.booleans(), passes=st.integers(1, 3))
    def send(self, script: list[Any], late: bool, passes: int) -> None:
        self.platform.script, self.platform.late = list(script), late
        for _ in range(passes):
            self.run(self.dispatcher.run_once())
        self.platform.script = []

    @rule(by=st.sampled_from([{"seconds": 30}, {"minutes": 2}, {"hours": 9}, {"days": 1}, {"days": 2}]))
    def time_passes(self, by: dict[str, float]) -> None:
        self.clock.forward(**by)

    @rule(
        point=st.sampled_from([each for each in faultpoints.POINTS if not each.startswith(("look_up", "wave"))]),
        nth=st.integers(1, 3),
        who=invitees,
        late=st.booleans(),
    )
    def crash(self, point: str, nth: int, who: Person, late: bool) -> None:
        """At the nth time that execution comes to `point`, in whatever leads there; then a new process starts."""
        reached = count(1)
        self.platform.late = late

        def hook(here: str) -> None:
            if here == point and next(reached) >= nth:
                raise Crash

        faultpoints.install(hook)
        try:
            self.run(self._whatever_leads_to(point, who))
        except Crash:
            self.start()
        finally:
            faultpoints.install(None)
        self.look()

    async def _whatever_leads_to(self, point: str, who: Person) -> None:
        match point.split(".", maxsplit=1)[0]:
            case "engine":
                event = press(Token("confirm", "access", invitation_of(who)), who)
                self.past.append(event)
                try:
                    await self.engine(event)
                except Crash:
                    await asyncio.sleep(0)
                    faultpoints.install(None)
                    await self.engine(event)  # the platform had no answer and delivers it again
                    raise
            case "reminders":
                await queue_due(self.store, self.clock)
            case _:
                await self.dispatcher.run_once()

    # what always holds

    @invariant()
    def no_message_arrives_twice(self) -> None:
        ids = [arrived.delivery_id for arrived in self.platform.log]
        assert len(ids) == len(set(ids))

    @invariant()
    def nothing_is_sent_that_is_not_wanted(self) -> None:
        assert self.broken == []

    @invariant()
    def what_is_stored_is_consistent(self) -> None:
        if not hasattr(self, "store"):
            return
        invitations = {each.id: each for each in self.run(stored(self.store, Invitation))}
        checks = self.run(stored(self.store, Check))
        self._nobody_confirms_for_somebody_else(invitations, checks)
        self._checks_only_grow_and_decide(invitations, checks)
        self._every_confirmation_is_audited(checks)
        deliveries = self.run(stored(self.store, Delivery))
        self._reminders_are_queued_in_working_hours(deliveries)
        self._nobody_is_forgotten(invitations, deliveries)

    def _nobody_confirms_for_somebody_else(self, invitations: dict[str, Invitation], checks: list[Check]) -> None:
        for check in checks:
            assert check.confirmed_by == invitations[check.invitation_id].person_id

    def _checks_only_grow_and_decide(self, invitations: dict[str, Invitation], checks: list[Check]) -> None:
        now = {(check.invitation_id, check.kind.value) for check in checks}
        assert now >= self.checks
        self.checks = now
        for invitation in invitations.values():
            confirmed = {check.kind for check in checks if check.invitation_id == invitation.id}
            assert (invitation.done_at is not None) == (confirmed == set(invitation.needs))
            assert invitation.is_open or invitation.due_at is None

    def _every_confirmation_is_audited(self, checks: list[Check]) -> None:
        entries = self.run(stored(self.store, AuditEntry))
        assert sum(entry.action.startswith("confirmed.") for entry in entries) == len(checks)

    def _reminders_are_queued_in_working_hours(self, deliveries: list[Delivery]) -> None:
        for each in deliveries:
            if each.kind is DeliveryKind.REMINDER:
                assert POLICY.hour_from <= each.created_at.hour < POLICY.hour_to

    def _nobody_is_forgotten(self, invitations: dict[str, Invitation], deliveries: list[Delivery]) -> None:
        """Whoever is open has a reminder coming, or a message under way after which one is planned, or has had all."""
        under_way = {each.invitation_id for each in deliveries if each.state in UNDER_WAY}
        for invitation in invitations.values():
            if invitation.is_open and invitation.reminders < self.at_most:
                assert invitation.due_at is not None or invitation.id in under_way, invitation

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self._everything_ends()
            self.run(self.store.close())
        self.loop.close()

    def _everything_ends(self) -> None:
        """When the platform works again, every message ends as sent, dead, unknown or withdrawn, within a day: a
        reminder that was held up until the evening waits for the morning.
        """
        self.tell(command("resume"))
        self.paused = False
        for _ in range(12):
            self.clock.forward(hours=2)
            for _ in range(100):  # an admin's messages come one a second
                if not self.run(self.dispatcher.run_once()):
                    break
                self.clock.forward(seconds=1)
        self.no_message_arrives_twice()
        self.nothing_is_sent_that_is_not_wanted()
        states = {each.state for each in self.run(stored(self.store, Delivery))}
        assert not states & set(UNDER_WAY)
        assert not (self.platform.can_find and DeliveryState.UNKNOWN in states)


async def _alone(work: Coroutine[Any, Any, Any]) -> Any:
    """A crash takes everything with it that was running at the same time."""
    try:
        return await work
    except Crash:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        raise


def search(open_store: Callable[[], Coroutine[Any, Any, Database]], examples: int) -> None:
    class Life(InvitationLife):
        pass

    Life.open_store = staticmethod(open_store)  # type: ignore[method-assign]
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.reuse, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_no_order_of_events_breaks_a_promise_on_sqlite(migrated_sqlite: Path, tmp_path: Path) -> None:
    numbers = count()

    async def fresh() -> Database:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copyfile(migrated_sqlite, path)
        return Database(f"sqlite:///{path}")

    search(fresh, 25)


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_no_order_of_events_breaks_a_promise_on_postgresql(postgresql_url: str) -> None:
    tables = ", ".join(f'"{table.name}"' for table in METADATA.sorted_tables if table is not SEALING)

    async def fresh() -> Database:
        store = Database(postgresql_url)
        async with store._engine.begin() as connection:
            await connection.execute(sql(f"TRUNCATE {tables}"))
        return store

    search(fresh, 10)
