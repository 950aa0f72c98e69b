"""`usher` as an operator runs it: a process of its own, with settings in its environment."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from adapters.settings import PREFIX, Settings

USHER = str(Path(sys.executable).parent / "usher")
START_WITHIN = 30.0  # seconds; the machine may be busy with other tests
STOP_WITHIN = 10.0


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


@dataclass
class Serving:
    """A running `usher serve`."""

    url: str
    process: asyncio.subprocess.Process

    async def stopped(self) -> int:
        """SIGTERM; the exit code. Raises TimeoutError when it does not end in time."""
        self.process.terminate()
        async with asyncio.timeout(STOP_WITHIN):
            return await self.process.wait()


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    """The settings as `usher` reads them, on a free port; changes by the names in docs/settings.md."""
    values = {f"{PREFIX}{name.upper()}": _written(value) for name, value in settings}
    return {**values, "USHER_PORT": "0", "USHER_LOG_FORMAT": "json", **changes}


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(value) if isinstance(value, tuple) else str(value)


async def run(*arguments: str, env: Mapping[str, str], cwd: Path) -> Ended:
    """Run to the end."""
    process = await _started(arguments, env, cwd)
    async with asyncio.timeout(START_WITHIN):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def serving(env: Mapping[str, str], cwd: Path, usher: Sequence[str] = (USHER,)) -> AsyncIterator[Serving]:
    """`usher serve`, listening; killed in the end when it has not been stopped."""
    process = await _started(("serve",), env, cwd, usher)
    assert process.stdout is not None
    assert process.stderr is not None
    reading = None
    try:
        async with asyncio.timeout(START_WITHIN):
            line = (await process.stdout.readline()).decode()
        assert "listens on" in line, line + (await process.stderr.read()).decode()
        reading = asyncio.gather(process.stdout.read(), process.stderr.read())  # so that it is never held up
        yield Serving(line.split()[-1], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reading is not None:
            await reading


async def _started(
    arguments: tuple[str, ...], env: Mapping[str, str], cwd: Path, usher: Sequence[str] = (USHER,)
) -> asyncio.subprocess.Process:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return await asyncio.create_subprocess_exec(
        *usher,
        *arguments,
        cwd=cwd,
        env={**inherited, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
