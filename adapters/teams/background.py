"""Work that goes on after a request has been answered."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from adapters.teams.connector_error import ConnectorError

log = structlog.get_logger(__name__)

Change = Callable[[], Awaitable[object]]


class Background:
    """Tasks that are kept until they end; a failure is logged, by its kind only, and hurts nobody else."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._newest: dict[str, Change] = {}

    def start(self, what: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Let `work` go on; `what` names it in the log."""
        task = asyncio.create_task(self._run(what, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def change(self, message: str, change: Change) -> None:
        """Change a message that stands in a chat: one change at a time, the newest last.

        Two quick presses make two updates of one message; overtaking each other, they would leave the older.
        """
        waiting = message in self._newest
        self._newest[message] = change
        if not waiting:
            self.start("change_message", self._change_all(message))

    async def settled(self) -> None:
        """Return when nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self, seconds: float) -> None:
        """Let what is under way end within so many seconds; break off the rest."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _change_all(self, message: str) -> None:
        done: Change | None = None
        try:
            while self._newest[message] is not done:
                done = self._newest[message]
                await done()
        finally:
            del self._newest[message]

    async def _run(self, what: str, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except ConnectorError as error:
            log.warning("teams.background_failed", what=what, status=error.status, code=error.code)
        except Exception as error:  # noqa: BLE001  # nobody waits for it who could be told
            log.error("teams.background_failed", what=what, error=type(error).__name__)  # noqa: TRY400
