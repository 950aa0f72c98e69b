"""Where everyone of a rollout stands, counted by the database."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import CaseState, DeliveryState
from bot.ports import RolloutCounts
from storage.failures import can_go_again, is_last_and_failed
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
    reasons, failed = await _failures(connection, rollout_id)
    return RolloutCounts(
        invited=people.invited,
        reached=people.reached,
        confirmed=dict(checks.all()),
        done=people.done,
        exempt=people.exempt,
        open=people.open,
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


async def _failures(connection: AsyncConnection, rollout_id: str) -> tuple[dict[str, int], int]:
    """Why the last messages to people failed, and how many of them can go again."""
    again = can_go_again()
    rows = await connection.execute(
        select(DELIVERY.c.reason, func.count(), func.count().filter(again))
        .where(DELIVERY.c.rollout_id == rollout_id, is_last_and_failed())
        .group_by(DELIVERY.c.reason)
    )
    found = rows.all()
    return {reason: number for reason, number, _ in found}, sum(number for _, _, number in found)
