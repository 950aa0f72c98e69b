"""One lane's messages: claimed, sent and settled, as many at a time as the platform's limits allow.

Each message is on its way by itself, so a slow answer holds up nobody. What has been answered is settled together, in
one transaction, and the same transaction claims what goes next.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice, repeat

import structlog

from bot import faultpoints
from bot.clock import first_of
from bot.conversations.invitation import compose
from bot.model import Delivery, Person, Workspace
from bot.observer import Observer
from bot.ports import (
    ChatPlatform,
    Clock,
    InvitationView,
    NeverLeft,
    Reason,
    Refused,
    Sent,
    StaleWrite,
    Store,
    StoreUnavailable,
    Throttled,
    Transaction,
    Unclear,
)
from bot.ratelimit import Bucket
from bot.settling import NotNeeded, NotNow, Settlement, settle_all, withheld

LEASE = timedelta(seconds=60)
MOMENT = 0.02  # seconds
DATABASE_PAUSES = 0.1, 1.0, 5.0  # seconds between looks for a database that is away; the last one again and again

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A delivery that is this process's to send, and what is needed for that."""

    workspace: Workspace
    delivery: Delivery
    person: Person | None
    view: InvitationView | None


@dataclass(eq=False)
class Attempt:
    """A delivery under way. `settlement` is what came of it, once known."""

    claimed: Claimed
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    settlement: Settlement = field(default_factory=NotNeeded)


class Sending:
    """The messages of one lane that are under way, and those that have been answered but are not settled yet."""

    def __init__(
        self,
        store: Store,
        platform: ChatPlatform,
        lane: str,
        clock: Clock,
        *,
        bucket: Bucket,
        observer: Observer,
        jitter: random.Random,
    ) -> None:
        self._store = store
        self._platform = platform
        self._lane = lane
        self._bucket = bucket
        self._clock = clock
        self._observer = observer
        self._jitter = jitter
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered: list[Attempt] = []
        self._news = asyncio.Event()  # something has been answered since the last step
        self._enough = asyncio.Event()  # so much has been answered that a transaction is worth it
        self._failure: BaseException | None = None  # a fault that is not one message's alone
        self._empty = False  # whether the last step found less than it could have claimed
        self.under_way = 0  # claimed and not settled
        self._spoken_to: dict[str, datetime] = {}  # when the last message went to each person, as far as it matters

    async def answered(self) -> None:
        """Return when there is something to settle: half of what is under way, or what there is after a moment, so
        that one transaction settles several. Raises what a fault of our own has raised.
        """
        await self._news.wait()
        if not self._enough.is_set():
            await first_of(self._enough.wait(), self._clock.sleep(MOMENT))
        if self._failure is not None:
            raise self._failure

    async def step(self, *, claim: bool = True) -> int:
        """One transaction: settle what has been answered, and claim what may go now; that then goes. Returns how
        many were claimed. A database that is away is waited for as long as there is something to settle; otherwise
        raises StoreUnavailable.
        """
        answered, self._answered = self._answered, []
        self._news.clear()
        self._enough.clear()
        room = self._platform.limits.in_flight - (self.under_way - len(answered)) if claim else 0
        granted = self._bucket.take(self._clock.now(), room)
        if not answered and not granted:
            return 0
        claimed = await self._patiently(answered, granted)
        self._bucket.give_back(granted - len(claimed))
        self._bucket.charge(self._clock.now(), sum(self._further_calls(each) for each in claimed))
        if granted:
            self._empty = len(claimed) < granted
        self._let_go(answered, claimed)
        return len(claimed)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, and nothing waited when it was last looked for."""
        return self._empty and not self.under_way

    def pause(self, when_empty: float) -> float | None:
        """Seconds until another step can claim something, `when_empty` if nothing waited at the last one; None when
        nothing can be claimed before something is answered.
        """
        limits = self._platform.limits
        if self.under_way >= limits.in_flight:
            return None
        return when_empty if self._empty else self._bucket.wait(self._clock.now())

    async def finish(self) -> None:
        """Settle everything that is under way; claim nothing more."""
        while self.under_way:
            await self.answered()
            await self.step(claim=False)
        await asyncio.gather(*self._tasks, return_exceptions=True)  # each has still to tell what came of it

    async def abandon(self) -> None:
        """For when nothing can be settled any more: end what is under way. Its leases will run out."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _further_calls(self, claimed: Claimed) -> int:
        """Those that the first message to somebody takes beside the one that sends it."""
        is_known = claimed.person is None or claimed.person.channel_id
        return 0 if is_known else self._platform.limits.first_message_calls - 1

    def _let_go(self, answered: Sequence[Attempt], claimed: Sequence[Claimed]) -> None:
        self.under_way += len(claimed) - len(answered)
        for attempt in answered:
            attempt.settled.set()
        if answered:
            faultpoints.reach("dispatcher.after_settle")
        if claimed:
            faultpoints.reach("dispatcher.after_claim")
        for each in claimed:
            task = asyncio.create_task(self._attempt(Attempt(each)), name=each.delivery.id)
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
            self._news.set()
            self._enough.set()

    async def _attempt(self, attempt: Attempt) -> None:
        """From claim to settlement."""
        delivery = attempt.claimed.delivery
        with self._observer.attempt(delivery):
            attempt.settlement = await self._settlement_of(attempt.claimed)
            self._answered.append(attempt)
            self._news.set()
            if 2 * len(self._answered) >= self.under_way:
                self._enough.set()
            await attempt.settled.wait()
            self._observer.settled(delivery, attempt.settlement)
        what = type(attempt.settlement).__name__
        log.info("delivery.settled", delivery=delivery.id, kind=delivery.kind, outcome=what)

    async def _settlement_of(self, claimed: Claimed) -> Settlement:
        """A fault of our own while sending must not stop the lane, nor be repeated for ever."""
        try:
            settlement = await self._send(claimed)
        except Exception:
            log.exception("delivery.fault", delivery=claimed.delivery.id)
            return Refused(Reason.MESSAGE_REFUSED)
        if isinstance(settlement, NotNeeded | NotNow):
            self._bucket.give_back(1 + self._further_calls(claimed))
        else:
            pace(self._bucket, settlement, self._clock.now())
        return settlement

    async def _send(self, claimed: Claimed) -> Settlement:
        """Send it, unless it is not to be sent now."""
        now, delivery, person = self._clock.now(), claimed.delivery, claimed.person
        message = compose(delivery, claimed.view)
        if message is None or person is None:
            return NotNeeded()
        held_back = withheld(delivery, claimed.view, now) or self._too_soon(person, now)
        if held_back is not None:
            return held_back
        outcome = await self._platform.send(claimed.workspace, person, message, delivery.id)
        faultpoints.reach("dispatcher.after_send")
        return outcome

    def _too_soon(self, person: Person, now: datetime) -> NotNow | None:
        """People's own limit: so many seconds between two messages to one of them."""
        pause = timedelta(seconds=self._platform.limits.between_messages)
        before = self._spoken_to.pop(person.id, None)
        for who, at in list(islice(self._spoken_to.items(), 2)):  # the oldest come first; two go for each that comes
            if at <= now - pause:
                del self._spoken_to[who]
        if before is not None and now - pause < before <= now:
            self._spoken_to[person.id] = before
            return NotNow(before + pause, Reason.THROTTLED)
        self._spoken_to[person.id] = now
        return None

    async def _patiently(self, answered: Sequence[Attempt], at_most: int) -> Sequence[Claimed]:
        """What is known now would be unknown after the lease: a database that is away for a moment is waited for."""
        for pause in chain(DATABASE_PAUSES, repeat(DATABASE_PAUSES[-1])):
            try:
                return await self._in_one_transaction(answered, at_most)
            except (StaleWrite, StoreUnavailable):
                if not self.under_way:
                    raise
                await self._clock.sleep(pause)
        raise AssertionError  # the pauses never end

    async def _in_one_transaction(self, answered: Sequence[Attempt], at_most: int) -> Sequence[Claimed]:
        async with self._store.transaction() as tx:
            if answered:
                now = self._clock.now()
                settlements = [(each.claimed.delivery, each.settlement) for each in answered]
                await settle_all(tx, settlements, now, self._jitter)
                await tx.people.set_channels(dict(_new_channels(answered)))
                faultpoints.reach("dispatcher.before_settle_commit")
            return await self._claim(tx, at_most) if at_most else []

    async def _claim(self, tx: Transaction, at_most: int) -> Sequence[Claimed]:
        workspace = await active_workspace(tx, self._lane)
        if workspace is None:
            return []
        now = self._clock.now()
        deliveries = await tx.deliveries.claim(self._lane, now, now + LEASE, at_most)
        views = await tx.invitations.views([each.invitation_id for each in deliveries if each.invitation_id])
        people = await _people(tx, deliveries, views)
        return [
            Claimed(workspace, each, people.get(each.person_id), views.get(each.invitation_id or ""))
            for each in deliveries
        ]


async def active_workspace(tx: Transaction, lane: str) -> Workspace | None:
    """None when the bot is not installed there, or no longer."""
    workspace = await tx.people.workspace(lane)
    return workspace if workspace is not None and workspace.active else None


async def _people(
    tx: Transaction, deliveries: Sequence[Delivery], views: Mapping[str, InvitationView]
) -> Mapping[str, Person]:
    """Who the deliveries are for; most are in the views already."""
    known = {view.person.id: view.person for view in views.values()}
    missing = {each.person_id for each in deliveries} - known.keys()
    found = await tx.people.by_ids(missing) if missing else ()
    return known | {person.id: person for person in found}


def _new_channels(answered: Sequence[Attempt]) -> Sequence[tuple[str, str]]:
    """Person id and channel, where the platform told one that was not known."""
    told = [(each.claimed.person, each.settlement) for each in answered if isinstance(each.settlement, Sent)]
    return [
        (person.id, sent.channel_id)
        for person, sent in told
        if person is not None and sent.channel_id not in ("", person.channel_id)
    ]


def pace(bucket: Bucket, outcome: object, now: datetime) -> None:
    """A 429 closes the bucket for as long as the platform asks; trouble closes it for a moment."""
    if isinstance(outcome, Throttled):
        bucket.throttle(now, outcome.retry_after)
    elif isinstance(outcome, NeverLeft | Unclear):
        bucket.trouble(now)
    elif isinstance(outcome, Sent):
        bucket.works()
