"""The real bot in a process of its own, which can be made to kill itself where it hurts most.

Put together as in production; only its clock is hurried, and bot.faultpoints has a hook.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import warnings
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from adapters import logs
from adapters.assembly import assembled
from adapters.bench.kills.hurried_clock import HurriedClock
from adapters.server import Bot, served
from adapters.settings import Settings
from bot import faultpoints


@dataclass(frozen=True)
class KillAt:
    """Die without a word when this point is reached."""

    point: str


@dataclass(frozen=True)
class Move:
    """The clock goes forward."""

    by: timedelta


@dataclass(frozen=True)
class Stop:
    """End as on SIGTERM."""


@dataclass(frozen=True)
class Understood:
    """The order counts from now on."""


@dataclass(frozen=True)
class ListensAt:
    """The bot can be reached; its platforms may still be starting."""

    url: str


@dataclass(frozen=True)
class Ready:
    """Both platforms have started."""


class Doom:
    """Where this process kills itself; nowhere at first."""

    def __init__(self) -> None:
        self.point = ""

    def reach(self, point: str) -> None:
        """The hook for bot.faultpoints."""
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


def main(settings: Settings, clock: HurriedClock, point: str, line: Connection, log: Path) -> None:
    """The process: runs until it is killed, or until the other end of the line is closed."""
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logs.set_up("warning", "json")
    doom = Doom()
    doom.point = point
    faultpoints.install(doom.reach)
    warnings.simplefilter("always", ResourceWarning)
    asyncio.run(_run(settings, clock, line, doom))
    gc.collect()  # what nobody has closed says so now


async def _run(settings: Settings, clock: HurriedClock, line: Connection, doom: Doom) -> None:
    stop = asyncio.Event()
    async with assembled(settings, clock) as bot, served(bot.application(), "127.0.0.1", 0) as url:
        line.send(ListensAt(url))
        async with bot.running():
            await bot.ready.wait()
            asyncio.get_running_loop().add_reader(line.fileno(), _obey, bot, clock, line, doom, stop)
            bot.wake()
            line.send(Ready())
            await stop.wait()


def _obey(bot: Bot, clock: HurriedClock, line: Connection, doom: Doom, stop: asyncio.Event) -> None:
    try:
        order = line.recv()
    except EOFError:
        asyncio.get_running_loop().remove_reader(line.fileno())
        stop.set()
        return
    if isinstance(order, KillAt):
        doom.point = order.point
        line.send(Understood())
    elif isinstance(order, Stop):
        stop.set()
    else:
        clock.move(order.by)
        bot.wake()
