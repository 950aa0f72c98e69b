"""Who somebody is, as a Teams roster tells it: kept for a while, because an event tells neither e-mail nor role."""

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

from adapters.background import Background
from adapters.teams.connector import Connector
from adapters.teams.connector_error import ConnectorError
from bot.ports import Clock

Json = dict[str, Any]

KEPT_FOR = timedelta(hours=6)
ASK_AGAIN_AFTER = timedelta(minutes=2)  # when there was no answer
KEPT_PEOPLE = 10_000
ASK_WHO_WITHIN = 1.0  # seconds; the person waits for the bot's answer meanwhile


class Profiles:
    """Members of conversations by Teams id, each kept for KEPT_FOR."""

    def __init__(
        self, connector: Connector, clock: Clock, background: Background, ask_who_within: float = ASK_WHO_WITHIN
    ) -> None:
        self._connector = connector
        self._clock = clock
        self._background = background
        self._ask_who_within = ask_who_within
        self._kept: OrderedDict[str, tuple[datetime, Json]] = OrderedDict()
        self._asked: dict[str, asyncio.Task[None]] = {}

    async def of(self, service_url: str, conversation_id: str, user_id: str) -> Json:
        """The member's profile; {} when Teams does not tell it in time."""
        kept = self._current(user_id)
        if kept is not None:
            return kept
        task = self._asked.get(user_id)
        if task is None:
            work = self._ask(service_url, conversation_id, user_id)
            task = self._asked[user_id] = self._background.start(work)
            task.add_done_callback(lambda _: self._asked.pop(user_id, None))
        await asyncio.wait([task], timeout=self._ask_who_within)
        return self._current(user_id) or {}

    def keep(self, user_id: str, profile: Json) -> None:
        """Remember what a roster told."""
        self._keep(user_id, profile, KEPT_FOR)

    def _keep(self, user_id: str, profile: Json, duration: timedelta) -> None:
        self._kept[user_id] = (self._clock.now() + duration, profile)
        self._kept.move_to_end(user_id)
        if len(self._kept) > KEPT_PEOPLE:
            self._kept.popitem(last=False)

    def _current(self, user_id: str) -> Json | None:
        until, profile = self._kept.get(user_id, (None, None))
        return profile if until is not None and until > self._clock.now() else None

    async def _ask(self, service_url: str, conversation_id: str, user_id: str) -> None:
        try:
            self.keep(user_id, await self._connector.member(service_url, conversation_id, user_id))
        except ConnectorError:
            self._keep(user_id, {}, ASK_AGAIN_AFTER)
