"""The end of rollouts: what was recorded of finishing them, whose old account may go, and files for admins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Text, and_, case, cast, delete, exists, func, or_, select, update

from bot.finishing import FinishItem, Handout
from bot.model import CheckKind, DeliveryKind, DeliveryState, OldToken, Rollout, RolloutState
from bot.ports import InvitationView, RemovalCounts
from storage.connection import Connection
from storage.invitations import Invitations
from storage.rows import by_key, fields, insert_alike, plain
from storage.tables import DELIVERY, FINISH_ITEM, HANDOUT, INVITATION, PERSON, ROLLOUT
from storage.to_many import addressed, alike

# The part of bot.removal.reasons_to_stay that concerns the person; a test compares the two.
_CONFIRMED = and_(INVITATION.c.done_at.is_not(None), INVITATION.c.exempt_at.is_(None))
_USES_TOKENS = cast(INVITATION.c.needs, Text).contains(f'"{CheckKind.TOKEN}"')
_CI_UNKNOWN = and_(_CONFIRMED, _USES_TOKENS, INVITATION.c.old_token == OldToken.UNKNOWN)
MAY_GO = and_(
    _CONFIRMED,
    INVITATION.c.is_keeper.is_(False),
    or_(INVITATION.c.old_token == OldToken.UNUSED, ~_USES_TOKENS),
)
_CONCERNS = {DeliveryKind.FAREWELL: MAY_GO, DeliveryKind.OLD_TOKEN: _CI_UNKNOWN}


def _has(kind: DeliveryKind) -> ColumnElement[bool]:
    """Whether they have the message, or it is on its way, or may have arrived."""
    own = and_(DELIVERY.c.invitation_id == INVITATION.c.id, DELIVERY.c.kind == kind)
    return exists().where(own, DELIVERY.c.state != DeliveryState.DEAD)


class Finishing:
    """Implements bot.ports.Finishing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def latest(self, company: str) -> Rollout | None:
        """The company's newest rollout that is neither archived nor erased; one that runs comes first."""
        runs = case((ROLLOUT.c.state == RolloutState.FINISHED, 1), else_=0)
        statement = (
            select(*fields(ROLLOUT, Rollout))
            .where(ROLLOUT.c.company == company, ROLLOUT.c.archived_at.is_(None), ROLLOUT.c.erased_at.is_(None))
            .order_by(runs, ROLLOUT.c.created_at.desc(), ROLLOUT.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Rollout, row)

    async def items(self, rollout_id: str) -> Sequence[FinishItem]:
        """What was recorded of the rollout's steps."""
        statement = select(*fields(FINISH_ITEM, FinishItem)).where(FINISH_ITEM.c.rollout_id == rollout_id)
        return [plain(FinishItem, row) for row in await self._connection.execute(statement)]

    async def removal(self, rollout_id: str) -> RemovalCounts:
        """Old accounts by what may become of them: two passes over the rollout's rows."""
        statement = select(
            func.count().label("invited"),
            func.count().filter(MAY_GO).label("may_go"),
            func.count().filter(and_(MAY_GO, ~_has(DeliveryKind.FAREWELL))).label("to_tell"),
            func.count().filter(_CI_UNKNOWN).label("ci_unknown"),
            func.count().filter(and_(_CI_UNKNOWN, ~_has(DeliveryKind.OLD_TOKEN))).label("to_ask"),
            func.count().filter(INVITATION.c.is_keeper).label("keepers"),
        ).where(INVITATION.c.rollout_id == rollout_id)
        people = (await self._connection.execute(statement)).one()
        farewells = await self._connection.execute(
            select(DELIVERY.c.state, func.count())
            .where(DELIVERY.c.rollout_id == rollout_id, DELIVERY.c.kind == DeliveryKind.FAREWELL)
            .group_by(DELIVERY.c.state)
        )
        return RemovalCounts(**people._mapping, farewells=dict(farewells.all()))  # noqa: SLF001  # a Row's public API

    async def may_go(self, rollout_id: str, limit: int) -> Sequence[InvitationView]:
        """The first of those whose old account may go, by name."""
        statement = (
            select(INVITATION.c.id)
            .join(PERSON, PERSON.c.id == INVITATION.c.person_id)
            .where(INVITATION.c.rollout_id == rollout_id, MAY_GO)
            .order_by(func.lower(PERSON.c.name), INVITATION.c.id)
            .limit(limit)
        )
        ids = list(await self._connection.scalars(statement))
        views = await Invitations(self._connection).views(ids)
        return [views[each] for each in ids]

    async def everybody(self, rollout_id: str, after: str, limit: int) -> Sequence[InvitationView]:
        """A page of all invitations, by id: those behind `after`."""
        statement = (
            select(INVITATION.c.id)
            .where(INVITATION.c.rollout_id == rollout_id, INVITATION.c.id > after)
            .order_by(INVITATION.c.id)
            .limit(limit)
        )
        ids = list(await self._connection.scalars(statement))
        views = await Invitations(self._connection).views(ids)
        return [views[each] for each in ids]

    async def write_to_all(self, rollout_id: str, kind: DeliveryKind, at: datetime, limit: int) -> int:
        """Queue the farewell to everybody whose old account may go, or the question about CI to everybody who has not
        answered it, `limit` at most; returns how many. A message's key is unique, so whatever happens nobody gets
        two; one that provably did not arrive is sent again.
        """
        concerned = select(INVITATION.c.id).where(INVITATION.c.rollout_id == rollout_id, _CONCERNS[kind])
        again = await self._connection.execute(
            update(DELIVERY)
            .where(
                DELIVERY.c.invitation_id.in_(concerned),
                DELIVERY.c.kind == kind,
                DELIVERY.c.state == DeliveryState.DEAD,
            )
            .values(state=DeliveryState.READY, not_before=at, attempt=0, claimed_at=None, reason="")
        )
        statement = (
            select(INVITATION.c.id, INVITATION.c.person_id, PERSON.c.workspace_id)
            .join(PERSON, PERSON.c.id == INVITATION.c.person_id)
            .where(INVITATION.c.rollout_id == rollout_id, _CONCERNS[kind], ~_has(kind))
            .order_by(INVITATION.c.id)
            .limit(max(limit - again.rowcount, 0))
        )
        people = (await self._connection.execute(statement)).all()
        row = alike(kind, rollout_id, at)
        new = await insert_alike(self._connection, DELIVERY, row, [addressed(row, *each) for each in people])
        return again.rowcount + len(new)

    async def handout(self, handout_id: str) -> Handout | None:
        """By id."""
        return await by_key(self._connection, HANDOUT, Handout, handout_id)

    async def forget_handouts(self, before: datetime) -> int:
        """Drop those that expired before; returns how many."""
        return (await self._connection.execute(delete(HANDOUT).where(HANDOUT.c.expires_at < before))).rowcount
