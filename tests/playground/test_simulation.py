from __future__ import annotations

import argparse
import asyncio
import re
from collections import Counter
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from adapters.cli import parser
from adapters.playground.simulated_chat import IN_PORTIONS, Kind
from adapters.playground.simulated_people import Behaviour
from adapters.playground.simulated_report import in_words, show
from adapters.playground.simulated_rollout import Outcome, Plan, try_out
from adapters.playground.simulation import simulate
from bot.model import DeliveryState, ReminderPolicy
from bot.texts import zone

POLICY = ReminderPolicy(first_after_days=2, every_days=3, at_most=3)
PLAN = Plan(people=200, days=14, seed=1, policy=POLICY)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return asyncio.run(try_out(PLAN))


def test_everybody_is_invited_once(outcome):
    invited = Counter(each.person_id for each in outcome.arrivals if each.kind is Kind.INVITATION)
    assert set(invited.values()) == {1}
    assert len(invited) == len(outcome.views) == outcome.counts.invited == PLAN.people


def test_nobody_is_reminded_after_they_are_done(outcome):
    done_at = {view.person.id: view.invitation.done_at for view in outcome.views if view.invitation.done_at}
    assert len(done_at) > PLAN.people / 2
    late = [
        each
        for each in outcome.arrivals
        if each.kind is Kind.REMINDER and each.at > done_at.get(each.person_id, PLAN.end)
    ]
    assert late == []


def test_reminders_arrive_within_the_working_hours_of_each_time_zone(outcome):
    zones = {each.person.id: zone(each.person.time_zone) for each in outcome.invitees}
    assert len(set(zones.values())) > 3
    for each in outcome.arrivals:
        if each.kind is Kind.REMINDER:
            local = each.at.astimezone(zones[each.person_id])
            assert local.weekday() in POLICY.weekdays
            assert POLICY.hour_from <= local.hour < POLICY.hour_to


def test_nobody_gets_more_reminders_than_the_policy_allows(outcome):
    assert max(outcome.reminders.values()) == POLICY.at_most


def test_the_people_who_never_act_get_every_reminder_and_finish_nothing(outcome):
    never = [each.person.id for each in outcome.invitees if each.behaviour is Behaviour.NEVER]
    assert never
    assert {outcome.reminders[person] for person in never} == {POLICY.at_most}
    assert outcome.done_ids.isdisjoint(never)


def test_what_the_database_counts_is_what_the_platform_saw(outcome):
    counts = outcome.counts
    kinds = Counter(each.kind for each in outcome.arrivals)
    assert counts.done == len(outcome.done_at)
    assert counts.done + counts.open == PLAN.people
    assert counts.reminders == kinds[Kind.REMINDER] == sum(outcome.reminders.values())
    # not counted with the rollout: the admin's list of invitees
    assert (counts.deliveries or {}) == {DeliveryState.SENT: len(outcome.arrivals) - 1}


def test_problems_are_answered_and_their_reporters_finish(outcome):
    reporters = [each.person.id for each in outcome.invitees if each.behaviour is Behaviour.PROBLEM]
    assert outcome.problems == len(reporters) > 0
    assert outcome.counts.open_cases == 0
    assert outcome.done_ids.issuperset(reporters)


async def test_the_same_seed_gives_the_same_trial_and_another_seed_another():
    first, again, other = [await try_out(Plan(30, 7, seed, POLICY)) for seed in (5, 5, 6)]
    assert first.arrivals == again.arrivals
    assert sorted(first.done_at) == sorted(again.done_at)
    assert _printed(first) == _printed(again)
    assert first.arrivals != other.arrivals


async def test_sending_keeps_slacks_rate():
    outcome = await try_out(Plan(400, 1, 1, ReminderPolicy(at_most=0)))
    moments = [each.at for each in outcome.arrivals if each.kind is Kind.INVITATION]
    fastest = (len(moments) - IN_PORTIONS.burst) / IN_PORTIONS.per_second
    assert fastest <= (moments[-1] - moments[0]).total_seconds() <= fastest + 10


def test_the_report_adds_up(outcome):
    printed = _printed(outcome)
    days = re.findall(r"^ +\d+ (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) +(\S+) +(\S+) +(\S+) +(\S+) ", printed, re.MULTILINE)
    assert len(days) == PLAN.days
    columns = [[0 if cell == "·" else int(cell) for cell in column] for column in zip(*days, strict=True)]
    kinds = Counter(each.kind for each in outcome.arrivals)
    assert [sum(column) for column in columns[:3]] == [
        kinds[Kind.INVITATION],
        kinds[Kind.REMINDER],
        len(outcome.arrivals),
    ]
    assert columns[3][-1] == outcome.counts.done
    assert columns[3] == sorted(columns[3])
    assert f"{outcome.counts.reminders} in all" in printed


@pytest.mark.parametrize("width", [80, 100])
def test_the_report_fits_the_terminal_also_for_a_large_company(outcome, width):
    people = [replace(each, person_id=f"{copy}:{each.person_id}") for copy in range(250) for each in outcome.arrivals]
    large = replace(outcome, plan=replace(PLAN, people=50_000), arrivals=people, views=[*outcome.views] * 250)
    printed = _printed(large, width)
    assert "…" not in printed.replace("They act …", "")
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= width


async def test_a_machine_that_is_too_slow_is_told_of(capsys):
    assert await simulate(_arguments(), Console(file=StringIO()), answer_within=0) == 1
    assert "The trial was given up: the bot did not answer a CommandIssued in time" in capsys.readouterr().err


async def test_the_command_prints_the_report(capsys):
    console = Console(file=StringIO(), width=100)
    assert await simulate(_arguments("--people", "5", "--days", "2"), console) == 0
    assert "5 simulated people, 2 days" in console.file.getvalue()
    assert in_words(ReminderPolicy()) in re.sub(r"\s+", " ", console.file.getvalue())


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--people", "0", "--people is 0: give a number from 1 to 100000."),
        ("--days", "-1", "--days is -1: give a number from 1 to 366."),
        ("--at-most", "-1", "--at-most is -1: give a number from 0 to 20."),
        ("--every-days", "0", "--every-days is 0: give a number from 1 to 60."),
        ("--first-after-days", "61", "--first-after-days is 61: give a number from 1 to 60."),
        (
            "--holidays",
            "Wonderland",
            "--holidays is Wonderland: give a country's two letters, such as DE, or own.",
        ),
        (
            "--deadline",
            "2026-01-05",
            "--deadline is 2026-01-05: give a day after the first, which is 2026-01-05.",
        ),
    ],
)
async def test_numbers_that_make_no_sense_are_a_usage_error(option, value, complaint, capsys):
    console = Console(file=StringIO())
    assert await simulate(_arguments(option, value), console) == 2
    assert capsys.readouterr().err.splitlines() == [complaint]
    assert console.file.getvalue() == ""


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (ReminderPolicy(at_most=0), "no reminders but those that people ask for."),
        (
            ReminderPolicy(first_after_days=1, at_most=1),
            "first reminder after 1 day, at most 1; Monday to Friday, 9:00 to 17:00 in each person's own time zone.",
        ),
        (
            ReminderPolicy(every_days=1),
            "first reminder after 2 days, then every day, at most 4; Monday to Friday, 9:00 to 17:00 in each person's own time zone.",
        ),
    ],
)
def test_a_policy_is_told_in_words(policy, words):
    assert in_words(policy) == words


def _arguments(*words: str) -> argparse.Namespace:
    return parser().parse_args(["simulate", *words])


def _printed(outcome: Outcome, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width)
    show(outcome, console, took=1.0)
    return console.file.getvalue()


async def test_a_whole_policy_can_be_tried():
    console = Console(file=StringIO(), width=400)
    options = "--people 5 --days 10 --start 2026-03-30 --growing --holidays own --deadline 2026-04-08 --final-notice"
    assert await simulate(_arguments(*options.split()), console) == 0
    printed = console.file.getvalue()
    assert (
        "and longer each time, at most 4; Monday to Friday without the public holidays of their own country"
        in printed
    )
    assert "Deadline: Wednesday 2026-04-08, with a last reminder on the working day before." in printed
    assert "the first is Monday 2026-03-30" in printed


async def test_a_last_reminder_needs_a_deadline(capsys):
    assert await simulate(_arguments("--final-notice"), Console(file=StringIO())) == 2
    assert "give --deadline too" in capsys.readouterr().err


def test_a_day_that_is_none_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as ended:
        _arguments("--start", "someday")
    assert ended.value.code == 2
    assert "'someday' is no day: write it like 2026-03-31" in capsys.readouterr().err
