"""What starts the bot again whenever it dies, as a service manager does."""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import multiprocessing.process
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from adapters.bench.kills.bot import KillAt, ListensAt, Move, Ready, Stop, Understood, main
from adapters.bench.kills.hurried_clock import HurriedClock
from adapters.settings import Settings

AWAY = timedelta(minutes=6)  # longer than the leases of deliveries and look-ups, and than the grace after them
START_WITHIN = STOP_WITHIN = 60.0  # seconds

_processes = multiprocessing.get_context("forkserver")  # imports the bot once, not at every start
_processes.set_forkserver_preload(["adapters.bench.kills.bot"])


class SupervisedBot:
    """A bot that comes back. `deaths` counts how often it had to; `up` is set while it can be worked with."""

    def __init__(self, settings: Settings, clock: HurriedClock, log: Path, point_at: Callable[[str], None]) -> None:
        self.deaths = 0
        self.up = asyncio.Event()
        self.url = ""
        self.mishaps: list[str] = []  # deaths that nobody planned
        self.replicas: list[SupervisedBot] = []  # further ones on the same database, which live by the same clock
        self.can_find = settings.has_slack  # what is unknown can be looked up
        self.points: deque[str] = deque()  # where it is still to die, one life each
        self._settings = settings
        self._clock = clock
        self._log = log
        self._point_at = point_at
        self._leaves = False
        self._understood = asyncio.Event()
        self._died = asyncio.Event()
        self._gone = asyncio.Event()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._line: multiprocessing.connection.Connection | None = None

    async def keep_running(self) -> None:
        """Start, wait for its death, bury, start again; until it was asked to stop."""
        while not self._leaves:
            died = self._start(self.points.popleft() if self.points else "")
            try:
                await died.wait()
            finally:
                self._bury()
            if self._leaves:
                self._gone.set()
                return
            self.deaths += 1
            self._died.set()
            self._clock.move(AWAY)

    async def dies_at(self, *points: str) -> None:
        """From now on: this life ends at the first of these points, the next one at the second, and so on."""
        await self.up.wait()
        assert self._line is not None
        self.points.extend(points[1:])
        self._understood.clear()
        self._line.send(KillAt(points[0]))
        await self._understood.wait()

    async def killed(self) -> None:
        """Kill -9, as soon as it is up; returns when it is being started again."""
        await self.up.wait()
        assert self._process is not None
        self._died.clear()
        self._process.kill()
        await self._died.wait()

    async def leaves(self) -> int | None:
        """Let it end as on SIGTERM, for good; returns its exit code."""
        await self.up.wait()
        assert self._line is not None
        assert self._process is not None
        self._leaves = True
        self._line.send(Stop())
        async with asyncio.timeout(STOP_WITHIN):
            await self._gone.wait()
        return self._process.exitcode

    async def dies_for_good(self) -> None:
        """Kill -9, and nobody starts it again."""
        await self.up.wait()
        assert self._process is not None
        self._leaves = True
        self._process.kill()
        await self._gone.wait()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def now(self) -> datetime:
        """The time that it lives by."""
        return self._clock.now()

    def move(self, by: timedelta) -> None:
        """Let time pass, here and there."""
        self._clock.move(by)
        for each in (self, *self.replicas):
            each.learn(Move(by))

    def learn(self, move: Move) -> None:
        """Time has passed here."""
        if self._line is not None:  # while it is starting, it reads this when it is up
            with suppress(OSError):  # it has just died; it will be told the time when it comes back
                self._line.send(move)

    def _start(self, point: str) -> asyncio.Event:
        ours, theirs = _processes.Pipe()
        arguments = (self._settings, self._clock, point, theirs, self._log)
        process = _processes.Process(target=main, args=arguments, daemon=True)
        process.start()
        theirs.close()
        self._process, self._line = process, ours
        died = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(ours.fileno(), self._hear)
        loop.add_reader(process.sentinel, died.set)
        return died

    def _hear(self) -> None:
        assert self._line is not None
        try:
            heard = self._line.recv()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._line.fileno())
            return
        if isinstance(heard, ListensAt):
            self.url = heard.url
            self._point_at(heard.url)
        elif isinstance(heard, Ready):
            self.up.set()
        elif isinstance(heard, Understood):
            self._understood.set()

    def _bury(self) -> None:
        assert self._process is not None
        assert self._line is not None
        self.up.clear()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._process.sentinel)
        loop.remove_reader(self._line.fileno())
        self._process.kill()
        self._process.join()
        self._line.close()
        if self._process.exitcode != -signal.SIGKILL and not self._leaves:
            self.mishaps.append(f"it ended by itself, {self._process.exitcode}: {self._log.read_text()[-2000:]}")


@asynccontextmanager
async def supervised(bot: SupervisedBot) -> AsyncIterator[SupervisedBot]:
    """Running when the block begins, and for good gone when it ends."""
    running = asyncio.create_task(bot.keep_running())
    try:
        async with asyncio.timeout(START_WITHIN):
            await bot.up.wait()
        yield bot
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
