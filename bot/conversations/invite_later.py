"""The dialog that makes a wave of a list: how many of its people, the day and hour where each of them is, and when to
wait for the admin first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.conversations.invite_messages import count_of, not_ready_notice
from bot.conversations.setup_steps import one
from bot.events import FormSubmitted
from bot.messages import Choice, ChoiceField, DateField, Form, Section, Text, TextField, TextKind, Token, text
from bot.model import Dialog, ReminderPolicy
from bot.planned_waves import ASK, local
from bot.readiness import ReadyPoint
from bot.texts import zone

AT_MOST_AHEAD = timedelta(days=90)
HOURS_SHOWN = 10  # a choice shows no more
NEVER, ASKED = "never", "ask"
NOW, ON_A_DAY = "now", "day"
HOLD_ABOVE = (5, 10, 25)  # percent


@dataclass(frozen=True)
class Plan:
    """What an admin has chosen. Without a `day` it begins now; `hold_above` is None when it is to start whatever
    happens before; without a `size` everybody on the list is in it.
    """

    day: date | None
    hour: int
    hold_above: int | None
    size: int | None = None


@dataclass(frozen=True)
class Typed:
    """The form's fields as they were filled in, right or wrong."""

    size: str = ""
    when: str = ""
    day: str = ""
    hour: str = ""
    hold: str = NEVER


def size_in(event: FormSubmitted, dialog: Dialog) -> int | None:
    """How many people of the list the wave is to have; None for everybody. Raises ValueError when it cannot be."""
    words = one(event.values, "size")
    if not words:
        return None
    size = int(words) if words.isdecimal() else 0
    if size < 1:
        raise ValueError("not a number of people")
    return size if size < count_of(dialog) else None


def plan_form(
    dialog: Dialog,
    policy: ReminderPolicy,
    not_ready: Sequence[ReadyPoint] = (),
    typed: Typed = Typed(),  # frozen
    errors: dict[str, Text] | None = None,
) -> Form:
    """The empty form, or one with what is wrong."""
    hours = tuple(Choice(str(each), text("plan.hour.choice", hour=f"{each}:00")) for each in _hours(policy))
    holds = (
        Choice(NEVER, text("plan.hold.never")),
        *(Choice(str(each), text("plan.hold.above", percent=each)) for each in HOLD_ABOVE),
        Choice(ASKED, text("plan.hold.ask")),
    )
    whens = tuple(Choice(each, text(f"plan.when.{each}")) for each in (NOW, ON_A_DAY))
    chosen = typed.hour if typed.hour in {each.value for each in hours} else hours[0].value
    hold = typed.hold if typed.hold in {each.value for each in holds} else NEVER
    size = TextField(
        "size",
        text("plan.size"),
        typed.size,
        text("plan.size.hint", count=count_of(dialog)),
        required=False,
        max_length=6,
        text_kind=TextKind.NUMBER,
    )
    return Form(
        Token("invite", "plan", dialog.id, dialog.version),
        text("plan.title"),
        text("plan.submit"),
        body=(Section(text("plan.how")), *not_ready_notice(not_ready)),
        fields=(
            size,
            ChoiceField("when", text("plan.when"), whens, (typed.when,) if typed.when else ()),
            DateField("day", text("plan.day"), typed.day, required=False, hint=text("plan.day.hint")),
            ChoiceField("hour", text("plan.hour"), hours, (chosen,)),
            ChoiceField("hold", text("plan.hold"), holds, (hold,)),
        ),
        errors=errors,
        cancel=Token("invite", "show", dialog.id, dialog.version),
    )


def read_plan(
    event: FormSubmitted, dialog: Dialog, policy: ReminderPolicy, now: datetime, not_ready: Sequence[ReadyPoint] = ()
) -> Plan | Form:
    """What was chosen; the form again, with what is wrong, when it cannot be."""
    typed = Typed(*(one(event.values, name) for name in ("size", "when", "day", "hour", "hold")))
    errors: dict[str, Text] = {}
    size = None
    try:
        size = size_in(event, dialog)
    except ValueError:
        errors["size"] = text("plan.error.size", count=count_of(dialog))
    if typed.when not in (NOW, ON_A_DAY):  # nobody is written to because a field was overlooked
        errors["when"] = text("setup.error.required")
    elif typed.when == ON_A_DAY:
        problem = _problem(typed.day, typed.hour, event.actor.time_zone, policy, now)
        errors |= {"day": problem} if problem is not None else {}
    if errors:
        return plan_form(dialog, policy, not_ready, typed, errors)
    if typed.when == NOW:
        return Plan(None, 0, None, size)
    above = {str(each): each for each in HOLD_ABOVE} | {ASKED: ASK}
    return Plan(date.fromisoformat(typed.day), int(typed.hour), above.get(typed.hold), size)


def _problem(day: str, hour: str, time_zone: str, policy: ReminderPolicy, now: datetime) -> Text | None:
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        return text("plan.error.day")
    if not _is_an_hour(hour, policy) or local(chosen, int(hour), time_zone) <= now:
        return text("plan.error.day")
    if chosen > now.astimezone(zone(time_zone)).date() + AT_MOST_AHEAD:
        return text("plan.error.far", days=AT_MOST_AHEAD.days)
    if policy.deadline is not None and chosen > policy.deadline:
        return text("plan.error.deadline")
    if chosen.weekday() not in policy.weekdays:
        return text("plan.error.weekday")
    return None


def _hours(policy: ReminderPolicy) -> range:
    return range(policy.hour_from, min(policy.hour_to, policy.hour_from + HOURS_SHOWN))


def _is_an_hour(hour: str, policy: ReminderPolicy) -> bool:
    return hour in {str(each) for each in _hours(policy)}
