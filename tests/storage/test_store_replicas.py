"""Several processes on one PostgreSQL: nothing is sent twice, and each lane is one process's at a time."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from bot.ports import StaleWrite, StoreUnavailable
from storage.database import Database
from tests.storage.stored_things import LANE, MINUTE, NOW, begin, check, invite, notice, person, rollout, wave


@pytest.fixture
async def replicas(postgresql_url):
    databases = [Database(postgresql_url) for _ in range(4)]
    yield databases
    for database in databases:
        await database.close()


async def somebody_waits(replica):
    """Until the server says that one transaction waits for another."""
    async with replica.transaction() as tx:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while await tx._connection.scalar(waiting) == 0:
            pass


async def test_claimers_at_once_never_claim_the_same_message(replicas):
    async with replicas[0].transaction() as tx:
        await tx.deliveries.enqueue([notice(f"k{number}") for number in range(500)])
    claimed: list[str] = []

    async def work(replica):
        while True:
            async with replica.transaction() as tx:
                some = await tx.deliveries.claim(LANE, NOW, NOW + MINUTE, 7)
                await asyncio.sleep(0)
            if not some:
                return
            claimed.extend(delivery.key for delivery in some)

    await asyncio.gather(*(work(replica) for replica in replicas for _ in range(2)))

    assert sorted(claimed) == sorted(f"k{number}" for number in range(500))


async def test_a_claimer_does_not_wait_for_another(replicas):
    one, two, *_ = replicas
    async with one.transaction() as tx:
        await tx.deliveries.enqueue([notice("k1"), notice("k2")])

    async with one.transaction() as first, two.transaction() as second:
        held = await first.deliveries.claim(LANE, NOW, NOW + MINUTE, 1)
        others = await second.deliveries.claim(LANE, NOW, NOW + MINUTE, 9)

    assert sorted(delivery.key for delivery in [*held, *others]) == ["k1", "k2"]


async def test_an_event_that_two_replicas_get_at_once_counts_once(replicas):
    async def handle(replica):
        async with replica.transaction() as tx:
            return await tx.inbox.remember("e1", NOW)

    assert sum(await asyncio.gather(*(handle(replica) for replica in replicas))) == 1


async def test_of_two_who_save_the_same_version_one_is_stale(replicas):
    async with replicas[0].transaction() as tx:
        await tx.save(rollout())

    async def save(replica, name):
        async with replica.transaction() as tx:
            await tx.save(rollout(name=name, version=2))

    results = await asyncio.gather(
        *(save(replica, f"name {number}") for number, replica in enumerate(replicas)), return_exceptions=True
    )

    assert [type(result) for result in results if result] == [StaleWrite] * 3


async def test_of_two_who_create_the_same_row_one_is_stale(replicas):
    async def save(replica):
        async with replica.transaction() as tx:
            await tx.save(rollout())

    results = await asyncio.gather(*(save(replica) for replica in replicas), return_exceptions=True)

    assert [type(result) for result in results if result] == [StaleWrite] * 3


async def test_transactions_in_each_others_way_end_with_one_stale(replicas):
    one, two, *_ = replicas
    await invite(one, ["ada", "ben"])
    barrier = asyncio.Barrier(2)

    async def mark(replica, first, second):
        async with replica.transaction() as tx:
            await tx.people.set_channels({first: "D1"})
            await barrier.wait()
            await tx.people.set_channels({second: "D1"})

    results = await asyncio.gather(
        mark(one, "slack:T1:ada", "slack:T1:ben"), mark(two, "slack:T1:ben", "slack:T1:ada"), return_exceptions=True
    )

    assert [type(result) for result in results if result] == [StaleWrite]


async def test_what_a_settled_delivery_stores_is_not_overwritten_by_a_click(replicas):
    one, two, *_ = replicas
    (ada,) = await invite(one, ["ada"])
    async with one.transaction() as tx:
        (delivery,) = await tx.deliveries.claim(LANE, NOW, NOW + MINUTE, 9)

    async def settle():
        async with two.transaction() as tx:
            assert await tx.deliveries.sent(delivery, NOW, "D1", "1")
            await tx.invitations.set_after_delivery(
                ada.id, at=NOW, reached_at=NOW, due_at=NOW + MINUTE, unreachable=""
            )

    async with one.transaction() as tx:
        view = await tx.invitations.of_person(ada.person_id, "r1")
        settling = asyncio.create_task(settle())
        await somebody_waits(replicas[2])
        await tx.save(check(ada))
        await tx.save(view.invitation.model_copy(update={"version": 1}))
        await tx.deliveries.outdate([ada.id])
    await settling

    async with one.transaction() as tx:
        after = (await tx.invitations.view(ada.id)).invitation
        assert (after.reached_at, after.due_at, after.version) == (NOW, NOW + MINUTE, 1)
        assert len(await tx.deliveries.outdated(LANE, 9)) == 1


async def test_two_replicas_remind_different_people(replicas):
    one, two, *_ = replicas
    await invite(one, ["ada", "ben", "cleo"])
    async with one.transaction() as tx:
        await tx.invitations.make_due("r1", None, NOW)

    async with one.transaction() as first, two.transaction() as second:
        some = await first.invitations.due(NOW, 2)
        rest = await second.invitations.due(NOW, 9)

    assert (len(some), len(rest)) == (2, 1)
    assert {each.person_id for each in [*some, *rest]} == {"slack:T1:ada", "slack:T1:ben", "slack:T1:cleo"}


async def test_two_admins_who_invite_the_same_people_at_once_invite_them_once(replicas):
    await begin(replicas[0], [])
    people = [person(f"u{number}") for number in range(200)]
    async with replicas[0].transaction() as tx:
        await tx.people.meet(people)

    async def invite_all(replica, order):
        async with replica.transaction() as tx:
            return await tx.invitations.invite(rollout(), wave(), order, NOW)

    new = await asyncio.gather(
        invite_all(replicas[0], people), invite_all(replicas[1], people[::-1]), invite_all(replicas[2], people[50:])
    )

    assert sum(new) == 200
    async with replicas[0].transaction() as tx:
        assert (await tx.invitations.counts("r1")).deliveries == {"ready": 200}


async def test_a_lane_is_one_process_at_a_time(replicas):
    one, two, *_ = replicas
    async with one.lane("slack:T1") as mine:
        async with two.lane("slack:T1") as theirs, two.lane("slack:T2") as another:
            assert (mine, theirs, another) == (True, False, True)
        async with one.lane("slack:T1") as again:
            assert again
        async with two.lane("slack:T1") as theirs:
            assert not theirs

    async with two.lane("slack:T1") as theirs:
        assert theirs


async def test_a_process_that_closes_or_dies_loses_its_lanes(replicas):
    one, two, *_ = replicas
    async with one.lane("slack:T1") as held:
        assert held
        async with two.transaction() as tx:
            await tx._connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND database ="
                    " (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )
        async with two.lane("slack:T1") as taken_over:
            assert taken_over

    async with one.lane("slack:T1") as held_again:
        assert held_again
        await one.close()
        async with two.lane("slack:T1") as taken_over:
            assert taken_over


async def test_a_lane_is_given_back_when_its_work_fails(replicas):
    one, two, *_ = replicas
    with pytest.raises(LookupError):  # the whole block is the point
        async with one.lane("slack:T1"):
            raise LookupError

    async with two.lane("slack:T1") as free:
        assert free


async def test_many_lanes_can_be_asked_for_at_once(replicas):
    one, *_ = replicas
    everybody = asyncio.Barrier(30)

    async def hold(number):
        async with one.lane(f"slack:T{number}") as held:
            await everybody.wait()
            return held

    assert all(await asyncio.gather(*(hold(number) for number in range(30))))


async def test_connections_that_the_server_closed_are_replaced(replicas):
    one, two, *_ = replicas
    await one.ping()
    async with two.transaction() as tx:
        await tx._connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    await one.ping()


async def test_a_connection_lost_in_a_transaction_is_an_outage_and_stores_nothing(replicas):
    one, two, *_ = replicas
    with pytest.raises(StoreUnavailable):  # noqa: PT012  # the whole transaction is the point
        async with one.transaction() as tx:
            await tx.save(rollout())
            async with two.transaction() as other:
                await other._connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            await tx.inbox.remember("e1", NOW)

    async with two.transaction() as tx:
        assert await tx.rollouts.rollout("r1") is None


async def test_a_database_that_does_not_exist_is_unavailable(postgresql_url):
    database = Database(postgresql_url.replace("usher_", "nowhere_", 1))
    with pytest.raises(StoreUnavailable):
        await database.ping()
    with pytest.raises(StoreUnavailable):
        async with database.lane("slack:T1"):
            pass
    await database.close()


async def test_lanes_on_sqlite_are_always_free(tmp_path):
    one, two = (Database(f"sqlite:///{tmp_path / 'usher.db'}") for _ in range(2))
    async with one.lane("slack:T1") as mine, two.lane("slack:T1") as theirs:
        assert (mine, theirs) == (True, True)
