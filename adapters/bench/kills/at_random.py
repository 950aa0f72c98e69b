"""kill -9 at random moments while invitations go out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from adapters.bench.kills.hurried_clock import SPEED
from adapters.bench.kills.stage import Stage
from adapters.playground.slack import faults as on_slack
from adapters.playground.teams.faults import Fault

THROTTLED, BROKEN, LOST = 0.05, 0.01, 0.002  # of all calls that send: 429, 5xx, and no answer after it was accepted
LATE = 0.01  # for each of these, of all calls: accepted so many of the bot's seconds late
LATENESS = [seconds / SPEED for seconds in (0.5, 1.0, 1.5)]

IDLE = 2.0  # seconds without what is waited for, after which one asks whether it can still come
LOOK_FOR_EACH = 4e-5  # seconds between two looks, for each person


@dataclass(frozen=True)
class Killing:
    """How often, among how many people, by which chance, and within how many seconds all kills have happened."""

    people: int
    kills: int
    seed: int
    within: float


def trouble_on_slack(stage: Stage, seed: int) -> None:
    """From now on, sending fails now and then as it does on Slack."""
    faults = stage.playground.slack.faults
    faults.seed(seed)
    faults.sometimes("chat.postMessage", on_slack.rate_limited(1), THROTTLED)
    faults.sometimes("chat.postMessage", on_slack.answers(503), BROKEN / 2)
    faults.sometimes("chat.postMessage", on_slack.answers(500, accepted=True), BROKEN / 2)
    faults.sometimes("chat.postMessage", on_slack.reset_after_acceptance(), LOST)
    for seconds in LATENESS:
        faults.sometimes("chat.postMessage", on_slack.accepted_late(seconds), LATE)


def trouble_on_teams(stage: Stage, seed: int) -> None:
    """The same on Teams."""
    faults = stage.playground.teams.faults
    faults.random.seed(seed)
    faults.sometimes("send", THROTTLED, Fault("status", 429, 1))
    faults.sometimes("send", BROKEN, Fault("status", 503))
    faults.sometimes("send", LOST, Fault("reset_after"))
    for seconds in LATENESS:
        faults.sometimes("send", LATE, Fault("late", seconds=seconds))


async def kill_while(stage: Stage, arrived: Callable[[], int], killing: Killing) -> None:
    """Kill each time when so many messages more have arrived; and in between wherever that meets the bot. Where the
    platform cannot be asked, some never arrive: the last kills then come when nothing is on its way any more. Raises
    TimeoutError when messages stop arriving before that.
    """
    chance = random.Random(killing.seed)  # noqa: S311  # repeatable on purpose
    begun, deadline = arrived(), monotonic() + killing.within
    for many in sorted(chance.sample(range(1, killing.people * 49 // 50), killing.kills)):
        looked = monotonic()
        while arrived() - begun < many:
            if monotonic() > deadline:
                raise TimeoutError(f"only {arrived() - begun} of {many} arrived")
            if monotonic() > looked + IDLE:
                looked = monotonic()
                if not await stage.ledger.on_its_way(stage.bot.now(), unknown=stage.bot.can_find):
                    break
            await asyncio.sleep(chance.uniform(0.0, killing.people * LOOK_FOR_EACH))  # looking takes time as well
        await stage.bot.killed()
