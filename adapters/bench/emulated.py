"""An emulated platform in a process of its own, so that what it costs is not the bot's."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import multiprocessing.connection
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from adapters.playground.slack import SlackEmulator
from adapters.playground.teams.emulator import TeamsEmulator
from bot.model import Platform

_processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Emulated:
    """Where it is, and who is there: user id and chat with the bot."""

    platform: Platform
    url: str
    workspace: str
    people: Sequence[tuple[str, str]]


@asynccontextmanager
async def emulated(platform: Platform, people: int) -> AsyncIterator[Emulated]:
    """With so many people, each of whom has a chat with the bot already. Has no limits and no faults."""
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=_main, args=(platform, people, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        there: Emulated = await asyncio.to_thread(ours.recv)
        yield there
    finally:
        ours.close()
        await asyncio.to_thread(process.join, 10)
        if process.is_alive():
            process.kill()


def _main(platform: Platform, people: int, line: multiprocessing.connection.Connection) -> None:
    gc.disable()  # to go through all that it has logged takes it as long as a round of the bare client
    run: Callable[..., object] = _slack if platform is Platform.SLACK else _teams
    asyncio.run(run(people, line))  # type: ignore[arg-type]  # both are coroutine functions


async def _slack(people: int, line: multiprocessing.connection.Connection) -> None:
    emulator = SlackEmulator()
    world = emulator.world
    everybody = [(user.id, world.direct_message(user.id).id) for user in emulator.add_people(people)]
    async with emulator.serving():
        line.send(Emulated(Platform.SLACK, emulator.api_url, world.team_id, everybody))
        await _until_closed(line, emulator.log)


async def _teams(people: int, line: multiprocessing.connection.Connection) -> None:
    emulator = TeamsEmulator()
    tenant = emulator.tenant
    everybody = [(each.id, tenant.personal_chat(each).id) for each in emulator.add_people(people)]
    async with emulator.running():
        line.send(Emulated(Platform.TEAMS, emulator.public_url, tenant.id, everybody))
        await _until_closed(line, emulator.log)


async def _until_closed(line: multiprocessing.connection.Connection, log: list[Any]) -> None:
    """The other end closes when it has seen enough."""
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(line.fileno(), closed.set)
    await closed.wait()
    log.clear()
