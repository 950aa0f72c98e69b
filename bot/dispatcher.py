"""Direct messages go out: claim, limit, send, classify, settle, reconcile; and the loop around it.

A message is claimed (committed as `sending`, with a lease) before it is sent, and settled after. Whatever happens in
between, nothing is sent twice: only what provably was not sent becomes ready again. What may have been sent is
`unknown`; where the platform can be asked, it is asked after a grace period, and elsewhere the next reminder repairs
it. docs/delivery.md draws the states.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import faultpoints
from bot.conversations.invitation import compose
from bot.model import Delivery, DeliveryKind, Person, Platform, Workspace
from bot.ports import (
    ChatPlatform,
    Clock,
    InvitationView,
    NeverLeft,
    Outcome,
    Reason,
    Refused,
    Sent,
    Store,
    StoreUnavailable,
    Throttled,
    Transaction,
    Unclear,
)
from bot.ratelimit import Bucket
from bot.reminders import next_due

LEASE = timedelta(seconds=60)
GRACE = timedelta(seconds=60)  # at least twice the client's time-out, so that a late message has arrived
MAX_ATTEMPTS = 10
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0  # seconds between attempts, doubling, jittered
IDLE = 0.5  # seconds between looks when there is nothing to do
AFTER_FAILURE = 5.0

log = structlog.get_logger(__name__)


class Dispatcher:
    """Sends what is queued. `run_once` is one pass over every lane; `run` repeats it until cancelled."""

    def __init__(
        self,
        store: Store,
        platforms: Mapping[Platform, ChatPlatform],
        clock: Clock,
        *,
        grace: timedelta = GRACE,
        jitter: random.Random | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._grace = grace
        self._jitter = jitter or random.Random()  # noqa: S311  # spreads retries, guards nothing
        self._buckets: dict[str, Bucket] = {}
        self._lanes: dict[str, asyncio.Task[None]] = {}  # by lane, which is the task's name too
        self._stopping = False

    async def run(self) -> None:
        """One task for each lane that has work; lanes never wait for each other."""
        while not self._stopping:
            try:
                for lane in await self._lanes_with_work():
                    if lane not in self._lanes:
                        self._lanes[lane] = asyncio.create_task(self._drain(lane), name=lane)
                        self._lanes[lane].add_done_callback(lambda done: self._lanes.pop(done.get_name()))
                await self._clock.sleep(IDLE)
            except StoreUnavailable:
                log.warning("dispatcher.database_unavailable")
                await self._clock.sleep(AFTER_FAILURE)

    async def stop(self) -> None:
        """Take nothing new and wait for what is in flight."""
        self._stopping = True
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def run_once(self) -> int:
        """Send everything that can go now, lane after lane, without waiting for a rate limit. Returns how many
        deliveries were attempted.
        """
        return sum([await self._pass(lane) for lane in await self._lanes_with_work()])

    async def _lanes_with_work(self) -> Sequence[str]:
        async with self._store.transaction() as tx:
            now = self._clock.now()
            await tx.deliveries.expire_leases(now)
            return await tx.deliveries.lanes(now)

    async def _drain(self, lane: str) -> None:
        """Hold the lane until it is empty. Another replica that holds it already does the work."""
        try:
            async with self._store.lane(lane) as mine:
                while mine and not self._stopping and await self._pass(lane):
                    wait = self._wait(lane)
                    if wait:
                        await self._clock.sleep(wait)
        except StoreUnavailable:
            log.warning("dispatcher.database_unavailable", lane=lane)
        except Exception:
            log.exception("dispatcher.lane_failed", lane=lane)
            await self._clock.sleep(AFTER_FAILURE)

    async def _pass(self, lane: str) -> int:
        """Reconcile, send, update: one round for one lane. Returns how much was done."""
        async with self._store.transaction() as tx:
            workspace = await tx.people.workspace(lane)
        platform = self._platforms.get(workspace.platform) if workspace else None
        if workspace is None or platform is None or not workspace.active:
            return 0
        reconciled = await self._reconcile(workspace, platform) if platform.can_find else 0
        sent = await self._send_batch(workspace, platform)
        updated = await self._update_batch(workspace, platform)
        return reconciled + sent + updated

    def _bucket(self, lane: str, platform: ChatPlatform) -> Bucket:
        return self._buckets.setdefault(lane, Bucket(platform.limits))

    def _wait(self, lane: str) -> float:
        """Seconds until the lane may send again; asks without taking."""
        bucket = self._buckets.get(lane)
        if bucket is None:
            return 0.0
        wait = bucket.take(self._clock.now())
        if wait == 0.0:
            bucket.tokens += 1
        return wait

    def _grant(self, bucket: Bucket, at_most: int) -> int:
        """How many may be sent now."""
        now = self._clock.now()
        return next((taken for taken in range(at_most) if bucket.take(now) > 0), at_most)

    async def _send_batch(self, workspace: Workspace, platform: ChatPlatform) -> int:
        bucket = self._bucket(workspace.id, platform)
        granted = self._grant(bucket, platform.limits.in_flight)
        if not granted:
            return 0
        async with self._store.transaction() as tx:
            now = self._clock.now()
            claimed = await tx.deliveries.claim(workspace.id, now, now + LEASE, granted)
            views, people = await _context(tx, claimed)
        bucket.tokens += granted - len(claimed)
        faultpoints.reach("dispatcher.after_claim")
        await _all(self._send(workspace, platform, delivery, views, people) for delivery in claimed)
        return len(claimed)

    async def _send(
        self,
        workspace: Workspace,
        platform: ChatPlatform,
        delivery: Delivery,
        views: Mapping[str, InvitationView],
        people: Mapping[str, Person],
    ) -> None:
        view = views.get(delivery.invitation_id or "")
        message = compose(delivery, view)
        person = people.get(delivery.person_id)
        outcome: Outcome | None = None
        if message is not None and person is not None:
            outcome = await platform.send(workspace, person, message, delivery.id)
            faultpoints.reach("dispatcher.after_send")
        if isinstance(outcome, Throttled):
            self._bucket(workspace.id, platform).throttle(self._clock.now(), outcome.retry_after)
        async with self._store.transaction() as tx:
            await self._settle(tx, delivery, outcome, view, person)
            faultpoints.reach("dispatcher.before_settle_commit")
        faultpoints.reach("dispatcher.after_settle")
        log.info("delivery.settled", delivery=delivery.id, kind=delivery.kind, outcome=type(outcome).__name__)

    async def _settle(
        self,
        tx: Transaction,
        delivery: Delivery,
        outcome: Outcome | None,
        view: InvitationView | None,
        person: Person | None,
    ) -> None:
        now = self._clock.now()
        match outcome:
            case None:
                await tx.deliveries.withdrawn(delivery, Reason.NOT_NEEDED)
            case Sent():
                await _settle_sent(tx, delivery, outcome, view, person, now)
            case Throttled():
                await self._put_off(tx, delivery, view, Reason.THROTTLED, outcome.retry_after)
            case NeverLeft():
                await self._put_off(tx, delivery, view, outcome.reason, 0.0)
            case Refused():
                await _settle_refused(tx, delivery, outcome.reason, view, now)
            case Unclear():
                if await tx.deliveries.unclear(delivery, outcome.reason):
                    await _after(tx, delivery, view, now, reached_at=None, unreachable="")

    async def _put_off(
        self, tx: Transaction, delivery: Delivery, view: InvitationView | None, reason: Reason, at_least: float
    ) -> None:
        """Try again later, with growing, jittered pauses; give up after MAX_ATTEMPTS."""
        now = self._clock.now()
        if delivery.attempt >= MAX_ATTEMPTS:
            await _settle_refused(tx, delivery, Reason.TOO_MANY_ATTEMPTS, view, now)
            return
        pause = min(FIRST_PAUSE * 2 ** (delivery.attempt - 1), LONGEST_PAUSE) * self._jitter.uniform(0.5, 1.0)
        await tx.deliveries.put_off(delivery, now + timedelta(seconds=max(pause, at_least)), reason)

    async def _reconcile(self, workspace: Workspace, platform: ChatPlatform) -> int:
        """Ask the platform whether what is unknown arrived; settle it, or send it again."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            unknown = await tx.deliveries.unknown(workspace.id, now - self._grace, platform.limits.in_flight)
            views, people = await _context(tx, unknown)
        settled = 0
        for delivery in unknown:
            person = people.get(delivery.person_id)
            if person is None or delivery.claimed_at is None:
                continue
            found = await platform.find(workspace, person, delivery.id, delivery.claimed_at - timedelta(minutes=1))
            if isinstance(found, Unclear | Throttled):
                break  # the next pass asks again
            settled += 1
            async with self._store.transaction() as tx:
                if found is None:
                    await tx.deliveries.settle_unknown_absent(delivery, now)
                elif await tx.deliveries.sent(delivery, now, found.channel_id, found.message_id):
                    await _after(
                        tx, delivery, views.get(delivery.invitation_id or ""), now, reached_at=now, unreachable=""
                    )
        return settled

    async def _update_batch(self, workspace: Workspace, platform: ChatPlatform) -> int:
        """Bring copies up to date in place. Repeating an update is harmless, so nothing is claimed."""
        async with self._store.transaction() as tx:
            outdated = await tx.deliveries.outdated(workspace.id, platform.limits.in_flight)
            views, people = await _context(tx, outdated)
        updated = 0
        for delivery in outdated:
            message = compose(delivery, views.get(delivery.invitation_id or ""))
            person = people.get(delivery.person_id)
            if message is not None and person is not None:
                outcome = await platform.update(
                    workspace, person, Sent(delivery.channel_id, delivery.message_id), message
                )
                if isinstance(outcome, Throttled | NeverLeft | Unclear):
                    break  # the next pass tries again
                faultpoints.reach("dispatcher.after_update")
            updated += 1
            async with self._store.transaction() as tx:
                await tx.deliveries.updated(delivery)
        return updated


async def _context(
    tx: Transaction, deliveries: Sequence[Delivery]
) -> tuple[Mapping[str, InvitationView], Mapping[str, Person]]:
    """What composing and addressing these deliveries needs, read at once."""
    views = await tx.invitations.views([each.invitation_id for each in deliveries if each.invitation_id])
    people = await tx.people.by_ids({each.person_id for each in deliveries})
    return views, {person.id: person for person in people}


async def _settle_sent(
    tx: Transaction, delivery: Delivery, sent: Sent, view: InvitationView | None, person: Person | None, now: datetime
) -> None:
    if not await tx.deliveries.sent(delivery, now, sent.channel_id, sent.message_id):
        return
    if person is not None and sent.channel_id and sent.channel_id != person.channel_id:
        await tx.people.set_channel(person.id, sent.channel_id)
    await _after(tx, delivery, view, now, reached_at=now, unreachable="")


async def _settle_refused(
    tx: Transaction, delivery: Delivery, reason: Reason, view: InvitationView | None, now: datetime
) -> None:
    if await tx.deliveries.gave_up(delivery, reason):
        await _after(tx, delivery, view, now, reached_at=None, unreachable=reason)


async def _after(
    tx: Transaction,
    delivery: Delivery,
    view: InvitationView | None,
    now: datetime,
    *,
    reached_at: datetime | None,
    unreachable: str,
) -> None:
    """A settled invitation or reminder sets when the next reminder is due, also when it may not have arrived."""
    if view is None or delivery.kind is DeliveryKind.NOTICE:
        return
    due = next_due(view.rollout.policy, view.person.time_zone, view.invitation, now)
    await tx.invitations.set_after_delivery(
        view.invitation.id, reached_at=reached_at, due_at=due, unreachable=unreachable
    )


async def _all(sends: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Send side by side; one that fails does not stop the others."""
    failures = [
        result for result in await asyncio.gather(*sends, return_exceptions=True) if isinstance(result, BaseException)
    ]
    if failures:
        raise failures[0]
