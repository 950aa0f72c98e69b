"""Erasing people: a rollout's, by command, and when the retention period is over; and one person's data alone.

A rollout's people become counts. One that is to be erased is out of sight at once; its rows go in batches, so that
nothing else has to wait. The audit log stays: it holds ids, no names and no addresses.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.conversations import answers, case_messages, wish
from bot.messages import Message, text
from bot.model import AuditEntry, Person, Rollout, derived_id
from bot.ports import Clock, Store, Transaction

BATCH = 500


async def erase_due(store: Store, clock: Clock, admins: Collection[str], keep_for: timedelta | None) -> int:
    """Erase what is to be erased, and what was finished longer ago than `keep_for` (None: nothing for that reason).
    Returns how many people are gone. What a crash interrupts goes on where it was.
    """
    if keep_for is not None:
        await _retire(store, clock, keep_for)
    gone = 0
    while True:
        async with store.transaction() as tx:
            rollout = await tx.erasing.to_erase()
            if rollout is None:
                return gone
            gone += await _erase_batch(tx, rollout, admins)


async def erase_person(tx: Transaction, company: str, people: Sequence[Person], by: str, now: datetime) -> None:
    """Erase one human being, whom several of the company's workspaces may know. What they set up is from then on that
    of `by`, a person id. Admins see the problems and wishes that they had without them.
    """
    ids = [each.id for each in people]
    groups, wishes = await tx.cases.groups_of(ids), await tx.invitations.wishes_of(ids)
    await tx.erasing.erase_person(company, people, by, now)
    for group_id in groups:
        group = await tx.cases.group(group_id, case_messages.SHOWN)
        shown = case_messages.group_message(group) if group is not None else answers.notice(text("case.erased"))
        await _show_instead(tx, case_messages.admin_key(group_id, ""), shown)
    for rollout_id, which in wishes:
        rollout = await tx.rollouts.rollout(rollout_id)
        many, others = await tx.invitations.wishing(rollout_id, which, wish.SHOWN)
        if rollout is not None:
            shown = wish.wish_message(rollout, which, many, tuple(others))
            await _show_instead(tx, wish.wish_key(rollout_id, which, ""), shown)


async def _show_instead(tx: Transaction, keys_begin: str, message: Message) -> None:
    await tx.deliveries.show_instead(await tx.deliveries.keyed(keys_begin), message)


async def _erase_batch(tx: Transaction, rollout: Rollout, admins: Collection[str]) -> int:
    if rollout.figures is None:
        await tx.erasing.keep(rollout.id, await tx.erasing.figures(rollout.id))
    gone = await tx.erasing.erase_some(rollout.id, admins, BATCH)
    if gone < BATCH:
        await tx.erasing.erase_rest(rollout)
    return gone


async def _retire(store: Store, clock: Clock, keep_for: timedelta) -> None:
    now = clock.now()
    async with store.transaction() as tx:
        for rollout in await tx.erasing.finished_before(now - keep_for, BATCH):
            await tx.save(rollout.model_copy(update={"erased_at": now, "version": rollout.version + 1}))
            await tx.audit.record(
                AuditEntry(
                    id=derived_id(rollout.id, "erased", now.isoformat()),
                    at=now,
                    company=rollout.company,
                    workspace_id="",
                    actor="scheduler",
                    action="erased.retention",
                    subject=rollout.id,
                )
            )
