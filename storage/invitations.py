"""Invitations and their checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from bot.model import (
    Check,
    CheckKind,
    DeliveryKind,
    DeliveryState,
    Invitation,
    Person,
    Rollout,
    RolloutState,
    Wave,
    Wish,
    derived_id,
)
from bot.ports import Due, InvitationView, Missing, OverTime, Planned, Reason, RolloutCounts, Standing
from storage.connection import Connection
from storage.counts import by_group, by_wave, count, over_time
from storage.deliveries import HELD
from storage.prepared import Prepared
from storage.rows import among, chunks, fields, insert_alike, plain
from storage.tables import CASE, CHECK, DELIVERY, INVITATION, IS_OPEN, PERSON, ROLLOUT, WORKSPACE
from storage.to_many import addressed, alike

# Nobody can know of it: no message that was or may have been sent, nothing confirmed (the Home tab shows an
# invitation before its message arrives), nothing reported, not exempt.
_UNHEARD = and_(
    INVITATION.c.reached_at.is_(None),
    INVITATION.c.exempt_at.is_(None),
    ~exists().where(
        DELIVERY.c.invitation_id == INVITATION.c.id,
        or_(DELIVERY.c.kind != DeliveryKind.INVITATION, DELIVERY.c.state != DeliveryState.READY),
    ),
    ~exists().where(CHECK.c.invitation_id == INVITATION.c.id),
    ~exists().where(CASE.c.invitation_id == INVITATION.c.id),
)


def _lacks(kind: CheckKind) -> ColumnElement[bool]:
    """The check is asked for and not confirmed."""
    confirmed = exists().where(CHECK.c.invitation_id == INVITATION.c.id, CHECK.c.kind == kind)
    return and_(cast(INVITATION.c.needs, Text).contains(f'"{kind}"'), ~confirmed)


_MISSING: Mapping[Missing, ColumnElement[bool]] = {
    Missing.ACCESS: _lacks(CheckKind.ACCESS),
    Missing.TASKS: _lacks(CheckKind.TASKS),
    Missing.TOKEN: _lacks(CheckKind.TOKEN),
    Missing.NOT_OPENED: INVITATION.c.login_opened_at.is_(None),
    Missing.UNREACHABLE: INVITATION.c.unreachable != "",
    Missing.STOPPED: INVITATION.c.wish != Wish.NONE,
    Missing.SNOOZED: INVITATION.c.snoozed_until.is_not(None),
    Missing.ESCALATED: INVITATION.c.escalated_at.is_not(None),
}
_WITH_PERSON = select(*fields(INVITATION, Invitation), *fields(PERSON, Person)).join(
    PERSON, PERSON.c.id == INVITATION.c.person_id
)
_WIDTH = len(Invitation.model_fields)
_BY_ID = Prepared(
    _WITH_PERSON.where(INVITATION.c.id == bindparam("of")).with_for_update(key_share=True, of=INVITATION)
)
_BY_IDS = Prepared(lambda dialect: _WITH_PERSON.where(among(dialect, INVITATION.c.id, "ids")))
_ROLLOUTS = Prepared(lambda dialect: select(*fields(ROLLOUT, Rollout)).where(among(dialect, ROLLOUT.c.id, "ids")))
_CHECKS = Prepared(
    lambda dialect: (
        select(*fields(CHECK, Check))
        .where(among(dialect, CHECK.c.invitation_id, "ids"))
        .order_by(CHECK.c.confirmed_at, CHECK.c.kind)
    )
)
_DUE = Prepared(
    select(
        INVITATION.c.id,
        INVITATION.c.rollout_id,
        PERSON.c.id,
        PERSON.c.workspace_id,
        PERSON.c.time_zone,
        INVITATION.c.reminders,
        INVITATION.c.snoozed_until,
        INVITATION.c.final_notice_at,
        func.coalesce(INVITATION.c.last_contact_at, INVITATION.c.invited_at),
    )
    .join(PERSON, PERSON.c.id == INVITATION.c.person_id)
    .join(ROLLOUT, ROLLOUT.c.id == INVITATION.c.rollout_id)
    .where(INVITATION.c.due_at <= bindparam("now", type_=INVITATION.c.due_at.type), IS_OPEN)
    .where(ROLLOUT.c.state == RolloutState.ACTIVE)
    .where(ROLLOUT.c.planned_up_to.is_(None))  # else they may be due by a policy that is no more
    .order_by(INVITATION.c.due_at, INVITATION.c.id)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(key_share=True, skip_locked=True, of=INVITATION)
)
_TO_SETTLE = Prepared(
    lambda dialect: (
        select(*fields(INVITATION, Invitation), PERSON.c.time_zone)
        .join(PERSON, PERSON.c.id == INVITATION.c.person_id)
        .where(among(dialect, INVITATION.c.id, "ids"))
        .order_by(INVITATION.c.id)
        .with_for_update(key_share=True, of=INVITATION)
    )
)
_SET_REACHED = Prepared(
    update(INVITATION)
    .where(INVITATION.c.id == bindparam("of"))
    .values(
        unreachable="",
        last_contact_at=bindparam("at", type_=INVITATION.c.last_contact_at.type),
        reached_at=func.coalesce(INVITATION.c.reached_at, bindparam("at", type_=INVITATION.c.reached_at.type)),
        due_at=case((IS_OPEN, bindparam("due", type_=INVITATION.c.due_at.type)), else_=INVITATION.c.due_at),
    )
)

_AT_ONCE: Mapping[str, datetime] = MappingProxyType({})
_ALONE: Mapping[str, str] = MappingProxyType({})


class Invitations:
    """Implements bot.ports.Invitations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def view(self, invitation_id: str) -> InvitationView | None:
        """By id. On PostgreSQL the row stays locked until the transaction ends: see `_one`."""
        found = await self._viewed(await self._connection.rows(_BY_ID, {"of": invitation_id}))
        return found[0] if found else None

    async def views(self, invitation_ids: Sequence[str]) -> Mapping[str, InvitationView]:
        """Those that exist, by id."""
        rows = await self._connection.rows(_BY_IDS, {"ids": list(invitation_ids)}) if invitation_ids else ()
        return {view.invitation.id: view for view in await self._viewed(rows)}

    async def to_settle(self, invitation_ids: Collection[str]) -> Mapping[str, Planned]:
        """Those that exist, by id. On PostgreSQL they stay locked until the transaction ends, taken in one order
        everywhere.
        """
        if not invitation_ids:
            return {}
        rows = await self._connection.rows(_TO_SETTLE, {"ids": list(invitation_ids)})
        rollouts = await self._rollouts({row.rollout_id for row in rows})
        return {row.id: Planned(plain(Invitation, row[:-1]), rollouts[row.rollout_id], row[-1]) for row in rows}

    async def of_person(self, person_id: str, rollout_id: str) -> InvitationView | None:
        """By the person, or by their identity if they were invited on another platform. Locked as in `_one`."""
        identity = select(case((PERSON.c.email != "", PERSON.c.email), else_=PERSON.c.id)).where(
            PERSON.c.id == person_id
        )
        statement = (
            _WITH_PERSON.where(
                INVITATION.c.rollout_id == rollout_id,
                or_(INVITATION.c.person_id == person_id, INVITATION.c.identity == identity.scalar_subquery()),
            )
            .order_by(case((INVITATION.c.person_id == person_id, 0), else_=1), INVITATION.c.id)
            .limit(1)
        )
        return await self._one(statement)

    async def newest_of_person(self, person: Person) -> InvitationView | None:
        """The person's newest invitation in an unfinished rollout of their company; one that is open comes first.
        Locked as in `_one`.
        """
        company = select(WORKSPACE.c.company).where(WORKSPACE.c.id == person.workspace_id).scalar_subquery()
        unfinished = select(ROLLOUT.c.id).where(
            ROLLOUT.c.company == company, ROLLOUT.c.state != RolloutState.FINISHED
        )
        statement = (
            _WITH_PERSON.where(
                INVITATION.c.rollout_id.in_(unfinished),
                or_(INVITATION.c.person_id == person.id, INVITATION.c.identity == person.identity),
            )
            .order_by(case((IS_OPEN, 0), else_=1), INVITATION.c.invited_at.desc(), INVITATION.c.id)
            .limit(1)
        )
        return await self._one(statement)

    async def invited_identities(self, rollout_id: str, identities: Iterable[str]) -> frozenset[str]:
        """Which of these the rollout has invited."""
        found: set[str] = set()
        for some in chunks(dict.fromkeys(identities)):
            statement = select(INVITATION.c.identity).where(
                INVITATION.c.rollout_id == rollout_id, INVITATION.c.identity.in_(some)
            )
            found.update(await self._connection.scalars(statement))
        return frozenset(found)

    async def invite(
        self,
        rollout: Rollout,
        wave: Wave,
        people: Sequence[Person],
        at: datetime,
        not_before: Mapping[str, datetime] = _AT_ONCE,
        *,
        found_in: Mapping[str, str] = _ALONE,
    ) -> int:
        """Create invitations and their deliveries in bulk; returns how many were new. Nobody is invited twice, and
        of two people with one identity the first is. In a rollout that is not active, the deliveries are held;
        otherwise each goes when its person's time, by id, has come. `found_in` are their groups, by id.
        """
        first: dict[str, Person] = {}
        for person in people:
            first.setdefault(derived_id(rollout.id, person.identity), person)
        new = await insert_alike(
            self._connection,
            INVITATION,
            _invitation(rollout, wave, at),
            # in one order everywhere, so that two admins who invite the same people do not wait for each other
            [
                {
                    "id": invitation_id,
                    "person_id": person.id,
                    "identity": person.identity,
                    "found_in": found_in.get(person.id, ""),
                }
                for invitation_id, person in sorted(first.items(), key=itemgetter(0))
            ],
        )
        at_once = at if rollout.state is RolloutState.ACTIVE else HELD
        together: defaultdict[datetime, list[str]] = defaultdict(list)  # as many moments as there are time zones
        for invitation_id in new:
            together[not_before.get(first[invitation_id].id, at_once)].append(invitation_id)
        for moment, ids in together.items():
            row = alike(DeliveryKind.INVITATION, rollout.id, at, not_before=moment, wave_id=wave.id)
            to = [addressed(row, each, first[each].id, first[each].workspace_id) for each in ids]
            await insert_alike(self._connection, DELIVERY, row, to)
        return len(new)

    async def withdraw(self, wave_id: str, limit: int) -> tuple[int, int]:
        """Take back some invitations whose message is ready and was never sent: they can be made again. Returns how
        many are gone, and of how many only the message is, because the invitee knows of the invitation already.
        """
        ready = and_(
            DELIVERY.c.wave_id == wave_id,
            DELIVERY.c.kind == DeliveryKind.INVITATION,
            DELIVERY.c.state == DeliveryState.READY,
        )
        some = list(await self._connection.scalars(select(DELIVERY.c.invitation_id).where(ready).limit(limit)))
        waiting = select(INVITATION.c.id).where(_in(some)).order_by(INVITATION.c.id).with_for_update(of=INVITATION)
        ids = list(await self._connection.scalars(waiting))
        unheard = set(await self._connection.scalars(select(INVITATION.c.id).where(_in(ids), _UNHEARD)))
        messages = delete(DELIVERY).where(DELIVERY.c.invitation_id.in_(unheard), ready)
        dropped = list(await self._connection.scalars(messages.returning(DELIVERY.c.invitation_id)))
        await self._connection.execute(delete(INVITATION).where(_in(dropped)))
        known = await self._connection.execute(
            update(DELIVERY)
            .where(DELIVERY.c.invitation_id.in_(set(ids) - unheard), ready)
            .values(state=DeliveryState.WITHDRAWN, reason=Reason.NOT_NEEDED.value)
        )
        return len(dropped), known.rowcount

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """Open invitations of active rollouts whose reminder is due, oldest first. On PostgreSQL they stay locked
        until the transaction ends, and what another replica is just reminding is passed over.
        """
        rows = await self._connection.rows(_DUE, {"now": now, "at_most": limit})
        if not rows:
            return []
        rollouts = await self._rollouts({row.rollout_id for row in rows})
        return [Due(row[0], rollouts[row[1]], *row[2:]) for row in rows]

    async def to_plan_anew(self, rollout_id: str, after: str, limit: int) -> Sequence[InvitationView]:
        """The rollout's open invitations with an id after that one, in the order of their ids. On PostgreSQL they are
        waited for and stay locked: what is just being settled by the old policy is planned by the new one after it.
        """
        statement = (
            _WITH_PERSON.where(INVITATION.c.rollout_id == rollout_id, INVITATION.c.id > after, IS_OPEN)
            .order_by(INVITATION.c.id)
            .limit(limit)
            .with_for_update(key_share=True, of=INVITATION)
        )
        return await self._several(statement)

    async def reminded(self, invitation_ids: Sequence[str]) -> None:
        """One reminder more each; `due_at` becomes None until its delivery is settled, and a snooze ends."""
        await self._set(
            invitation_ids, {"reminders": INVITATION.c.reminders + 1, "due_at": None, "snoozed_until": None}
        )

    async def gave_final_notice(self, invitation_ids: Sequence[str], at: datetime) -> None:
        """The last reminder of these was the final notice."""
        await self._set(invitation_ids, {"final_notice_at": at})

    async def not_reminded(self, invitation_id: str, kind: DeliveryKind) -> None:
        """A reminder was withdrawn before it was sent: it does not count."""
        final = {"final_notice_at": None} if kind is DeliveryKind.FINAL_NOTICE else {}
        await self._set([invitation_id], {"reminders": INVITATION.c.reminders - 1, **final})

    async def end_snoozes(self, invitation_ids: Sequence[str]) -> None:
        """They wait no longer."""
        await self._set(invitation_ids, {"snoozed_until": None})

    async def contacted(self, invitation_id: str, at: datetime, due_at: datetime | None) -> None:
        """The next reminder, while the invitation is open, is counted from `at`."""
        await self._set([invitation_id], {"last_contact_at": at, "due_at": _while_open(due_at)})

    async def _set(self, invitation_ids: Sequence[str], changes: Mapping[str, Any]) -> None:
        if invitation_ids:
            which = among(self._connection.dialect.name, INVITATION.c.id, "ids")
            changed = update(INVITATION).where(which).values(**changes)
            await self._connection.execute(changed, {"ids": list(invitation_ids)})

    async def set_due(self, due: Mapping[str, datetime | None]) -> None:
        """Set `due_at` by invitation id, of those that are open."""
        if not due:
            return
        statement = (
            update(INVITATION)
            .where(INVITATION.c.id == bindparam("of"), IS_OPEN)
            .values(due_at=bindparam("moment", type_=INVITATION.c.due_at.type))
        )
        await self._connection.execute(
            statement, [{"of": invitation_id, "moment": moment} for invitation_id, moment in sorted(due.items())]
        )

    async def put_off(self, later: Mapping[str, datetime], now: datetime) -> None:
        """Set `due_at` by invitation id, of those that are open and still due: a snooze in the meantime stays."""
        statement = (
            update(INVITATION)
            .where(INVITATION.c.id == bindparam("of"), IS_OPEN, INVITATION.c.due_at <= now)
            .values(due_at=bindparam("moment", type_=INVITATION.c.due_at.type))
        )
        rows = [{"of": invitation_id, "moment": moment} for invitation_id, moment in sorted(later.items())]
        await self._connection.execute(statement, rows)

    async def make_due(self, rollout_id: str, invitation_ids: Sequence[str] | None, at: datetime) -> int:
        """Set `due_at` of open invitations; returns how many. Those of the whole rollout, when `invitation_ids` is
        None, are without those that are snoozed or want none.
        """
        statement = update(INVITATION).where(INVITATION.c.rollout_id == rollout_id, IS_OPEN).values(due_at=at)
        if invitation_ids is None:
            unasked = statement.where(INVITATION.c.snoozed_until.is_(None), INVITATION.c.wish == Wish.NONE)
            return (await self._connection.execute(unasked)).rowcount
        changed = 0
        for some in chunks(dict.fromkeys(invitation_ids)):
            changed += (await self._connection.execute(statement.where(INVITATION.c.id.in_(some)))).rowcount
        return changed

    async def wishes_of(self, person_ids: Sequence[str]) -> Sequence[tuple[str, Wish]]:
        """Rollout id and wish, of these people's invitations that have one."""
        theirs = and_(INVITATION.c.person_id.in_(person_ids), INVITATION.c.wish != Wish.NONE)
        statement = select(INVITATION.c.rollout_id, INVITATION.c.wish).where(theirs).distinct()
        return [(rollout_id, wish) for rollout_id, wish in await self._connection.execute(statement)]

    async def wishing(self, rollout_id: str, wish: Wish, limit: int) -> tuple[int, Sequence[Person]]:
        """How many open invitations have this wish, and whose they are, the last to say so first."""
        of_it = and_(INVITATION.c.rollout_id == rollout_id, INVITATION.c.wish == wish, IS_OPEN)
        many = await self._connection.scalar(select(func.count()).select_from(INVITATION).where(of_it)) or 0
        statement = (
            select(*fields(PERSON, Person))
            .join(INVITATION, INVITATION.c.person_id == PERSON.c.id)
            .where(of_it)
            .order_by(INVITATION.c.wished_at.desc(), PERSON.c.id)
            .limit(limit)
        )
        return many, [plain(Person, row) for row in await self._connection.execute(statement)]

    async def exempt(self, rollout_id: str, wish: Wish, reason: str, at: datetime) -> Sequence[str]:
        """Nothing is expected any more of those who have this wish; returns the ids of their invitations."""
        statement = (
            update(INVITATION)
            .where(INVITATION.c.rollout_id == rollout_id, INVITATION.c.wish == wish, IS_OPEN)
            .values(
                exempt_at=at,
                exempt_reason=reason,
                due_at=None,
                snoozed_until=None,
                version=INVITATION.c.version + 1,
            )
            .returning(INVITATION.c.id)
        )
        return (await self._connection.scalars(statement)).all()

    async def set_after_delivery(
        self,
        invitation_id: str,
        *,
        at: datetime,
        reached_at: datetime | None,
        due_at: datetime | None,
        unreachable: str,
    ) -> None:
        """What a delivery that is settled `at` this moment changes. Touches no version. The first `reached_at` stays;
        `due_at` is stored only while the invitation is open.
        """
        changes: dict[str, Any] = {
            "unreachable": unreachable,
            "last_contact_at": at,
            "due_at": _while_open(due_at),
        }
        if reached_at is not None:
            changes["reached_at"] = func.coalesce(INVITATION.c.reached_at, reached_at)
        await self._connection.execute(update(INVITATION).where(INVITATION.c.id == invitation_id).values(**changes))

    async def set_reached(self, due: Mapping[str, datetime | None], at: datetime) -> None:
        """`set_after_delivery` for messages that arrived: when the next reminder is due, by invitation id."""
        if due:
            rows = [{"of": each, "at": at, "due": moment} for each, moment in sorted(due.items())]
            await self._connection.change_each(_SET_REACHED, rows)

    async def counts(self, rollout_id: str) -> RolloutCounts:
        """Where everyone stands."""
        return await count(self._connection, rollout_id)

    async def by_wave(self, rollout_id: str, limit: int, offset: int = 0) -> Sequence[Standing]:
        """How far the people of each wave are, the newest wave first; waves that invited nobody are left out."""
        return await by_wave(self._connection, rollout_id, limit, offset)

    async def by_group(self, rollout_id: str) -> Sequence[Standing]:
        """How far the people of each group are, the largest first; who was named alone comes last."""
        return await by_group(self._connection, rollout_id)

    async def over_time(self, rollout_id: str) -> OverTime:
        """How many were invited, and how many finished, on each day."""
        return await over_time(self._connection, rollout_id)

    async def login_opened(self, invitation_id: str, now: datetime) -> str | None:
        """Note that the invitee has opened the login page, if it is the first time; returns the page's address."""
        first = and_(INVITATION.c.id == invitation_id, INVITATION.c.login_opened_at.is_(None))
        await self._connection.execute(update(INVITATION).where(first).values(login_opened_at=now))
        whose = select(INVITATION.c.rollout_id).where(INVITATION.c.id == invitation_id).scalar_subquery()
        address: str | None = await self._connection.scalar(select(ROLLOUT.c.login_url).where(ROLLOUT.c.id == whose))
        return address

    async def done_since(self, rollout_id: str, moment: datetime) -> int:
        """How many have finished since then."""
        lately = and_(INVITATION.c.rollout_id == rollout_id, INVITATION.c.done_at >= moment)
        return await self._connection.scalar(select(func.count()).select_from(INVITATION).where(lately)) or 0

    async def open_views(
        self, rollout_id: str, limit: int, offset: int = 0, missing: Missing | None = None
    ) -> Sequence[InvitationView]:
        """Who is missing, by name: everybody, or who is missing in this way."""
        in_this_way = (_MISSING[missing],) if missing is not None else ()
        statement = (
            _WITH_PERSON.where(INVITATION.c.rollout_id == rollout_id, IS_OPEN, *in_this_way)
            .order_by(func.lower(PERSON.c.name), INVITATION.c.id)
            .limit(limit)
            .offset(offset)
        )
        return await self._several(statement)

    async def _one(self, statement: Select[Any]) -> InvitationView | None:
        """The one view. PostgreSQL locks the invitation until the transaction ends, because `save` writes whole rows
        and `set_after_delivery` moves no version: what a settled delivery stores between reading and saving would
        be overwritten. With SQLite, transactions come one after the other anyway.
        """
        found = await self._several(statement.with_for_update(key_share=True, of=INVITATION))
        return found[0] if found else None

    async def _several(self, statement: Select[Any]) -> list[InvitationView]:
        return await self._viewed(await self._connection.execute(statement))

    async def _viewed(self, found: Iterable[Sequence[Any]]) -> list[InvitationView]:
        # Three questions, not one that joins: PostgreSQL, having waited for a locked invitation, reads that row anew,
        # but the rows that are joined as they were before (13.2.1, "Read Committed Isolation Level").
        rows = [(plain(Invitation, row[:_WIDTH]), plain(Person, row[_WIDTH:])) for row in found]
        if not rows:
            return []
        rollouts = await self._rollouts({invitation.rollout_id for invitation, _ in rows})
        checks = await self._checks([invitation.id for invitation, _ in rows])
        return [
            InvitationView(invitation, person, rollouts[invitation.rollout_id], tuple(checks[invitation.id]))
            for invitation, person in rows
        ]

    async def _rollouts(self, ids: Iterable[str]) -> dict[str, Rollout]:
        rows = await self._connection.rows(_ROLLOUTS, {"ids": list(ids)})
        return {row.id: plain(Rollout, row) for row in rows}

    async def _checks(self, invitation_ids: Iterable[str]) -> Mapping[str, list[Check]]:
        found: defaultdict[str, list[Check]] = defaultdict(list)
        for row in await self._connection.rows(_CHECKS, {"ids": list(invitation_ids)}):
            found[row.invitation_id].append(plain(Check, row))
        return found


def _in(ids: Iterable[str]) -> ColumnElement[bool]:
    return INVITATION.c.id.in_(list(ids))


def _while_open(due_at: datetime | None) -> ColumnElement[datetime | None]:
    kind = INVITATION.c.due_at.type
    return case((IS_OPEN, bindparam("due", due_at, kind)), else_=INVITATION.c.due_at)


def _invitation(rollout: Rollout, wave: Wave, at: datetime) -> Invitation:
    return Invitation(
        id="", rollout_id=rollout.id, person_id="", identity="", wave_id=wave.id, needs=rollout.needs, invited_at=at
    )
