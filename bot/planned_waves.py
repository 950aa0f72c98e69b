"""Waves that start on a later day, for each invitee at the same time where they are; and whether one is held then.

A planned wave keeps its list. It is stored from the moment when its day and hour have come where they come first,
each invitation with the moment when they come where the invitee is, moved into the policy's working hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from bot.calendar import allowed_from
from bot.figures import duration
from bot.messages import Button, Element, Facts, Message, Section, Style, Token, text
from bot.model import Person, ReminderPolicy, Wave
from bot.ports import WaveResults
from bot.texts import zone

ASK = 0  # a wave's `hold_above`: whatever comes of the wave before, the admin is asked
KINDS_SHOWN = 5  # of problems
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


def is_to_wait(wave: Wave, before: WaveResults) -> bool:
    """Whether the admin is to be asked in any case, or more of the wave before it have a problem than they allow."""
    if wave.hold_above is None:
        return False
    return wave.hold_above == ASK or 100 * before.reported > wave.hold_above * before.reached


def held_message(wave: Wave, before: WaveResults) -> Message:
    """Asks the admin whether a planned wave goes out, with how it goes with those before."""
    title = text("wave.ask.title" if wave.hold_above == ASK else "wave.held.title")
    why = text("wave.ask", count=wave.size) if wave.hold_above == ASK else text("wave.held", count=wave.size)
    start = Button(
        text("button.start_wave"),
        Token("wave", "start", wave.id, wave.version),
        Style.PRIMARY,
        confirm=text("invite.sure", count=wave.size),
    )
    return Message(
        title,
        title,
        (Section(why), *_results(before)),
        (start, Button(text("button.status"), Token("wave", "status", wave.id))),
    )


def _results(before: WaveResults) -> tuple[Element, ...]:
    if not before.reached:
        return ()
    done = text("wave.before.share", n=before.done, percent=round(100 * before.done / before.reached))
    reported = text("wave.before.share", n=before.reported, percent=round(100 * before.reported / before.reached))
    facts = [(text("status.reached"), text("number", n=before.reached)), (text("status.done"), done)]
    if before.median_hours is not None:
        facts.append((text("report.median"), duration(before.median_hours)))
    facts.append((text("wave.before.reported"), reported))
    kinds = sorted(before.problems.items(), key=lambda item: (-item[1], item[0]))
    facts += [(text(f"problem.{kind}"), text("number", n=number)) for kind, number in kinds[:KINDS_SHOWN]]
    return Section(text("wave.before")), Facts(tuple(facts))
