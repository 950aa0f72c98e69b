"""Which deliveries failed in a way that an admin can still do something about."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from bot.model import DeliveryKind, DeliveryState, Platform
from storage.connection import Connection
from storage.tables import DELIVERY, INVITATION, IS_OPEN, WORKSPACE

ASKABLE = [platform for platform in Platform if platform.shows_what_was_sent]
_TO_INVITEES = [kind for kind in DeliveryKind if kind is not DeliveryKind.NOTICE]


def is_last_and_failed() -> ColumnElement[bool]:
    """Of DELIVERY: the last message to somebody of whom something is still expected, and it did not arrive, or may
    not have.
    """
    later = DELIVERY.alias("later")
    return and_(
        DELIVERY.c.state.in_([DeliveryState.UNKNOWN, DeliveryState.DEAD]),
        DELIVERY.c.kind.in_(_TO_INVITEES),
        exists().where(
            INVITATION.c.id == DELIVERY.c.invitation_id,
            IS_OPEN,
        ),
        ~exists().where(
            later.c.invitation_id == DELIVERY.c.invitation_id,
            later.c.kind.in_(_TO_INVITEES),
            later.c.number > DELIVERY.c.number,
            later.c.state != DeliveryState.WITHDRAWN,
        ),
    )


def can_go_again() -> ColumnElement[bool]:
    """Of DELIVERY: dead, or unknown in a workspace whose platform cannot be asked."""
    askable = select(WORKSPACE.c.id).where(WORKSPACE.c.platform.in_(ASKABLE))
    return or_(DELIVERY.c.state == DeliveryState.DEAD, DELIVERY.c.lane.not_in(askable))


async def failures(connection: Connection, which: ColumnElement[bool]) -> tuple[dict[str, int], int]:
    """Of the deliveries that `which` says: why the last messages to people failed, and how many can go again."""
    again = can_go_again()
    rows = await connection.execute(
        select(DELIVERY.c.reason, func.count(), func.count().filter(again))
        .where(which, is_last_and_failed())
        .group_by(DELIVERY.c.reason)
    )
    found = rows.all()
    return {reason: number for reason, number, _ in found}, sum(number for _, _, number in found)
