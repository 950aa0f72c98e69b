"""Group commit: events that wait while others are being stored share the next transaction. To begin one and to make
it durable takes longer than to decide about most events; so the busier the bot is, the more rarely it does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from bot import faultpoints
from bot.events import Event
from bot.ports import Store, StoreUnavailable, Transaction
from bot.transition import Reply

AT_ONCE = 4  # transactions
MOST = 16  # events in one
WITHIN = 0.5  # seconds to decide about them: whoever waits for a slow one must not be late

Decide = Callable[[Transaction, Event], Awaitable[Reply | None]]
_Answer = asyncio.Future[Reply | None]


class Apart(Exception):
    """Events must not share a transaction, which was rolled back."""


class GroupCommit:
    """Has events decided and committed, several at once when many come. `decide` may be asked about the same event
    again, when what it did before was rolled back.
    """

    def __init__(self, store: Store, decide: Decide) -> None:
        self._store = store
        self._decide = decide
        self._open = 0
        self._waiting: deque[tuple[Event, _Answer]] = deque()
        self._sharing: set[asyncio.Task[None]] = set()

    async def __call__(self, event: Event) -> Reply | None:
        """The reply, once it is committed. Raises what `decide` raises about this event, and what
        bot.ports.Store.transaction raises. Who is cancelled has nothing committed, unless that was under way.
        """
        if self._open == AT_ONCE:
            answer: _Answer = asyncio.get_running_loop().create_future()
            self._waiting.append((event, answer))
            try:
                return await answer
            except Apart:
                return await self.alone(event)
        self._open += 1
        try:
            return await self.alone(event)
        finally:
            self._ended()

    async def alone(self, event: Event) -> Reply | None:
        """The same, in a transaction of its own, at once."""
        async with self._store.transaction() as tx:
            reply = await self._decide(tx, event)
            faultpoints.reach("engine.before_commit")
        faultpoints.reach("engine.after_commit")
        return reply

    def _ended(self) -> None:
        self._open -= 1
        together: list[tuple[Event, _Answer]] = []
        while self._waiting and len(together) < MOST:
            event, answer = self._waiting.popleft()
            if not answer.cancelled():
                together.append((event, answer))
        if together:
            self._open += 1
            sharing = asyncio.create_task(self._share(together))
            self._sharing.add(sharing)
            sharing.add_done_callback(self._sharing.discard)

    async def _share(self, together: Sequence[tuple[Event, _Answer]]) -> None:
        answers = [answer for _, answer in together]
        try:
            replies = await self._together(together)
        except StoreUnavailable as error:  # for all of them, and perhaps after it was committed
            _fail(answers, error)
        except Exception:  # noqa: BLE001  # one of them is at fault, and will say so by itself
            _fail(answers, Apart())
        else:
            for answer, reply in zip(answers, replies, strict=True):
                if not answer.cancelled():
                    answer.set_result(reply)
        finally:
            for answer in answers:
                answer.cancel()  # nothing, but for one that nobody will answer any more
            self._ended()

    async def _together(self, together: Sequence[tuple[Event, _Answer]]) -> list[Reply | None]:
        async with self._store.transaction() as tx:
            async with asyncio.timeout(WITHIN):
                replies = [await self._decide(tx, event) for event, _ in together]
            if any(answer.cancelled() for _, answer in together):  # somebody was told that it was not done
                raise Apart
            faultpoints.reach("engine.before_commit")
        faultpoints.reach("engine.after_commit")
        return replies


def _fail(answers: Sequence[_Answer], error: Exception) -> None:
    for answer in answers:
        if not answer.cancelled():
            answer.set_exception(error)
            answer.exception()  # seen, also when whoever waits has just given up
