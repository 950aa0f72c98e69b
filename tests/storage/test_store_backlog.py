"""What waits is told to whoever watches, at a price that does not grow with what waits."""

from __future__ import annotations

import time

import pytest

from bot.model import Delivery, DeliveryKind, Platform
from bot.ports import Waiting
from storage.backlog import PRIORITIES
from storage.database import Database
from tests.storage.stored_things import HOUR, LANE, MINUTE, NOW, begin, person, rollout, wave, workspace


def waiting(number: int, **other) -> Delivery:
    known = {"kind": DeliveryKind.REMINDER, "lane": LANE, "person_id": "p", "priority": 1, "not_before": NOW}
    return Delivery(id=f"d{number}", key=f"k{number}", created_at=NOW, **(known | other))


async def queue(store: Database, *deliveries: Delivery) -> None:
    async with store.transaction() as tx:
        await tx.deliveries.enqueue(deliveries)


async def ready(store: Database, at_most: int = 100):
    async with store.transaction() as tx:
        return await tx.backlog.ready(NOW, at_most)


async def test_what_is_ready_is_counted_by_platform_with_the_time_of_the_oldest(store: Database) -> None:
    await begin(store, [])
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace("T9", platform=Platform.TEAMS))
        await tx.people.save_workspace(workspace("T3", active=False))
    every_priority = [waiting(number, priority=number, not_before=NOW - number * MINUTE) for number in PRIORITIES]
    await queue(
        store,
        *every_priority,
        waiting(10, not_before=NOW + HOUR),
        waiting(11, lane="teams:T9", not_before=NOW - HOUR),
        waiting(12, lane="slack:T3", not_before=NOW - HOUR),
    )

    assert await ready(store) == {
        Platform.SLACK: Waiting(len(PRIORITIES), NOW - PRIORITIES[-1] * MINUTE),
        Platform.TEAMS: Waiting(1, NOW - HOUR),
    }


async def test_a_platform_where_nothing_waits_has_a_backlog_of_none(store: Database) -> None:
    await begin(store, [])

    assert await ready(store) == {Platform.SLACK: Waiting(0, None)}


async def test_what_is_sent_is_no_backlog(store: Database) -> None:
    await begin(store, [])
    await queue(store, waiting(1))
    async with store.transaction() as tx:
        (claimed,) = await tx.deliveries.claim(LANE, NOW, NOW + MINUTE, 1)
        await tx.deliveries.sent(claimed, NOW, "C", "M")

    assert await ready(store) == {Platform.SLACK: Waiting(0, None)}


async def test_due_reminders_are_counted_but_not_those_of_a_paused_rollout(store: Database) -> None:
    await begin(store, [])
    people = [person("ann"), person("bob")]
    async with store.transaction() as tx:
        await tx.people.meet(people)
        await tx.invitations.invite(rollout(), wave(), people, NOW)
        await tx.invitations.make_due("r1", None, NOW - HOUR)

    async with store.transaction() as tx:
        assert await tx.backlog.reminders(NOW, 100) == Waiting(2, NOW - HOUR)
        assert await tx.backlog.reminders(NOW, 1) == Waiting(1, NOW - HOUR)
        assert await tx.backlog.reminders(NOW - 2 * HOUR, 100) == Waiting(0, None)
        await tx.save(rollout(state="paused", version=2))
        assert await tx.backlog.reminders(NOW, 100) == Waiting(0, None)


@pytest.mark.parametrize("not_before", [NOW, NOW + HOUR], ids=["ready", "put off"])
async def test_a_long_queue_costs_no_more_than_the_limit(store: Database, not_before) -> None:
    await begin(store, [])
    for start in range(0, 20_000, 5_000):
        await queue(store, *(waiting(start + number, not_before=not_before) for number in range(5_000)))

    began = time.perf_counter()
    found = await ready(store, at_most=1_000)

    assert found[Platform.SLACK].count == (1_000 if not_before == NOW else 0)
    assert time.perf_counter() - began < 1
