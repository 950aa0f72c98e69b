"""The dialog that plans a wave: the day and hour, where each invitee is, and when to wait for the admin first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.conversations.setup_steps import one
from bot.events import FormSubmitted
from bot.messages import Choice, ChoiceField, DateField, Form, Section, Text, Token, text
from bot.model import Dialog, ReminderPolicy
from bot.planned_waves import ASK, local
from bot.texts import zone

AT_MOST_AHEAD = timedelta(days=90)
HOURS_SHOWN = 10  # a choice shows no more
NEVER, ASKED = "never", "ask"
HOLD_ABOVE = (5, 10, 25)  # percent


@dataclass(frozen=True)
class Plan:
    """What an admin has chosen. `hold_above` is None when the wave is to start whatever happens before."""

    day: date
    hour: int
    hold_above: int | None


def plan_form(
    dialog: Dialog, policy: ReminderPolicy, day: str = "", hour: str = "", errors: dict[str, Text] | None = None
) -> Form:
    """The empty form, or one with what is wrong."""
    hours = tuple(Choice(str(each), text("plan.hour.choice", hour=f"{each}:00")) for each in _hours(policy))
    holds = (
        Choice(NEVER, text("plan.hold.never")),
        *(Choice(str(each), text("plan.hold.above", percent=each)) for each in HOLD_ABOVE),
        Choice(ASKED, text("plan.hold.ask")),
    )
    chosen = hour if hour in {each.value for each in hours} else hours[0].value
    return Form(
        Token("invite", "plan", dialog.id, dialog.version),
        text("plan.title"),
        text("plan.submit"),
        body=(Section(text("plan.how")),),
        fields=(
            DateField("day", text("plan.day"), day),
            ChoiceField("hour", text("plan.hour"), hours, (chosen,)),
            ChoiceField("hold", text("plan.hold"), holds, (NEVER,)),
        ),
        errors=errors,
        cancel=Token("invite", "show", dialog.id, dialog.version),
    )


def read_plan(event: FormSubmitted, dialog: Dialog, policy: ReminderPolicy, now: datetime) -> Plan | Form:
    """What was chosen; the form again, with what is wrong, when it cannot be."""
    day, hour, hold = (one(event.values, name) for name in ("day", "hour", "hold"))
    problem = _problem(day, hour, event.actor.time_zone, policy, now)
    if problem is not None:
        return plan_form(dialog, policy, day, hour, {"day": problem})
    above = {str(each): each for each in HOLD_ABOVE} | {ASKED: ASK}
    return Plan(date.fromisoformat(day), int(hour), above.get(hold))


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
        return text("later.error.deadline")
    if chosen.weekday() not in policy.weekdays:
        return text("plan.error.weekday")
    return None


def _hours(policy: ReminderPolicy) -> range:
    return range(policy.hour_from, min(policy.hour_to, policy.hour_from + HOURS_SHOWN))


def _is_an_hour(hour: str, policy: ReminderPolicy) -> bool:
    return hour in {str(each) for each in _hours(policy)}
