"""The platforms' limits are used up and never broken: 5,000 messages in simulated time.

The platform here answers at its leisure and counts as the emulators do, so it refuses what is too fast. The shortest
time possible is what its limit leaves after the first burst.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from adapters.bench.figures import Figure, compared, figure
from adapters.bench.rows import invite, person, workspace
from adapters.bench.simulated_time import LoopClock, in_simulated_time
from adapters.bench.size import Size
from adapters.playground.simulated_database import database_in_memory
from adapters.playground.slack.rate_limits import RateLimits as SlackLimits
from adapters.playground.teams.limits import RateLimits as TeamsLimits
from adapters.playground.teams.refusal import Refused
from adapters.slack.platform import LIMITS as SLACK
from adapters.teams.platform import LIMITS as TEAMS
from bot.dispatcher import Dispatcher
from bot.messages import Message
from bot.model import Person, Platform, Workspace
from bot.ports import Limits, Outcome, Sent, Throttled

MESSAGES = 5000
ANSWERS_AFTER = 0.25  # seconds: what a call over the Internet takes
RETRY_AFTER = 1.0


def _slack(now: Callable[[], float]) -> Callable[[str], bool]:
    limits = SlackLimits(now)
    limits.enabled = True
    limits.workspace_messages_per_minute = round(SLACK.per_second * 60)
    limits.workspace_burst = SLACK.burst
    return lambda conversation: limits.refuse("chat.postMessage", conversation) is None


def _teams(now: Callable[[], float]) -> Callable[[str], bool]:
    limits = TeamsLimits(now)
    limits.enabled = True

    def takes(conversation: str) -> bool:
        try:
            limits.count("send", conversation)
        except Refused:
            return False
        return True

    return takes


@dataclass
class CountingPlatform:
    """Implements bot.ports.ChatPlatform: takes what its limit allows, after a while."""

    platform: Platform
    limits: Limits
    takes: Callable[[str], bool]
    everybody: int
    can_find: bool = True
    sent: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.done = asyncio.Event()
        self.last_at = 0.0

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:  # noqa: ARG002
        """Count it when it comes, answer later."""
        taken = self.takes(person.channel_id)
        await asyncio.sleep(ANSWERS_AFTER)
        if not taken:
            self.refused += 1
            return Throttled(RETRY_AFTER)
        self.sent += 1
        if self.sent == self.everybody:
            self.last_at = asyncio.get_running_loop().time()
            self.done.set()
        return Sent(person.channel_id, delivery_id)

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:  # noqa: ARG002
        """Nothing changes here."""
        return sent

    async def find(self, *_: object) -> None:
        """Nothing is unclear here."""


async def _paced(platform: Platform, messages: int) -> tuple[float, int]:
    """Simulated seconds, and how many were refused."""
    loop, clock = asyncio.get_running_loop(), LoopClock()
    limits, takes = (SLACK, _slack(loop.time)) if platform is Platform.SLACK else (TEAMS, _teams(loop.time))
    here = workspace(platform, clock.now())
    people = [person(here, f"U{number}", f"D{number}", clock.now()) for number in range(messages)]
    async with database_in_memory() as store:
        await invite(store, here, people, clock.now())
        counting = CountingPlatform(platform, limits, takes, messages)
        dispatcher = Dispatcher(store, {platform: counting}, clock)
        begun = loop.time()
        running = asyncio.create_task(dispatcher.run())
        await counting.done.wait()
        await dispatcher.stop()
        await running
    return counting.last_at - begun - ANSWERS_AFTER, counting.refused


async def measured(size: Size) -> AsyncIterator[Figure]:
    """Both platforms."""
    messages = size.of(MESSAGES, at_least=200)
    for platform, limits in ((Platform.SLACK, SLACK), (Platform.TEAMS, TEAMS)):
        shortest = (messages - limits.burst) / limits.per_second
        seconds, refused = await asyncio.to_thread(in_simulated_time, _paced(platform, messages))
        name = f"limit kept on {platform.value}: {messages} messages"
        yield compared(name, seconds, "simulated s", shortest, "<= 1.03")
        yield figure(f"{name}: answers 429", refused, "", "<= 0")
