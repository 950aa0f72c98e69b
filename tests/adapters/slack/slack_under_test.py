"""The engine's stand-in, a port, and what the tests of the Slack adapter know of its workspace."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.events import Event
from bot.model import Workspace
from bot.transition import Reply
from storage.database import Database

SECRET = "playground-signing-secret"
TOKEN = "xoxb-playground"


@dataclass
class Engine:
    """Remembers what it was told and answers what the test says: a reply, an exception, or a function of the event."""

    heard: list[Event] = field(default_factory=list)
    answer: Reply | Exception | Callable[[Any], Any] | None = None

    async def __call__(self, event: Event) -> Reply | None:
        self.heard.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        answer = self.answer(event) if callable(self.answer) else self.answer
        return await answer if inspect.isawaitable(answer) else answer

    @property
    def last(self) -> Any:
        return self.heard[-1]


async def stored_workspace(store: Database) -> Workspace:
    async with store.transaction() as tx:
        found = await tx.people.workspace("slack:T0PLAYGND01")
        assert found is not None
        return found
