"""Finding rollouts and waves, the look-ups' queue and the audit log."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.model import AuditEntry, LookUp, LookUpState, Region, RolloutState
from bot.ports import StaleWrite
from tests.storage.stored_things import HOUR, MINUTE, NOW, begin, rollout, wave


async def test_the_current_rollout_is_the_newest_that_is_not_finished(store):
    async with store.transaction() as tx:
        await tx.save(rollout("old", created_at=NOW - HOUR))
        await tx.save(rollout("new", created_at=NOW, state=RolloutState.PAUSED))
        await tx.save(rollout("newest", created_at=NOW + HOUR, state=RolloutState.FINISHED))
        await tx.save(rollout("others", company="other", created_at=NOW + HOUR))

        assert (await tx.rollouts.current("acme")).id == "new"
        assert (await tx.rollouts.current("other")).id == "others"
        assert await tx.rollouts.current("nobody") is None


async def test_a_wave_runs_until_its_progress_message_is_final(store):
    await begin(store, [])
    async with store.transaction() as tx:
        await tx.save(wave("w2", created_at=NOW + HOUR))
        await tx.save(wave("w3", finished_at=NOW))

        assert [one.id for one in await tx.rollouts.running_waves()] == ["w1", "w2"]
        assert await tx.rollouts.wave("w3") == wave("w3", finished_at=NOW)


def look_up(name, **other):
    known = {"workspace_id": "slack:T1", "dialog_id": "d1", "person_id": "slack:T1:ada", "not_before": NOW} | other
    return LookUp(id=name, targets=[{"kind": "group", "id": "S1", "label": "@devs"}], **known)


async def claim(store, at=NOW):
    async with store.transaction() as tx:
        return await tx.look_ups.claim(at, at + MINUTE)


async def test_the_oldest_question_is_asked_first_and_by_one_worker_only(store):
    async with store.transaction() as tx:
        await tx.look_ups.ask(look_up("younger", not_before=NOW))
        await tx.look_ups.ask(look_up("older", not_before=NOW - HOUR))
        await tx.look_ups.ask(look_up("later", not_before=NOW + HOUR))

    claimed = await claim(store)
    assert (claimed.id, claimed.state, claimed.attempt) == ("older", LookUpState.RUNNING, 1)
    assert claimed.targets == look_up("older").targets
    assert (await claim(store)).id == "younger"
    assert await claim(store) is None


async def test_the_same_question_is_asked_once(store):
    async with store.transaction() as tx:
        await tx.look_ups.ask(look_up("l1"))
        await tx.look_ups.ask(look_up("l1"))

    assert await claim(store) is not None
    assert await claim(store) is None


async def test_a_dead_workers_question_is_asked_again(store):
    async with store.transaction() as tx:
        await tx.look_ups.ask(look_up("l1"))
    await claim(store)

    assert await claim(store, NOW + MINUTE / 2) is None
    assert (await claim(store, NOW + MINUTE)).attempt == 2


async def test_an_answered_question_is_not_asked_again(store):
    async with store.transaction() as tx:
        await tx.look_ups.ask(look_up("l1"))
    await claim(store)
    async with store.transaction() as tx:
        await tx.look_ups.done("l1")

    assert await claim(store, NOW + HOUR) is None


async def test_a_question_that_is_put_off_waits(store):
    async with store.transaction() as tx:
        await tx.look_ups.ask(look_up("l1"))
    claimed = await claim(store)
    async with store.transaction() as tx:
        await tx.look_ups.put_off(claimed, NOW + HOUR)

    assert await claim(store, NOW + HOUR - MINUTE) is None
    assert (await claim(store, NOW + HOUR)).attempt == 2


async def test_a_late_worker_does_not_put_off_what_another_has_taken_over(store):
    async with store.transaction() as tx:
        await tx.look_ups.ask(look_up("l1"))
    late = await claim(store)
    await claim(store, NOW + MINUTE)
    async with store.transaction() as tx:
        await tx.look_ups.put_off(late, NOW)

    assert await claim(store, NOW + MINUTE) is None


async def test_workers_at_once_take_different_questions(store):
    async with store.transaction() as tx:
        for number in range(8):
            await tx.look_ups.ask(look_up(f"l{number}"))

    claimed = await asyncio.gather(*(claim(store) for _ in range(8)))

    taken = [one.id for one in claimed if one is not None]
    assert len(taken) == len(set(taken))
    rest = [one async for one in all_left(store)]
    assert sorted(taken + rest) == [f"l{number}" for number in range(8)]


async def all_left(store):
    while (one := await claim(store)) is not None:
        yield one.id


def entry(name, **other):
    known = {"company": "acme", "workspace_id": "slack:T1", "actor": "slack:T1:ada", "action": "invite"} | other
    return AuditEntry(id=name, **({"at": NOW} | known))


async def test_the_audit_log_is_read_newest_first_and_by_page(store):
    entries = [entry(f"a{number}", at=NOW + number * timedelta(minutes=1)) for number in range(5)]
    async with store.transaction() as tx:
        for one in entries:
            await tx.audit.record(one)
        await tx.audit.record(entry("b1", company="other"))

        assert await tx.audit.entries("acme", 2) == [entries[4], entries[3]]
        assert await tx.audit.entries("acme", 9, offset=3) == [entries[1], entries[0]]


async def test_an_audit_entry_keeps_its_details(store):
    told = entry("a1", subject="r1", outcome="refused", details={"count": 3, "from": "x"})
    async with store.transaction() as tx:
        await tx.audit.record(told)
        assert await tx.audit.entries("acme", 1) == [told]


async def test_an_audit_entry_is_never_replaced(store):
    async with store.transaction() as tx:
        await tx.audit.record(entry("a1"))
    with pytest.raises(StaleWrite):
        async with store.transaction() as tx:
            await tx.audit.record(entry("a1", action="other"))

    async with store.transaction() as tx:
        assert await tx.audit.entries("acme", 9) == [entry("a1")]


async def test_an_enterprise_has_one_unfinished_rollout_whatever_two_admins_save_at_once(store):
    async with store.transaction() as tx:
        await tx.save(rollout("first"))
    with pytest.raises(StaleWrite):
        async with store.transaction() as tx:
            await tx.save(rollout("second", enterprise_key="acme-first"))
    async with store.transaction() as tx:
        await tx.save(rollout("in_the_us", enterprise_key="acme-first", region=Region.US))
        await tx.save(rollout("elsewhere", company="another", enterprise_key="acme-first"))
        await tx.save(rollout("first", state=RolloutState.FINISHED, finished_at=NOW, version=2))
    async with store.transaction() as tx:
        await tx.save(rollout("second", enterprise_key="acme-first"))
    with pytest.raises(StaleWrite):  # reopened
        async with store.transaction() as tx:
            await tx.save(rollout("first", version=3))
