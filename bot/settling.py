"""What comes of a claimed delivery becomes a row: sent, put off, unknown, dead or withdrawn, and the next reminder.

Every settlement is fenced by the delivery's attempt: a worker that comes late changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from bot.calendar import allowed_from
from bot.model import Delivery, DeliveryKind, RolloutState
from bot.ports import (
    InvitationView,
    NeverLeft,
    Outcome,
    Reason,
    Refused,
    Sent,
    Throttled,
    Transaction,
    Unclear,
)
from bot.reminders import next_due

MAX_ATTEMPTS = 50  # with the pauses below, a message is tried for about eight hours
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 900.0  # seconds between attempts, doubling, jittered


@dataclass(frozen=True)
class NotNow:
    """Not sent: its time has passed. It may go from `until` on."""

    until: datetime
    reason: Reason


@dataclass(frozen=True)
class NotNeeded:
    """Not sent: nobody wants it any more."""


Settlement: TypeAlias = Outcome | NotNow | NotNeeded


def withheld(delivery: Delivery, view: InvitationView | None, now: datetime) -> NotNow | NotNeeded | None:
    """Why a delivery that has come to its turn is not to be sent now; None when it is.

    A reminder is queued within the invitee's working hours, but a backlog, an outage or a pause may have held it up.
    """
    if view is None or delivery.kind is DeliveryKind.NOTICE:
        return None
    if view.rollout.state is RolloutState.PAUSED:
        return NotNow(now, Reason.PAUSED)
    if not delivery.kind.is_reminder:
        return None
    at = allowed_from(view.rollout.policy, view.person.time_zone, now)
    if at is None:
        return NotNeeded()
    return NotNow(at, Reason.OUTSIDE_HOURS) if at > now else None


async def settle_all(
    tx: Transaction, attempts: Sequence[tuple[Delivery, Settlement]], now: datetime, jitter: random.Random
) -> None:
    """Store what came of several: what the platform has with one statement for all, the rest one by one."""
    sent = [(delivery, settlement) for delivery, settlement in attempts if isinstance(settlement, Sent)]
    invitations = {each.invitation_id for each, _ in sent if each.invitation_id and each.kind.asks_for_checks}
    reached = await tx.invitations.to_settle(invitations)
    settled = await tx.deliveries.all_sent(sent, now)
    due = {
        one.invitation.id: next_due(one.rollout.policy, one.time_zone, one.invitation, now)
        for one in (reached.get(each.invitation_id or "") for each in settled if each.kind.asks_for_checks)
        if one is not None
    }
    await tx.invitations.set_reached(due, now)
    for delivery, settlement in attempts:
        if not isinstance(settlement, Sent):
            await settle(tx, delivery, settlement, now, jitter)


async def settle(
    tx: Transaction, delivery: Delivery, settlement: Settlement, now: datetime, jitter: random.Random
) -> None:
    """Store what came of it. Pauses before another attempt grow and are jittered by `jitter`."""
    match settlement:
        case NotNeeded():
            await _withdraw(tx, delivery)
        case NotNow():
            await tx.deliveries.put_off(delivery, settlement.until, settlement.reason)
        case Sent():
            await settle_sent(tx, delivery, settlement, now)
        case Throttled():
            await _put_off(tx, delivery, Reason.THROTTLED, now, _pause(delivery, jitter, settlement.retry_after))
        case NeverLeft():
            await _put_off(tx, delivery, settlement.reason, now, _pause(delivery, jitter))
        case Refused():
            await _settle_refused(tx, delivery, settlement.reason, now)
        case Unclear():
            await settle_unclear(tx, delivery, settlement.reason, now)
        case _:
            assert_never(settlement)


async def settle_sent(tx: Transaction, delivery: Delivery, sent: Sent, now: datetime) -> None:
    """The platform has it."""
    if await tx.deliveries.sent(delivery, now, sent.channel_id, sent.message_id):
        await _plan_next(tx, delivery, now, reached_at=now)


async def settle_unclear(tx: Transaction, delivery: Delivery, reason: Reason, now: datetime) -> None:
    """It may have been sent."""
    if await tx.deliveries.unclear(delivery, reason):
        await _plan_next(tx, delivery, now)


async def _settle_refused(tx: Transaction, delivery: Delivery, reason: Reason, now: datetime) -> None:
    if await tx.deliveries.gave_up(delivery, reason):
        await _plan_next(tx, delivery, now, unreachable=reason)


async def _withdraw(tx: Transaction, delivery: Delivery) -> None:
    """It does not count as a reminder."""
    withdrawn = await tx.deliveries.withdrawn(delivery, Reason.NOT_NEEDED)
    if withdrawn and delivery.kind.is_reminder and delivery.invitation_id is not None:
        await tx.invitations.not_reminded(delivery.invitation_id, delivery.kind)


async def _put_off(tx: Transaction, delivery: Delivery, reason: Reason, now: datetime, pause: timedelta) -> None:
    """Try again later; give up after MAX_ATTEMPTS."""
    if delivery.attempt >= MAX_ATTEMPTS:
        await _settle_refused(tx, delivery, Reason.TOO_MANY_ATTEMPTS, now)
    else:
        await tx.deliveries.put_off(delivery, now + pause, reason)


def _pause(delivery: Delivery, jitter: random.Random, at_least: float = 0.0) -> timedelta:
    grown = min(FIRST_PAUSE * 2.0 ** (delivery.attempt - 1), LONGEST_PAUSE)
    return timedelta(seconds=max(grown * jitter.uniform(0.5, 1.0), at_least))


async def _plan_next(
    tx: Transaction, delivery: Delivery, now: datetime, *, reached_at: datetime | None = None, unreachable: str = ""
) -> None:
    """A settled invitation or reminder sets when the next reminder is due, also when it may not have arrived.

    The invitation is read anew: its invitee may have snoozed or confirmed while the message was on its way.
    """
    if not delivery.kind.asks_for_checks or delivery.invitation_id is None:
        return
    view = await tx.invitations.view(delivery.invitation_id)
    if view is not None:
        due = next_due(view.rollout.policy, view.person.time_zone, view.invitation, now)
        await tx.invitations.set_after_delivery(
            view.invitation.id, at=now, reached_at=reached_at, due_at=due, unreachable=unreachable
        )
