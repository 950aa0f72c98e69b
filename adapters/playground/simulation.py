"""`usher simulate`: what a reminder policy means, tried on simulated people before anybody is written to.

Engine, conversations, reminders, dispatcher and database are the real ones; only the chat platform, the people and
the clock are not.
"""

from __future__ import annotations

import argparse
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from adapters.playground.simulated_report import show
from adapters.playground.simulated_rollout import Outcome, Plan, try_out
from bot.calendar import supported_countries
from bot.engine import ANSWER_WITHIN
from bot.model import Interval, ReminderPolicy
from bot.ports import StoreUnavailable

DONE, FAILED, USAGE = 0, 1, 2
OWN = "own"  # --holidays: those of the country of each person's time zone
RANGES = {
    "people": (1, 100_000),
    "days": (1, 366),
    "seed": (0, 2**31 - 1),
    "first_after_days": (1, 60),
    "every_days": (1, 60),
    "at_most": (0, 20),
}


async def simulate(arguments: argparse.Namespace, console: Console, *, answer_within: float = ANSWER_WITHIN) -> int:
    """Run the trial and print what came of it; returns the exit code. `answer_within` is the engine's, in seconds."""
    wrong = mistakes(arguments)
    if wrong:
        complaint = Console(stderr=True, highlight=False, soft_wrap=True)
        for line in wrong:
            complaint.print(line)
        return USAGE
    plan = Plan(arguments.people, arguments.days, arguments.seed, _policy(arguments), arguments.start)
    started = monotonic()
    try:
        outcome = await _watched(plan, console, answer_within)
    except StoreUnavailable as failure:
        Console(stderr=True).print(f"The trial was given up: {failure}. A smaller --people is faster.")
        return FAILED
    show(outcome, console, monotonic() - started)
    return DONE


def _policy(arguments: argparse.Namespace) -> ReminderPolicy:
    return ReminderPolicy(
        first_after_days=arguments.first_after_days,
        every_days=arguments.every_days,
        interval=Interval.GROWING if arguments.growing else Interval.FIXED,
        at_most=arguments.at_most,
        skip_holidays=bool(arguments.holidays),
        holiday_country="" if arguments.holidays == OWN else arguments.holidays.upper(),
        deadline=arguments.deadline,
        final_notice=arguments.final_notice,
    )


def mistakes(arguments: argparse.Namespace) -> list[str]:
    """What is out of range or does not fit together, one line each."""
    wrong = [
        f"--{name.replace('_', '-')} is {getattr(arguments, name)}: give a number from {low} to {high}."
        for name, (low, high) in RANGES.items()
        if not low <= getattr(arguments, name) <= high
    ]
    if arguments.holidays not in {"", OWN} and arguments.holidays.upper() not in supported_countries():
        wrong.append(f"--holidays is {arguments.holidays}: give a country's two letters, such as DE, or {OWN}.")
    if arguments.deadline is not None and arguments.deadline <= arguments.start:
        wrong.append(f"--deadline is {arguments.deadline}: give a day after the first, which is {arguments.start}.")
    if arguments.final_notice and arguments.deadline is None:
        wrong.append("--final-notice is on the working day before the deadline: give --deadline too.")
    return wrong


async def _watched(plan: Plan, console: Console, answer_within: float) -> Outcome:
    """With a bar that shows how far the time is, while somebody looks on."""
    columns = (TextColumn("Simulating {task.fields[day]}"), BarColumn(40))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        length = (plan.end - plan.start).total_seconds()
        task = progress.add_task("", total=length, day="day 1")
        return await try_out(
            plan,
            lambda now: progress.update(
                task, completed=(now - plan.start).total_seconds(), day=f"day {plan.day_of(now)} of {plan.days}"
            ),
            answer_within=answer_within,
        )
