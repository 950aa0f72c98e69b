"""Direct messages: each arrives, is dead or is unknown, and none arrives twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot import faultpoints
from bot.dispatcher import GRACE as GRACE_PERIOD
from bot.dispatcher import LEASE, Dispatcher
from bot.engine import Engine
from bot.messages import Message, Text, Token, text
from bot.model import Delivery, DeliveryKind, DeliveryState, Invitation, Person, Platform, ReminderPolicy, derived_id
from bot.observer import Unobserved
from bot.ports import Limits, NeverLeft, Outcome, Reason, Refused, Sent, Throttled, Unclear
from bot.reminders import queue_due
from bot.roles import Admins
from bot.settling import FIRST_PAUSE, LONGEST_PAUSE, MAX_ATTEMPTS, Settlement
from storage.database import Database
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    LINUS,
    NOON,
    actions,
    command,
    keys,
    person,
    press,
    rollout,
    submit,
    workspace,
)
from tests.doubles import Crash, MemoryPlatform, StoppedClock, killed_at
from tests.rows import changed, installed, invited_people, settled, stored

INVITATION = derived_id(rollout().id, GRACE.identity)
READY, SENDING, SENT = DeliveryState.READY, DeliveryState.SENDING, DeliveryState.SENT
UNKNOWN, DEAD, WITHDRAWN = DeliveryState.UNKNOWN, DeliveryState.DEAD, DeliveryState.WITHDRAWN


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def slack(clock: StoppedClock) -> MemoryPlatform:
    return MemoryPlatform(clock=clock)


@pytest.fixture
def dispatcher(store: Database, slack: MemoryPlatform, clock: StoppedClock) -> Dispatcher:
    return Dispatcher(store, {Platform.SLACK: slack}, clock, jitter=random.Random(1))


class Noting(Unobserved):
    """What was settled, as an operator's metrics see it."""

    def __init__(self) -> None:
        self.settlements: list[tuple[str, Settlement]] = []

    def settled(self, delivery: Delivery, settlement: Settlement) -> None:
        self.settlements.append((delivery.id, settlement))


@pytest.fixture
def engine(store: Database, clock: StoppedClock) -> Engine:
    return Engine(store, clock, Admins.of(""))


async def the_delivery(store: Database) -> Delivery:
    (delivery,) = await stored(store, Delivery)
    return delivery


async def the_invitation(store: Database) -> Invitation:
    (invitation,) = await stored(store, Invitation)
    return invitation


def grace_presses(action: str) -> Any:
    return press(Token("confirm", action, INVITATION), GRACE)


def notice(to: Person, key: str, **changes: Any) -> Delivery:
    given: dict[str, Any] = {
        "id": derived_id(key),
        "key": key,
        "kind": DeliveryKind.NOTICE,
        "lane": to.workspace_id,
        "person_id": to.id,
        "content": Message(text("plain", words=key)),
        "not_before": NOON,
        "created_at": NOON,
    }
    return Delivery(**given | changes)


async def queue(store: Database, *deliveries: Delivery) -> None:
    async with store.transaction() as tx:
        await tx.deliveries.enqueue(deliveries)


async def test_an_invitation_is_claimed_sent_and_settled(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher
) -> None:
    await invited_people(store, GRACE)

    assert await dispatcher.run_once() == 1
    assert await dispatcher.run_once() == 0

    (arrived,) = slack.log
    delivery = await the_delivery(store)
    assert (delivery.state, delivery.attempt, delivery.sent_at, delivery.lease_until) == (SENT, 1, NOON, None)
    assert (delivery.channel_id, delivery.message_id) == ("D-U-grace", arrived.message_id)
    assert arrived.delivery_id == delivery.id
    invitation = await the_invitation(store)
    assert (invitation.reached_at, invitation.unreachable) == (NOON, "")
    assert invitation.due_at == NOON + 2 * DAY
    people = {each.id: each for each in await stored(store, Person)}
    assert people[GRACE.id].channel_id == "D-U-grace"


async def test_while_it_is_being_sent_it_is_claimed(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    """So that another process, or this one after a crash, leaves it alone."""
    await invited_people(store, GRACE)
    seen: list[Delivery] = []

    class Watching(MemoryPlatform):
        async def send(self, *arguments: Any) -> Outcome:
            seen.append(await the_delivery(store))
            assert await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once() == 0
            return await super().send(*arguments)

    await Dispatcher(store, {Platform.SLACK: Watching(clock=clock)}, clock).run_once()
    assert (seen[0].state, seen[0].lease_until) == (SENDING, NOON + LEASE)
    assert slack.tried == []


# what a platform may answer


async def test_a_429_is_waited_out_and_then_sent_once(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    slack.script = [Throttled(30)]
    await dispatcher.run_once()
    delivery = await the_delivery(store)
    assert (delivery.state, delivery.reason) == (READY, Reason.THROTTLED)
    assert delivery.not_before >= NOON + timedelta(seconds=30)

    clock.forward(seconds=29)
    assert await dispatcher.run_once() == 0
    clock.at = delivery.not_before
    assert await dispatcher.run_once() == 1
    assert len(slack.log) == 1


async def test_a_429_holds_the_whole_lane(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    slack.script = [Throttled(30)]
    await dispatcher.run_once()
    await queue(store, notice(LINUS, "late", person_id=ADA.id, lane="slack:T1"))
    assert await dispatcher.run_once() == 0
    clock.forward(seconds=31)
    assert await dispatcher.run_once() > 0


async def test_what_never_left_is_tried_again_with_growing_pauses_and_given_up_in_the_end(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    slack.script = [NeverLeft()] * MAX_ATTEMPTS
    pauses = []
    for _ in range(MAX_ATTEMPTS - 1):
        await dispatcher.run_once()
        delivery = await the_delivery(store)
        assert (delivery.state, delivery.reason) == (READY, Reason.NO_CONNECTION)
        pauses.append((delivery.not_before - clock.now()).total_seconds())
        clock.at = max(delivery.not_before, clock.now() + timedelta(seconds=10))
    await dispatcher.run_once()

    assert (await the_delivery(store)).state is DEAD
    assert (await the_delivery(store)).reason == Reason.TOO_MANY_ATTEMPTS
    assert (await the_invitation(store)).unreachable == Reason.TOO_MANY_ATTEMPTS
    assert len(slack.tried) == MAX_ATTEMPTS
    assert slack.log == []
    for number, pause in enumerate(pauses):
        full = min(FIRST_PAUSE * 2**number, LONGEST_PAUSE)
        assert full / 2 <= pause <= full
    assert len({round(pause, 3) for pause in pauses[-5:]}) > 1, "jittered"


@pytest.mark.parametrize("reason", [Reason.BLOCKED, Reason.NOT_INSTALLED])
async def test_a_refusal_is_final_and_says_why(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock, reason: Reason
) -> None:
    await invited_people(store, GRACE)
    slack.script = [Refused(reason)]
    await dispatcher.run_once()
    clock.forward(hours=1)
    assert await dispatcher.run_once() == 0
    delivery, invitation = await the_delivery(store), await the_invitation(store)
    assert (delivery.state, delivery.reason) == (DEAD, reason)
    assert (invitation.unreachable, invitation.reached_at) == (reason, None)
    assert invitation.due_at == NOON + 2 * DAY, "the next reminder tries again"


async def test_a_fault_of_our_own_stops_neither_the_lane_nor_the_others(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher
) -> None:
    await invited_people(store, GRACE, LINUS)
    slack.script = [RuntimeError("a fault")]
    assert await dispatcher.run_once() == 2
    states = sorted(each.state for each in await stored(store, Delivery))
    assert states == [DEAD, SENT]


@pytest.mark.parametrize("late", [True, False])
async def test_an_unclear_message_is_looked_for_after_the_grace_period_only(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock, late: bool
) -> None:
    await invited_people(store, GRACE)
    slack.script, slack.late = [Unclear(Reason.TIMED_OUT)], late
    await dispatcher.run_once()
    delivery = await the_delivery(store)
    assert (delivery.state, delivery.reason) == (UNKNOWN, Reason.TIMED_OUT)

    clock.at = NOON + GRACE_PERIOD - timedelta(seconds=1)
    await dispatcher.run_once()
    assert slack.searched == []

    clock.at = NOON + GRACE_PERIOD
    await dispatcher.run_once()
    assert slack.searched == [delivery.id]
    await dispatcher.run_once()

    settled_delivery = await the_delivery(store)
    assert settled_delivery.state is SENT
    assert len(slack.log) == 1, "found or sent again, but there once"
    assert len(slack.tried) == (1 if late else 2)
    assert (await the_invitation(store)).reached_at is not None


async def test_where_nobody_can_tell_it_stays_unknown_and_is_never_sent_again(
    store: Database, clock: StoppedClock
) -> None:
    teams = MemoryPlatform(Platform.TEAMS, can_find=False, clock=clock, script=[Unclear(Reason.CONNECTION_LOST)])
    dispatcher = Dispatcher(store, {Platform.TEAMS: teams}, clock)
    await invited_people(store, person("grace", "teams:X"))
    await dispatcher.run_once()
    for _ in range(5):
        clock.forward(minutes=10)
        assert await dispatcher.run_once() == 0
    assert (await the_delivery(store)).state is UNKNOWN
    assert len(teams.tried) == 1
    assert teams.searched == []
    assert (await the_invitation(store)).due_at == NOON + 2 * DAY, "the next reminder repairs it"


async def test_a_platform_that_cannot_say_yet_is_asked_again(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    slack.script, slack.late = [Unclear(Reason.SERVER_ERROR)], True
    slack.find_script = [Unclear(Reason.TIMED_OUT), Throttled(30)]
    await dispatcher.run_once()
    for _ in range(4):
        clock.forward(minutes=2)
        await dispatcher.run_once()
    assert (await the_delivery(store)).state is SENT
    assert len(slack.log) == 1


async def test_it_is_asked_again_after_growing_pauses(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    slack.script, slack.late = [Unclear(Reason.SERVER_ERROR)], True
    slack.find_script = [Unclear(Reason.TIMED_OUT)] * 5
    await dispatcher.run_once()
    clock.forward(minutes=2)
    asked: list[int] = []  # seconds after the first look
    for second in range(40):
        before = len(slack.searched)
        await dispatcher.run_once()
        asked += [second] * (len(slack.searched) - before)
        clock.forward(seconds=1)
    pauses = [later - sooner for sooner, later in pairwise(asked)]
    assert pauses == [2, 4, 8, 16]


async def test_what_became_of_an_unclear_message_is_counted(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    seen = Noting()
    dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock, observer=seen)
    slack.script, slack.late = [Unclear(Reason.SERVER_ERROR)], True
    await dispatcher.run_once()
    clock.forward(minutes=2)
    await dispatcher.run_once()
    delivery = await the_delivery(store)
    assert seen.settlements == [
        (delivery.id, Unclear(Reason.SERVER_ERROR)),
        (delivery.id, Sent(slack.channel(GRACE), delivery.message_id)),
    ]


async def test_send_again_sends_what_is_unknown_or_dead(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher
) -> None:
    await invited_people(store, GRACE)
    slack.script = [Refused(Reason.BLOCKED)]
    await dispatcher.run_once()
    await engine(press(Token("status", "send_again", rollout().id)))
    await dispatcher.run_once()
    assert (await the_delivery(store)).state is SENT
    assert (await the_invitation(store)).unreachable == ""


# crashes


async def crash_at(point: str, dispatcher: Dispatcher) -> None:
    with killed_at(point), pytest.raises(Crash):
        await dispatcher.run_once()


@pytest.mark.parametrize("can_find", [True, False])
@pytest.mark.parametrize("point", [point for point in faultpoints.POINTS if point.startswith("dispatcher.")])
async def test_a_crash_at_any_point_sends_nothing_twice_and_loses_nothing_silently(
    store: Database, engine: Engine, clock: StoppedClock, point: str, can_find: bool
) -> None:
    slack = MemoryPlatform(clock=clock, can_find=can_find)
    await invited_people(store, GRACE)
    if point == "dispatcher.after_update":
        await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
        await engine(grace_presses("access"))
    if point == "dispatcher.after_find":
        if not can_find:
            return  # nobody looks
        slack.script, slack.late = [Unclear(Reason.TIMED_OUT)], True
        await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
        clock.at += GRACE_PERIOD
    await crash_at(point, Dispatcher(store, {Platform.SLACK: slack}, clock))

    restarted = Dispatcher(store, {Platform.SLACK: slack}, clock)
    assert await restarted.run_once() == (point in ("dispatcher.after_find", "dispatcher.after_update"))
    for _ in range(4):
        clock.forward(minutes=2)
        await restarted.run_once()

    assert len(slack.log) == len({arrived.delivery_id for arrived in slack.log}) <= 1
    delivery = await the_delivery(store)
    if can_find or point in ("dispatcher.after_settle", "dispatcher.after_update"):
        assert delivery.state is SENT
        assert len(slack.log) == 1
    else:
        assert (delivery.state, delivery.reason) == (UNKNOWN, Reason.INTERRUPTED)
        assert (await the_invitation(store)).due_at is not None, "the next reminder repairs it"


async def test_a_worker_that_comes_back_after_its_lease_changes_nothing(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    async with store.transaction() as tx:
        (claimed,) = await tx.deliveries.claim("slack:T1", NOON, NOON + LEASE, 9)
    clock.forward(minutes=5)
    slack = MemoryPlatform(clock=clock)
    await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
    await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
    after = await the_delivery(store)
    assert (after.state, after.attempt) == (SENT, 2)
    async with store.transaction() as tx:
        assert not await tx.deliveries.put_off(claimed, NOON, Reason.NO_CONNECTION)
        assert not await tx.deliveries.gave_up(claimed, Reason.BLOCKED)
    assert await the_delivery(store) == after


# what is no longer needed, and what has changed meanwhile


async def test_what_is_done_meanwhile_is_not_sent(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher
) -> None:
    await invited_people(store, GRACE)
    for action in ("access", "tasks", "token"):
        await engine(grace_presses(action))
    await dispatcher.run_once()
    assert slack.log == []
    assert (await the_delivery(store)).state is WITHDRAWN


async def test_a_reminder_is_withdrawn_when_its_invitee_is_done(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    clock.at = NOON + 2 * DAY
    assert await queue_due(store, clock) == 1
    for action in ("access", "tasks", "token"):
        await engine(grace_presses(action))
    await dispatcher.run_once()
    assert len(slack.log) == 1
    states = {each.kind: each.state for each in await stored(store, Delivery)}
    assert states == {DeliveryKind.INVITATION: SENT, DeliveryKind.REMINDER: WITHDRAWN}


async def test_a_reminder_that_comes_to_its_turn_after_the_deadline_is_withdrawn_and_does_not_count(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    policy = ReminderPolicy(deadline=(NOON + 2 * DAY).date())
    await invited_people(store, GRACE, of=rollout(policy=policy))
    await dispatcher.run_once()
    clock.at = NOON + 2 * DAY
    assert await queue_due(store, clock) == 1
    assert (await the_invitation(store)).reminders == 1
    clock.at = NOON + 4 * DAY
    await dispatcher.run_once()
    states = {each.kind: each.state for each in await stored(store, Delivery)}
    assert states == {DeliveryKind.INVITATION: SENT, DeliveryKind.REMINDER: WITHDRAWN}
    assert (await the_invitation(store)).reminders == 0


async def test_a_reminder_names_what_is_open_when_it_goes(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    await engine(grace_presses("access"))
    clock.at = NOON + 2 * DAY
    await queue_due(store, clock)
    await dispatcher.run_once()
    assert actions(slack.to(GRACE)[-1]) == ["tasks", "token", "no_token", "later", "open"]


async def test_copies_are_brought_up_to_date_in_place(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    clock.at = NOON + 2 * DAY
    await queue_due(store, clock)
    await dispatcher.run_once()
    for action in ("access", "tasks", "no_token"):
        await engine(grace_presses(action))
    await dispatcher.run_once()
    assert len(slack.shown) == 2
    at = {each.message_id: Sent(slack.channel(GRACE), each.message_id) for each in slack.log}
    assert {sent.message_id: sent for _, _, sent in slack.updated} == at
    assert {(lane, who) for lane, who, _ in slack.updated} == {(GRACE.workspace_id, GRACE.id)}
    assert all("invitation.done" in keys(message) for message in slack.shown.values())
    assert [each.outdated for each in await stored(store, Delivery)] == [0, 0]


async def test_an_update_that_did_not_get_through_is_repeated(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    await engine(grace_presses("access"))
    slack.update_script = [Throttled(1), NeverLeft(), Unclear(Reason.TIMED_OUT)]
    for _ in range(3):
        await dispatcher.run_once()
        assert (await the_delivery(store)).outdated == 1
        clock.forward(minutes=1)
    await dispatcher.run_once()
    assert (await the_delivery(store)).outdated == 0
    assert "access" not in actions(next(iter(slack.shown.values())))


async def test_a_copy_that_is_gone_is_left_alone(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    await engine(grace_presses("access"))
    slack.update_script = [Refused(Reason.NOT_FOUND)]
    await dispatcher.run_once()
    assert (await the_delivery(store)).outdated == 0


async def test_what_is_confirmed_while_the_message_is_on_its_way_shows_later(
    store: Database, engine: Engine, clock: StoppedClock
) -> None:
    """The invitee is faster than the platform's answer to the bot."""

    class Slow(MemoryPlatform):
        async def send(self, *arguments: Any) -> Outcome:
            outcome = await super().send(*arguments)
            await engine(grace_presses("access"))
            return outcome

    slack = Slow(clock=clock)
    dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock)
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    assert "access" in actions(slack.to(GRACE)[0])
    await dispatcher.run_once()
    assert "access" not in actions(next(iter(slack.shown.values())))


async def test_a_snooze_while_the_message_is_on_its_way_stays(
    store: Database, engine: Engine, clock: StoppedClock
) -> None:
    class Slow(MemoryPlatform):
        async def send(self, *arguments: Any) -> Outcome:
            outcome = await super().send(*arguments)
            await engine(submit(Token("confirm", "snooze", INVITATION), GRACE, day="2026-03-12"))
            return outcome

    await invited_people(store, GRACE)
    await Dispatcher(store, {Platform.SLACK: Slow(clock=clock)}, clock).run_once()
    assert (await the_invitation(store)).due_at == datetime(2026, 3, 12, 9, tzinfo=UTC)


# when the next reminder is due


@pytest.mark.parametrize("outcome", [None, Unclear(Reason.TIMED_OUT), Refused(Reason.BLOCKED)])
async def test_a_settled_reminder_plans_the_next_one(
    store: Database,
    slack: MemoryPlatform,
    dispatcher: Dispatcher,
    clock: StoppedClock,
    outcome: Outcome | None,
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    clock.at = NOON + 2 * DAY
    await queue_due(store, clock)
    assert (await the_invitation(store)).due_at is None
    slack.script = [outcome] if outcome else []
    await dispatcher.run_once()
    assert (await the_invitation(store)).due_at == datetime(2026, 3, 9, 9, tzinfo=UTC), "three days later is a Sunday"


async def test_after_the_last_reminder_none_is_planned(
    store: Database, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    await settled(store, reminders=3, due_at=NOON)
    await queue_due(store, clock)
    await dispatcher.run_once()
    invitation = await the_invitation(store)
    assert (invitation.reminders, invitation.due_at) == (4, None)


async def test_a_notice_plans_nothing(store: Database, slack: MemoryPlatform, dispatcher: Dispatcher) -> None:
    await installed(store)
    await queue(store, notice(ADA, "hello"))
    await dispatcher.run_once()
    assert slack.to(ADA) == [Message(Text("plain", {"words": "hello"}))]


# order, limits and lanes


async def test_replies_go_first_then_invitations_then_reminders(
    store: Database, clock: StoppedClock, engine: Engine
) -> None:
    one_by_one = MemoryPlatform(clock=clock, limits=Limits(1000, 1000, in_flight=1, others_per_second=1000))
    dispatcher = Dispatcher(store, {Platform.SLACK: one_by_one}, clock)
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    await settled(store, due_at=NOON)
    await queue_due(store, clock)
    await invited_people(store, LINUS, wave="wave-2")
    await queue(store, notice(ADA, "reply"))
    for _ in range(4):
        await dispatcher.run_once()
    assert [each.person_id for each in one_by_one.log[1:]] == [ADA.id, LINUS.id, GRACE.id]


async def test_no_faster_than_the_platform_allows(store: Database, clock: StoppedClock) -> None:
    slow = MemoryPlatform(clock=clock, limits=Limits(per_second=1, burst=2, in_flight=10))
    dispatcher = Dispatcher(store, {Platform.SLACK: slow}, clock)
    await invited_people(store, *(person(f"p{number}") for number in range(6)))
    counts = []
    for _ in range(6):
        await dispatcher.run_once()
        counts.append(len(slow.log))
        clock.forward(seconds=1.1)
    assert counts == [2, 2, 4, 4, 6, 6]


async def test_lanes_do_not_wait_for_each_other(store: Database, clock: StoppedClock) -> None:
    slack = MemoryPlatform(clock=clock, script=[Throttled(3600)])
    teams = MemoryPlatform(Platform.TEAMS, clock=clock, can_find=False)
    await invited_people(store, GRACE, person("linus", "teams:X"))
    dispatcher = Dispatcher(store, {Platform.SLACK: slack, Platform.TEAMS: teams}, clock)
    await dispatcher.run_once()
    assert (len(slack.log), len(teams.log)) == (0, 1)


async def test_two_workspaces_of_one_platform_have_a_limit_each(store: Database, clock: StoppedClock) -> None:
    slack = MemoryPlatform(clock=clock, limits=Limits(1, 1, 1))
    await invited_people(store, GRACE, person("linus", "slack:T2"))
    await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
    assert len(slack.log) == 2


@pytest.mark.parametrize("active", [True, False])
async def test_without_its_platform_or_its_installation_a_lane_rests(
    store: Database, slack: MemoryPlatform, clock: StoppedClock, active: bool
) -> None:
    await invited_people(store, GRACE)
    await installed(store, workspace(active=active), people=())
    platforms = {} if active else {Platform.SLACK: slack}
    assert await Dispatcher(store, platforms, clock).run_once() == 0
    assert (await the_delivery(store)).state is READY


async def test_a_pause_holds_everything_and_resuming_lets_it_go(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher
) -> None:
    await invited_people(store, GRACE)
    await engine(command("pause"))
    assert await dispatcher.run_once() == 0
    await engine(command("resume"))
    assert await dispatcher.run_once() == 1
    assert len(slack.log) == 1


async def test_a_pause_reaches_what_is_just_being_tried(
    store: Database, engine: Engine, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    class Pausing(MemoryPlatform):
        async def send(self, *arguments: Any) -> Outcome:
            await engine(command("pause"))
            return NeverLeft()

    await invited_people(store, GRACE)
    await Dispatcher(store, {Platform.SLACK: Pausing(clock=clock)}, clock).run_once()
    clock.forward(hours=1)
    assert await dispatcher.run_once() == 0
    assert slack.tried == []


async def test_the_loop_sends_what_comes_and_stops_when_asked(store: Database, slack: MemoryPlatform) -> None:
    """On a clock whose waiting only lets others run."""

    class Patient(StoppedClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            await asyncio.sleep(0)

    clock = Patient()
    dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock)
    await invited_people(store, GRACE)
    sent = asyncio.Event()
    slack.before_answer = lambda _: sent.set()
    loop = asyncio.create_task(dispatcher.run())
    async with asyncio.timeout(20):
        await sent.wait()
        await dispatcher.stop()
        await loop
    assert (await the_delivery(store)).state is SENT


async def test_a_person_who_is_gone_gets_nothing(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher
) -> None:
    await invited_people(store, GRACE)
    await changed(store, "delivery", person_id="slack:T1:U-gone")
    await dispatcher.run_once()
    assert slack.tried == []
    assert (await the_delivery(store)).state is WITHDRAWN


async def test_nobody_gets_two_messages_within_a_second(
    store: Database, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    people = [person(f"p{number}") for number in range(6)]
    await installed(store, people=tuple(people))
    await queue(store, *(notice(who, f"{who.user_id} {number}") for who in people for number in range(3)))
    for seconds in range(3):
        clock.at = NOON + timedelta(seconds=seconds)
        await dispatcher.run_once()
        assert Counter(each.person_id for each in slack.log) == {who.id: seconds + 1 for who in people}
        waiting = [each for each in await stored(store, Delivery) if each.state is DeliveryState.READY]
        assert {each.not_before for each in waiting} <= {clock.at + timedelta(seconds=1)}
        assert {each.reason for each in waiting} <= {Reason.THROTTLED}
    assert not waiting
