"""Where everyone of a rollout stands, counted by the database."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import CaseState, DeliveryState
from bot.ports import RolloutCounts
from storage.failures import failures
from storage.tables import CASE, CHECK, DELIVERY, INVITATION


async def count(connection: AsyncConnection, rollout_id: str) -> RolloutCounts:
    """Five statements, each one pass over an index of the rollout's rows."""
    is_open = and_(INVITATION.c.done_at.is_(None), INVITATION.c.exempt_at.is_(None))
    people = (
        await connection.execute(
            select(
                func.count().label("invited"),
                func.count(INVITATION.c.reached_at).label("reached"),
                func.count(INVITATION.c.done_at).label("done"),
                func.count(INVITATION.c.exempt_at).label("exempt"),
                func.count().filter(is_open).label("open"),
                func.count(INVITATION.c.snoozed_until).filter(is_open).label("snoozed"),
                func.coalesce(func.sum(INVITATION.c.reminders), 0).label("reminders"),
            ).where(INVITATION.c.rollout_id == rollout_id)
        )
    ).one()
    checks = await connection.execute(
        select(CHECK.c.kind, func.count())
        .join(INVITATION, INVITATION.c.id == CHECK.c.invitation_id)
        .where(INVITATION.c.rollout_id == rollout_id)
        .group_by(CHECK.c.kind)
    )
    cases = await connection.scalar(
        select(func.count()).where(CASE.c.rollout_id == rollout_id, CASE.c.state == CaseState.OPEN)
    )
    reasons, failed = await failures(connection, DELIVERY.c.rollout_id == rollout_id)
    return RolloutCounts(
        invited=people.invited,
        reached=people.reached,
        confirmed=dict(checks.all()),
        done=people.done,
        exempt=people.exempt,
        open=people.open,
        snoozed=people.snoozed,
        open_cases=cases or 0,
        reminders=int(people.reminders),
        deliveries=await _deliveries(connection, rollout_id),
        reasons=reasons,
        failed=failed,
    )


async def _deliveries(connection: AsyncConnection, rollout_id: str) -> dict[DeliveryState, int]:
    rows = await connection.execute(
        select(DELIVERY.c.state, func.count()).where(DELIVERY.c.rollout_id == rollout_id).group_by(DELIVERY.c.state)
    )
    return dict(rows.all())
