"""Who does not answer, and who is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, select, update

from bot.model import DeliveryState, Wish
from bot.ports import InvitationView
from storage.connection import Connection
from storage.invitations import Invitations
from storage.tables import DELIVERY, INVITATION, IS_OPEN, PERSON

_MARK = (
    update(INVITATION)
    .where(INVITATION.c.id == bindparam("of"), INVITATION.c.escalated_at.is_(None))
    .values(escalated_at=bindparam("at"), escalated_to=bindparam("to"))
)


class Escalations:
    """Implements bot.ports.Escalations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def mark_all(self, rollout_id: str, after: int, now: datetime) -> int:
        """Mark everybody who is silent for whom the admin named; returns how many."""
        marking = update(INVITATION).where(_silent(rollout_id, after)).values(escalated_at=now)
        return (await self._connection.execute(marking)).rowcount

    async def silent(self, rollout_id: str, after: int, limit: int) -> Sequence[InvitationView]:
        """Some of those whom `mark_all` would mark."""
        ids = select(INVITATION.c.id).where(_silent(rollout_id, after)).order_by(INVITATION.c.id).limit(limit)
        return await self._views(list(await self._connection.scalars(ids)))

    async def mark(self, managers: Mapping[str, str], now: datetime) -> None:
        """Mark these, manager by invitation id, unless they have been marked."""
        if managers:
            rows = [{"of": each, "at": now, "to": manager} for each, manager in sorted(managers.items())]
            await self._connection.execute(_MARK, rows)

    async def marked(self, rollout_id: str, limit: int, to: str = "") -> tuple[int, Sequence[InvitationView]]:
        """How many are marked for this manager and still open, and the first of them: those last marked, then by
        name.
        """
        theirs = and_(_marked(rollout_id), INVITATION.c.escalated_to == to)
        total = await self._connection.scalar(select(func.count()).select_from(INVITATION).where(theirs))
        first = (
            select(INVITATION.c.id)
            .join(PERSON, PERSON.c.id == INVITATION.c.person_id)
            .where(theirs)
            .order_by(INVITATION.c.escalated_at.desc(), func.lower(PERSON.c.name), INVITATION.c.id)
            .limit(limit)
        )
        return total or 0, await self._views(list(await self._connection.scalars(first)))

    async def marked_since(self, rollout_id: str, since: datetime | None) -> int:
        """How many have been marked since then for whom the admin named and are still open."""
        new = and_(_marked(rollout_id, since), INVITATION.c.escalated_to == "")
        return await self._connection.scalar(select(func.count()).select_from(INVITATION).where(new)) or 0

    async def managers(self, rollout_id: str, since: datetime | None) -> Sequence[str]:
        """Managers of somebody who has been marked since then and is still open."""
        new = and_(_marked(rollout_id, since), INVITATION.c.escalated_to != "")
        statement = select(INVITATION.c.escalated_to).where(new).distinct().order_by(INVITATION.c.escalated_to)
        return list(await self._connection.scalars(statement))

    async def take_from_managers(self, rollout_id: str, now: datetime, refused: str = "") -> int:
        """Mark managers' people anew for whom the admin named: with `refused`, a digest's id, only those of managers
        who could not be written to. Returns how many.
        """
        theirs = and_(_marked(rollout_id), INVITATION.c.escalated_to != "")
        if refused:
            dead = select(DELIVERY.c.person_id).where(
                DELIVERY.c.rollout_id == rollout_id,
                DELIVERY.c.state == DeliveryState.DEAD,
                DELIVERY.c.key.startswith(f"{refused}:", autoescape=True),
            )
            theirs = and_(theirs, INVITATION.c.escalated_to.in_(dead))
        taking = update(INVITATION).where(theirs).values(escalated_to="", escalated_at=now)
        return (await self._connection.execute(taking)).rowcount

    async def _views(self, ids: Sequence[str]) -> list[InvitationView]:
        views = await Invitations(self._connection).views(ids)
        return [views[each] for each in ids]


def _silent(rollout_id: str, after: int) -> ColumnElement[bool]:
    """So many reminders and no confirmation, though reached and not left alone by their own wish."""
    return and_(
        INVITATION.c.rollout_id == rollout_id,
        IS_OPEN,
        INVITATION.c.reminders >= after,
        INVITATION.c.reached_at.is_not(None),
        INVITATION.c.wish == Wish.NONE,
        INVITATION.c.escalated_at.is_(None),
    )


def _marked(rollout_id: str, since: datetime | None = None) -> ColumnElement[bool]:
    lately = INVITATION.c.escalated_at > since if since is not None else INVITATION.c.escalated_at.is_not(None)
    return and_(INVITATION.c.rollout_id == rollout_id, IS_OPEN, lately)
