"""Direct messages go out: claim, limit, send, classify, settle, reconcile; and the loop around it.

A message is claimed (committed as `sending`, with a lease) before it is sent, and settled after. Whatever happens in
between, nothing is sent twice: only what provably was not sent becomes ready again. What may have been sent is
`unknown`; where the platform can be asked, it is asked after a grace period, and elsewhere the next reminder repairs
it. docs/delivery.md draws the states.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot import faultpoints
from bot.conversations.invitation import compose
from bot.messages import Message
from bot.model import Delivery, Person, Platform, Workspace
from bot.observer import Observer, Unobserved
from bot.ports import (
    ChatPlatform,
    Clock,
    InvitationView,
    NeverLeft,
    Outcome,
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
from bot.ratelimit import Bucket, LaneLimits
from bot.settling import NotNeeded, Settlement, settle, settle_sent, settle_unclear, withheld

LEASE = timedelta(seconds=60)
GRACE = timedelta(seconds=60)  # at least twice the client's time-out, so that a late message has arrived
SETTLE_AGAIN_AFTER = (0.1, 1.0, 5.0, 15.0)  # seconds; together well within the lease
PLATFORM_DOWN = 5.0  # seconds before a lane is tried again whose platform cannot be reached
EXPIRED_AT_ONCE = 500  # what a dead process was sending, in one transaction
IDLE = 0.5  # seconds between looks when there is nothing to do
AFTER_FAILURE = 5.0

log = structlog.get_logger(__name__)


class Dispatcher:
    """Sends what is queued. `run_once` is one pass over every lane; `run` repeats it until stopped."""

    def __init__(
        self,
        store: Store,
        platforms: Mapping[Platform, ChatPlatform],
        clock: Clock,
        *,
        grace: timedelta = GRACE,
        jitter: random.Random | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._grace = grace
        self._jitter = jitter or random.Random()  # noqa: S311  # spreads retries, guards nothing
        self._observer = observer or Unobserved()
        self._limits: dict[str, LaneLimits] = {}
        self._lanes: dict[str, asyncio.Task[None]] = {}  # by lane, which is the task's name too
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """One task for each lane that has work; lanes never wait for each other."""
        while not self._stopped.is_set():
            try:
                for lane in await self._lanes_with_work():
                    if lane not in self._lanes:
                        self._lanes[lane] = asyncio.create_task(self._drain(lane), name=lane)
                        self._lanes[lane].add_done_callback(lambda done: self._lanes.pop(done.get_name()))
                await self._clock.sleep(IDLE)
            except (StoreUnavailable, StaleWrite) as failure:
                log.warning("dispatcher.put_off", why=type(failure).__name__)
                await self._clock.sleep(AFTER_FAILURE)
            except Exception:
                log.exception("dispatcher.failed")
                await self._clock.sleep(AFTER_FAILURE)

    async def stop(self) -> None:
        """Take nothing new and wait for what is in flight."""
        self._stopped.set()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def run_once(self) -> int:
        """Do everything that can be done now, lane after lane, without waiting for a rate limit. Returns how many
        deliveries were attempted, reconciled or updated.
        """
        return sum([await self._pass(lane) for lane in await self._lanes_with_work()])

    async def _lanes_with_work(self) -> Sequence[str]:
        async with self._store.transaction() as tx:
            now = self._clock.now()
            for interrupted in await tx.deliveries.expired(now, EXPIRED_AT_ONCE):
                await settle_unclear(tx, interrupted, Reason.INTERRUPTED, now)
                self._observer.settled(interrupted, Unclear(Reason.INTERRUPTED))
            return await tx.deliveries.lanes(now)

    async def _drain(self, lane: str) -> None:
        """Hold the lane until it is empty. Another replica that holds it already does the work."""
        try:
            async with self._store.lane(lane) as mine:
                while mine and not self._stopped.is_set() and await self._pass(lane):
                    await self._pause(self._limits[lane].send.wait(self._clock.now()))
        except StoreUnavailable:
            log.warning("dispatcher.database_unavailable", lane=lane)
        except Exception:
            log.exception("dispatcher.lane_failed", lane=lane)
            await self._pause(AFTER_FAILURE)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the dispatcher is stopped: a throttled lane may have a minute to wait."""
        waits = [asyncio.ensure_future(each) for each in (self._clock.sleep(seconds), self._stopped.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _pass(self, lane: str) -> int:
        """Reconcile, send, update: one round for one lane. Returns how much was done."""
        async with self._store.transaction() as tx:
            workspace = await tx.people.workspace(lane)
        platform = self._platforms.get(workspace.platform) if workspace else None
        if workspace is None or platform is None or not workspace.active:
            return 0
        limits = self._limits.setdefault(lane, LaneLimits.of(platform.limits))
        reconciled = await self._reconcile(workspace, platform, limits.find) if platform.can_find else 0
        sent = await self._send_batch(workspace, platform, limits.send)
        updated = await self._update_batch(workspace, platform, limits.update)
        return reconciled + sent + updated

    async def _send_batch(self, workspace: Workspace, platform: ChatPlatform, bucket: Bucket) -> int:
        granted = bucket.take(self._clock.now(), platform.limits.in_flight)
        if not granted:
            return 0
        async with self._store.transaction() as tx:
            now = self._clock.now()
            claimed = await tx.deliveries.claim(workspace.id, now, now + LEASE, granted)
            views = await tx.invitations.views([each.invitation_id for each in claimed if each.invitation_id])
            people = await _people(tx, claimed)
        bucket.give_back(granted - len(claimed))
        if not claimed:
            return 0
        faultpoints.reach("dispatcher.after_claim")
        outcomes = await asyncio.gather(
            *(
                self._send(workspace, platform, each, people.get(each.person_id), views.get(each.invitation_id or ""))
                for each in claimed
            )
        )
        for outcome in outcomes:
            _slow_down(bucket, outcome, self._clock.now())
        return len(claimed)

    async def _send(
        self,
        workspace: Workspace,
        platform: ChatPlatform,
        delivery: Delivery,
        person: Person | None,
        view: InvitationView | None,
    ) -> Settlement:
        """Send one, unless it is not to be sent now, and settle it."""
        message = compose(delivery, view)
        settlement: Settlement | None = withheld(delivery, view, self._clock.now())
        with self._observer.attempt(delivery):
            if message is None or person is None:
                settlement = NotNeeded()
            elif settlement is None:
                settlement = await _try_to_send(platform, workspace, person, message, delivery.id)
                faultpoints.reach("dispatcher.after_send")
            await self._settle_patiently(delivery, settlement, person)
            self._observer.settled(delivery, settlement)
        faultpoints.reach("dispatcher.after_settle")
        log.info("delivery.settled", delivery=delivery.id, kind=delivery.kind, outcome=type(settlement).__name__)
        return settlement

    async def _settle_patiently(self, delivery: Delivery, settlement: Settlement, person: Person | None) -> None:
        """What is known now would be unknown after the lease: a database that is away for a moment is waited for."""
        for pause in SETTLE_AGAIN_AFTER:
            try:
                return await self._settle_once(delivery, settlement, person)
            except (StaleWrite, StoreUnavailable):
                await self._clock.sleep(pause)
        return await self._settle_once(delivery, settlement, person)

    async def _settle_once(self, delivery: Delivery, settlement: Settlement, person: Person | None) -> None:
        async with self._store.transaction() as tx:
            await settle(tx, delivery, settlement, self._clock.now(), self._jitter)
            if isinstance(settlement, Sent) and person and settlement.channel_id not in ("", person.channel_id):
                await tx.people.set_channel(person.id, settlement.channel_id)
            faultpoints.reach("dispatcher.before_settle_commit")

    async def _reconcile(self, workspace: Workspace, platform: ChatPlatform, bucket: Bucket) -> int:
        """Ask the platform whether what is unknown arrived; settle it, or send it again."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            unknown = await tx.deliveries.unknown(workspace.id, now - self._grace, platform.limits.in_flight)
            people = await _people(tx, unknown)
        settled = 0
        for delivery in unknown:
            person = people.get(delivery.person_id)
            if person is None or delivery.claimed_at is None or not bucket.take(self._clock.now(), 1):
                continue
            found = await platform.find(workspace, person, delivery.id, delivery.claimed_at - timedelta(minutes=1))
            if isinstance(found, Unclear | Throttled):
                _slow_down(bucket, found, self._clock.now())
                break  # asked again later
            settled += 1
            faultpoints.reach("dispatcher.after_find")
            async with self._store.transaction() as tx:
                if found is None:
                    await tx.deliveries.settle_unknown_absent(delivery, now)
                else:
                    await settle_sent(tx, delivery, found, now)
            self._observer.settled(delivery, found or NeverLeft())
        return settled

    async def _update_batch(self, workspace: Workspace, platform: ChatPlatform, bucket: Bucket) -> int:
        """Bring copies up to date in place. Repeating an update is harmless, so nothing is claimed."""
        granted = bucket.take(self._clock.now(), platform.limits.in_flight)
        async with self._store.transaction() as tx:
            outdated = await tx.deliveries.outdated(workspace.id, granted) if granted else ()
            views = await tx.invitations.views([each.invitation_id for each in outdated if each.invitation_id])
            people = await _people(tx, outdated)
        bucket.give_back(granted - len(outdated))
        updated = 0
        for delivery in outdated:
            message = compose(delivery, views.get(delivery.invitation_id or ""))
            person = people.get(delivery.person_id)
            if message is not None and person is not None:
                where = Sent(delivery.channel_id, delivery.message_id)
                outcome = await platform.update(workspace, person, where, message)
                if isinstance(outcome, Throttled | NeverLeft | Unclear):
                    _slow_down(bucket, outcome, self._clock.now())
                    break  # tried again later
                faultpoints.reach("dispatcher.after_update")
            updated += 1
            async with self._store.transaction() as tx:
                await tx.deliveries.updated(delivery)
        return updated


async def _try_to_send(
    platform: ChatPlatform, workspace: Workspace, person: Person, message: Message, delivery_id: str
) -> Outcome:
    """A fault of our own while sending must not stop the lane, nor be repeated for ever."""
    try:
        return await platform.send(workspace, person, message, delivery_id)
    except Exception:
        log.exception("delivery.fault", delivery=delivery_id)
        return Refused(Reason.MESSAGE_REFUSED)


def _slow_down(bucket: Bucket, outcome: object, now: datetime) -> None:
    """A 429 closes the bucket for as long as the platform asks; an outage closes it for a moment."""
    if isinstance(outcome, Throttled):
        bucket.throttle(now, outcome.retry_after)
    elif isinstance(outcome, NeverLeft | Unclear):
        bucket.throttle(now, PLATFORM_DOWN)


async def _people(tx: Transaction, deliveries: Sequence[Delivery]) -> Mapping[str, Person]:
    found = await tx.people.by_ids({each.person_id for each in deliveries})
    return {person.id: person for person in found}
