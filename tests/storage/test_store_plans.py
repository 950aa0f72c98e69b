"""What runs every second must not grow with the queue: it is answered by the small partial indexes."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
from sqlalchemy import select, update

from storage.tables import DELIVERY
from tests.storage.stored_things import LANE, MINUTE, NOW, begin, person, rollout, wave

QUESTIONS = {
    "claim": lambda tx: tx.deliveries.claim(LANE, NOW, NOW + MINUTE, 10),
    "lanes": lambda tx: tx.deliveries.lanes(NOW),
    "expired": lambda tx: tx.deliveries.expired(NOW, 10),
    "unknown": lambda tx: tx.deliveries.unknown(LANE, NOW, 10),
    "outdated": lambda tx: tx.deliveries.outdated(LANE, 10),
    "due": lambda tx: tx.invitations.due(NOW, 10),
    "backlog of deliveries": lambda tx: tx.backlog.ready(NOW, 10),
    "backlog of reminders": lambda tx: tx.backlog.reminders(NOW, 10),
    "look_ups": lambda tx: tx.look_ups.claim(NOW, NOW + MINUTE, {"slack:T2"}),
}
INDEXES = {
    "claim": {"ix_delivery_claimable"},
    "lanes": {"ix_delivery_claimable", "ix_delivery_unknown", "ix_delivery_outdated"},
    "expired": {"ix_delivery_leases"},
    "unknown": {"ix_delivery_unknown"},
    "outdated": {"ix_delivery_outdated"},
    "due": {"ix_invitation_due"},
    "backlog of deliveries": {"ix_delivery_claimable"},
    "backlog of reminders": {"ix_invitation_due"},
    "look_ups": {"ix_look_up_open"},
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_tick_reads_only_what_it_needs(store, question):
    await begin(store, [])
    people = [person(f"u{number}") for number in range(2_000)]
    async with store.transaction() as tx:
        await tx.people.meet(people)
        await tx.invitations.invite(rollout(), wave(), people, NOW + MINUTE)
        # as it is nearly always: most have arrived
        most = select(DELIVERY.c.id).order_by(DELIVERY.c.id).limit(1_900)
        await tx._connection.execute(
            update(DELIVERY).where(DELIVERY.c.id.in_(most)).values(state="sent", sent_at=NOW)
        )
    await tidied(store)
    asked = []

    with store.watched(lambda each: nullcontext(asked.append(each))):
        async with store.transaction() as tx:
            await QUESTIONS[question](tx)
            about = next(each for each in asked if re.search("delivery|invitation|look_up", each.text))
            plan = await explain(tx._connection._through, about.text, tuple(about.parameters))

    assert {name for name in INDEXES[question] if name not in plan} == set(), plan


async def tidied(store):
    """Without what the tests before have left behind, which PostgreSQL's plans go by."""
    if store._engine.dialect.name == "postgresql":
        async with store._engine.connect() as connection:
            for table in ("delivery", "invitation", "look_up"):
                await connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")


async def explain(connection, statement, parameters):
    if connection.dialect.name == "sqlite":
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row[3] for row in rows)
    # the tables here are small: what is asked is whether the index can answer, not whether it is worth while
    await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
    return "\n".join(row[0] for row in rows)
