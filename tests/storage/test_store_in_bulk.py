"""Ten thousand invitees are one click. The times are far above what is measured, and far below what a person notices."""

from __future__ import annotations

import time
from contextlib import nullcontext

from tests.storage.stored_things import LANE, MINUTE, NOW, begin, person, rollout, wave

INVITEES = 10_000


class Stopwatch:
    """How long a block took, in seconds, and how many statements it needed."""

    def __init__(self, store):
        self.hearing = store.watched(self.count)
        self.statements = 0

    def count(self, asked):
        self.statements += 1
        return nullcontext(asked)

    def __enter__(self):
        self.hearing.__enter__()
        self.began = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.took = time.perf_counter() - self.began
        self.hearing.__exit__(None, None, None)


async def test_ten_thousand_people_are_met_invited_and_counted_in_a_moment(store, record_property):
    await begin(store, [])
    people = [person(f"u{number}") for number in range(INVITEES)]

    with Stopwatch(store) as meeting:
        async with store.transaction() as tx:
            await tx.people.meet(people)
    with Stopwatch(store) as finding:
        async with store.transaction() as tx:
            known = await tx.people.by_ids(one.id for one in people)
    with Stopwatch(store) as inviting:
        async with store.transaction() as tx:
            new = await tx.invitations.invite(rollout(), wave(), known, NOW)
    with Stopwatch(store) as inviting_again:
        async with store.transaction() as tx:
            new_again = await tx.invitations.invite(rollout(), wave(), known, NOW)
    with Stopwatch(store) as counting:
        async with store.transaction() as tx:
            counts = await tx.invitations.counts("r1")
    with Stopwatch(store) as claiming:
        async with store.transaction() as tx:
            lanes = await tx.deliveries.lanes(NOW)
            claimed = await tx.deliveries.claim(LANE, NOW, NOW + MINUTE, 100)

    took = {
        "meet": meeting.took,
        "by_ids": finding.took,
        "invite": inviting.took,
        "invite again": inviting_again.took,
        "counts": counting.took,
        "lanes and claim": claiming.took,
    }
    for name, seconds in took.items():
        record_property(name, round(seconds, 3))
    assert (new, new_again) == (INVITEES, 0)
    assert (counts.invited, counts.open, sum(counts.deliveries.values())) == (INVITEES, INVITEES, INVITEES)
    assert lanes == [LANE]
    assert len(claimed) == 100
    assert inviting.statements <= 60
    # about a second on an idle machine: more is a busy one
    assert all(seconds < 20 for seconds in took.values()), took


async def test_everybody_is_made_due_and_reminded_in_bulk(store):
    await begin(store, [])
    people = [person(f"u{number}") for number in range(3_000)]
    async with store.transaction() as tx:
        await tx.people.meet(people)
        await tx.invitations.invite(rollout(), wave(), people, NOW)

    async with store.transaction() as tx:
        assert await tx.invitations.make_due("r1", None, NOW) == 3_000
        due = await tx.invitations.due(NOW, 10_000)
        ids = [each.invitation_id for each in due]
        assert len(await tx.invitations.views(ids)) == 3_000
        await tx.invitations.reminded(ids)
        assert (await tx.invitations.counts("r1")).reminders == 3_000
        await tx.invitations.set_due(dict.fromkeys(ids, NOW))
        assert await tx.invitations.make_due("r1", ids, NOW) == 3_000
        found = await tx.invitations.invited_identities("r1", (one.identity for one in people))
        assert len(found) == 3_000
