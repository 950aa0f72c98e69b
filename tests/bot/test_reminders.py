"""When reminders are due: in the invitee's own days and hours, never too early, never too late, never too many."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.model import Delivery, DeliveryKind, DeliveryState, Invitation, ReminderPolicy, RolloutState
from bot.ports import Store
from bot.reminders import BATCH, allowed_from, next_due, queue_due
from bot.texts import zone
from tests.builders import DAY, GRACE, LINUS, NOON, person, rollout, view
from tests.doubles import StoppedClock
from tests.rows import invited_people, settled, stored

# With daylight saving at night, at midnight, by half an hour, with odd offsets, and without any.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Africa/Casablanca",
    "No/Such_Zone",
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def policies(draw: st.DrawFn) -> ReminderPolicy:
    hour_from = draw(st.integers(0, 23))
    return ReminderPolicy(
        first_after_days=draw(st.integers(1, 60)),
        every_days=draw(st.integers(1, 60)),
        at_most=draw(st.integers(0, 20)),
        weekdays=tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1)))),
        hour_from=hour_from,
        hour_to=draw(st.integers(hour_from + 1, 24)),
        deadline=draw(st.none() | moments),
    )


def is_working_time(policy: ReminderPolicy, time_zone: str, moment: datetime) -> bool:
    there = moment.astimezone(zone(time_zone))
    return there.weekday() in policy.weekdays and policy.hour_from <= there.hour < policy.hour_to


def invitation(**changes: Any) -> Invitation:
    return view(**changes).invitation


def local(day: str, hour: int, time_zone: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(hour), ZoneInfo(time_zone)).astimezone(UTC)


@given(policies(), st.sampled_from(ZONES), moments)
@example(ReminderPolicy(hour_from=2, hour_to=3), "Europe/Berlin", datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
@example(ReminderPolicy(weekdays=(6,), hour_from=2, hour_to=3), "Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC))
@example(ReminderPolicy(weekdays=(6,), hour_from=0, hour_to=1), "America/Havana", datetime(2026, 3, 8, tzinfo=UTC))
@example(ReminderPolicy(weekdays=(6,), hour_from=23, hour_to=24), "America/Havana", datetime(2026, 11, 1, tzinfo=UTC))
def test_it_is_the_first_working_moment_and_never_an_earlier_one(
    policy: ReminderPolicy, time_zone: str, moment: datetime
) -> None:
    allowed = allowed_from(policy, time_zone, moment)
    if allowed is None:
        assert policy.deadline is not None
        assert not (is_working_time(policy, time_zone, moment) and moment <= policy.deadline)
        return
    assert allowed >= moment
    assert is_working_time(policy, time_zone, allowed)
    assert policy.deadline is None or allowed <= policy.deadline
    assert allowed == moment or not is_working_time(policy, time_zone, moment)
    assert allowed - moment <= timedelta(days=15)


@given(policies(), st.sampled_from(ZONES), moments, st.integers(0, 25))
def test_the_next_reminder_keeps_every_rule(
    policy: ReminderPolicy, time_zone: str, last_contact: datetime, reminders: int
) -> None:
    due = next_due(policy, time_zone, invitation(reminders=reminders), last_contact)
    if due is None:
        return
    assert reminders < policy.at_most
    assert is_working_time(policy, time_zone, due)
    assert policy.deadline is None or due <= policy.deadline
    days = policy.first_after_days if reminders == 0 else policy.every_days
    here = zone(time_zone)
    passed = due.astimezone(here).replace(tzinfo=None) - last_contact.astimezone(here).replace(tzinfo=None)
    assert passed >= timedelta(days=days) - timedelta(hours=1), "an hour, where the clocks skip the wished one"


@given(policies(), st.sampled_from(ZONES), moments)
def test_a_whole_rollout_sends_at_most_what_the_policy_says(
    policy: ReminderPolicy, time_zone: str, now: datetime
) -> None:
    sent: list[datetime] = []
    due = next_due(policy, time_zone, invitation(), now)
    while due is not None:
        sent.append(due)
        due = next_due(policy, time_zone, invitation(reminders=len(sent)), due)
    assert len(sent) <= policy.at_most
    assert sent == sorted(set(sent))
    if policy.deadline is None:
        assert len(sent) == policy.at_most


@pytest.mark.parametrize("closed", [{"done_at": NOON}, {"exempt_at": NOON}])
def test_nothing_is_due_when_nothing_is_open(closed: dict[str, datetime]) -> None:
    assert next_due(ReminderPolicy(), "UTC", invitation(**closed), NOON) is None


def test_days_are_calendar_days_so_daylight_saving_moves_no_reminder() -> None:
    friday = local("2026-03-27", 10, "Europe/Berlin")
    due = next_due(ReminderPolicy(first_after_days=3), "Europe/Berlin", invitation(), friday)
    assert due == local("2026-03-30", 10, "Europe/Berlin")


def test_a_weekend_is_skipped() -> None:
    friday = local("2026-03-06", 16, "America/New_York")
    due = next_due(ReminderPolicy(first_after_days=2), "America/New_York", invitation(), friday)
    assert due == local("2026-03-09", 9, "America/New_York")


def test_a_snooze_decides_whatever_the_policy_says() -> None:
    until = NOON + timedelta(hours=3)
    assert next_due(ReminderPolicy(), "UTC", invitation(snoozed_until=until), NOON) == until


@given(st.sampled_from(ZONES), moments)
def test_without_a_working_day_there_is_no_reminder(time_zone: str, moment: datetime) -> None:
    assert allowed_from(ReminderPolicy(weekdays=()), time_zone, moment) is None


@given(policies(), st.sampled_from(ZONES), moments)
def test_asking_again_from_the_answer_gives_the_answer(
    policy: ReminderPolicy, time_zone: str, moment: datetime
) -> None:
    allowed = allowed_from(policy, time_zone, moment)
    assume(allowed is not None)
    assert allowed_from(policy, time_zone, allowed) == allowed


# the tick


async def reminders(store: Store) -> list[Delivery]:
    return [each for each in await stored(store, Delivery) if each.kind is DeliveryKind.REMINDER]


async def due_at(store: Store) -> list[datetime | None]:
    return [each.due_at for each in await stored(store, Invitation)]


async def test_a_tick_queues_what_is_due_once(store: Store) -> None:
    await invited_people(store, GRACE, LINUS)
    await settled(store, due_at=NOON)
    clock = StoppedClock(NOON)

    assert await queue_due(store, clock) == 2
    assert await queue_due(store, clock) == 0

    assert [(each.number, each.state, each.priority) for each in await reminders(store)] == [
        (1, DeliveryState.READY, 2)
    ] * 2
    assert await due_at(store) == [None, None]
    assert [each.reminders for each in await stored(store, Invitation)] == [1, 1]


async def test_before_its_time_nothing_is_queued(store: Store) -> None:
    await invited_people(store, GRACE)
    await settled(store, due_at=NOON + timedelta(seconds=1))
    assert await queue_due(store, StoppedClock(NOON)) == 0


@pytest.mark.parametrize("closed", [{"done_at": NOON}, {"exempt_at": NOON}])
async def test_who_is_done_or_exempt_is_not_reminded(store: Store, closed: dict[str, datetime]) -> None:
    await invited_people(store, GRACE)
    await settled(store, due_at=NOON, **closed)
    assert await queue_due(store, StoppedClock(NOON)) == 0


@pytest.mark.parametrize("state", [RolloutState.PAUSED, RolloutState.FINISHED])
async def test_a_rollout_that_rests_reminds_nobody(store: Store, state: RolloutState) -> None:
    await invited_people(store, GRACE, of=rollout(state=state))
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON)) == 0


async def test_a_tick_that_comes_late_waits_for_the_next_working_hours(store: Store) -> None:
    await invited_people(store, GRACE)
    await settled(store, due_at=NOON)
    clock = StoppedClock(NOON.replace(hour=20))
    assert await queue_due(store, clock) == 0
    assert await due_at(store) == [datetime(2026, 3, 4, 9, tzinfo=UTC)]

    clock.at = datetime(2026, 3, 4, 9, tzinfo=UTC)
    assert await queue_due(store, clock) == 1


async def test_a_tick_that_was_missed_for_days_reminds_once(store: Store) -> None:
    await invited_people(store, GRACE)
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON + 6 * DAY)) == 1
    assert [each.number for each in await reminders(store)] == [1]


async def test_after_the_deadline_the_plan_ends(store: Store) -> None:
    await invited_people(store, GRACE, of=rollout(policy=ReminderPolicy(deadline=NOON)))
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON + DAY)) == 0
    assert await due_at(store) == [None]


async def test_more_than_a_batch_is_queued_in_one_tick(store: Store) -> None:
    await invited_people(store, *(person(f"p{number}") for number in range(BATCH + 3)))
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON)) == BATCH + 3
