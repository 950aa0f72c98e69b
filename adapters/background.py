"""Work that goes on after a request has been answered: calls that show something on the platform.

It is not durable and need not be: what is lost here is shown again at the next click.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

LAST_WORDS = 3.0  # seconds, at the end


class Background:
    """Tasks that are kept until they end. A failure is logged and hurts nobody else.

    `failure` is the platform's own exception, whose text may be logged: it holds codes, nothing that anybody wrote.
    """

    def __init__(self, failure: type[Exception]) -> None:
        self._failure = failure
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, asyncio.Task[None]] = {}

    def start(self, work: Coroutine[Any, Any, object], *, after: str | None = None) -> asyncio.Task[None]:
        """Begin. Work with the same `after` runs one after the other: of two quick presses that change one message,
        the older answer never covers the newer.
        """
        before = self._last.get(after) if after is not None else None
        task = asyncio.create_task(self._run(before, work))
        self._tasks.add(task)
        if after is not None:
            self._last[after] = task
        task.add_done_callback(lambda done: self._forget(after, done))
        return task

    async def settled(self) -> None:
        """Return when nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self, within: float = LAST_WORDS) -> None:
        """Let what is under way end within so many seconds, then break it off."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, before: asyncio.Task[None] | None, work: Coroutine[Any, Any, object]) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await work
        except self._failure as failed:
            log.warning("background.refused", why=str(failed))
        except Exception as error:  # noqa: BLE001  # nobody awaits this task; the text may quote what somebody wrote
            log.error("background.failed", work=getattr(work, "__qualname__", ""), error=type(error).__name__)  # noqa: TRY400

    def _forget(self, key: str | None, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if key is not None and self._last.get(key) is task:
            del self._last[key]
