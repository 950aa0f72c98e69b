"""The tick that sends digests. What a crash or a paused rollout kept back comes once, not once for each day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from bot import faultpoints
from bot.conversations import answers
from bot.conversations.digest_messages import (
    DAYS_OF_PACE,
    SHOWN,
    Lately,
    escalation_digest,
    figures,
    report_digest,
)
from bot.digests import Digest, DigestKind, Frequency, next_at
from bot.effects import notice
from bot.escalating import Escalating
from bot.messages import Message, Tone, text
from bot.model import Platform, Rollout
from bot.ports import Clock, Directory, DirectoryUnavailable, StaleWrite, Store, Transaction

NOBODY_TELLS: Mapping[Platform, Directory] = MappingProxyType({})


async def send_digests(store: Store, clock: Clock, directories: Mapping[Platform, Directory] = NOBODY_TELLS) -> int:
    """Queue every digest that is due, each in a transaction of its own; returns how many messages. Safe to run late,
    twice, or in two processes: the row says when the next one is due. `directories` know managers; one that waits for
    a directory, or that another process is sending, stays due.
    """
    await stop_refused(store, clock)
    escalating = Escalating(store, directories)
    sent, waiting = 0, set[str]()
    while True:
        now = clock.now()
        async with store.transaction() as tx:
            digest = await tx.digests.due(now, waiting)
            rollout = await tx.rollouts.rollout(digest.rollout_id) if digest is not None else None
            if digest is None or rollout is None:
                return sent
            if not digest.to_managers:
                sent += await _send(tx, digest, rollout, now)
                faultpoints.reach("digests.before_commit")
                continue
        try:
            async with store.lane(f"digest:{digest.id}") as is_ours:
                if is_ours:
                    sent += await _send_to_managers(store, escalating, digest, rollout, clock.now())
                else:
                    waiting.add(digest.id)
        except (DirectoryUnavailable, StaleWrite):
            waiting.add(digest.id)


async def _send_to_managers(
    store: Store, escalating: Escalating, digest: Digest, rollout: Rollout, now: datetime
) -> int:
    told, digest = await escalating.tell_managers(digest, rollout, now)
    async with store.transaction() as tx:
        told += await _send(tx, digest, rollout, now)
        faultpoints.reach("digests.before_commit")
    return told


async def stop_refused(store: Store, clock: Clock) -> int:
    """End every digest whose last message was refused, and tell who asked for it why; returns how many were ended."""
    stopped = 0
    while True:
        async with store.transaction() as tx:
            refused = await tx.digests.refused()
            if refused is None:
                return stopped
            digest, reason = refused
            await _tell(tx, digest, reason, clock.now())
            ended = {"every": Frequency.NEVER, "next_at": None, "version": digest.version + 1}
            await tx.save(digest.model_copy(update=ended))
        stopped += 1


async def _tell(tx: Transaction, digest: Digest, reason: str, now: datetime) -> None:
    admin, place = await tx.people.person(digest.changed_by), await tx.people.person(digest.person_id)
    if admin is None or place is None or admin.id == place.id:
        return
    sentence = text("digest.refused", place=place.known_as, reason=text(f"reason.{reason}"))
    told = notice(
        f"{digest.id}:refused:{digest.version}", admin, answers.notice(sentence, Tone.WARNING), digest.rollout_id, now
    )
    await tx.deliveries.enqueue([told])


async def _send(tx: Transaction, digest: Digest, rollout: Rollout, now: datetime) -> bool:
    """False when there is nothing to tell, or nobody."""
    told, message = await _written(tx, digest, rollout, now)
    person = await tx.people.person(digest.person_id)
    is_sent = False
    if message is not None and person is not None:
        key = f"{digest.id}:{digest.round}"
        await tx.deliveries.enqueue([notice(key, person, message, rollout.id, now)])
        is_sent = True
    sent_at = now if is_sent or digest.to_managers else None
    following = next_at(digest.every, rollout.policy, digest.time_zone, now, sent_at)
    changes = {"next_at": following, "told": told, "sent_at": now, "version": digest.version + 1}
    await tx.save(digest.model_copy(update=changes))
    return is_sent


async def _written(
    tx: Transaction, digest: Digest, rollout: Rollout, now: datetime
) -> tuple[dict[str, int], Message | None]:
    """The figures that it tells, and the message; none when nobody was invited, or nobody new is to be talked to."""
    if digest.kind is DigestKind.REPORT:
        counts = await tx.invitations.counts(rollout.id)
        done = await tx.invitations.done_since(rollout.id, now - timedelta(days=DAYS_OF_PACE))
        lately = Lately(done, digest.time_zone, now, await tx.invitations.over_time(rollout.id))
        return figures(counts), report_digest(rollout, counts, digest.told, lately) if counts.invited else None
    new = await _new(tx, digest, rollout, now)
    if not new:
        return digest.told, None
    total, people = await tx.escalations.marked(rollout.id, SHOWN)
    return {"people": total}, escalation_digest(rollout, people, total, new)


async def _new(tx: Transaction, digest: Digest, rollout: Rollout, now: datetime) -> int:
    """How many are new to whom the admin named."""
    if digest.to_managers:
        return await tx.escalations.marked_since(rollout.id, digest.sent_at)
    before = await tx.escalations.take_from_managers(rollout.id, now)  # the admin has changed their mind
    return before + await tx.escalations.mark_all(rollout.id, digest.after, now)
