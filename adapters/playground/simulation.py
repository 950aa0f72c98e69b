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
from adapters.playground.simulated_rollout import START, Outcome, Plan, try_out
from bot.engine import ANSWER_WITHIN
from bot.model import ReminderPolicy
from bot.ports import StoreUnavailable

DONE, FAILED, USAGE = 0, 1, 2
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
    policy = ReminderPolicy(
        first_after_days=arguments.first_after_days, every_days=arguments.every_days, at_most=arguments.at_most
    )
    plan = Plan(arguments.people, arguments.days, arguments.seed, policy)
    started = monotonic()
    try:
        outcome = await _watched(plan, console, answer_within)
    except StoreUnavailable as failure:
        Console(stderr=True).print(f"The trial was given up: {failure}. A smaller --people is faster.")
        return FAILED
    show(outcome, console, monotonic() - started)
    return DONE


def mistakes(arguments: argparse.Namespace) -> list[str]:
    """What is out of range, one line each."""
    return [
        f"--{name.replace('_', '-')} is {getattr(arguments, name)}: give a number from {low} to {high}."
        for name, (low, high) in RANGES.items()
        if not low <= getattr(arguments, name) <= high
    ]


async def _watched(plan: Plan, console: Console, answer_within: float) -> Outcome:
    """With a bar that shows how far the time is, while somebody looks on."""
    columns = (TextColumn("Simulating {task.fields[day]}"), BarColumn(40))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        length = (plan.end - START).total_seconds()
        task = progress.add_task("", total=length, day="day 1")
        return await try_out(
            plan,
            lambda now: progress.update(
                task, completed=(now - START).total_seconds(), day=f"day {plan.day_of(now)} of {plan.days}"
            ),
            answer_within=answer_within,
        )
