"""When the next nudge is due: a pure function of policy, time zone and history; and the tick that queues them.

Days are the invitee's own calendar days: "two days after Friday 16:00" is Sunday 16:00 where they are, which a
policy of working days moves to Monday morning. bot/calendar.py knows the days; here it is decided which.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot import faultpoints
from bot.calendar import allowed_from, days_later, final_day, opening
from bot.model import DeliveryKind, Interval, Invitation, ReminderPolicy
from bot.ports import Clock, Due, InvitationView, Store, Transaction
from bot.texts import zone

BATCH = 200  # invitations planned in one transaction: some 20 milliseconds of the event loop
DUE_AT_ONCE = 1000  # reminders queued in one transaction, which takes no longer


def next_due(
    policy: ReminderPolicy, time_zone: str, invitation: Invitation, last_contact: datetime
) -> datetime | None:
    """When this invitation's next reminder is due, counted from the last message; None when there will be none.

    Whoever has asked for no more gets none. A snooze moves it, forward or back, and counts even when `at_most` is
    used up: the invitee chose that time. One that the deadline has come to lie before is void.
    """
    if not invitation.is_open or invitation.wish:
        return None
    if invitation.snoozed_until is not None:
        wished = allowed_from(policy, time_zone, invitation.snoozed_until)
        if wished is not None:
            return wished
    if final_notice_given(policy, time_zone, invitation.final_notice_at):
        return None
    planned = (_ordinary(policy, time_zone, invitation, last_contact), _final(policy, time_zone, last_contact))
    return min((at for at in planned if at is not None), default=None)


def final_notice_given(policy: ReminderPolicy, time_zone: str, last_given: datetime | None) -> bool:
    """Whether the invitee has had the final notice of this deadline. A deadline that is moved later has its own."""
    day = final_day(policy, time_zone)
    if day is None or last_given is None:
        return False
    return last_given.astimezone(zone(time_zone)).date() >= day


def next_kind(
    policy: ReminderPolicy, time_zone: str, final_notice_at: datetime | None, now: datetime
) -> DeliveryKind:
    """What a reminder that goes out now is: the first one from the final day on is the final notice."""
    day = final_day(policy, time_zone)
    if day is None or now.astimezone(zone(time_zone)).date() < day:
        return DeliveryKind.REMINDER
    given = final_notice_given(policy, time_zone, final_notice_at)
    return DeliveryKind.REMINDER if given else DeliveryKind.FINAL_NOTICE


def _ordinary(
    policy: ReminderPolicy, time_zone: str, invitation: Invitation, last_contact: datetime
) -> datetime | None:
    if invitation.reminders >= policy.at_most:
        return None
    if invitation.reminders == 0:
        days = policy.first_after_days
    else:
        days = policy.every_days * (invitation.reminders if policy.interval is Interval.GROWING else 1)
    return allowed_from(policy, time_zone, days_later(last_contact, days, time_zone))


def _final(policy: ReminderPolicy, time_zone: str, last_contact: datetime) -> datetime | None:
    """On the final day, or as soon after it as the invitee has had a day without a message."""
    day = final_day(policy, time_zone)
    if day is None:
        return None
    rested = last_contact.astimezone(zone(time_zone)).date() + timedelta(days=1)
    return allowed_from(policy, time_zone, opening(policy, time_zone, max(day, rested)))


async def plan_anew(store: Store) -> int:
    """Let every open invitation follow its rollout's changed policy, in batches of one transaction each; returns how
    many were looked at. What a crash interrupts goes on where it was: the rollout remembers how far it got. Where a
    message is under way, the next reminder is planned when that is settled.
    """
    planned = 0
    while True:
        async with store.transaction() as tx:
            rollout = await tx.rollouts.to_plan_anew()
            if rollout is None:
                return planned
            batch = await tx.invitations.to_plan_anew(rollout.id, rollout.planned_up_to or "", BATCH)
            void = [each.invitation.id for each in batch if _snooze_is_void(each)]
            await tx.invitations.end_snoozes(void)
            await tx.deliveries.outdate(void)
            under_way = await tx.deliveries.under_way([each.invitation.id for each in batch])
            await tx.invitations.set_due(
                {each.invitation.id: None if each.invitation.id in under_way else _due(each) for each in batch}
            )
            faultpoints.reach("reminders.after_plan")
            await tx.rollouts.planned(rollout.id, batch[-1].invitation.id if len(batch) == BATCH else None)
        faultpoints.reach("reminders.after_plan_commit")
        planned += len(batch)


def _due(view: InvitationView) -> datetime | None:
    invitation = view.invitation
    last_contact = invitation.last_contact_at or invitation.invited_at
    return next_due(view.rollout.policy, view.person.time_zone, invitation, last_contact)


def _snooze_is_void(view: InvitationView) -> bool:
    until = view.invitation.snoozed_until
    return until is not None and allowed_from(view.rollout.policy, view.person.time_zone, until) is None


async def plan_next(tx: Transaction, invitation_id: str, now: datetime) -> None:
    """The next reminder, counted from now: a message to the invitee was settled, or one was withdrawn because they
    did something. The invitation is read anew, since they may have done so while the message was on its way.
    """
    view = await tx.invitations.view(invitation_id)
    if view is not None:
        due = next_due(view.rollout.policy, view.person.time_zone, view.invitation, now)
        await tx.invitations.contacted(invitation_id, now, due)


PutOff = Callable[[Sequence[Due]], Awaitable[int]]


async def queue_due(store: Store, clock: Clock, put_off: PutOff | None = None) -> int:
    """Queue every reminder that is due, in batches of one transaction each; a run that finds nothing, as most do, is
    one transaction. Returns how many were queued. `put_off` may let some of a batch wait before it is queued, and
    says of how many it did (bot/absences.py).

    Safe to run late, twice, or in two processes: a reminder's key is unique.
    """
    queued = 0
    asked = put_off is None  # whether nobody of the next batch is to wait
    while True:
        now = clock.now()
        async with store.transaction() as tx:
            is_changed = await tx.rollouts.to_plan_anew() is not None
            due = () if is_changed else await tx.invitations.due(now, DUE_AT_ONCE + 1)
            batch = due[:DUE_AT_ONCE]
            if batch and asked:
                queued += await _queue(tx, batch, now)
        if is_changed:
            await plan_anew(store)
            continue
        if batch and put_off is not None and not asked:
            asked = not await put_off(batch)
            continue
        if batch:
            faultpoints.reach("reminders.after_commit")
        if len(due) == len(batch):
            return queued
        asked = put_off is None


async def _queue(tx: Transaction, due: Sequence[Due], now: datetime) -> int:
    sendable, later = _sorted(due, now)
    queued = 0
    for kind, some in sendable:
        queued += await tx.deliveries.remind(kind, some, now)
    faultpoints.reach("reminders.after_enqueue")
    await _count(tx, sendable, now)
    await tx.invitations.set_due(later)
    return queued


# Who is due and can be written to now: of one rollout each, with the kind of reminder that they get.
_Sendable = Sequence[tuple[DeliveryKind, Sequence[Due]]]


def _sorted(due: Sequence[Due], now: datetime) -> tuple[_Sendable, Mapping[str, datetime | None]]:
    """Who is reminded now; and by invitation id, when the others are, their working hours being over: None is never.

    Decided once for all who are alike: it is the same for a thousand people in one time zone.
    """
    alike: defaultdict[tuple[str, str, datetime | None], list[Due]] = defaultdict(list)
    for each in due:
        alike[each.rollout.id, each.time_zone, each.final_notice_at].append(each)
    sendable: defaultdict[tuple[str, DeliveryKind], list[Due]] = defaultdict(list)
    later: dict[str, datetime | None] = {}
    for (rollout_id, time_zone, final_notice_at), some in alike.items():
        policy = some[0].rollout.policy
        at = allowed_from(policy, time_zone, now)
        if at is None or at > now:
            later |= dict.fromkeys((each.invitation_id for each in some), at)
        else:
            sendable[rollout_id, next_kind(policy, time_zone, final_notice_at, now)] += some
    return [(kind, some) for (_, kind), some in sendable.items()], later


async def _count(tx: Transaction, sendable: _Sendable, now: datetime) -> None:
    """One reminder more each. It ends a snooze, and earlier copies that name the day are brought up to date."""
    for kind, some in sendable:
        ids = [each.invitation_id for each in some]
        await tx.invitations.reminded(ids)
        if kind is DeliveryKind.FINAL_NOTICE:
            await tx.invitations.gave_final_notice(ids, now)
        await tx.deliveries.outdate([each.invitation_id for each in some if each.snoozed_until])
