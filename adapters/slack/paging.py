"""Calls of which an answer may take several pages, and several tries when Slack says "too fast"."""

from __future__ import annotations

from typing import Any

from adapters.slack.web_api import Answer, ApiThrottled, WebApi
from bot.ports import Clock

WAITS = 20
LONGEST_WAIT = 60.0
MOST_PAGES = 1_000


class Patience:
    """How often one look-up waits when Slack says so. Only for work that nobody waits for."""

    def __init__(self, clock: Clock, waits: int = WAITS) -> None:
        self._clock = clock
        self._left = waits

    async def call(self, api: WebApi, method: str, **arguments: Any) -> Answer:
        """One call, repeated after Retry-After. Raises ApiThrottled when the patience is used up, and ApiFailed."""
        while True:
            try:
                return await api.call(method, **arguments)
            except ApiThrottled as throttled:
                if self._left <= 0 or throttled.retry_after > LONGEST_WAIT:
                    raise
                self._left -= 1
                await self._clock.sleep(throttled.retry_after)


async def pages(api: WebApi, patience: Patience, method: str, name: str, **arguments: Any) -> list[Any]:
    """The list `name` of every page, in one. Raises ApiFailed."""
    found: list[Any] = []
    cursor = None
    for _ in range(MOST_PAGES):
        answer = await patience.call(api, method, cursor=cursor, **arguments)
        found.extend(answer.data.get(name) or [])
        cursor = (answer.data.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            break
    return found
