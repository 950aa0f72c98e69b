"""Erasing a rollout's people: nothing that names them is left, what others need stays, and figures remain."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot import erasing
from bot.clock import MovableClock
from bot.digests import Digest
from bot.erasing import erase_due
from bot.finishing import FileKind, FinishItem, FinishStep, Handout, StepState
from bot.model import CheckKind, Dialog, Listed, LookUp, RolloutState
from bot.readiness import Readiness
from storage.tables import METADATA
from tests.storage.stored_things import NOW, case_of, check, invite, notice, person, reminder, rollout, wave

CLOCK = MovableClock()
OVER = {"state": RolloutState.FINISHED, "finished_at": NOW}


async def everything(store) -> str:
    """All rows of all tables but the audit's, as text."""
    rows = []
    async with store._engine.connect() as connection:
        for name, table in METADATA.tables.items():
            if name != "audit_entry":
                rows += [repr(row) for row in await connection.execute(select(table))]
    return "\n".join(rows)


async def a_whole_rollout(store, people=("ben", "cleo"), **changes):
    """Finished, with something in every table."""
    invitations = await invite(store, people)
    first = invitations[0]
    async with store.transaction() as tx:
        await tx.people.meet([person("ADA", is_workspace_admin=True)])
        await tx.save(check(first, CheckKind.ACCESS))
        await tx.save(case_of(first, description="ben's words"))
        await tx.deliveries.enqueue([reminder(first), notice("about:ben")])
        (claimed, *_) = await tx.deliveries.claim("slack:T1", NOW, NOW + timedelta(minutes=1), 10)
        for each in [claimed, *_]:
            await tx.deliveries.sent(each, NOW, "D1", "1.1")
        await tx.save(
            Dialog(
                id="d1",
                conversation="invite",
                workspace_id="slack:T1",
                person_id="slack:T1:ADA",
                rollout_id="r1",
                data={"names": ["Ben"]},
                version=1,
                updated_at=NOW,
            )
        )
        await tx.look_ups.ask(
            LookUp(
                id="l1",
                workspace_id="slack:T1",
                dialog_id="d1",
                person_id="slack:T1:ADA",
                targets=[{"kind": "email", "id": "ben@acme.example", "label": "ben@acme.example"}],
                not_before=NOW,
            )
        )
        await tx.look_ups.done("l1")
        item = FinishItem.untouched("r1", FinishStep.RECOVERY)
        await tx.save(
            item.model_copy(
                update={"state": StepState.DONE, "proof": "ben@acme.example", "changed_at": NOW, "version": 1}
            )
        )
        await tx.save(
            Handout(
                id="h1",
                kind=FileKind.PEOPLE,
                rollout_id="r1",
                workspace_id="slack:T1",
                person_id="slack:T1:ADA",
                expires_at=NOW,
                version=1,
            )
        )
        await tx.save(Readiness.unknown("r1").model_copy(update={"changed_by": "slack:T1:ben", "version": 1}))
        told = {"person_id": "slack:T1:ben", "changed_by": "slack:T1:ben", "version": 1}
        await tx.save(Digest.escalation("r1").model_copy(update=told))
        await tx.lists.add(rest_of_a_list("rest", "Ben"))
        await tx.save(rollout(version=2, **(OVER | changes)))


def rest_of_a_list(list_id: str, *names: str) -> list[Listed]:
    """What is left of a list that went out in parts, with somebody who was left out."""
    known = {"list_id": list_id, "listed_at": NOW}
    people = [
        Listed(position=at, label=name, person_id=f"slack:T1:{name}", workspace_id="slack:T1", **known)
        for at, name in enumerate(names)
    ]
    return [*people, Listed(position=len(people), label="1: ben@acme.example", problem="unknown_email", **known)]


async def test_a_list_that_another_rollouts_wave_waits_with_stays(store):
    await a_whole_rollout(store, erased_at=NOW)
    async with store.transaction() as tx:
        await tx.save(rollout("r2"))
        await tx.save(wave("w2", "r2", list_id="theirs"))
        await tx.lists.add(rest_of_a_list("theirs", "Dora"))
    await erase_due(store, CLOCK, (), None)
    async with store.transaction() as tx:
        assert len(await tx.lists.page("theirs", 0, 9)) == 2
        assert await tx.lists.page("rest", 0, 9) == []


async def test_nothing_that_names_a_person_is_left_but_counts_are(store):
    await a_whole_rollout(store, erased_at=NOW)
    assert "ben" in (await everything(store)).casefold()
    assert await erase_due(store, CLOCK, (), None) == 2
    left = (await everything(store)).casefold()
    assert "ben" not in left
    assert "cleo" not in left
    async with store.transaction() as tx:
        kept = await tx.rollouts.rollout("r1")
    assert kept.figures.invited == 2
    assert kept.figures.confirmed == {"access": 1}
    assert kept.figures.problems == {"login_fails": 1}
    assert kept.figures.steps == {"recovery": "done"}
    assert await erase_due(store, CLOCK, (), None) == 0


async def test_batches_go_on_where_they_were(store, monkeypatch):
    monkeypatch.setattr(erasing, "BATCH", 2)
    await a_whole_rollout(store, tuple(f"p{number}" for number in range(5)), erased_at=NOW)
    assert await erase_due(store, CLOCK, (), None) == 5
    async with store.transaction() as tx:
        assert (await tx.rollouts.rollout("r1")).figures.invited == 5


@pytest.mark.parametrize("named", ["ben@acme.example", "ben", "slack:t1:ben"])
async def test_admins_and_people_of_other_rollouts_stay_known(store, named):
    await a_whole_rollout(store, ("ben", "cleo", "dora"), erased_at=NOW)
    async with store.transaction() as tx:
        await tx.save(rollout("r2"))
        await tx.save(wave("w2", "r2"))
        await tx.invitations.invite(rollout("r2"), wave("w2", "r2"), [person("cleo")], NOW)
    await erase_due(store, CLOCK, (named,), None)
    async with store.transaction() as tx:
        known = {
            each.user_id
            for each in await tx.people.by_ids(f"slack:T1:{who}" for who in ("ADA", "ben", "cleo", "dora"))
        }
        assert (await tx.invitations.of_person("slack:T1:cleo", "r2")) is not None
    assert known == {"ADA", "ben", "cleo"}


async def test_a_rollout_that_nobody_wants_erased_stays(store):
    await a_whole_rollout(store)
    before = await everything(store)
    assert await erase_due(store, CLOCK, (), None) == 0
    assert await everything(store) == before


async def test_people_are_erased_when_the_retention_period_is_over(store):
    clock = MovableClock()
    await a_whole_rollout(store, finished_at=clock.now() - timedelta(days=30))
    assert await erase_due(store, clock, (), timedelta(days=31)) == 0
    assert await erase_due(store, clock, (), timedelta(days=29)) == 2
    async with store.transaction() as tx:
        (entry,) = await tx.audit.entries("acme", 5)
    assert (entry.action, entry.actor, entry.subject) == ("erased.retention", "scheduler", "r1")


async def test_the_newest_finished_rollout_can_be_erased_archived_or_not(store):
    async with store.transaction() as tx:
        assert await tx.erasing.erasable("acme") is None
        await tx.save(rollout("running"))
        await tx.save(rollout("old", **OVER))
        await tx.save(rollout("new", archived_at=NOW, **(OVER | {"finished_at": NOW + timedelta(days=1)})))
        assert (await tx.erasing.erasable("acme")).id == "new"
        assert await tx.erasing.erasable("other") is None
