"""Erasing a rollout's people: by command, and when the retention period is over. People become counts.

A rollout that is to be erased is out of sight at once; its rows go in batches, so that nothing else has to wait. The
audit log stays: it holds ids, no names and no addresses.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from bot.model import AuditEntry, Rollout, derived_id
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
