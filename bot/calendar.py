"""Working time where somebody is: their days, hours, public holidays and the deadline. Pure functions of the policy.

Days are calendar days there, so a change of daylight saving moves nothing by an hour. Holidays are those of a whole
country (the `holidays` package); those of one of its regions only are not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

import holidays
from babel.core import get_global

from bot.model import ReminderPolicy
from bot.texts import zone

LOOK_AHEAD = 60  # days; no policy with a working day at all is without one for longer
LAST_ZONE = "Etc/GMT+12"  # where every day ends last


def allowed_from(policy: ReminderPolicy, time_zone: str, moment: datetime) -> datetime | None:
    """The first moment, not before `moment`, within the working days and hours of that time zone; None when the
    deadline, or a policy without a working day, leaves none.
    """
    here = zone(time_zone)
    first = moment.astimezone(here).date()
    for day in _days(first, 1):
        if policy.deadline is not None and day > policy.deadline:
            return None
        if is_working_day(policy, time_zone, day):
            candidate = max(moment, _at(day, policy.hour_from, here))
            if candidate < _at(day, policy.hour_to, here):
                return candidate
    return None


def is_working_day(policy: ReminderPolicy, time_zone: str, day: date) -> bool:
    """Whether the policy lets the bot write to somebody of that time zone on that day."""
    if day.weekday() not in policy.weekdays:
        return False
    if not policy.skip_holidays:
        return True
    return not _is_holiday(policy.holiday_country or country_of(time_zone), day)


def final_day(policy: ReminderPolicy, time_zone: str) -> date | None:
    """The last working day before the deadline: that of the final notice. None when there is to be none."""
    if policy.deadline is None or not policy.final_notice:
        return None
    before = policy.deadline - timedelta(days=1)
    return next((day for day in _days(before, -1) if is_working_day(policy, time_zone, day)), None)


def opening(policy: ReminderPolicy, time_zone: str, day: date) -> datetime:
    """When working hours begin there on that day."""
    return _at(day, policy.hour_from, zone(time_zone))


def is_over(policy: ReminderPolicy, now: datetime, time_zone: str = LAST_ZONE) -> bool:
    """Whether the deadline's day has ended in that time zone; by default, wherever anybody may be."""
    return policy.deadline is not None and now.astimezone(zone(time_zone)).date() > policy.deadline


def days_later(moment: datetime, days: int, time_zone: str) -> datetime:
    """The same local time, that many calendar days later."""
    return (moment.astimezone(zone(time_zone)) + timedelta(days=days)).astimezone(UTC)


@cache
def country_of(time_zone: str) -> str:
    """The country (ISO 3166-1 alpha-2) that a time zone lies in, by CLDR; none that exists for UTC and the like."""
    name = get_global("zone_aliases").get(time_zone, time_zone)
    country: str = get_global("zone_territories").get(name, "")
    return country


@cache
def supported_countries() -> frozenset[str]:
    """The countries (ISO 3166-1 alpha-2) whose holidays are known."""
    return frozenset(code for code in holidays.list_supported_countries() if len(code) == 2)


@cache
def _holidays_of(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)  # computes a year when it is first asked for one


def _is_holiday(country: str, day: date) -> bool:
    return country in supported_countries() and day in _holidays_of(country)


def _days(first: date, step: int) -> Iterator[date]:
    return (first + timedelta(days=step * number) for number in range(LOOK_AHEAD))


def _at(day: date, hour: int, here: tzinfo) -> datetime:
    """That hour of that day there; hour 24 is the next midnight."""
    midnight = datetime.combine(day, time(), here)
    local = midnight + timedelta(days=1) if hour == 24 else midnight.replace(hour=hour)
    return local.astimezone(UTC)
