"""What a lane does beside sending: finding out what became of unclear messages, and bringing copies up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot import faultpoints
from bot.conversations.invitation import compose
from bot.model import Delivery, Person, Workspace
from bot.observer import Observer
from bot.ports import (
    ChatPlatform,
    Clock,
    InvitationView,
    NeverLeft,
    Sent,
    Store,
    Throttled,
    Transaction,
    Unclear,
)
from bot.ratelimit import LaneLimits
from bot.sending import active_workspace, pace
from bot.settling import FIRST_PAUSE, LONGEST_PAUSE, settle_sent

CLAIMED_BEFORE = timedelta(minutes=1)  # a message cannot be older than its claim; clocks may differ


class Upkeep:
    """One lane's. `grace`: how long after its claim a message must have arrived, if it did."""

    def __init__(
        self,
        store: Store,
        platform: ChatPlatform,
        lane: str,
        clock: Clock,
        *,
        limits: LaneLimits,
        observer: Observer,
        grace: timedelta,
    ) -> None:
        self._store = store
        self._platform = platform
        self._lane = lane
        self._limits = limits
        self._clock = clock
        self._observer = observer
        self._grace = grace
        self._unclear: dict[str, tuple[int, datetime]] = {}  # how often in vain, and when to ask again, by delivery

    async def reconcile(self) -> int:
        """Ask the platform whether what is unknown arrived; settle it, or let it be sent again. Returns how many."""
        if not self._platform.can_find:
            return 0
        bucket, now, settled = self._limits.find, self._clock.now(), 0
        async with self._store.transaction() as tx:
            workspace = await active_workspace(tx, self._lane)
            at_most = self._platform.limits.in_flight + len(self._unclear)
            unknown = await tx.deliveries.unknown(self._lane, now - self._grace, at_most)
            people = await _people(tx, unknown)
        if workspace is None:
            return 0
        self._unclear = {each.id: self._unclear[each.id] for each in unknown if each.id in self._unclear}
        for delivery in unknown:
            person = people.get(delivery.person_id)
            if person is None or delivery.claimed_at is None or self._is_early(delivery, now):
                continue
            if not bucket.take(self._clock.now(), 1):
                break
            since = delivery.claimed_at - CLAIMED_BEFORE
            found = await self._platform.find(workspace, person, delivery.id, since)
            pace(bucket, found, self._clock.now())
            if isinstance(found, Throttled):
                break
            if isinstance(found, Unclear):
                self._ask_later(delivery)  # others need not be
                continue
            settled += 1
            faultpoints.reach("dispatcher.after_find")
            await self._found(delivery, found)
        return settled

    def _is_early(self, delivery: Delivery, now: datetime) -> bool:
        return delivery.id in self._unclear and now < self._unclear[delivery.id][1]

    def _ask_later(self, delivery: Delivery) -> None:
        times = self._unclear.get(delivery.id, (0, None))[0]
        pause = min(FIRST_PAUSE * 2.0**times, LONGEST_PAUSE)
        self._unclear[delivery.id] = (times + 1, self._clock.now() + timedelta(seconds=pause))

    async def _found(self, delivery: Delivery, found: Sent | None) -> None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if found is None:
                await tx.deliveries.settle_unknown_absent(delivery, now)
            else:
                await settle_sent(tx, delivery, found, now)
        self._observer.settled(delivery, found or NeverLeft())

    async def update(self) -> int:
        """Bring copies up to date in place. Repeating an update is harmless, so nothing is claimed. Returns how many
        were.
        """
        bucket = self._limits.update
        if bucket.wait(self._clock.now()) > 0:
            return 0
        async with self._store.transaction() as tx:
            workspace = await active_workspace(tx, self._lane)
            outdated = await tx.deliveries.outdated(self._lane, self._platform.limits.in_flight) if workspace else ()
            outdated = outdated[: bucket.take(self._clock.now(), len(outdated))]
            views = await tx.invitations.views([each.invitation_id for each in outdated if each.invitation_id])
            people = await _people(tx, outdated)
        if workspace is None or not outdated:
            return 0
        copies = [(each, people.get(each.person_id), views.get(each.invitation_id or "")) for each in outdated]
        shown = await asyncio.gather(*(self._show(workspace, *each) for each in copies))
        updated = [delivery for delivery, is_shown in zip(outdated, shown, strict=True) if is_shown]
        async with self._store.transaction() as tx:
            for delivery in updated:
                await tx.deliveries.updated(delivery)
        return len(updated)

    async def _show(
        self, workspace: Workspace, delivery: Delivery, person: Person | None, view: InvitationView | None
    ) -> bool:
        """False when it is to be tried again later."""
        message = compose(delivery, view)
        if message is None or person is None:
            return True
        where = Sent(delivery.channel_id, delivery.message_id)
        outcome = await self._platform.update(workspace, person, where, message)
        pace(self._limits.update, outcome, self._clock.now())
        if isinstance(outcome, Throttled | NeverLeft | Unclear):
            return False
        faultpoints.reach("dispatcher.after_update")
        return True


async def _people(tx: Transaction, deliveries: Sequence[Delivery]) -> Mapping[str, Person]:
    found = await tx.people.by_ids({each.person_id for each in deliveries})
    return {person.id: person for person in found}
