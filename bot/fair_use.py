"""So many events of one person in a minute, and no more: whoever has a program press a button takes nothing from
anybody else.
"""

from __future__ import annotations

from collections import Counter

import structlog

from bot.conversations import answers
from bot.events import ButtonPressed, CommandIssued, Event, FormSubmitted, HomeOpened, MessageReceived
from bot.ports import Clock, Handle
from bot.transition import Reply, Whisper

MINUTE = 60.0  # seconds

_CLICKED = CommandIssued | ButtonPressed | FormSubmitted

log = structlog.get_logger(__name__)


class FairUse:
    """Implements bot.ports.Handle around another one. What is too much reaches neither that nor the database.

    `at_most` counts in each minute of the clock, in this process; 0 is no limit. The bot's own events never count.
    """

    def __init__(self, handle: Handle, clock: Clock, at_most: int) -> None:
        self._handle = handle
        self._clock = clock
        self._at_most = at_most
        self._minute = 0
        self._asked: Counter[str] = Counter()

    async def __call__(self, event: Event) -> Reply | None:
        """Whoever clicks or commands is told to wait; whoever writes, once a minute. The Home tab stays as it was."""
        over = self._over(event)
        if over <= 0:
            return await self._handle(event)
        if over == 1:
            log.warning("events.too_many", person=event.actor.id, workspace=event.workspace_id)
        told = isinstance(event, _CLICKED) or (over == 1 and isinstance(event, MessageReceived))
        return Whisper(answers.too_many()) if told else None

    def _over(self, event: Event) -> int:
        """By how many this is too much; 0 and less is not."""
        if not self._at_most or not isinstance(event, _CLICKED | MessageReceived | HomeOpened):
            return 0
        minute = int(self._clock.now().timestamp() // MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._asked.clear()
        self._asked[event.actor.id] += 1
        return self._asked[event.actor.id] - self._at_most
