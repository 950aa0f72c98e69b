"""A server in a process of its own: the bot as an operator runs it, or one that it is compared with."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

from adapters.bench.http_load import Refused, connected, get

USHER = ("-m", "adapters", "serve")
START_WITHIN = 60.0  # seconds
LOOK_AGAIN = 0.01
_SETTINGS = "USHER_"


@dataclass(frozen=True)
class ServerProcess:
    """A running one. `began` is when its process was started, by perf_counter."""

    url: str
    process: asyncio.subprocess.Process
    began: float


@asynccontextmanager
async def bot(settings: Mapping[str, str], directory: str) -> AsyncIterator[ServerProcess]:
    """`usher serve` with these settings (USHER_…) and no others, ready; stopped in the end."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed bot is compiled once, not at every start
    environment = {**inherited, "USHER_PORT": "0", "USHER_LOG_LEVEL": "error", **settings}
    async with _running(USHER, environment, directory) as server:
        async with asyncio.timeout(START_WITHIN):
            while not await _is_ready(server.url):  # noqa: ASYNC110  # another process tells nobody when it is
                await asyncio.sleep(LOOK_AGAIN)
        yield server


@asynccontextmanager
async def module(name: str, *arguments: str) -> AsyncIterator[ServerProcess]:
    """`python -m name`: a server that prints its address once it listens."""
    async with _running(("-m", name, *arguments), os.environ, ".") as server:
        yield server


@asynccontextmanager
async def _running(
    arguments: Sequence[str], environment: Mapping[str, str], directory: str
) -> AsyncIterator[ServerProcess]:
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, cwd=directory, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_WITHIN):
            line = (await process.stdout.readline()).decode()
        if "http://" not in line:
            raise RuntimeError(f"{arguments[-1]} did not start")
        yield ServerProcess(line.split()[-1], process, began)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_ready(url: str) -> bool:
    try:
        async with connected(url, 1) as (connection,):
            await connection.exchange(get("/readyz"))
    except (Refused, OSError):
        return False
    return True
