"""Effects become rows, in the transaction that stores the state."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

import structlog

from bot.erasing import erase_person
from bot.events import Event
from bot.messages import Message
from bot.model import Delivery, DeliveryKind, LookUp, Person, derived_id
from bot.ports import Transaction
from bot.reminders import plan_next
from bot.transition import (
    AnswerCases,
    Appoint,
    AskDirectory,
    Effect,
    ErasePerson,
    ExemptWishing,
    HoldDeliveries,
    MakeDue,
    Meet,
    ReleaseDeliveries,
    SendAgain,
    SendMessage,
    Speak,
    SplitList,
    UpdateAllCopies,
    UpdateCopies,
    UpdateNotices,
    WriteToAll,
)

log = structlog.get_logger(__name__)

HELD_AT_ONCE = 500  # deliveries; the rest of a large rollout's is done in the background (bot/waves.py)


async def store_effect(tx: Transaction, effect: Effect, event: Event, now: datetime) -> None:  # noqa: C901, PLR0912  # one arm each
    """Write what the effect asks for. Carrying it out twice writes it once."""
    match effect:
        case SendMessage():
            await _queue(tx, effect, now)
        case UpdateNotices():
            await tx.deliveries.show_instead([derived_id(key) for key in effect.keys], effect.message)
        case AnswerCases():
            await _answer(tx, effect, now)
        case ExemptWishing():
            exempt = await tx.invitations.exempt(effect.rollout_id, effect.wish, effect.reason, now)
            await tx.deliveries.outdate(exempt)
        case AskDirectory():
            await tx.look_ups.ask(_look_up(effect, event, now))
        case SplitList():
            await tx.lists.split(effect.list_id, effect.rest_id, effect.size, now)
        case Meet():
            await tx.people.meet(effect.people)
        case Appoint():
            await tx.people.appoint(effect.person_id, is_admin=effect.is_admin)
        case ErasePerson():
            await erase_person(tx, effect.company, effect.people, event.actor.id, now)
        case Speak():
            await _speak(tx, effect)
        case UpdateCopies():
            await _bring_up_to_date(tx, effect.invitation_id, now)
        case UpdateAllCopies():
            await tx.deliveries.outdate_rollout(effect.rollout_id)
        case MakeDue():
            await tx.invitations.make_due(effect.rollout_id, effect.invitation_ids, now)
        case HoldDeliveries():
            if await tx.deliveries.hold(effect.rollout_id, HELD_AT_ONCE) == HELD_AT_ONCE:
                await tx.deliveries.hold_later(effect.rollout_id)
        case ReleaseDeliveries():
            if await tx.deliveries.release(effect.rollout_id, now, HELD_AT_ONCE) == HELD_AT_ONCE:
                await tx.deliveries.hold_later(effect.rollout_id)
        case SendAgain():
            await tx.deliveries.send_again(effect.rollout_id, now, effect.wave_id)
        case WriteToAll():
            await tx.finishing.write_to_all(effect.rollout_id, effect.kind, now, effect.at_most)
        case _:
            assert_never(effect)


async def _speak(tx: Transaction, effect: Speak) -> None:
    """What they have been sent for their newest invitation is said anew."""
    await tx.people.set_language(effect.person_id, effect.language)
    person = await tx.people.person(effect.person_id)
    view = await tx.invitations.newest_of_person(person) if person is not None else None
    if view is not None:
        await tx.deliveries.outdate([view.invitation.id])


async def _bring_up_to_date(tx: Transaction, invitation_id: str, now: datetime) -> None:
    """A reminder that is ready to go would say what is no longer so. It does not count, and the next one is planned
    anew.
    """
    for kind in await tx.deliveries.outdate_one(invitation_id):
        await tx.invitations.not_reminded(invitation_id, kind)
        await plan_next(tx, invitation_id, now)


async def _queue(tx: Transaction, effect: SendMessage, now: datetime) -> None:
    person = await tx.people.person(effect.to)
    if person is None:  # erased, though still named somewhere
        log.warning("message.to_nobody", person=effect.to)
        return
    delivery = notice(effect.key, person, effect.message, effect.rollout_id, now)
    of = {"kind": effect.kind, "invitation_id": effect.invitation_id}
    await tx.deliveries.enqueue([delivery.model_copy(update=of)])


async def _answer(tx: Transaction, effect: AnswerCases, now: datetime) -> None:
    answered = await tx.cases.answer(effect.group_id, effect.answer, effect.by, now)
    people = {person.id: person for person in await tx.people.by_ids(answered.values())}
    await tx.deliveries.enqueue(
        [
            notice(f"{case_id}:answer", people[person_id], effect.message, effect.rollout_id, now)
            for case_id, person_id in answered.items()
        ]
    )


def notice(key: str, to: Person, message: Message, rollout_id: str | None, now: datetime) -> Delivery:
    """A message to somebody, ready to go. The same key is the same message: it goes once."""
    return Delivery(
        id=derived_id(key),
        key=key,
        kind=DeliveryKind.NOTICE,
        lane=to.workspace_id,
        person_id=to.id,
        rollout_id=rollout_id,
        content=message,
        not_before=now,
        created_at=now,
    )


def _look_up(effect: AskDirectory, event: Event, now: datetime) -> LookUp:
    return LookUp(
        id=derived_id(event.id, "look-up"),
        workspace_id=event.workspace_id,
        dialog_id=effect.dialog_id,
        person_id=event.actor.id,
        targets=[target.as_data() for target in effect.targets],
        not_before=now,
    )
