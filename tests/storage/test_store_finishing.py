"""What is stored of a rollout's end: steps, whose old account may go, messages about it, files, and the audit in pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.finishing import FileKind, FinishItem, FinishStep, Handout, StepState
from bot.model import (
    AuditEntry,
    Check,
    CheckKind,
    DeliveryKind,
    DeliveryState,
    OldToken,
    RolloutState,
)
from bot.ports import StaleWrite
from bot.removal import reasons_to_stay
from storage.tables import DELIVERY
from tests.storage.stored_things import NOW, person, rollout, wave, workspace


async def company(store, people=6, **changes):
    """A rollout with these people; returns it and their invitations by user id."""
    of = rollout(uses_tokens=True, **changes)
    everybody = [person(f"U{number}") for number in range(people)]
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace())
        await tx.people.meet(everybody)
        await tx.save(of)
        await tx.save(wave())
        await tx.invitations.invite(of, wave(), everybody, NOW)
        views = await tx.finishing.everybody(of.id, "", 100)
    return of, {view.person.user_id: view for view in views}


async def settle(store, view, kinds=tuple(CheckKind), **changes):
    """They have confirmed these checks; whatever else is to be different."""
    if set(kinds) == set(view.invitation.needs):
        changes = {"done_at": NOW} | changes
    async with store.transaction() as tx:
        for kind in kinds:
            await tx.save(Check(invitation_id=view.invitation.id, kind=kind, confirmed_at=NOW))
        await tx.save(view.invitation.model_copy(update={"version": view.invitation.version + 1, **changes}))


def states():
    for kinds in ((), (CheckKind.ACCESS,), tuple(CheckKind)):
        for old_token in OldToken:
            for is_keeper in (False, True):
                for exempt_at in (None, NOW):
                    yield kinds, {"old_token": old_token, "is_keeper": is_keeper, "exempt_at": exempt_at}


@pytest.mark.parametrize("uses_tokens", [True, False])
async def test_the_database_judges_people_as_the_rule_does(store, uses_tokens):
    every = list(states())
    of, views = await company(store, len(every))
    if not uses_tokens:
        without = of.model_copy(update={"id": "r2", "enterprise_key": "acme-2", "uses_tokens": False})
        async with store.transaction() as tx:
            await tx.save(without)
            await tx.save(wave("w2", "r2"))
            everybody = [view.person for view in views.values()]
            await tx.invitations.invite(without, wave("w2", "r2"), everybody, NOW)
            views = {view.person.user_id: view for view in await tx.finishing.everybody("r2", "", 100)}
        of = without
    for view, (kinds, changes) in zip(views.values(), every, strict=True):
        await settle(store, view, tuple(kind for kind in kinds if kind in of.needs), **changes)
    async with store.transaction() as tx:
        judged = await tx.finishing.everybody(of.id, "", 100)
        may_go = await tx.finishing.may_go(of.id, 100)
        counts = await tx.finishing.removal(of.id)
    meant = {view.invitation.id for view in judged if not reasons_to_stay(view, keeps_admin=True)}
    assert {view.invitation.id for view in may_go} == meant
    assert (counts.may_go, counts.to_tell) == (len(meant), len(meant))
    assert meant


async def test_steps_are_kept_and_guarded_by_their_version(store):
    of, _ = await company(store)
    item = FinishItem.untouched(of.id, FinishStep.ORGANIZATIONS).model_copy(
        update={"state": StepState.DONE, "admins": {"acme-web": "olivia"}, "changed_at": NOW, "version": 1}
    )
    async with store.transaction() as tx:
        await tx.save(item)
    async with store.transaction() as tx:
        assert list(await tx.finishing.items(of.id)) == [item]
    with pytest.raises(StaleWrite):
        async with store.transaction() as tx:
            await tx.save(item)


@pytest.mark.parametrize(
    ("kind", "old_token"),
    [(DeliveryKind.FAREWELL, OldToken.UNUSED), (DeliveryKind.OLD_TOKEN, OldToken.UNKNOWN)],
)
async def test_nobody_is_written_to_twice(store, kind, old_token):
    of, views = await company(store)
    for user in ("U1", "U2"):
        await settle(store, views[user], old_token=old_token)
    for expected in (2, 0):
        async with store.transaction() as tx:
            assert await tx.finishing.write_to_all(of.id, kind, NOW, 100) == expected
    await settle(store, views["U3"], old_token=old_token)
    async with store.transaction() as tx:
        assert await tx.finishing.write_to_all(of.id, kind, NOW, 100) == 1
        rows = list(await tx._connection.execute(DELIVERY.select().where(DELIVERY.c.kind == kind)))
    assert sorted(row.person_id for row in rows) == ["slack:T1:U1", "slack:T1:U2", "slack:T1:U3"]
    assert {row.state for row in rows} == {DeliveryState.READY}


async def test_no_more_than_the_limit_are_written_to_at_once(store):
    of, views = await company(store)
    for view in views.values():
        await settle(store, view, old_token=OldToken.UNUSED)
    async with store.transaction() as tx:
        queued = [await tx.finishing.write_to_all(of.id, DeliveryKind.FAREWELL, NOW, 4) for _ in range(3)]
    assert queued == [4, 2, 0]


async def test_what_provably_did_not_arrive_is_sent_again_and_nothing_else(store):
    of, views = await company(store)
    ends = dict(zip(("U0", "U1", "U2"), ("gave_up", "unclear", "sent"), strict=True))
    for user in ends:
        await settle(store, views[user], old_token=OldToken.UNUSED)
    async with store.transaction() as tx:
        await tx.finishing.write_to_all(of.id, DeliveryKind.FAREWELL, NOW, 100)
    async with store.transaction() as tx:
        for each in await tx.deliveries.claim("slack:T1", NOW, NOW + timedelta(minutes=1), 100):
            if each.kind is DeliveryKind.FAREWELL:
                match ends[each.person_id.removeprefix("slack:T1:")]:
                    case "gave_up":
                        assert await tx.deliveries.gave_up(each, "blocked")
                    case "unclear":
                        assert await tx.deliveries.unclear(each, "timed_out")
                    case _:
                        assert await tx.deliveries.sent(each, NOW, "D1", "1.1")
    async with store.transaction() as tx:
        assert (await tx.finishing.removal(of.id)).to_tell == 1
        assert await tx.finishing.write_to_all(of.id, DeliveryKind.FAREWELL, NOW, 100) == 1
        again = await tx.deliveries.claim("slack:T1", NOW, NOW + timedelta(minutes=1), 100)
    assert [(each.person_id, each.attempt) for each in again] == [("slack:T1:U0", 1)]


async def test_whoever_was_asked_or_told_is_counted(store):
    of, views = await company(store)
    await settle(store, views["U1"], old_token=OldToken.UNUSED)
    await settle(store, views["U2"])
    await settle(store, views["U3"], is_keeper=True)
    async with store.transaction() as tx:
        await tx.finishing.write_to_all(of.id, DeliveryKind.FAREWELL, NOW, 100)
        counts = await tx.finishing.removal(of.id)
    assert (counts.invited, counts.may_go, counts.to_tell, counts.keepers) == (6, 1, 0, 1)
    assert (counts.ci_unknown, counts.to_ask) == (2, 2)
    assert counts.farewells == {DeliveryState.READY: 1}


async def test_the_latest_rollout_is_the_running_one_else_the_newest_that_is_not_put_away(store):
    day = timedelta(days=1)
    over = {"state": RolloutState.FINISHED, "finished_at": NOW}
    rollouts = [
        rollout("running", created_at=NOW - 3 * day),
        rollout("finished", created_at=NOW - 2 * day, **over),
        rollout("archived", created_at=NOW, archived_at=NOW, **over),
        rollout("other", company="other", created_at=NOW),
    ]
    async with store.transaction() as tx:
        for each in rollouts:
            await tx.save(each)
        assert (await tx.finishing.latest("acme")).id == "running"
        await tx.save(rollouts[0].model_copy(update={**over, "version": 2}))
        assert (await tx.finishing.latest("acme")).id == "finished"
        assert await tx.finishing.latest("nobody") is None


async def test_a_file_is_there_until_it_is_fetched_or_expires_and_forgotten_later(store):
    of, _ = await company(store)
    handout = Handout(
        id=Handout.key("secret"),
        kind=FileKind.PEOPLE,
        rollout_id=of.id,
        workspace_id="slack:T1",
        person_id="slack:T1:U1",
        expires_at=NOW,
        version=1,
    )
    async with store.transaction() as tx:
        await tx.save(handout)
    async with store.transaction() as tx:
        stored = await tx.finishing.handout(Handout.key("secret"))
        assert stored == handout
        assert stored.is_there(NOW - timedelta(seconds=1))
        assert not stored.is_there(NOW)
        assert await tx.finishing.forget_handouts(NOW) == 0
        assert await tx.finishing.forget_handouts(NOW + timedelta(seconds=1)) == 1


async def test_the_audit_log_is_read_in_pages_that_leave_nothing_out(store):
    """Also when several entries have the same time, and others arrive meanwhile."""

    def entry(number, at=NOW):
        return AuditEntry(id=f"{number:02}", at=at, company="acme", workspace_id="slack:T1", actor="a", action="x")

    async with store.transaction() as tx:
        for number in range(7):
            await tx.audit.record(entry(number, NOW + timedelta(minutes=number // 3)))
        await tx.audit.record(entry(50).model_copy(update={"company": "other"}))
    read, after = [], None
    async with store.transaction() as tx:
        while page := await tx.audit.behind("acme", after, 2):
            read += [each.id for each in page]
            after = page[-1]
            if len(read) == 2:
                await tx.audit.record(entry(9, NOW + timedelta(hours=1)))
    assert read == [*(f"{number:02}" for number in range(7)), "09"]
