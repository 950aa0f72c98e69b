"""Work that must not hold up an acknowledgement: calls to Slack that show an answer.

It is not durable and need not be: what is lost here is shown again at the next click.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from adapters.slack.web_api import ApiFailed

log = structlog.get_logger(__name__)

LAST_WORDS = 3.0  # seconds, at the end


class Background:
    """Runs coroutines; those with the same key one after the other, so that an older answer never covers a newer."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, asyncio.Task[None]] = {}

    def start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin, after whatever was begun before with this key. A failure is logged by its code."""
        task = asyncio.create_task(self._run(self._last.get(key), work))
        self._tasks.add(task)
        self._last[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))

    async def _run(self, before: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await work
        except ApiFailed as failed:
            log.warning("slack.answer_not_shown", why=str(failed))
        except Exception as error:  # noqa: BLE001  # nobody awaits this task; the text may quote what somebody wrote
            log.error("slack.answer_failed", error=type(error).__name__)  # noqa: TRY400

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._last.get(key) is task:
            del self._last[key]

    async def finish(self) -> None:
        """Let what is running end, for a moment, then give up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_WORDS)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
