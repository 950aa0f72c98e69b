"""A message to many: what all of its rows have in common, and whom each goes to (storage.rows.rows_alike)."""

from __future__ import annotations

from datetime import datetime

from bot.model import Delivery, DeliveryKind, derived_id

FIRST, REMINDERS = 1, 2  # after replies, which have 0


def alike(
    kind: DeliveryKind,
    rollout_id: str,
    at: datetime,
    *,
    number: int = 0,
    not_before: datetime | None = None,
    wave_id: str | None = None,
) -> Delivery:
    """The row, addressed to nobody yet. `at` is when it is queued; it goes from `not_before` on, or at once."""
    return Delivery(
        id="",
        key="",
        kind=kind,
        lane="",
        priority=REMINDERS if kind.is_reminder else FIRST,
        person_id="",
        rollout_id=rollout_id,
        wave_id=wave_id,
        number=number,
        not_before=not_before or at,
        created_at=at,
    )


def addressed(row: Delivery, invitation_id: str, person_id: str, lane: str) -> dict[str, str]:
    """The columns that differ from `alike`. Whoever queues a message, its key is the same: a final notice takes the
    place of the reminder of that number.
    """
    key = f"{invitation_id}:{DeliveryKind.REMINDER if row.kind.is_reminder else row.kind}:{row.number}"
    return {
        "id": derived_id(key),
        "key": key,
        "lane": lane,
        "person_id": person_id,
        "invitation_id": invitation_id,
    }
