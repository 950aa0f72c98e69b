"""What waits to be done, for whoever watches the bot: asked every few seconds, so counted up to a limit only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, literal, select, true, union_all

from bot.model import DeliveryState, Platform, RolloutState
from bot.ports import Waiting
from storage.connection import Connection
from storage.rows import one_of
from storage.tables import DELIVERY, INVITATION, IS_OPEN, ROLLOUT, WORKSPACE

PRIORITIES = range(3)  # of bot.model.Delivery: each is a stretch of the index, whatever is put off lies outside


class Backlog:
    """Implements bot.ports.Backlog."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ready(self, now: datetime, at_most: int) -> Mapping[Platform, Waiting]:
        """What could be sent at once, by platform; counted up to `at_most` in each lane and priority."""
        rows = await self._connection.execute(_ready(now, at_most))
        counts: defaultdict[Platform, int] = defaultdict(int)
        oldest: dict[Platform, datetime] = {}
        for platform, count, since in rows:
            counts[platform] += count
            if since is not None:
                oldest[platform] = min(since, oldest.get(platform, since))
        return {platform: Waiting(count, oldest.get(platform)) for platform, count in counts.items()}

    async def reminders(self, now: datetime, at_most: int) -> Waiting:
        """Reminders that are due and not queued yet, counted up to `at_most`."""
        due = (
            select(INVITATION.c.due_at)
            .join(ROLLOUT, ROLLOUT.c.id == INVITATION.c.rollout_id)
            .where(INVITATION.c.due_at <= now, IS_OPEN, ROLLOUT.c.state == RolloutState.ACTIVE)
            .order_by(INVITATION.c.due_at)
            .limit(at_most)
            .subquery()
        )
        count, since = (await self._connection.execute(select(func.count(), func.min(due.c.due_at)))).one()
        return Waiting(count, since)


def _ready(now: datetime, at_most: int) -> Select[Any]:
    priority = union_all(*(select(literal(number).label("number")) for number in PRIORITIES)).subquery("priority")
    own = and_(
        one_of(DELIVERY.c.state, [DeliveryState.READY]),
        DELIVERY.c.lane == WORKSPACE.c.id,
        DELIVERY.c.priority == priority.c.number,
        DELIVERY.c.not_before <= now,
    )
    # Ordered as the index is: otherwise PostgreSQL, believing that most rows fit, reads the whole table for a
    # priority that none of them has.
    in_order = DELIVERY.c.priority, DELIVERY.c.not_before, DELIVERY.c.id
    some = (
        select(DELIVERY.c.id).where(own).correlate(WORKSPACE, priority).order_by(*in_order).limit(at_most).subquery()
    )
    first = select(DELIVERY.c.not_before).where(own).correlate(WORKSPACE, priority).order_by(*in_order).limit(1)
    return (
        select(
            WORKSPACE.c.platform,
            select(func.count()).select_from(some).scalar_subquery(),
            first.scalar_subquery(),
        )
        .join(priority, true())
        .where(WORKSPACE.c.active)
    )
