"""Rollouts, waves and dialogs. They are stored by Transaction.save; these are the ways to find them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, bindparam, case, exists, or_, select, update

from bot.model import Dialog, Person, Rollout, RolloutState, Wave, WaveStage, Workspace
from bot.ports import Acting
from bot.readiness import Readiness
from storage.connection import Connection
from storage.prepared import Prepared
from storage.rows import by_key, fields, plain, several
from storage.tables import CASE, CURRENT_ROLLOUT, DIALOG, PERSON, READINESS, ROLLOUT, WAVE, WORKSPACE

_UNFINISHED = Prepared(
    select(*fields(ROLLOUT, Rollout))
    .where(ROLLOUT.c.company == bindparam("of"), ROLLOUT.c.state != RolloutState.FINISHED)
    .order_by(ROLLOUT.c.created_at.desc(), ROLLOUT.c.id.desc())
)
_WHOSE = bindparam("whose", type_=String)


def _is_current(company: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether it is the rollout that the person has chosen, or else the company's newest; never a finished one."""
    own = ROLLOUT.alias()
    chosen = exists().where(CURRENT_ROLLOUT.c.rollout_id == own.c.id, CURRENT_ROLLOUT.c.person_id == _WHOSE)
    first = (
        select(own.c.id)
        .where(own.c.company == company, own.c.state != RolloutState.FINISHED)
        .order_by(case((chosen, 0), else_=1), own.c.created_at.desc(), own.c.id.desc())
        .limit(1)
    )
    return ROLLOUT.c.id == first.scalar_subquery()


_CURRENT = Prepared(select(*fields(ROLLOUT, Rollout)).where(_is_current(bindparam("of", type_=String))))
_ACTING = Prepared(
    select(*fields(WORKSPACE, Workspace), *fields(PERSON, Person), *fields(ROLLOUT, Rollout))
    .select_from(WORKSPACE)
    .outerjoin(PERSON, PERSON.c.id == _WHOSE)
    .outerjoin(ROLLOUT, _is_current(WORKSPACE.c.company))
    .where(WORKSPACE.c.id == bindparam("where", type_=String))
)
_SUBJECT = bindparam("subject", type_=String)
_NAMED = Prepared(
    select(*fields(ROLLOUT, Rollout)).where(
        ROLLOUT.c.state != RolloutState.FINISHED,
        or_(
            ROLLOUT.c.id == _SUBJECT,
            ROLLOUT.c.id == select(WAVE.c.rollout_id).where(WAVE.c.id == _SUBJECT).scalar_subquery(),
            ROLLOUT.c.id == select(DIALOG.c.rollout_id).where(DIALOG.c.id == _SUBJECT).scalar_subquery(),
            ROLLOUT.c.id == select(CASE.c.rollout_id).where(CASE.c.group_id == _SUBJECT).limit(1).scalar_subquery(),
        ),
    )
)
_TO_PLAN_ANEW = Prepared(
    select(*fields(ROLLOUT, Rollout))
    .where(ROLLOUT.c.planned_up_to.is_not(None), ROLLOUT.c.state != RolloutState.FINISHED)
    .order_by(ROLLOUT.c.id)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
)


class Rollouts:
    """Implements bot.ports.Rollouts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rollout(self, rollout_id: str) -> Rollout | None:
        """By id."""
        return await by_key(self._connection, ROLLOUT, Rollout, rollout_id)

    async def acting(self, workspace_id: str, person_id: str) -> Acting:
        """Where an event plays, its actor as known before, and their `current` rollout, in one question."""
        row = await self._connection.one(_ACTING, {"where": workspace_id, "whose": person_id})
        return Acting() if row is None else Acting(*several(row, Workspace, Person, Rollout))

    async def current(self, company: str, person_id: str = "") -> Rollout | None:
        """The rollout that this person has chosen, or else the newest of the company; never a finished one."""
        row = await self._connection.one(_CURRENT, {"of": company, "whose": person_id})
        return None if row is None else plain(Rollout, row)

    async def unfinished(self, company: str) -> Sequence[Rollout]:
        """The company's rollouts that are not finished, the newest first."""
        return [plain(Rollout, row) for row in await self._connection.rows(_UNFINISHED, {"of": company})]

    async def readiness(self, rollout_id: str) -> Readiness | None:
        """What admins have confirmed before inviting; None when nobody was asked yet."""
        return await by_key(self._connection, READINESS, Readiness, Readiness.unknown(rollout_id).id)

    async def finished(self, company: str, limit: int) -> Sequence[Rollout]:
        """The company's rollouts that are finished and neither archived nor erased, the last to end first."""
        statement = (
            select(*fields(ROLLOUT, Rollout))
            .where(
                ROLLOUT.c.company == company,
                ROLLOUT.c.state == RolloutState.FINISHED,
                ROLLOUT.c.archived_at.is_(None),
                ROLLOUT.c.erased_at.is_(None),
            )
            .order_by(ROLLOUT.c.finished_at.desc(), ROLLOUT.c.id)
            .limit(limit)
        )
        return [plain(Rollout, row) for row in await self._connection.execute(statement)]

    async def named(self, subject: str) -> Rollout | None:
        """The unfinished rollout that a button is about."""
        row = await self._connection.one(_NAMED, {"subject": subject})
        return None if row is None else plain(Rollout, row)

    async def hold_still(self, rollout_id: str) -> Rollout | None:
        """The rollout. With PostgreSQL nobody can pause or resume it until the transaction ends: what is stored as
        held, or as ready, is that also afterwards. With SQLite, transactions come one after the other anyway.
        """
        statement = select(*fields(ROLLOUT, Rollout)).where(ROLLOUT.c.id == rollout_id).with_for_update(read=True)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Rollout, row)

    async def to_plan_anew(self) -> Rollout | None:
        """An unfinished rollout whose invitations do not all follow its policy yet. On PostgreSQL it stays locked
        until the transaction ends, and one that another replica is just planning is passed over.
        """
        row = await self._connection.one(_TO_PLAN_ANEW, {})
        return None if row is None else plain(Rollout, row)

    async def planned(self, rollout_id: str, up_to: str | None) -> None:
        """How far planning anew has come; None: all invitations follow the policy. Touches no version: nobody
        decides anything by it, and an old value that a conversation writes back has a part planned twice.
        """
        await self._connection.execute(update(ROLLOUT).where(ROLLOUT.c.id == rollout_id).values(planned_up_to=up_to))

    async def wave(self, wave_id: str) -> Wave | None:
        """By id. On PostgreSQL the row stays locked until the transaction ends, because `save` writes whole rows and
        `count_wave` moves no version.
        """
        statement = select(*fields(WAVE, Wave)).where(WAVE.c.id == wave_id).with_for_update(key_share=True)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Wave, row)

    async def waves_to_work_on(self, now: datetime) -> Sequence[str]:
        """Waves that are being stored, their time having come, or of which the rest is cancelled and may not be
        withdrawn yet: their ids, oldest first.
        """
        works = or_(
            and_(WAVE.c.stage == WaveStage.STORING, or_(WAVE.c.starts_at.is_(None), WAVE.c.starts_at <= now)),
            WAVE.c.stage == WaveStage.CANCELLED,
        )
        statement = (
            select(WAVE.c.id).where(WAVE.c.finished_at.is_(None), works).order_by(WAVE.c.created_at, WAVE.c.id)
        )
        return list(await self._connection.scalars(statement))

    async def claim_wave(self, wave_id: str) -> Wave | None:
        """The wave, until the transaction ends; None while somebody else holds it."""
        statement = (
            select(*fields(WAVE, Wave)).where(WAVE.c.id == wave_id).with_for_update(key_share=True, skip_locked=True)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else plain(Wave, row)

    async def count_wave(self, wave_id: str, *, size: int, withdrawn: int, stage: WaveStage) -> None:
        """What storing or withdrawing has come to. Touches no version: an admin's click is not made stale by it."""
        await self._connection.execute(
            update(WAVE).where(WAVE.c.id == wave_id).values(size=size, withdrawn=withdrawn, stage=stage)
        )

    async def showed_progress(self, wave: Wave, shown: str, finished_at: datetime | None) -> None:
        """The progress message shows this; nothing is stored when an admin decided something in the meantime."""
        await self._connection.execute(
            update(WAVE)
            .where(WAVE.c.id == wave.id, WAVE.c.version == wave.version)
            .values(shown=shown, finished_at=finished_at)
        )

    async def running_waves(self) -> Sequence[Wave]:
        """Waves whose progress message may still change, oldest first."""
        statement = (
            select(*fields(WAVE, Wave)).where(WAVE.c.finished_at.is_(None)).order_by(WAVE.c.created_at, WAVE.c.id)
        )
        return [plain(Wave, row) for row in await self._connection.execute(statement)]

    async def dialog(self, dialog_id: str) -> Dialog | None:
        """By id."""
        return await by_key(self._connection, DIALOG, Dialog, dialog_id)
