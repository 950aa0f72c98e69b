"""Waves that start on a later day, for each invitee at the same time where they are; and whether one is held then.

A planned wave keeps its list. It is stored from the moment when its day and hour have come where they come first,
each invitation with the moment when they come where the invitee is, moved into the policy's working hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from bot.calendar import allowed_from
from bot.messages import Button, Message, Section, Style, Token, text
from bot.model import Person, ReminderPolicy, Wave
from bot.ports import Reported
from bot.texts import zone

FIRST_ZONE = "Etc/GMT-14"  # where every day begins first: UTC+14


def starts_at(day: date, hour: int) -> datetime:
    """When it is that hour of that day for the first people on Earth."""
    return local(day, hour, FIRST_ZONE)


def local(day: date, hour: int, time_zone: str) -> datetime:
    """That hour of that day in a time zone."""
    return datetime.combine(day, time(hour), zone(time_zone)).astimezone(UTC)


def day_and_hour(moment: datetime) -> tuple[date, int]:
    """What a planned wave's `starts_at` was made of."""
    there = moment.astimezone(zone(FIRST_ZONE))
    return there.date(), there.hour


def moments(wave: Wave, policy: ReminderPolicy, people: Sequence[Person], now: datetime) -> Mapping[str, datetime]:
    """When each of these people, by id, gets a planned wave's message; nobody's for one that goes at once. Where the
    deadline leaves no working time, it is at that hour all the same.
    """
    if wave.starts_at is None:
        return {}
    day, hour = day_and_hour(wave.starts_at)
    wished = {each.id: max(local(day, hour, each.time_zone), now) for each in people}
    return {each.id: allowed_from(policy, each.time_zone, wished[each.id]) or wished[each.id] for each in people}


def is_to_wait(wave: Wave, before: Reported) -> bool:
    """Whether more of the wave before it have reported a problem than the admin allowed."""
    return wave.hold_above is not None and 100 * before.reported > wave.hold_above * before.reached


def held_message(wave: Wave, before: Reported) -> Message:
    """Tells the admin that a planned wave waits for them, and why."""
    title = text("wave.held.title")
    why = Section(text("wave.held", count=before.reported, reached=before.reached, waiting=wave.size))
    start = Button(
        text("button.start_wave"),
        Token("wave", "start", wave.id, wave.version),
        Style.PRIMARY,
        confirm=text("invite.sure", count=wave.size),
    )
    return Message(title, title, (why,), (start, Button(text("button.status"), Token("wave", "status", wave.id))))
