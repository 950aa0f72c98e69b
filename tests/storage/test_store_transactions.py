"""One event, one transaction: all of it is stored or nothing, and nobody overwrites what they have not seen."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import IntegrityError

from bot.model import CheckKind, Dialog, Person
from bot.ports import CaseCounts, StaleWrite, StoreUnavailable
from storage.database import Database, address
from tests.storage.stored_things import (
    NOW,
    begin,
    case_of,
    change,
    check,
    claim_one,
    invite,
    notice,
    rollout,
    wave,
    workspace,
)


async def test_what_a_transaction_did_is_there_afterwards(store):
    async with store.transaction() as tx:
        assert await tx.inbox.remember("e1", NOW)

    async with store.transaction() as tx:
        assert not await tx.inbox.remember("e1", NOW)


async def test_a_transaction_that_fails_leaves_nothing_behind(store):
    with pytest.raises(LookupError):  # noqa: PT012  # the whole transaction is the point
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            await tx.save(rollout())
            raise LookupError

    async with store.transaction() as tx:
        assert await tx.inbox.remember("e1", NOW)
        assert await tx.rollouts.rollout("r1") is None


async def test_a_cancelled_transaction_leaves_nothing_behind_and_nothing_locked(store):
    begun = asyncio.Event()

    async def hang():
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with store.transaction() as tx:
        assert await tx.inbox.remember("e1", NOW)


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_a_transaction_may_be_cancelled_at_any_moment(store, turns):
    async def work():
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            await tx.inbox.remember("e2", NOW)

    task = asyncio.create_task(work())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    async with store.transaction() as tx:
        first = await tx.inbox.remember("e1", NOW)
        assert await tx.inbox.remember("e2", NOW) == first
        assert task.cancelled() or not first, "who was not cancelled has stored both"


async def test_many_transactions_at_once_all_happen(store):
    async def remember(number):
        async with store.transaction() as tx:
            return await tx.inbox.remember(f"e{number % 10}", NOW)

    first = await asyncio.gather(*(remember(number) for number in range(50)))

    assert sum(first) == 10


async def test_old_events_are_forgotten(store):
    async with store.transaction() as tx:
        await tx.inbox.remember("old", NOW - timedelta(days=8))
        await tx.inbox.remember("young", NOW)
        assert await tx.inbox.forget(NOW - timedelta(days=7)) == 1

    async with store.transaction() as tx:
        assert await tx.inbox.remember("old", NOW)
        assert not await tx.inbox.remember("young", NOW)


async def test_a_rollout_comes_back_as_it_was_stored(store):
    async with store.transaction() as tx:
        await tx.save(rollout())

    async with store.transaction() as tx:
        assert await tx.rollouts.rollout("r1") == rollout()


async def test_a_moment_in_any_zone_comes_back_as_the_same_moment_in_utc(store):
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    async with store.transaction() as tx:
        await tx.save(rollout(created_at=tokyo))

    async with store.transaction() as tx:
        stored = await tx.rollouts.rollout("r1")
    assert stored.created_at == NOW
    assert stored.created_at.utcoffset() == timedelta(0)


async def test_a_moment_without_a_zone_is_refused(store):
    with pytest.raises(Exception, match="naive datetime"):
        async with store.transaction() as tx:
            await tx.save(rollout(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_a_row_is_saved_on_top_of_the_version_before_it(store):
    async with store.transaction() as tx:
        await tx.save(rollout())
        await tx.save(rollout(name="Acme Inc.", version=2))
        assert (await tx.rollouts.rollout("r1")).name == "Acme Inc."


@pytest.mark.parametrize("version", [1, 3])
async def test_a_row_is_not_saved_on_top_of_another_version(store, version):
    async with store.transaction() as tx:
        await tx.save(rollout())

    with pytest.raises(StaleWrite):  # noqa: PT012  # the whole transaction is the point
        async with store.transaction() as tx:
            await tx.inbox.remember("e1", NOW)
            await tx.save(rollout(name="Other", version=version))

    async with store.transaction() as tx:
        assert (await tx.rollouts.rollout("r1")).name == "Acme"
        assert await tx.inbox.remember("e1", NOW)


async def test_a_new_row_starts_at_version_one(store):
    with pytest.raises(StaleWrite):
        async with store.transaction() as tx:
            await tx.save(rollout(version=2))


async def test_an_invitation_that_was_made_in_bulk_is_saved_as_version_one(store):
    (ada,) = await invite(store, ["ada"])

    await change(store, ada, done_at=NOW)

    async with store.transaction() as tx:
        view = await tx.invitations.view(ada.id)
    assert (view.invitation.version, view.invitation.done_at) == (1, NOW)


async def test_a_check_is_confirmed_once_and_can_be_told_anew(store):
    (ada,) = await invite(store, ["ada"])
    async with store.transaction() as tx:
        await tx.save(check(ada))
        await tx.save(check(ada, confirmed_by="slack:T1:ada"))
        view = await tx.invitations.view(ada.id)

    assert [(one.kind, one.confirmed_by) for one in view.checks] == [(CheckKind.ACCESS, "slack:T1:ada")]


async def test_a_dialog_remembers_what_was_typed(store):
    typed = Dialog(
        id="d1",
        conversation="setup",
        workspace_id="slack:T1",
        person_id="slack:T1:ada",
        data={"names": ["a", "b"], "step": 2, "more": {"yes": True, "no": None}},
        version=1,
        updated_at=NOW,
    )
    async with store.transaction() as tx:
        await tx.save(typed)

    async with store.transaction() as tx:
        assert await tx.rollouts.dialog("d1") == typed
        assert await tx.rollouts.dialog("d2") is None


async def test_rows_may_be_written_in_any_order(store):
    (ada,) = await begin(store, ["ada"])
    second = rollout("r2")

    async with store.transaction() as tx:
        await tx.invitations.invite(second, wave("w2", "r2"), [ada], NOW)
        await tx.save(wave("w2", "r2"))
        await tx.save(second)

    async with store.transaction() as tx:
        assert (await tx.invitations.of_person(ada.id, "r2")).rollout == second


async def test_a_row_that_refers_to_nothing_is_refused(store):
    """What it refers to may have been erased since it was read."""
    with pytest.raises(StaleWrite):
        async with store.transaction() as tx:
            await tx.save(wave(rollout_id="nowhere"))


async def test_a_row_that_breaks_a_rule_is_refused(store):
    with pytest.raises(IntegrityError, match="notice_has_content"):
        async with store.transaction() as tx:
            await tx.deliveries.enqueue([notice("k1", content=None)])


async def test_changing_what_was_read_changes_nothing_stored(store):
    (ada,) = await invite(store, ["ada"])
    async with store.transaction() as tx:
        view = await tx.invitations.view(ada.id)
        view.person.name = "Somebody else"
        view.invitation.reminders = 9
        view.rollout.name = "Other"

    async with store.transaction() as tx:
        again = await tx.invitations.view(ada.id)
    assert (again.person.name, again.invitation.reminders, again.rollout.name) == ("Ada", 0, "Acme")
    assert type(again.person) is Person


async def test_the_database_answers(store):
    await store.ping()


async def test_a_database_that_is_gone_is_said_to_be_unavailable(database_url, tmp_path):
    gone = (
        f"sqlite:///{tmp_path}/no/such/directory/usher.db"
        if database_url.startswith("sqlite")
        else "postgresql://usher@127.0.0.1:1/usher"
    )
    database = Database(gone)

    with pytest.raises(StoreUnavailable):
        await database.ping()
    with pytest.raises(StoreUnavailable):
        async with database.transaction():
            pass
    await database.close()


async def test_an_error_of_the_program_is_not_called_an_outage(store):
    with pytest.raises(TimeoutError):
        async with store.transaction():
            raise TimeoutError


async def test_a_closed_database_can_be_opened_again(database_url):
    for event in ("e1", "e2"):
        database = Database(database_url)
        async with database.transaction() as tx:
            assert await tx.inbox.remember(event, NOW)
        await database.close()


async def test_the_same_problem_of_two_people_is_one_group_until_it_is_answered(store):
    ada, ben = await invite(store, ["ada", "ben"])
    async with store.transaction() as tx:
        await tx.save(case_of(ada, "c1", opened_at=NOW))
        await tx.save(case_of(ben, "c2", group_id="c1", opened_at=NOW + timedelta(hours=1)))
        await tx.save(case_of(ben, "c3", problem="ide", opened_at=NOW + timedelta(hours=2)))
        group = await tx.cases.open_group("r1", "login_fails", 1)
        assert (group.id, group.open, group.people) == ("c1", 2, 2)
        assert [case.id for case, _ in group.shown] == ["c1"]
        assert [each.id for each in await tx.cases.open_groups("r1", 9, 0)] == ["c1", "c3"]
        assert [each.id for each in await tx.cases.open_groups("r1", 1, 1)] == ["c3"]

    async with store.transaction() as tx:
        answered = await tx.cases.answer("c1", "Clear the cache.", "boss", NOW)
        assert answered == {"c1": ada.person_id, "c2": ben.person_id}
        assert await tx.cases.answer("c1", "Again.", "boss", NOW) == {}
        assert await tx.cases.open_group("r1", "login_fails", 1) is None
        assert [each.id for each in await tx.cases.open_groups("r1", 9, 0)] == ["c3"]
        group = await tx.cases.group("c1", 9)
        assert (group.open, group.answered, group.answer) == (0, 2, "Clear the cache.")
        assert (await tx.cases.own("c1", ben.person_id)).id == "c2"
        problems = (await tx.invitations.counts("r1")).problems
        assert problems == {"login_fails": CaseCounts(answered=2), "ide": CaseCounts(open=1)}


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///usher.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///usher.db", "sqlite+aiosqlite"),
        ("postgresql://host/usher", "postgresql+asyncpg"),
        ("postgres://host/usher", "postgresql+asyncpg"),
        ("postgresql+asyncpg://host/usher", "postgresql+asyncpg"),
    ],
)
def test_a_url_need_not_name_the_driver(url, driver):
    assert address(url).drivername == driver


def test_another_kind_of_database_is_refused():
    with pytest.raises(ValueError, match="not mysql"):
        address("mysql://host/usher")


async def test_a_sending_delivery_keeps_its_lease(store):
    claimed = await claim_one(store)

    assert claimed.lease_until is not None


async def test_a_workspace_is_stored_and_replaced(store):
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace())
        await tx.people.save_workspace(workspace(name="Acme", secret="sealed"))
        assert await tx.people.workspace("slack:T1") == workspace(name="Acme", secret="sealed")
