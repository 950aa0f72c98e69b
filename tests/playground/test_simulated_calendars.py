"""Three rollouts of 500 people on the real bot, across holidays and changes of daylight saving: no reminder comes at a
time at which nobody may be written to, nor after somebody is done. What is allowed is worked out here once more, by
other means than the bot's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import pytest

from adapters.playground.simulated_chat import Kind
from adapters.playground.simulated_rollout import Outcome, Plan, try_out
from bot.model import Interval, ReminderPolicy

PEOPLE = 500
COUNTRIES = {
    "Europe/Berlin": "DE",
    "Europe/London": "GB",
    "America/New_York": "US",
    "America/Los_Angeles": "US",
    "Asia/Kolkata": "IN",
    "Asia/Tokyo": "JP",
    "Australia/Sydney": "AU",
}
PLANS = {
    # Daylight saving begins on 29 March in Europe and ends on 5 April in Sydney; Easter is on 5 April.
    "easter": Plan(
        PEOPLE,
        21,
        11,
        ReminderPolicy(first_after_days=2, every_days=2, at_most=5, skip_holidays=True),
        date(2026, 3, 23),
    ),
    # It ends on 25 October in Europe and on 1 November in America; working hours into the night.
    "autumn": Plan(
        PEOPLE,
        21,
        12,
        ReminderPolicy(
            first_after_days=1,
            every_days=1,
            interval=Interval.GROWING,
            at_most=6,
            weekdays=(0, 1, 2, 3, 4, 6),
            hour_from=7,
            hour_to=23,
        ),
        date(2026, 10, 19),
    ),
    # Christmas and New Year of one country for all, a deadline, and a last reminder before it.
    "christmas": Plan(
        PEOPLE,
        28,
        13,
        ReminderPolicy(
            first_after_days=3,
            every_days=4,
            at_most=2,
            skip_holidays=True,
            holiday_country="DE",
            deadline=date(2027, 1, 4),
            final_notice=True,
        ),
        date(2026, 12, 14),
    ),
}


@pytest.fixture(scope="module", params=list(PLANS))
def plan(request: pytest.FixtureRequest) -> Plan:
    return PLANS[request.param]


@cache
def holidays_of(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, years=[2026, 2027])


def may_be_written_to(policy: ReminderPolicy, time_zone: str, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(time_zone))
    if policy.skip_holidays and local.date() in holidays_of(policy.holiday_country or COUNTRIES[time_zone]):
        return False
    if policy.deadline is not None and local.date() > policy.deadline:
        return False
    return local.weekday() in policy.weekdays and policy.hour_from <= local.hour < policy.hour_to


def asked_days(policy: ReminderPolicy, number: int) -> int:
    """After how many days the reminder of this number may come at the earliest."""
    if number == 1:
        return policy.first_after_days
    return policy.every_days * (number - 1 if policy.interval is Interval.GROWING else 1)


def by_person(outcome: Outcome) -> Mapping[str, Sequence[tuple[Kind, datetime]]]:
    """What each invitee got, in order."""
    got: dict[str, list[tuple[Kind, datetime]]] = defaultdict(list)
    for each in outcome.arrivals:
        got[each.person_id].append((each.kind, each.at))
    return got


async def test_nobody_is_written_to_at_the_wrong_time_too_often_or_when_done(plan: Plan) -> None:
    outcome = await try_out(plan, answer_within=30)
    policy, got = plan.policy, by_person(outcome)
    zones = {each.person.id: each.person.time_zone for each in outcome.invitees}
    done_at = {view.person.id: view.invitation.done_at for view in outcome.views}
    snoozes = {each.person.id for each in outcome.invitees if each.behaviour == "after a snooze"}
    reminded = 0
    for person_id, time_zone in zones.items():
        messages = got[person_id]
        assert [kind for kind, _ in messages].count(Kind.INVITATION) == 1
        reminders = [at for kind, at in messages if kind is Kind.REMINDER]
        reminded += len(reminders)
        wrong = [at for at in reminders if not may_be_written_to(policy, time_zone, at)]
        assert not wrong, (person_id, time_zone)
        done = done_at[person_id]
        assert done is None or all(at <= done for at in reminders)
        last = 1 if policy.final_notice else 0
        asked_for = 1 if person_id in snoozes else 0  # the time that they chose counts even when all are used up
        assert len(reminders) <= policy.at_most + last + asked_for
        if not last and not asked_for:
            times = [next(at for kind, at in messages if kind is Kind.INVITATION), *reminders]
            for number, (before, at) in enumerate(pairwise(times), start=1):
                waited = at.astimezone(ZoneInfo(time_zone)).date() - before.astimezone(ZoneInfo(time_zone)).date()
                assert waited >= timedelta(days=asked_days(policy, number)), (person_id, number)
    assert reminded > PEOPLE / 2, "there was something to check"
    assert len(outcome.done_ids) > PEOPLE * 0.8
    if policy.deadline is not None:
        _everybody_who_was_open_had_their_last_reminder(outcome, policy.deadline)


def _everybody_who_was_open_had_their_last_reminder(outcome: Outcome, deadline: date) -> None:
    """Within the three days before it: the deadline is a Monday, and the Friday before is New Year's Day."""
    got = by_person(outcome)
    for view in outcome.views:
        if view.invitation.done_at is None:
            reminders = [at for kind, at in got[view.person.id] if kind is Kind.REMINDER]
            local = reminders[-1].astimezone(ZoneInfo(view.person.time_zone)).date()
            assert local == deadline - timedelta(days=4), view.person.time_zone
