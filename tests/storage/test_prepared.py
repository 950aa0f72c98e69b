"""A prepared statement, which the driver runs, finds and changes what it would through SQLAlchemy."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

import pytest
from sqlalchemy import String, bindparam, delete, or_, select, text, update

from bot.columns import SEALED
from bot.model import DeliveryKind, DeliveryState
from bot.ports import StaleWrite, StoreUnavailable
from storage.database import Database
from storage.prepared import Prepared
from storage.rows import among, insert_new
from storage.tables import DELIVERY, INBOX, INVITATION, METADATA, PERSON
from storage.vault import Vault
from tests.storage.stored_things import NOW, begin, case_of, check, invite, notice, person


async def filled(store) -> None:
    invitations = await invite(store)
    async with store.transaction() as tx:
        await tx.save(check(invitations[0]))
        await tx.save(case_of(invitations[1]))
        await tx.deliveries.enqueue([notice("k1")])
        await tx.inbox.remember("e1", NOW)
        await tx.people.set_channels({"slack:T1:ada": "D1"})


@pytest.mark.parametrize(
    "table", ["workspace", "person", "rollout", "wave", "invitation", "confirmed_check", "problem_case", "delivery"]
)
async def test_every_column_comes_back_as_sqlalchemy_reads_it(store, table):
    await store.unseal_with(Vault(["k" * 40]))
    await filled(store)
    rows = select(METADATA.tables[table]).order_by(*METADATA.tables[table].primary_key)

    async with store.transaction() as tx:
        found = await tx._connection.rows(Prepared(rows), {})
        expected = (await tx._connection.execute(rows)).all()

    assert found
    assert [tuple(row) for row in found] == [tuple(row) for row in expected]
    assert found[0]._fields == tuple(expected[0]._fields)


async def test_what_is_sealed_is_sealed_by_the_driver_too(store):
    await store.unseal_with(Vault(["k" * 40]))
    await filled(store)
    move = Prepared(
        update(PERSON)
        .where(PERSON.c.id == bindparam("of"))
        .values(channel_id=bindparam("there", type_=PERSON.c.channel_id.type))
    )

    async with store.transaction() as tx:
        assert await tx._connection.change(move, {"of": "slack:T1:ben", "there": "D2"}) == 1
        raw = await tx._connection.scalar(text("SELECT channel_id FROM person WHERE id = 'slack:T1:ben'"))
        assert (await tx.people.person("slack:T1:ben")).channel_id == "D2"
    assert raw.startswith(SEALED)


async def test_constants_lists_and_what_differs_find_their_places(store):
    """Each database numbers them in its own way, and one may stand in several places."""
    await filled(store)
    name = bindparam("name", type_=String)
    statement = Prepared(
        select(PERSON.c.id)
        .where(
            or_(PERSON.c.name == name, PERSON.c.user_id == name),
            PERSON.c.time_zone.in_(["UTC", "Europe/Berlin"]),
            PERSON.c.workspace_id == "slack:T1",
            ~PERSON.c.is_bot,
        )
        .limit(bindparam("at_most"))
    )

    async with store.transaction() as tx:
        for wanted, found in (("Ada", ["slack:T1:ada"]), ("ben", ["slack:T1:ben"]), ("dora", [])):
            rows = await tx._connection.rows(statement, {"name": wanted, "at_most": 5})
            assert [row.id for row in rows] == found


@pytest.mark.parametrize("many", [0, 1, 2, 1500])
async def test_one_statement_takes_lists_of_any_length(store, many):
    invitations = await invite(store)
    wanted = [each.id for each in invitations][:many] + [f"nobody {number}" for number in range(many - 3)]
    statement = Prepared(lambda dialect: select(INVITATION.c.id).where(among(dialect, INVITATION.c.id, "ids")))

    async with store.transaction() as tx:
        found = await tx._connection.rows(statement, {"ids": wanted})

    assert {row.id for row in found} == {each.id for each in invitations[:many]}


async def test_what_is_changed_is_counted_and_returned(store):
    await filled(store)
    invited = DELIVERY.c.kind == DeliveryKind.INVITATION
    settle = update(DELIVERY).where(invited).values(state=DeliveryState.WITHDRAWN, reason=bindparam("why"))
    drop = Prepared(delete(DELIVERY).where(invited, DELIVERY.c.person_id == bindparam("whose")))

    async with store.transaction() as tx:
        rows = await tx._connection.rows(Prepared(settle.returning(DELIVERY.c.state)), {"why": "test"})
        assert [row.state for row in rows] == [DeliveryState.WITHDRAWN] * 3
        assert await tx._connection.change(drop, {"whose": "slack:T1:ada"}) == 1
        assert await tx._connection.change(drop, {"whose": "slack:T1:ada"}) == 0
        assert await tx._connection.change(insert_new(INBOX), {"event_id": "e1", "received_at": NOW}) == 0


@pytest.mark.parametrize("many", [1, 16, 17, 40])
async def test_one_statement_is_run_for_each_of_few_and_of_many(store, many):
    people = [person(f"u{number:02}") for number in range(40)]
    await begin(store, people=[each.user_id for each in people])
    move = Prepared(update(PERSON).where(PERSON.c.id == bindparam("of")).values(name=bindparam("name", type_=String)))

    async with store.transaction() as tx:
        await tx._connection.change_each(
            move, [{"of": each.id, "name": f"new {each.user_id}"} for each in people[:many]]
        )
        stored = await tx.people.by_ids([each.id for each in people])

    assert [each.name for each in stored[:many]] == [f"new {each.user_id}" for each in people[:many]]
    assert [each.name for each in stored[many:]] == [each.name for each in people[many:]]


async def test_who_forgets_a_value_is_told_which(store):
    async with store.transaction() as tx:
        with pytest.raises(KeyError, match="received_at"):
            await tx._connection.change(insert_new(INBOX), {"event_id": "e1"})


async def test_what_the_driver_says_is_told_as_what_it_means(store):
    twice = Prepared(INBOX.insert())
    with pytest.raises(StaleWrite):  # noqa: PT012  # the whole transaction is the point
        async with store.transaction() as tx:
            for _ in range(2):
                await tx._connection.change(twice, {"event_id": "e1", "received_at": NOW})

    async with store.transaction() as tx:
        assert await tx.inbox.remember("e1", NOW)  # nothing of it was stored


async def test_a_mistake_is_no_outage(store):
    class Unfinished(Exception):
        pass

    with pytest.raises(Unfinished):  # noqa: PT012
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            raise Unfinished
    with pytest.raises(Exception, match="no_such_column") as caught:
        async with store.transaction() as tx:
            await tx._connection.rows(Prepared(select(INBOX).where(text("no_such_column = 1"))), {})
    assert not isinstance(caught.value, StoreUnavailable | StaleWrite)
    async with store.transaction() as tx:
        assert await tx.inbox.remember("e1", NOW)


async def test_a_connection_that_does_not_roll_back_is_given_up(store):
    async with store._engine.connect() as connection:
        first = (await connection.get_raw_connection()).driver_connection

    with pytest.raises(RuntimeError, match="in the block"):  # noqa: PT012
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            await tx._connection._driver.rollback()
            await tx._connection._driver.close()
            raise RuntimeError("in the block")

    async with store.transaction() as tx:
        assert tx._connection._driver is not first
        assert await tx.inbox.remember("e1", NOW)


async def test_whoever_watches_sees_each_statement_from_begin_to_commit(store):
    seen = []

    @contextmanager
    def watch(asked):
        try:
            yield
        except Exception as error:
            seen.append((asked.text.split()[0], type(error).__name__))
            raise
        seen.append((asked.system, asked.text.split()[0]))

    with store.watched(watch):
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            await tx.inbox.forget(NOW)
        with pytest.raises(StaleWrite):
            async with store.transaction() as tx:
                await tx._connection.change(Prepared(INBOX.insert()), {"event_id": "e1", "received_at": NOW})
        with pytest.raises(Exception, match="nowhere"):
            async with store.transaction() as tx:
                await tx._connection.execute(text("SELECT 1 FROM nowhere"))
    async with store.transaction() as tx:
        await tx.inbox.forget(NOW)

    system = store._engine.dialect.name
    assert seen[:4] == [(system, word) for word in ("BEGIN", "INSERT", "DELETE", "COMMIT")]
    assert [word for word, _ in seen[4:]] == [system, "INSERT", system, "SELECT"]
    assert "Error" in seen[5][1]
    assert "Error" in seen[7][1]


async def test_a_task_that_is_cancelled_in_a_statement_stores_nothing_and_others_go_on(postgresql_store):
    store = postgresql_store
    begun = asyncio.Event()

    async def waits() -> None:
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            begun.set()
            await tx._connection.rows(Prepared(select(text("pg_sleep(30)"))), {})

    task = asyncio.create_task(waits())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()
    async with asyncio.timeout(5), store.transaction() as tx:
        assert await tx.inbox.remember("e1", NOW)


@pytest.fixture
async def postgresql_store(postgresql_url):
    store = Database(postgresql_url)
    yield store
    await store.close()
