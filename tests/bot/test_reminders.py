"""When reminders are due: in the invitee's own days and hours, never too early, never too late, never too many."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import holidays
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot import faultpoints
from bot.calendar import allowed_from, country_of, final_day, is_over, opening
from bot.model import Delivery, DeliveryKind, DeliveryState, Interval, Invitation, ReminderPolicy, RolloutState, Wish
from bot.ports import Store
from bot.reminders import BATCH, next_due, next_kind, plan_next, queue_due
from bot.texts import zone
from storage.database import Database
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
days = st.dates(date(2024, 1, 1), date(2028, 1, 1))
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
        interval=draw(st.sampled_from(Interval)),
        skip_holidays=draw(st.booleans()),
        holiday_country=draw(st.sampled_from(["", "DE", "JP", "US"])),
        deadline=draw(st.none() | days),
        final_notice=draw(st.booleans()),
    )


def is_working_time(policy: ReminderPolicy, time_zone: str, moment: datetime) -> bool:
    there = moment.astimezone(zone(time_zone))
    if policy.skip_holidays:
        country = policy.holiday_country or country_of(time_zone)
        if country in holidays.list_supported_countries() and there.date() in holidays.country_holidays(country):
            return False
    return there.weekday() in policy.weekdays and policy.hour_from <= there.hour < policy.hour_to


def is_in_time(policy: ReminderPolicy, time_zone: str, moment: datetime) -> bool:
    return policy.deadline is None or moment.astimezone(zone(time_zone)).date() <= policy.deadline


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
        assert not (is_working_time(policy, time_zone, moment) and is_in_time(policy, time_zone, moment))
        return
    assert allowed >= moment
    assert is_working_time(policy, time_zone, allowed)
    assert is_in_time(policy, time_zone, allowed)
    assert allowed == moment or not is_working_time(policy, time_zone, moment)
    assert policy.skip_holidays or allowed - moment <= timedelta(days=15)


@given(policies(), st.sampled_from(ZONES), moments, st.integers(0, 25))
def test_the_next_reminder_keeps_every_rule(
    policy: ReminderPolicy, time_zone: str, last_contact: datetime, reminders: int
) -> None:
    due = next_due(policy, time_zone, invitation(reminders=reminders), last_contact)
    if due is None:
        return
    assert is_working_time(policy, time_zone, due)
    assert is_in_time(policy, time_zone, due)
    here = zone(time_zone)
    final = final_day(policy, time_zone)
    if final is not None and due.astimezone(here).date() >= final:
        assert due.astimezone(here).date() > last_contact.astimezone(here).date(), "not twice on a day"
        return
    assert reminders < policy.at_most
    growth = reminders if policy.interval is Interval.GROWING else 1
    waits = policy.first_after_days if reminders == 0 else policy.every_days * growth
    passed = due.astimezone(here).replace(tzinfo=None) - last_contact.astimezone(here).replace(tzinfo=None)
    assert passed >= timedelta(days=waits) - timedelta(hours=1), "an hour, where the clocks skip the wished one"


def whole_rollout(policy: ReminderPolicy, time_zone: str, now: datetime) -> list[tuple[datetime, DeliveryKind]]:
    """Every reminder that one invitee gets who never does anything."""
    sent: list[tuple[datetime, DeliveryKind]] = []
    current = invitation()
    due = next_due(policy, time_zone, current, now)
    while due is not None:
        assert len(sent) <= 30, "it never ends"
        kind = next_kind(policy, time_zone, current.final_notice_at, due)
        sent.append((due, kind))
        current.reminders += 1
        if kind is DeliveryKind.FINAL_NOTICE:
            current.final_notice_at = due
        due = next_due(policy, time_zone, current, due)
    return sent


@given(policies(), st.sampled_from(ZONES), moments)
def test_a_whole_rollout_sends_at_most_what_the_policy_says(
    policy: ReminderPolicy, time_zone: str, now: datetime
) -> None:
    sent = whole_rollout(policy, time_zone, now)
    moments_of = [at for at, _ in sent]
    kinds = [kind for _, kind in sent]
    assert kinds.count(DeliveryKind.REMINDER) <= policy.at_most
    assert kinds.count(DeliveryKind.FINAL_NOTICE) <= 1
    assert DeliveryKind.FINAL_NOTICE not in kinds[:-1], "it is the last"
    assert moments_of == sorted(set(moments_of))
    if policy.deadline is None:
        assert len(sent) == policy.at_most


@given(policies(), st.sampled_from(ZONES), days, st.integers(2, 200))
def test_before_the_deadline_there_is_a_final_notice_if_the_policy_permits(
    policy: ReminderPolicy, time_zone: str, deadline: date, before: int
) -> None:
    policy = policy.model_copy(update={"deadline": deadline, "final_notice": True})
    last = final_day(policy, time_zone)
    assert last is not None
    assert last < deadline
    here = zone(time_zone)
    invited = datetime.combine(deadline - timedelta(days=before), time(12), here).astimezone(UTC)
    assume(invited.astimezone(here).date() < last)
    # hours that the clocks skip on that day leave none: then the deadline's own day, if it is a working day
    assume(is_working_time(policy, time_zone, opening(policy, time_zone, last)))
    [*_, (at, kind)] = whole_rollout(policy, time_zone, invited)
    assert kind is DeliveryKind.FINAL_NOTICE
    assert at.astimezone(here).date() == last


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


def test_a_day_of_rest_before_the_last_reminder_is_the_invitees_own() -> None:
    """Written to on Friday the 13th at one in the night in Auckland, where the last reminder is due that day: in UTC it
    is still Thursday.
    """
    policy = ReminderPolicy(deadline=date(2026, 3, 16), final_notice=True, at_most=0)
    written = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)
    assert next_due(policy, "Pacific/Auckland", invitation(), written) == local("2026-03-16", 9, "Pacific/Auckland")
    assert next_due(policy, "UTC", invitation(), written) == local("2026-03-13", 9, "UTC")


def test_the_last_day_begins_where_the_invitee_is() -> None:
    policy = ReminderPolicy(deadline=date(2026, 3, 16), final_notice=True, at_most=0)
    morning = datetime(2026, 3, 12, 21, 0, tzinfo=UTC)
    assert next_kind(policy, "Pacific/Auckland", None, morning) is DeliveryKind.FINAL_NOTICE
    assert next_kind(policy, "UTC", None, morning) is DeliveryKind.REMINDER


@pytest.mark.parametrize("reminders", [0, 4])
def test_a_snooze_decides_whatever_the_policy_says(reminders: int) -> None:
    until = NOON + timedelta(hours=3)
    assert next_due(ReminderPolicy(), "UTC", invitation(snoozed_until=until, reminders=reminders), NOON) == until


@pytest.mark.parametrize("wish", [Wish.STOP, Wish.NOT_MINE])
def test_whoever_wants_no_more_gets_none_not_even_the_final_notice(wish: Wish) -> None:
    policy = ReminderPolicy(deadline=(NOON + 20 * DAY).date())
    assert next_due(policy, "UTC", invitation(), NOON) is not None
    assert next_due(policy, "UTC", invitation(wish=wish), NOON) is None


def test_a_growing_interval_makes_each_wait_longer_than_the_last() -> None:
    policy = ReminderPolicy(first_after_days=1, every_days=2, interval=Interval.GROWING, weekdays=tuple(range(7)))
    sent = [at for at, _ in whole_rollout(policy, "UTC", NOON)]
    assert [at - NOON for at in sent] == [1 * DAY, 3 * DAY, 7 * DAY, 13 * DAY]


FINAL = ReminderPolicy(at_most=1, deadline=date(2026, 3, 16), final_notice=True)  # a Monday


def test_the_final_notice_comes_on_the_working_day_before_the_deadline_also_when_all_others_are_used_up() -> None:
    assert whole_rollout(FINAL, "UTC", NOON) == [
        (NOON + 2 * DAY, DeliveryKind.REMINDER),
        (local("2026-03-13", 9, "UTC"), DeliveryKind.FINAL_NOTICE),
    ]


def test_a_reminder_that_falls_on_the_final_day_is_the_final_notice() -> None:
    often = FINAL.model_copy(update={"every_days": 1, "at_most": 20})
    sent = whole_rollout(often, "UTC", local("2026-03-11", 10, "UTC"))
    assert sent == [(local("2026-03-13", 9, "UTC"), DeliveryKind.FINAL_NOTICE)]


def test_whoever_is_invited_on_the_last_day_gets_no_reminder_on_the_same_day() -> None:
    invited = local("2026-03-13", 10, "UTC")
    assert next_due(FINAL, "UTC", invitation(), invited) == local("2026-03-16", 9, "UTC")
    assert next_due(FINAL, "UTC", invitation(), local("2026-03-16", 10, "UTC")) is None


def test_a_deadline_that_is_moved_later_has_a_final_notice_of_its_own() -> None:
    given_one = invitation(reminders=1, final_notice_at=local("2026-03-13", 9, "UTC"))
    assert next_due(FINAL, "UTC", given_one, NOON) is None
    later = FINAL.model_copy(update={"deadline": date(2026, 4, 1)})
    assert next_due(later, "UTC", given_one, NOON) == local("2026-03-31", 9, "UTC")


def test_a_reminder_that_is_asked_for_after_the_final_notice_is_no_second_one() -> None:
    friday = local("2026-03-13", 9, "UTC")
    assert next_kind(FINAL, "UTC", None, friday) is DeliveryKind.FINAL_NOTICE
    assert next_kind(FINAL, "UTC", friday, local("2026-03-16", 9, "UTC")) is DeliveryKind.REMINDER


def test_the_final_notice_comes_before_the_holidays_of_the_invitees_country_and_once() -> None:
    after_easter = FINAL.model_copy(update={"deadline": date(2026, 4, 7), "skip_holidays": True})
    maundy_thursday = local("2026-04-02", 9, "Europe/Berlin")
    assert next_due(after_easter, "Europe/Berlin", invitation(reminders=1), NOON) == maundy_thursday
    assert next_kind(after_easter, "Europe/Berlin", None, maundy_thursday) is DeliveryKind.FINAL_NOTICE
    had_it = invitation(reminders=1, final_notice_at=maundy_thursday)
    assert next_due(after_easter, "Europe/Berlin", had_it, maundy_thursday) is None
    tuesday = local("2026-04-07", 9, "Europe/Berlin")
    assert next_kind(after_easter, "Europe/Berlin", maundy_thursday, tuesday) is DeliveryKind.REMINDER


def test_the_deadline_is_the_end_of_its_day_where_the_invitee_is() -> None:
    policy = ReminderPolicy(hour_from=0, hour_to=24, deadline=date(2026, 3, 4))
    for time_zone in ("Pacific/Kiritimati", "UTC", "America/Los_Angeles"):
        late = local("2026-03-04", 23, time_zone)
        assert allowed_from(policy, time_zone, late) == late
        assert allowed_from(policy, time_zone, late + timedelta(hours=1)) is None
        assert not is_over(policy, late, time_zone)
        assert is_over(policy, late + timedelta(hours=1), time_zone)
    assert not is_over(policy, local("2026-03-04", 23, "Etc/GMT+12")), "somewhere it still is that day"
    assert is_over(policy, local("2026-03-05", 0, "Etc/GMT+12"))


@pytest.mark.parametrize(
    ("time_zone", "country", "day"),
    [
        ("Europe/Berlin", "", "2026-12-25"),
        ("US/Pacific", "", "2026-07-03"),
        ("Asia/Kolkata", "", "2026-01-26"),
        ("UTC", "FR", "2026-07-14"),
        ("Europe/Berlin", "FR", "2026-07-14"),
    ],
)
def test_public_holidays_are_no_working_days(time_zone: str, country: str, day: str) -> None:
    policy = ReminderPolicy(skip_holidays=True, holiday_country=country)
    morning = local(day, 9, time_zone)
    allowed = allowed_from(policy, time_zone, morning)
    assert allowed is not None
    assert allowed.astimezone(zone(time_zone)).date() > date.fromisoformat(day)
    assert allowed_from(ReminderPolicy(holiday_country=country), time_zone, morning) == morning


@pytest.mark.parametrize("time_zone", ["UTC", "Etc/GMT+5", "No/Such_Zone", ""])
def test_where_no_country_is_known_there_are_no_holidays(time_zone: str) -> None:
    christmas = local("2026-12-25", 12, "UTC")
    policy = ReminderPolicy(skip_holidays=True, hour_from=0, hour_to=24)
    assert allowed_from(policy, time_zone, christmas) == christmas


def test_every_time_zone_of_a_city_has_its_country() -> None:
    cities = {name for name in available_timezones() if "/" in name and not name.startswith("Etc/")}
    unknown = {name for name in cities if len(country_of(name)) != 2}
    assert len(unknown) <= 3, unknown  # a zone may be younger than Babel's data


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
    kinds = (DeliveryKind.REMINDER, DeliveryKind.FINAL_NOTICE)
    return [each for each in await stored(store, Delivery) if each.kind in kinds]


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
    await invited_people(store, GRACE, of=rollout(policy=ReminderPolicy(deadline=NOON.date())))
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON + DAY)) == 0
    assert await due_at(store) == [None]


async def test_more_than_a_batch_is_queued_in_one_tick(store: Store) -> None:
    await invited_people(store, *(person(f"p{number}") for number in range(BATCH + 3)))
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON)) == BATCH + 3


async def test_the_last_one_before_the_deadline_is_the_final_notice_where_it_is_that_day(store: Store) -> None:
    early = LINUS.model_copy(update={"time_zone": "Pacific/Kiritimati"})  # where it is the next day already
    policy = ReminderPolicy(
        deadline=(NOON + 2 * DAY).date(),
        hour_from=0,
        hour_to=24,
        weekdays=tuple(range(7)),
        skip_holidays=False,
        final_notice=True,
    )
    of = await invited_people(store, GRACE, early, of=rollout(policy=policy))
    await settled(store, due_at=NOON)

    assert await queue_due(store, StoppedClock(NOON)) == 2

    queued = {each.person_id: each for each in await reminders(store)}
    assert queued[GRACE.id].kind is DeliveryKind.REMINDER
    assert queued[early.id].kind is DeliveryKind.FINAL_NOTICE
    assert {each.rollout_id for each in queued.values()} == {of.id}
    given = {each.person_id: each.final_notice_at for each in await stored(store, Invitation)}
    assert given == {GRACE.id: None, early.id: NOON}


async def test_the_next_one_is_counted_from_now(store: Database) -> None:
    await invited_people(store, GRACE)
    (invitation,) = await stored(store, Invitation)
    later = NOON + timedelta(hours=1)
    async with store.transaction() as tx:
        await plan_next(tx, invitation.id, later)
        await plan_next(tx, "gone", later)
    (after,) = await stored(store, Invitation)
    assert after.last_contact_at == later
    assert after.due_at == next_due(rollout().policy, GRACE.time_zone, invitation, later)


async def test_a_tick_can_be_cut_off_where_it_matters(store: Store) -> None:
    reached: list[str] = []
    faultpoints.install(reached.append)
    try:
        await invited_people(store, GRACE)
        await settled(store, due_at=NOON)
        await queue_due(store, StoppedClock(NOON))
    finally:
        faultpoints.install(None)
    assert [each for each in reached if each.startswith("reminders.")] == [
        "reminders.after_enqueue",
        "reminders.after_commit",
    ]


async def test_each_is_reminded_by_the_clock_where_they_are(store: Store) -> None:
    """In one run: two zones where they work now, two where they do not."""
    zones = ("Europe/Berlin", "Europe/Athens", "Asia/Tokyo", "Asia/Seoul")
    people = [person(f"p{number}", time_zone=zone_name) for number, zone_name in enumerate(zones)]
    await invited_people(store, *people)
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON)) == 2
    assert {each.person_id for each in await reminders(store)} == {people[0].id, people[1].id}
    again = {each.person_id: each.due_at for each in await stored(store, Invitation)}
    assert again == {
        people[0].id: None,
        people[1].id: None,
        people[2].id: datetime(2026, 3, 4, 0, tzinfo=UTC),
        people[3].id: datetime(2026, 3, 4, 0, tzinfo=UTC),
    }


async def test_the_final_notice_is_given_once_and_counts_as_a_reminder(store: Store) -> None:
    policy = ReminderPolicy(deadline=(NOON + DAY).date(), final_notice=True)
    await invited_people(store, GRACE, LINUS, of=rollout(policy=policy))
    await settled(store, due_at=NOON)
    clock = StoppedClock(NOON)
    assert await queue_due(store, clock) == 2
    assert {each.kind for each in await reminders(store)} == {DeliveryKind.FINAL_NOTICE}
    given = [(each.reminders, each.final_notice_at) for each in await stored(store, Invitation)]
    assert given == [(1, NOON)] * 2
    await settled(store, due_at=NOON)
    assert await queue_due(store, clock) == 2
    assert sorted(each.kind for each in await reminders(store) if each.number == 2) == [DeliveryKind.REMINDER] * 2


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_very_many_are_queued_in_parts(store: Store, more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.reminders.DUE_AT_ONCE", 5)
    await invited_people(store, *(person(f"p{number}") for number in range(10 + more)))
    await settled(store, due_at=NOON)
    assert await queue_due(store, StoppedClock(NOON)) == 10 + more
    assert len(await reminders(store)) == 10 + more
