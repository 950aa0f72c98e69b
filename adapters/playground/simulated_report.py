"""What came of a trial, for whoever has to choose a reminder policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from math import ceil

from rich import box
from rich.console import Console
from rich.table import Table

from adapters.playground.simulated_chat import Arrival, Kind
from adapters.playground.simulated_people import ADMIN_ZONE, Behaviour
from adapters.playground.simulated_rollout import Outcome, Plan
from adapters.slack.platform import LIMITS
from bot.conversations.bars import bar
from bot.model import Interval, ReminderPolicy

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUANTILES = (0.50, 0.80, 0.95)


def show(outcome: Outcome, console: Console, took: float) -> None:
    """Print it all. `took` is the real time in seconds."""
    plan = outcome.plan
    console.print(f"\n[bold]{plan.people:,} simulated people, {_count(plan.days, 'day')}[/]\n")
    facts = (
        ("Policy", in_words(plan.policy)),
        ("Days", f"as they are in {ADMIN_ZONE}, where the admin is; the first is {_in_full(plan.first_day)}"),
        ("Seed", f"{plan.seed}: the same seed, the same people"),
    )
    console.print(_facts(facts))
    for table in (_by_day(outcome), _by_behaviour(outcome), _reminders_each(outcome)):
        console.print(table)
    console.print(_facts(_in_short(outcome)))
    console.print(
        "\n[dim]How people behave is assumed, not measured. Everything else is the real bot on a simulated clock: "
        f"{len(outcome.arrivals):,} messages and {outcome.updates:,} updates in {took:.0f} seconds.[/]"
    )


def _facts(facts: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for name, value in facts:
        grid.add_row(name, value)
    return grid


def _table(title: str, *headings: str) -> Table:
    """Numbers on the right of their columns, except in the first and the last, which is for bars."""
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for position, heading in enumerate(headings):
        outer = position in (0, len(headings) - 1)
        table.add_column(heading, justify="left" if outer else "right", no_wrap=True)
    return table


def in_words(policy: ReminderPolicy) -> str:
    """The policy as one would tell it to a colleague."""
    if policy.at_most == 0:
        return "no reminders but those that people ask for."
    first = f"first reminder after {_count(policy.first_after_days, 'day')}"
    then = f", then every {_count(policy.every_days, 'day') if policy.every_days > 1 else 'day'}"
    days = f"{WEEKDAYS[policy.weekdays[0]]} to {WEEKDAYS[policy.weekdays[-1]]}"
    hours = f"{policy.hour_from}:00 to {policy.hour_to}:00"
    growing = ", and longer each time" if policy.interval is Interval.GROWING else ""
    return (
        f"{first}{f'{then}{growing}' if policy.at_most > 1 else ''}, at most {policy.at_most}; "
        f"{days}{_holidays(policy)}, {hours} in each person's own time zone.{_deadline(policy)}"
    )


def _holidays(policy: ReminderPolicy) -> str:
    if not policy.skip_holidays:
        return ""
    return f" without the public holidays of {policy.holiday_country or 'their own country'}"


def _deadline(policy: ReminderPolicy) -> str:
    if policy.deadline is None:
        return ""
    last = ", with a last reminder on the working day before" if policy.final_notice else ""
    return f" Deadline: {_in_full(policy.deadline)}{last}."


def _by_day(outcome: Outcome) -> Table:
    table = _table("Day by day", "Day", "Invitations", "Reminders", "Messages", "Done", "")
    plan, people = outcome.plan, outcome.plan.people
    kinds = Counter((plan.day_of(each.at), each.kind) for each in outcome.arrivals)
    done = Counter(plan.day_of(moment) for moment in outcome.done_at)
    so_far = accumulate(done[day] for day in range(1, plan.days + 1))
    for day, total in enumerate(so_far, start=1):
        sent = {kind: kinds[day, kind] for kind in Kind}
        row = (sent[Kind.INVITATION], sent[Kind.REMINDER], sum(sent.values()))
        numbers = [f"{number:,}" if number else "·" for number in row]
        table.add_row(_day(plan, day), *numbers, f"{total:,}", _share(total, people))
    return table


def _by_behaviour(outcome: Outcome) -> Table:
    """What was assumed, and what came of it."""
    table = _table("Who finished", "They act …", "People", "Done", "Reminders", "")
    reminders = outcome.reminders
    done = outcome.done_ids
    for behaviour in Behaviour:
        ids = [each.person.id for each in outcome.invitees if each.behaviour is behaviour]
        finished = sum(each in done for each in ids)
        mean = _mean([reminders[each] for each in ids])
        numbers = (f"{number:,}" for number in (len(ids), finished))
        table.add_row(behaviour.value, *numbers, f"{mean:.1f}", _share(finished, len(ids)))
    table.add_section()
    everybody, mean = outcome.plan.people, _mean(list(reminders.values()))
    numbers = (f"{number:,}" for number in (everybody, len(done)))
    table.add_row("all", *numbers, f"{mean:.1f}", _share(len(done), everybody))
    return table


def _reminders_each(outcome: Outcome) -> Table:
    """How many people got how many."""
    table = _table("Reminders per person", "Reminders", "People", "Not done", "")
    people = Counter(outcome.reminders.values())
    missing = Counter(number for person, number in outcome.reminders.items() if person not in outcome.done_ids)
    for number in range(max(people) + 1):
        share = _share(people[number], outcome.plan.people)
        table.add_row(str(number), f"{people[number]:,}", f"{missing[number]:,}", share)
    return table


def _in_short(outcome: Outcome) -> Iterator[tuple[str, str]]:
    people, done, reminders = outcome.plan.people, sorted(outcome.done_at), list(outcome.reminders.values())
    yield "Done", ", ".join(_milestones(done, outcome.plan))
    left = [outcome.reminders[each.person.id] for each in outcome.invitees if each.person.id not in outcome.done_ids]
    who = f"{_count(len(left), 'person')} ({_percent(len(left), people)}), who got {_mean(left):.1f} reminders each"
    yield "Never done", who if left else "nobody"
    most = max(reminders)
    yield "Reminders", f"{sum(reminders):,} in all, {_mean(reminders):.2f} per person, {most} for those who got most"
    answered = outcome.problems - outcome.counts.open_cases
    yield "Problems", f"{outcome.problems:,} reported, {answered:,} answered"
    yield "Invitations", _sending(outcome.arrivals)
    yield "A million", _a_million()


def _milestones(done: Sequence[datetime], plan: Plan) -> Iterator[str]:
    """On which day so many were done, up to the first number that was not reached."""
    for share in QUANTILES:
        needed = ceil(share * plan.people)
        if len(done) < needed:
            yield f"{share:.0%} not within {_count(plan.days, 'day')}"
            return
        yield f"{share:.0%} on day {plan.day_of(done[needed - 1])}"


def _sending(arrivals: Sequence[Arrival]) -> str:
    """How long it took until everybody had their invitation."""
    moments = [each.at for each in arrivals if each.kind is Kind.INVITATION]
    if not moments:
        return "none sent"
    seconds = (moments[-1] - moments[0]).total_seconds()
    length = f"{round(seconds / 60)} minutes" if seconds >= 60 else "less than a minute"
    return f"{len(moments):,} sent, which took {length} at Slack's rate limit"


def _a_million() -> str:
    """Workspaces have limits of their own, so that a thousand of them take as long as one."""
    minutes = (1_000 - LIMITS.burst) / LIMITS.per_second / 60
    return f"in 1,000 workspaces: {minutes:.1f} minutes by Slack's rate limits; usher bench scale says with what"


def _day(plan: Plan, day: int) -> str:
    weekday = (plan.first_day + timedelta(days=day - 1)).weekday()
    return f"{day:>2} {WEEKDAYS[weekday][:3]}"


def _in_full(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.isoformat()}"


def _count(number: int, thing: str) -> str:
    plural = {"person": "people"}.get(thing, f"{thing}s")
    return f"{number:,} {thing if number == 1 else plural}"


def _share(part: int, whole: int) -> str:
    return f"{bar(part, whole)} {_percent(part, whole):>4}"


def _percent(part: int, whole: int) -> str:
    return f"{part / max(whole, 1):.0%}"


def _mean(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
