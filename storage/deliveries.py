"""Direct messages on their way: the queue, and everything that can become of one.

Locks on PostgreSQL are taken in one order, an invitation before its deliveries, as the conversations do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from bot.messages import Message
from bot.model import Delivery, DeliveryKind, DeliveryState, RolloutState, WaveStage
from bot.ports import Due, Reason, Sent, WaveCounts
from storage.connection import Connection
from storage.failures import ASKABLE, can_go_again, failures, is_last_and_failed
from storage.prepared import Prepared
from storage.rows import among, chunks, fields, insert, one_of, plain, rows_alike, values
from storage.tables import DELIVERY, HOLD_TASK, INVITATION, IS_OPEN, ROLLOUT, WAVE, WORKSPACE
from storage.to_many import addressed, alike

HELD = datetime(9999, 1, 1, tzinfo=UTC)  # `not_before` of what waits for its rollout to go on

_READY = one_of(DELIVERY.c.state, [DeliveryState.READY])
_SENDING = one_of(DELIVERY.c.state, [DeliveryState.SENDING])
_SENT = one_of(DELIVERY.c.state, [DeliveryState.SENT])
_UNKNOWN = one_of(DELIVERY.c.state, [DeliveryState.UNKNOWN])
_OUTDATED = and_(DELIVERY.c.outdated > bindparam("shown", 0, literal_execute=True), _SENT)
_WORTH = (DELIVERY.c.priority, DELIVERY.c.not_before, DELIVERY.c.id)


def _take(which: ColumnElement[bool]) -> Prepared:
    return Prepared(
        update(DELIVERY)
        .where(which)
        .values(
            state=DeliveryState.SENDING,
            claimed_at=bindparam("now", type_=DELIVERY.c.claimed_at.type),
            lease_until=bindparam("lease", type_=DELIVERY.c.lease_until.type),
            attempt=DELIVERY.c.attempt + 1,
            outdated=0,
        )
        .returning(*fields(DELIVERY, Delivery))
    )


# What is run for every message is built once: to build it takes longer than to run it.
_IS_DUE = and_(_READY, DELIVERY.c.not_before <= bindparam("now", type_=DELIVERY.c.not_before.type))
_FIRST = (
    select(DELIVERY.c.id)
    .where(_IS_DUE, DELIVERY.c.lane == bindparam("in_lane"))
    .order_by(*_WORTH)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("first")
)
_CLAIM = _take(DELIVERY.c.id.in_(select(_FIRST.c.id)))
_CLAIM_AGAIN = _take(and_(DELIVERY.c.id == bindparam("wanted"), _IS_DUE))
_UNSETTLED = Prepared(
    lambda dialect: (
        select(DELIVERY.c.id, DELIVERY.c.attempt, DELIVERY.c.claimed_at)
        .where(among(dialect, DELIVERY.c.id, "ids"), or_(_SENDING, _UNKNOWN))
        .order_by(DELIVERY.c.id)
        .with_for_update()
    )
)
_ARRIVED = Prepared(
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("of"))
    .values(
        state=DeliveryState.SENT,
        sent_at=bindparam("at", type_=DELIVERY.c.sent_at.type),
        channel_id=bindparam("channel", type_=DELIVERY.c.channel_id.type),
        message_id=bindparam("message"),
        lease_until=None,
        reason="",
    )
)

_COPIES = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.UNKNOWN)
_IS_COPY = DELIVERY.c.state.in_(_COPIES)
# `outdated` of a row of any state whose content has changed
OUTDATED = case((_IS_COPY, DELIVERY.c.outdated + 1), else_=DELIVERY.c.outdated)
_IS_REMINDER = DELIVERY.c.kind.in_([kind for kind in DeliveryKind if kind.is_reminder])
_OUTDATE = Prepared(
    lambda dialect: (
        update(DELIVERY)
        .where(among(dialect, DELIVERY.c.invitation_id, "ids"), _IS_COPY)
        .values(outdated=DELIVERY.c.outdated + 1)
    )
)
_READY_REMINDER = and_(DELIVERY.c.state == DeliveryState.READY, _IS_REMINDER)
_OUTDATE_ONE = Prepared(
    update(DELIVERY)
    .where(DELIVERY.c.invitation_id == bindparam("of"), DELIVERY.c.state.in_([DeliveryState.READY, *_COPIES]))
    .values(
        outdated=OUTDATED,
        state=case(
            (_READY_REMINDER, literal(DeliveryState.WITHDRAWN, DELIVERY.c.state.type)), else_=DELIVERY.c.state
        ),
        reason=case((_READY_REMINDER, Reason.NOT_NEEDED.value), else_=DELIVERY.c.reason),
    )
    .returning(DELIVERY.c.kind, DELIVERY.c.state)
)


class Deliveries:
    """Implements bot.ports.Deliveries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        """Queue; one whose key exists is passed over. Returns how many are new."""
        if not deliveries:
            return 0
        statement = insert(self._connection, DELIVERY).on_conflict_do_nothing().returning(DELIVERY.c.id)
        rows = [values(delivery) for delivery in sorted(deliveries, key=lambda delivery: delivery.key)]
        return len((await self._connection.execute(statement, rows)).all())

    async def remind(self, kind: DeliveryKind, due: Sequence[Due], now: datetime) -> int:
        """Queue the next reminder of each, of one kind and one rollout. One that exists is passed over, but one that
        was withdrawn is ready again. Returns how many are queued by it.
        """
        numbered: defaultdict[int, list[Due]] = defaultdict(list)
        for each in due:
            numbered[each.reminders + 1].append(each)
        queued = 0
        for number, some in numbered.items():
            row = alike(kind, some[0].rollout.id, now, number=number)
            to = [addressed(row, each.invitation_id, each.person_id, each.workspace_id) for each in some]
            new = rows_alike(self._connection, DELIVERY, row, to)
            statement = new.on_conflict_do_update(
                index_elements=["key"],
                where=DELIVERY.c.state == DeliveryState.WITHDRAWN,
                set_={name: new.excluded[name] for name in ("state", "kind", "not_before", "reason", "outdated")},
            ).returning(DELIVERY.c.id)
            queued += len((await self._connection.scalars(statement)).all())
        return queued

    async def lanes(self, now: datetime) -> Sequence[str]:
        """Lanes (workspaces) with something to claim, to reconcile or to update. Asks once for each workspace, so
        its cost does not grow with the queue.
        """
        own = DELIVERY.c.lane == WORKSPACE.c.id
        statement = (
            select(WORKSPACE.c.id)
            .where(
                or_(
                    exists().where(own, _READY, DELIVERY.c.not_before <= now),
                    exists().where(own, _UNKNOWN, WORKSPACE.c.platform.in_(ASKABLE)),
                    exists().where(own, _OUTDATED),
                )
            )
            .order_by(WORKSPACE.c.id)
        )
        return list(await self._connection.scalars(statement))

    async def claim(self, lane: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Delivery]:
        """Take ready deliveries by priority, then `not_before`, then id; each becomes `sending`, its attempt one
        higher. Rows that another process is just claiming are passed over, not waited for.

        A rollout that is paused or finished is passed over by `hold`, which puts its deliveries off to HELD: a
        claim never has to look at rollouts.
        """
        claimed = await self._taken(_CLAIM, {"in_lane": lane, "now": now, "lease": lease_until, "at_most": limit})
        return sorted(claimed, key=lambda delivery: (delivery.priority, delivery.not_before, delivery.id))

    async def claim_again(self, delivery_id: str, now: datetime, lease_until: datetime) -> Delivery | None:
        """Take this one if it is ready now (neither put off nor held)."""
        claimed = await self._taken(_CLAIM_AGAIN, {"wanted": delivery_id, "now": now, "lease": lease_until})
        return claimed[0] if claimed else None

    async def sent(self, delivery: Delivery, at: datetime, channel_id: str, message_id: str) -> bool:
        """The platform has it. Also settles an unknown one: whoever found it, or a worker whose lease ran out."""
        return await self._settle(
            delivery,
            (DeliveryState.SENDING, DeliveryState.UNKNOWN),
            state=DeliveryState.SENT,
            sent_at=at,
            channel_id=channel_id,
            message_id=message_id,
            reason="",
        )

    async def all_sent(self, sent: Sequence[tuple[Delivery, Sent]], at: datetime) -> Sequence[Delivery]:
        """`sent` for many at once; returns those that this settled. Their invitations must be locked by now."""
        if not sent:
            return []
        rows = await self._connection.rows(_UNSETTLED, {"ids": [delivery.id for delivery, _ in sent]})
        held = {(row.id, row.attempt, row.claimed_at) for row in rows}
        ours = [(each, where) for each, where in sent if (each.id, each.attempt, each.claimed_at) in held]
        if ours:
            await self._connection.change_each(
                _ARRIVED,
                [
                    {"of": each.id, "at": at, "channel": where.channel_id, "message": where.message_id}
                    for each, where in ours
                ],
            )
        return [each for each, _ in ours]

    async def put_off(self, delivery: Delivery, until: datetime, reason: str) -> bool:
        """It provably was not sent: ready again, from `until` on, or when its rollout goes on. Also when the lease
        ran out before that could be stored.
        """
        return await self._settle(
            delivery,
            (DeliveryState.SENDING, DeliveryState.UNKNOWN),
            state=DeliveryState.READY,
            not_before=_unless_held(until),
            reason=reason,
            outdated=0,
        )

    async def unclear(self, delivery: Delivery, reason: str) -> bool:
        """It may have been sent."""
        return await self._settle(delivery, (DeliveryState.SENDING,), state=DeliveryState.UNKNOWN, reason=reason)

    async def gave_up(self, delivery: Delivery, reason: str) -> bool:
        """It was not sent and will not be."""
        return await self._settle(
            delivery, (DeliveryState.SENDING, DeliveryState.UNKNOWN), state=DeliveryState.DEAD, reason=reason
        )

    async def withdrawn(self, delivery: Delivery, reason: str) -> bool:
        """It was not sent and need not be."""
        return await self._settle(
            delivery, (DeliveryState.READY, DeliveryState.SENDING), state=DeliveryState.WITHDRAWN, reason=reason
        )

    async def expired(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """What is `sending` though its lease has ended: whoever sent it was interrupted. Oldest first."""
        statement = (
            select(*fields(DELIVERY, Delivery))
            .where(_SENDING, DELIVERY.c.lease_until <= now)
            .order_by(DELIVERY.c.lease_until, DELIVERY.c.id)
            .limit(limit)
        )
        return [plain(Delivery, row) for row in await self._connection.execute(statement)]

    async def unknown(self, lane: str, claimed_before: datetime, limit: int) -> Sequence[Delivery]:
        """What to reconcile, oldest first: unknown, and claimed long enough ago that it must have arrived by now."""
        statement = (
            select(*fields(DELIVERY, Delivery))
            .where(_UNKNOWN, DELIVERY.c.lane == lane, DELIVERY.c.claimed_at <= claimed_before)
            .order_by(DELIVERY.c.claimed_at, DELIVERY.c.id)
            .limit(limit)
        )
        return [plain(Delivery, row) for row in await self._connection.execute(statement)]

    async def settle_unknown_absent(self, delivery: Delivery, now: datetime) -> bool:
        """The platform does not have it: unknown becomes ready again."""
        return await self._settle(
            delivery, (DeliveryState.UNKNOWN,), state=DeliveryState.READY, not_before=_unless_held(now), outdated=0
        )

    async def outdated(self, lane: str, limit: int) -> Sequence[Delivery]:
        """Sent ones whose content has changed since, oldest first."""
        statement = (
            select(*fields(DELIVERY, Delivery))
            .where(_OUTDATED, DELIVERY.c.lane == lane)
            .order_by(DELIVERY.c.sent_at, DELIVERY.c.id)
            .limit(limit)
        )
        return [plain(Delivery, row) for row in await self._connection.execute(statement)]

    async def updated(self, delivery: Delivery) -> None:
        """The copy on the platform shows what `delivery` knew; a change since then keeps it outdated."""
        await self._connection.execute(
            update(DELIVERY)
            .where(DELIVERY.c.id == delivery.id, DELIVERY.c.outdated == delivery.outdated)
            .values(outdated=0)
        )

    async def keyed(self, prefix: str) -> Sequence[str]:
        """The ids of the deliveries whose keys begin so."""
        keyed = (
            select(DELIVERY.c.id).where(DELIVERY.c.key.startswith(prefix, autoescape=True)).order_by(DELIVERY.c.id)
        )
        return list(await self._connection.scalars(keyed))

    async def show_instead(self, delivery_ids: Sequence[str], message: Message) -> None:
        """Give these notices another content; what was sent, or may have been, is brought up to date."""
        statement = update(DELIVERY).where(DELIVERY.c.id.in_(delivery_ids))
        await self._connection.execute(statement.values(content=message, outdated=OUTDATED))

    async def outdate(self, invitation_ids: Sequence[str]) -> int:
        """Mark every copy of the invitations' messages outdated; returns how many. What is just being sent, or may
        have been, counts as a copy: it shows what was true before.
        """
        return await self._connection.change(_OUTDATE, {"ids": list(invitation_ids)}) if invitation_ids else 0

    async def outdate_one(self, invitation_id: str) -> Sequence[DeliveryKind]:
        """`outdate` for an invitation that has changed. Its reminders that are ready are withdrawn; returns what they
        were.
        """
        rows = await self._connection.rows(_OUTDATE_ONE, {"of": invitation_id})
        return [row.kind for row in rows if row.state is DeliveryState.WITHDRAWN]

    async def outdate_rollout(self, rollout_id: str) -> int:
        """`outdate` for every open invitation of a rollout: something changed that all of them show."""
        still_open = exists().where(
            INVITATION.c.id == DELIVERY.c.invitation_id,
            IS_OPEN,
        )
        statement = update(DELIVERY).where(DELIVERY.c.rollout_id == rollout_id, _IS_COPY, still_open)
        return (await self._connection.execute(statement.values(outdated=DELIVERY.c.outdated + 1))).rowcount

    async def under_way(self, invitation_ids: Sequence[str]) -> frozenset[str]:
        """Of these invitations, those with a message that waits or is being sent."""
        found: set[str] = set()
        for some in chunks(dict.fromkeys(invitation_ids)):
            statement = select(DELIVERY.c.invitation_id).where(
                DELIVERY.c.invitation_id.in_(some),
                DELIVERY.c.kind != DeliveryKind.NOTICE,
                DELIVERY.c.state.in_([DeliveryState.READY, DeliveryState.SENDING]),
            )
            found.update(await self._connection.scalars(statement))
        return frozenset(found)

    async def hold(self, rollout_id: str, limit: int | None = None) -> int:
        """Put ready deliveries of the rollout off until `release`; returns how many."""
        return await self._move(rollout_id, DELIVERY.c.not_before < HELD, HELD, limit)

    async def release(self, rollout_id: str, now: datetime, limit: int | None = None) -> int:
        """Make what was held ready from now on; returns how many."""
        return await self._move(rollout_id, DELIVERY.c.not_before >= HELD, now, limit)

    async def _move(self, rollout_id: str, which: ColumnElement[bool], to: datetime, limit: int | None) -> int:
        """The ids are fetched first: of a table that has just been filled, PostgreSQL's planner would make a join
        that compares every row with every id.
        """
        moving = update(DELIVERY).where(DELIVERY.c.rollout_id == rollout_id, _READY, which).values(not_before=to)
        if limit is not None:
            own = select(DELIVERY.c.id).where(DELIVERY.c.rollout_id == rollout_id, _READY, which).limit(limit)
            moving = moving.where(DELIVERY.c.id.in_(list(await self._connection.scalars(own))))
        return (await self._connection.execute(moving)).rowcount

    async def hold_later(self, rollout_id: str) -> None:
        """Note that there is more to hold or to release, whichever the rollout's state then says."""
        statement = insert(self._connection, HOLD_TASK).on_conflict_do_nothing()
        await self._connection.execute(statement, {"rollout_id": rollout_id})

    async def hold_tasks(self) -> Sequence[str]:
        """The rollouts with more to hold or to release: their ids."""
        return list(await self._connection.scalars(select(HOLD_TASK.c.rollout_id).order_by(HOLD_TASK.c.rollout_id)))

    async def held_all(self, rollout_id: str) -> None:
        """Nothing is left to be held or released."""
        await self._connection.execute(delete(HOLD_TASK).where(HOLD_TASK.c.rollout_id == rollout_id))

    async def send_again(self, rollout_id: str, now: datetime, wave_id: str | None = None) -> int:
        """The last message to each open invitee (of one wave, or of all) becomes ready again, with a fresh attempt
        count, if it is dead, or unknown where the platform cannot be asked; returns how many. Waves that had finished
        are running again, so that their progress messages follow.
        """
        which = [DELIVERY.c.rollout_id == rollout_id, is_last_and_failed(), can_go_again()]
        which += [DELIVERY.c.wave_id == wave_id] if wave_id is not None else []
        statement = (
            update(DELIVERY)
            .where(DELIVERY.c.id.in_(select(DELIVERY.c.id).where(*which)))
            .values(
                state=DeliveryState.READY,
                not_before=_unless_held(now),
                attempt=0,
                claimed_at=None,
                reason="",
                outdated=0,
            )
            .returning(DELIVERY.c.wave_id)
        )
        again = list(await self._connection.scalars(statement))
        await self._connection.execute(
            update(WAVE)
            .where(WAVE.c.id.in_({wave for wave in again if wave is not None}), WAVE.c.finished_at.is_not(None))
            .values(finished_at=None, stage=WaveStage.SENDING, shown="", version=WAVE.c.version + 1)
        )
        return len(again)

    async def of_wave(self, wave_id: str) -> WaveCounts:
        """How many of the wave's deliveries are in each state, and why the last ones to people failed."""
        statement = (
            select(DELIVERY.c.state, func.count()).where(DELIVERY.c.wave_id == wave_id).group_by(DELIVERY.c.state)
        )
        states: dict[DeliveryState, int] = dict((await self._connection.execute(statement)).all())
        if not states.get(DeliveryState.DEAD) and not states.get(DeliveryState.UNKNOWN):
            return WaveCounts(states)
        reasons, failed = await failures(self._connection, DELIVERY.c.wave_id == wave_id)
        return WaveCounts(states, reasons, failed)

    async def _taken(self, statement: Prepared, values: Mapping[str, Any]) -> list[Delivery]:
        return [plain(Delivery, row) for row in await self._connection.rows(statement, values)]

    async def _settle(self, delivery: Delivery, before: tuple[DeliveryState, ...], **after: Any) -> bool:
        """False when `delivery` is no longer what the caller holds: another attempt runs, or it is settled.

        `claimed_at` is part of the fence because `send_again` counts attempts from the start.
        """
        if delivery.invitation_id is not None:
            await self._connection.execute(
                select(INVITATION.c.id)
                .where(INVITATION.c.id == delivery.invitation_id)
                .with_for_update(key_share=True)
            )
        statement = (
            update(DELIVERY)
            .where(
                DELIVERY.c.id == delivery.id,
                DELIVERY.c.attempt == delivery.attempt,
                DELIVERY.c.claimed_at.is_not_distinct_from(delivery.claimed_at),
                DELIVERY.c.state.in_(before),
            )
            .values(lease_until=None, **after)
        )
        return (await self._connection.execute(statement)).rowcount == 1


def _unless_held(moment: datetime) -> ColumnElement[datetime]:
    """`moment`, or HELD when the delivery's rollout was paused or finished while it was under way. A notice goes
    out all the same: it may be what tells of the pause.
    """
    resting = exists().where(ROLLOUT.c.id == DELIVERY.c.rollout_id, ROLLOUT.c.state != RolloutState.ACTIVE)
    kind = DELIVERY.c.not_before.type
    held = and_(DELIVERY.c.kind != DeliveryKind.NOTICE, resting)
    return case((held, bindparam("held", HELD, kind)), else_=bindparam("moment", moment, kind))
