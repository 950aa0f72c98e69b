"""A rollout in figures, and erasing its people: in batches, each of which leaves the database in a state that the
next one goes on from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, String, Table, and_, cast, delete, exists, func, or_, select, update

from bot.figures import Figures
from bot.model import DeliveryKind, DeliveryState, LookUpState, Person, Rollout, RolloutState
from bot.ports import Footprint
from storage.connection import Connection
from storage.counts import count
from storage.erasing_person import erase_person, footprint
from storage.finishing import Finishing
from storage.rows import fields, plain
from storage.tables import (
    CASE,
    CHECK,
    CURRENT_ROLLOUT,
    DELIVERY,
    DIALOG,
    DIGEST,
    FINISH_ITEM,
    HANDOUT,
    INVITATION,
    LISTED,
    LOOK_UP,
    PERSON,
    READINESS,
    ROLLOUT,
    WAVE,
    WORKSPACE,
)

_UNDER_WAY = (DeliveryState.READY, DeliveryState.SENDING)


class Erasing:
    """Implements bot.ports.Erasing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def figures(self, rollout_id: str) -> Figures:
        """The rollout as it is now."""
        counts = await count(self._connection, rollout_id)
        removal = await Finishing(self._connection).removal(rollout_id)
        steps = await Finishing(self._connection).items(rollout_id)
        invited = INVITATION.c.rollout_id == rollout_id
        times = (
            await self._connection.execute(select(INVITATION.c.invited_at, INVITATION.c.done_at).where(invited))
        ).all()
        took = sorted((row.done_at - row.invited_at) / timedelta(hours=1) for row in times if row.done_at is not None)
        problems = await self._connection.execute(
            select(CASE.c.problem, func.count()).where(CASE.c.rollout_id == rollout_id).group_by(CASE.c.problem)
        )
        return Figures(
            invited=counts.invited,
            reached=counts.reached,
            done=counts.done,
            exempt=counts.exempt,
            still_open=counts.open,
            reminders=counts.reminders,
            confirmed={kind.value: number for kind, number in (counts.confirmed or {}).items()},
            invited_on=dict(Counter(row.invited_at.date() for row in times)),
            done_on=dict(Counter(row.done_at.date() for row in times if row.done_at is not None)),
            median_hours=median(took) if took else None,
            slowest_tenth_hours=took[len(took) * 9 // 10] if took else None,
            problems=dict(problems.all()),
            unreachable=dict(counts.reasons or {}),
            may_go=removal.may_go,
            keepers=removal.keepers,
            farewells=sum(removal.farewells.values()),
            steps={item.step.value: item.state.value for item in steps},
        )

    async def erasable(self, company: str) -> Rollout | None:
        """The company's newest finished rollout whose people are still there, archived or not."""
        statement = (
            select(*fields(ROLLOUT, Rollout))
            .where(
                ROLLOUT.c.company == company,
                ROLLOUT.c.state == RolloutState.FINISHED,
                ROLLOUT.c.erased_at.is_(None),
            )
            .order_by(ROLLOUT.c.finished_at.desc(), ROLLOUT.c.id)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Rollout, row)

    async def finished_before(self, moment: datetime, limit: int) -> Sequence[Rollout]:
        """Rollouts that were finished before and are not to be erased yet, oldest first."""
        statement = (
            select(*fields(ROLLOUT, Rollout))
            .where(
                ROLLOUT.c.state == RolloutState.FINISHED,
                ROLLOUT.c.finished_at < moment,
                ROLLOUT.c.erased_at.is_(None),
            )
            .order_by(ROLLOUT.c.finished_at)
            .limit(limit)
        )
        return [plain(Rollout, row) for row in await self._connection.execute(statement)]

    async def to_erase(self) -> Rollout | None:
        """A rollout that is to be erased and still has people, or no figures yet."""
        people = exists().where(INVITATION.c.rollout_id == ROLLOUT.c.id)
        statement = (
            select(*fields(ROLLOUT, Rollout))
            .where(ROLLOUT.c.erased_at.is_not(None), or_(ROLLOUT.c.figures.is_(None), people))
            .order_by(ROLLOUT.c.erased_at)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Rollout, row)

    async def keep(self, rollout_id: str, figures: Figures) -> None:
        """Store what stays of the rollout."""
        await self._connection.execute(update(ROLLOUT).where(ROLLOUT.c.id == rollout_id).values(figures=figures))

    async def erase_some(self, rollout_id: str, admins: Collection[str], limit: int) -> int:
        """Erase some invitations and all that belongs to them, and the people behind them unless something else still
        needs them: another rollout, or being one of `admins`. Returns how many invitations are gone.
        """
        rows = (
            await self._connection.execute(
                select(INVITATION.c.id, INVITATION.c.person_id)
                .where(INVITATION.c.rollout_id == rollout_id)
                .order_by(INVITATION.c.id)
                .limit(limit)
            )
        ).all()
        ids = [row.id for row in rows]
        for table in (CHECK, DELIVERY, CASE):
            await self._delete(table, table.c.invitation_id.in_(ids))
        await self._delete(INVITATION, INVITATION.c.id.in_(ids))
        await self._delete(PERSON, and_(PERSON.c.id.in_([row.person_id for row in rows]), ~_is_needed(admins)))
        return len(ids)

    async def erase_rest(self, rollout: Rollout) -> None:
        """Erase what else of the rollout names people: messages to admins, dialogs, lists, steps and links."""
        own = WORKSPACE.c.company == rollout.company
        workspaces = select(WORKSPACE.c.id).where(own)
        settled = and_(
            DELIVERY.c.kind == DeliveryKind.NOTICE,
            DELIVERY.c.rollout_id.is_(None),
            DELIVERY.c.state.not_in(_UNDER_WAY),
            DELIVERY.c.lane.in_(workspaces),
            DELIVERY.c.created_at <= rollout.erased_at,
        )
        asked = and_(LOOK_UP.c.workspace_id.in_(workspaces), LOOK_UP.c.state == LookUpState.DONE)
        lists: Any = select(LOOK_UP.c.id + ":" + cast(LOOK_UP.c.attempt, String)).where(asked)
        of_people = select(LISTED.c.list_id).where(LISTED.c.workspace_id.in_(workspaces))
        waits = exists().where(
            WAVE.c.list_id == LISTED.c.list_id, WAVE.c.finished_at.is_(None), WAVE.c.rollout_id != rollout.id
        )
        await self._delete(LISTED, and_(or_(LISTED.c.list_id.in_(lists), LISTED.c.list_id.in_(of_people)), ~waits))
        await self._delete(LOOK_UP, asked)
        await self._delete(DELIVERY, or_(DELIVERY.c.rollout_id == rollout.id, settled))
        for table in (CASE, CURRENT_ROLLOUT, DIALOG, DIGEST, READINESS, WAVE, FINISH_ITEM, HANDOUT):
            await self._delete(table, table.c.rollout_id == rollout.id)

    async def footprint(self, person_ids: Sequence[str]) -> Footprint:
        """How much there is of these people."""
        return await footprint(self._connection, person_ids)

    async def erase_person(self, company: str, people: Sequence[Person], by: str, now: datetime) -> None:
        """Erase one human being: see storage.erasing_person."""
        await erase_person(self._connection, company, people, by, now)

    async def _delete(self, table: Table, which: ColumnElement[bool]) -> None:
        await self._connection.execute(delete(table).where(which))


def _is_needed(admins: Collection[str]) -> ColumnElement[bool]:
    """Whether the bot still has to know a person: `admins` are e-mail addresses, platform user ids or person ids."""
    return or_(
        PERSON.c.is_workspace_admin,
        PERSON.c.is_appointed,
        *(func.lower(column).in_(admins) for column in (PERSON.c.email, PERSON.c.user_id, PERSON.c.id)),
        exists().where(INVITATION.c.person_id == PERSON.c.id),
        exists().where(ROLLOUT.c.created_by == PERSON.c.id, ROLLOUT.c.erased_at.is_(None)),
        exists().where(WAVE.c.created_by == PERSON.c.id),
    )
