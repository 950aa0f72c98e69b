"""One company's Slack workspace and Teams tenant, the whole bot between them over loopback, and their clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select

from adapters.assembly import TimeLimits, assembled
from adapters.playground.demo import Playground
from adapters.playground.slack import SlackEmulator
from adapters.playground.teams.emulator import TeamsEmulator
from adapters.server import Bot, served
from bot import faultpoints
from bot.clock import MovableClock
from bot.dispatcher import IDLE
from bot.model import DeliveryState, LookUpState, RolloutState, WaveStage
from storage.database import create_engine
from storage.tables import METADATA
from tests.e2e.chatting import PATIENCE, Somebody
from tests.e2e.on_slack import OnSlack
from tests.e2e.on_teams import OnTeams

# These stories tell what happens, not how fast: on a machine that is busy otherwise, nobody gives up early.
UNHURRIED = TimeLimits(answer=2 * PATIENCE, slack_profile=PATIENCE, teams_profile=PATIENCE)
MOMENT = 0.05  # seconds
_MAKE_WORK = "rollout", "invitation", "delivery", "wave", "look_up", "digest"  # tables
MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


class OfficeClock(MovableClock):
    """Begins on a Monday at 9:00 UTC, and nobody waits long by it.

    Loops that look again and again whether there is work are woken when there may be some, instead of looking more
    often than in production: with hundreds of these stories, looking would be most of the work.
    """

    def __init__(self) -> None:
        super().__init__()
        self._offset = MONDAY - super().now()
        self._next = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None

    def something_happens(self) -> None:
        """Whoever looks for work looks in a moment: once for all that happens until then."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(MOMENT, self._wake)

    def _wake(self) -> None:
        self._soon = None
        self._next.set()
        self._next = asyncio.Event()

    def move(self, by: timedelta) -> datetime:
        moved = super().move(by)
        self.something_happens()
        return moved

    async def sleep(self, seconds: float) -> None:
        if seconds > IDLE:
            await asyncio.sleep(0.05)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # wait_for loses a cancellation now and then
                    await self._next.wait()


class Office:
    """Everybody and everything that a story needs, whatever platform it plays on."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.clock = OfficeClock()
        self.playground = Playground(self.clock)
        self.slack.bot.answer_within = self.slack.triggers.lives_for = UNHURRIED.answer
        self.teams.link.invoke_timeout = UNHURRIED.answer
        self.url = ""  # where the bot listens
        self.changed_settings: dict[str, Any] = {}
        self._engine = create_engine(database_url)
        self._running = AsyncExitStack()
        self._bot: Bot | None = None

    @property
    def slack(self) -> SlackEmulator:
        return self.playground.slack

    @property
    def teams(self) -> TeamsEmulator:
        return self.playground.teams

    @property
    def bot(self) -> Bot:
        assert self._bot is not None, "the bot is stopped"
        return self._bot

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Office]:
        """With both platforms and the bot running, and the bot added to the team and by those who play on Teams."""
        faultpoints.install(lambda _: self.clock.something_happens())
        async with self.slack.serving(), self.teams.running():
            await self.starts_the_bot()
            await self.teams.install_in_team(_CAST["teams"][0])
            await asyncio.gather(*(self.teams.person(key).installs() for key in _CAST["teams"]))
            try:
                yield self
            finally:
                await self._running.aclose()
                await self._engine.dispose()
                faultpoints.install(None)

    async def starts_the_bot(self) -> None:
        """A new process, so to speak: nothing is known but what is in the database."""
        settings = self.playground.settings(self.database_url).model_copy(update=self.changed_settings)
        self._bot = await self._running.enter_async_context(assembled(settings, self.clock, limits=UNHURRIED))
        served_at = served(self._bot.application(), "127.0.0.1", 0)
        self.url = await self._running.enter_async_context(served_at)
        self.playground.point_at(self.url)
        await self._running.enter_async_context(self._bot.running())
        async with asyncio.timeout(PATIENCE):
            await self._bot.ready.wait()

    async def stops_the_bot(self) -> None:
        """What is in flight ends first."""
        await self._running.aclose()
        self._bot = None

    async def restarts_the_bot(self) -> None:
        """On the same database."""
        await self.stops_the_bot()
        await self.starts_the_bot()

    async def waits(self, **by: float) -> None:
        """Time passes, by `days`, `hours`, ..., and all that has become due is done."""
        await self.waits_until(self.clock.now() + timedelta(**by))

    async def waits_until(self, moment: datetime) -> None:
        """Time passes until then, and all that has become due is done."""
        self.clock.move(moment - self.clock.now())
        self.bot.wake()
        await self.settles()

    async def settles(self) -> None:
        """Return when nothing is left to do at this time: nothing to look up, to remind of, to send or to update."""
        for job in ("reminders", "digests"):
            await self.bot.scheduler.get_job(job).func()
        async with asyncio.timeout(PATIENCE):
            while await self._is_busy():  # noqa: ASYNC110  # a database calls nobody
                await asyncio.sleep(0.03)

    async def _is_busy(self) -> bool:
        rollout, invitation, delivery, wave, look_up, digest = (METADATA.tables[name] for name in _MAKE_WORK)
        now, state = self.clock.now(), delivery.c.state  # what is stored while this is asked is a moment later
        work = (
            exists().where(
                invitation.c.due_at <= now,
                invitation.c.rollout_id == rollout.c.id,
                rollout.c.state == RolloutState.ACTIVE,
            ),
            exists().where(state == DeliveryState.SENDING),
            exists().where(state == DeliveryState.READY, delivery.c.not_before <= now + timedelta(seconds=1)),
            exists().where(state == DeliveryState.SENT, delivery.c.outdated > 0),
            exists().where(
                wave.c.stage == WaveStage.STORING, or_(wave.c.starts_at.is_(None), wave.c.starts_at <= now)
            ),
            exists().where(look_up.c.state != LookUpState.DONE),
            exists().where(
                digest.c.next_at <= now, digest.c.rollout_id == rollout.c.id, rollout.c.state == RolloutState.ACTIVE
            ),
        )
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(select(or_(*work))))

    def shows_progress(self) -> None:
        """Bring the progress messages up to date now, not in three seconds."""
        self.bot.scheduler.modify_job("progress", next_run_time=datetime.now(UTC))

    async def rows(self, table: str) -> list[Any]:
        """The rows of a table, as the database has them."""
        async with self._engine.connect() as connection:
            return list(await connection.execute(select(METADATA.tables[table])))

    async def everything_stored(self) -> dict[str, list[str]]:
        """All rows of all tables, as text."""
        return {name: sorted(map(repr, await self.rows(name))) for name in METADATA.tables}

    async def audited(self, action: str) -> list[Any]:
        """The audit's entries of this action."""
        return [each for each in await self.rows("audit_entry") if each.action == action]


class Chat:
    """One platform of the office, with the people whom every story needs, by what they are."""

    def __init__(self, name: str, office: Office) -> None:
        self.name = name
        self.office = office
        keys = _CAST[name]
        self.admin, self.another_admin, self.invitee, self.colleague, self.outsider = map(self.person, keys)
        self.group = {"slack": "@engineering", "teams": "@build masters"}[name]
        self.other = {"slack": "teams", "teams": "slack"}[name]

    def person(self, key: str) -> Somebody:
        """Somebody by their handle on Slack, their key on Teams."""
        return OnSlack(self.office.slack, key) if self.name == "slack" else OnTeams(self.office.teams, key)

    def other_platform(self) -> Chat:
        """The same office on the other platform."""
        return Chat(self.other, self.office)


# An admin, another one, an invitee in Berlin, a colleague far from there, somebody who is not invited.
_CAST = {
    "slack": ("olivia", "adam", "alice", "bob", "emil"),
    "teams": ("adele", "megan", "diego", "mei", "alex"),
}


async def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until something asynchronous comes true; returns it."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await condition()):  # noqa: ASYNC110  # a database calls nobody
            await asyncio.sleep(0.03)
    return found
