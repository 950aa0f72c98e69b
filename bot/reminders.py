"""When the next nudge is due: a pure function of policy, time zone and history; and the tick that queues them.

Days are the invitee's own calendar days: "two days after Friday 16:00" is Sunday 16:00 where they are, which a
policy of working days moves to Monday morning. Daylight-saving changes therefore move no reminder by an hour.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot import faultpoints
from bot.model import Delivery, DeliveryKind, Invitation, ReminderPolicy, derived_id
from bot.ports import Clock, InvitationView, Store
from bot.texts import zone

BATCH = 500
REMINDER_PRIORITY = 2


def allowed_from(policy: ReminderPolicy, time_zone: str, moment: datetime) -> datetime | None:
    """The first moment, not before `moment`, that lies within the working days and hours of that time zone; None
    when the deadline, or a policy without a working day, leaves none.
    """
    here = zone(time_zone)
    local = moment.astimezone(here)
    for days in range(15):  # a second week, for a single working day whose hours the clocks skip
        day = (local + timedelta(days=days)).date()
        if day.weekday() not in policy.weekdays:
            continue
        opens = _at(day, policy.hour_from, here)
        closes = _at(day, policy.hour_to, here)
        candidate = max(moment, opens)
        if candidate < closes:
            return candidate if policy.deadline is None or candidate <= policy.deadline else None
    return None


def next_due(
    policy: ReminderPolicy, time_zone: str, invitation: Invitation, last_contact: datetime
) -> datetime | None:
    """When this invitation's next reminder is due, counted from the last message; None when there will be none.

    A snooze moves it, forward or back: the invitee chose that time.
    """
    if not invitation.is_open or invitation.reminders >= policy.at_most:
        return None
    days = policy.first_after_days if invitation.reminders == 0 else policy.every_days
    wished = invitation.snoozed_until or _days_later(last_contact, days, zone(time_zone))
    return allowed_from(policy, time_zone, wished)


def _at(day: date, hour: int, here: tzinfo) -> datetime:
    """That hour of that day there; hour 24 is the next midnight."""
    midnight = datetime.combine(day, time(), here)
    local = midnight + timedelta(days=1) if hour == 24 else midnight.replace(hour=hour)
    return local.astimezone(UTC)


def _days_later(moment: datetime, days: int, here: tzinfo) -> datetime:
    """The same local time, that many calendar days later."""
    local = moment.astimezone(here)
    return (local + timedelta(days=days)).astimezone(UTC)


async def queue_due(store: Store, clock: Clock) -> int:
    """Queue every reminder that is due, in batches of one transaction each. Returns how many were queued.

    Safe to run late, twice, or in two processes: a reminder's key is unique.
    """
    queued = 0
    while True:
        now = clock.now()
        async with store.transaction() as tx:
            due = await tx.invitations.due(now, BATCH)
            fit = [(view, _sendable_at(view, now)) for view in due]
            sendable = [view for view, at in fit if at is not None and at <= now]
            later = {view.invitation.id: at for view, at in fit if at is None or at > now}
            queued += await tx.deliveries.enqueue([_reminder(view, now) for view in sendable])
            faultpoints.reach("reminders.after_enqueue")
            await tx.invitations.reminded([view.invitation.id for view in sendable], now)
            await tx.invitations.set_due(later)
        faultpoints.reach("reminders.after_commit")
        if len(due) < BATCH:
            return queued


def _sendable_at(view: InvitationView, now: datetime) -> datetime | None:
    """Now, unless the tick is late and the invitee's working hours are over."""
    return allowed_from(view.rollout.policy, view.person.time_zone, now)


def _reminder(view: InvitationView, now: datetime) -> Delivery:
    number = view.invitation.reminders + 1
    key = f"{view.invitation.id}:reminder:{number}"
    return Delivery(
        id=derived_id(key),
        key=key,
        kind=DeliveryKind.REMINDER,
        lane=view.person.workspace_id,
        priority=REMINDER_PRIORITY,
        person_id=view.person.id,
        rollout_id=view.rollout.id,
        invitation_id=view.invitation.id,
        number=number,
        not_before=now,
        created_at=now,
    )
