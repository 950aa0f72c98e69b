"""Group commit: events that wait while others are being stored share the next transaction. To begin one and to make
it durable takes longer than to decide about most events; so the busier the bot is, the more rarely it does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from typing import Any, NamedTuple

import structlog

from bot import faultpoints
from bot.events import Event
from bot.ports import Store, StoreUnavailable, Transaction
from bot.transition import Reply

AT_ONCE = 4  # transactions
MOST = 16  # events in one
WITHIN = 0.5  # seconds that others wait for a slow one

log = structlog.get_logger(__name__)

Decide = Callable[[Transaction, Event], Coroutine[Any, Any, Reply | None]]


class Apart(Exception):
    """Events must not share a transaction, which was rolled back."""


class _Waiting(NamedTuple):
    event: Event
    answer: asyncio.Future[Reply | None]
    context: Context  # of whoever waits: what is done for them appears in their own trace


class GroupCommit:
    """Has events decided and committed, several at once when many come. `decide` may be asked about the same event
    again, when what it did before was rolled back.
    """

    def __init__(self, store: Store, decide: Decide) -> None:
        self._store = store
        self._decide = decide
        self._open = 0  # transactions, but for those that take long
        self._waiting: deque[_Waiting] = deque()
        self._sharing: set[asyncio.Task[None]] = set()

    async def __call__(self, event: Event) -> Reply | None:
        """The reply, once it is committed. Raises what `decide` raises about this event, and what
        bot.ports.Store.transaction raises. Who is cancelled has nothing committed, unless that was under way.
        """
        if self._open < AT_ONCE:
            turn = self._turn()
            try:
                return await self.alone(event)
            finally:
                turn.end()
        waiting = _Waiting(event, asyncio.get_running_loop().create_future(), copy_context())
        self._waiting.append(waiting)
        try:
            return await waiting.answer
        except Apart:
            return await self.alone(event)

    async def alone(self, event: Event) -> Reply | None:
        """The same, in a transaction of its own, at once."""
        async with self._transaction() as tx:
            return await self._decide(tx, event)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self._store.transaction() as tx:
            yield tx
            faultpoints.reach("engine.before_commit")
        faultpoints.reach("engine.after_commit")

    def _turn(self) -> _Turn:
        self._open += 1
        return _Turn(self._ended)

    def _ended(self) -> None:
        """Of those that may be open at once there is one less: those that wait may go on."""
        self._open -= 1
        together: list[_Waiting] = []
        while self._waiting and len(together) < MOST:
            waiting = self._waiting.popleft()
            if not waiting.answer.cancelled():
                together.append(waiting)
        if together:
            # in one order everywhere: else two transactions could each wait for a row that the other has locked
            together.sort(key=lambda waiting: waiting.event.actor.id)
            sharing = asyncio.create_task(self._share(together, self._turn()), context=together[0].context)
            self._sharing.add(sharing)
            sharing.add_done_callback(self._sharing.discard)

    async def _share(self, together: Sequence[_Waiting], turn: _Turn) -> None:
        try:
            replies = await self._together(together)
        except StoreUnavailable as error:  # for all of them, and perhaps after it was committed
            _fail(together, error)
        except Exception as error:  # noqa: BLE001  # one of them is at fault, and will say so by itself
            log.info("events.apart", events=len(together), why=type(error).__name__)
            _fail(together, Apart())
        else:
            for each, reply in zip(together, replies, strict=True):
                if not each.answer.cancelled():
                    each.answer.set_result(reply)
        finally:
            for each in together:
                each.answer.cancel()  # nothing, but for one that nobody will answer any more
            turn.end()

    async def _together(self, together: Sequence[_Waiting]) -> list[Reply | None]:
        async with self._transaction() as tx:
            async with asyncio.timeout(WITHIN):
                replies = [await self._decided(tx, each) for each in together]
            if any(each.answer.cancelled() for each in together):  # somebody was told that it was not done
                raise Apart
            return replies

    async def _decided(self, tx: Transaction, waiting: _Waiting) -> Reply | None:
        return await asyncio.create_task(self._decide(tx, waiting.event), context=waiting.context)


class _Turn:
    """One of the transactions that may be open at once, until it ends, or until it has taken so long that others must
    not wait for it any more: for a row that somebody else has locked, say.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._is_over = False
        self._timer = asyncio.get_running_loop().call_later(WITHIN, self.end)

    def end(self) -> None:
        """Only the first time counts."""
        if not self._is_over:
            self._is_over = True
            self._timer.cancel()
            self._ended()


def _fail(together: Sequence[_Waiting], error: Exception) -> None:
    for each in together:
        if not each.answer.cancelled():
            each.answer.set_exception(error)
            each.answer.exception()  # seen, also when whoever waits has just given up
