"""Whose sign-in SonarQube Cloud may show: who has not confirmed access yet, where an SSO account proves it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, exists, func, select

from bot.model import CheckKind, Person, Provisioning, Rollout, RolloutState
from storage.connection import Connection
from storage.rows import fields, plain
from storage.tables import CHECK, INVITATION, IS_OPEN, PERSON, ROLLOUT

_CONFIRMED = exists().where(and_(CHECK.c.invitation_id == INVITATION.c.id, CHECK.c.kind == CheckKind.ACCESS))
_WAITING = (
    select(INVITATION.c.id, *fields(PERSON, Person))
    .join(PERSON, PERSON.c.id == INVITATION.c.person_id)
    .where(IS_OPEN, func.length(PERSON.c.email) > 0, ~_CONFIRMED)
    .order_by(INVITATION.c.id)
)


class SignIns:
    """Implements bot.ports.SignIns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rollouts(self) -> Sequence[Rollout]:
        """Active ones in which an SSO account comes to be by its first sign-in, and nobody makes it beforehand."""
        statement = (
            select(*fields(ROLLOUT, Rollout))
            .where(ROLLOUT.c.state == RolloutState.ACTIVE, ROLLOUT.c.provisioning == Provisioning.JIT)
            .order_by(ROLLOUT.c.id)
        )
        return [plain(Rollout, row) for row in await self._connection.execute(statement)]

    async def waiting(self, rollout_id: str, after: str, limit: int) -> Sequence[tuple[str, Person]]:
        """Open invitations without access confirmed, and their people, in the order of the invitations' ids; those
        after the id `after`.
        """
        statement = _WAITING.where(INVITATION.c.rollout_id == rollout_id, INVITATION.c.id > after).limit(limit)
        return [(row[0], plain(Person, row[1:])) for row in await self._connection.execute(statement)]
