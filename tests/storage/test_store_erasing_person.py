"""Erasing one person while their rollout runs: nothing that names them is left, and what is others' stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.approvals import Approval, ApprovalKind
from bot.conversations.wish import wish_key, wish_message
from bot.digests import Digest, DigestKind
from bot.effects import notice
from bot.erasing import erase_person
from bot.finishing import FileKind, FinishItem, FinishStep, Handout, StepState
from bot.messages import Button, Message, Quote, Section, Token, text
from bot.model import (
    CaseState,
    CheckKind,
    CurrentRollout,
    Dialog,
    Listed,
    LookUp,
    Platform,
    RolloutState,
    WaveStage,
    Wish,
)
from bot.ports import Footprint, StaleWrite
from bot.readiness import Readiness
from storage.tables import DELIVERY
from tests.storage.stored_things import (
    LANE,
    NOW,
    case_of,
    check,
    invite,
    person,
    reminder,
    rollout,
    wave,
    workspace,
)
from tests.storage.test_store_erasing import everything

BEN = person("ben", name="Ben Ober")
BEN_ON_TEAMS = person("29:1ben", "teams:t1", name="Ben Ober", email="ben@acme.example")
ADA = person("ADA")
MINUTE = timedelta(minutes=1)


def dialog(dialog_id: str, **other) -> Dialog:
    known = {"conversation": "invite", "workspace_id": LANE, "person_id": ADA.id, "version": 1, "updated_at": NOW}
    return Dialog(id=dialog_id, **(known | other))


def about_ben(key: str, conversation: str = "digest"):
    body = (Section(text("plain", words="ben ober has a problem")), Quote("Ask Ben Ober."))
    press = Button(text("hello"), Token(conversation, "status"))
    return notice(key, ADA, Message(text("case.title", name="Ben Ober"), None, body, (press,)), "r1", NOW)


async def a_busy_company(store) -> None:
    """Ben, Cleo and Dora are invited, and Ben has left his name everywhere."""
    invitations = await invite(store, ("ben", "cleo", "dora"))
    of = {each.person_id.split(":")[-1]: each for each in invitations}
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace("t1", platform=Platform.TEAMS))
        await tx.people.meet([BEN, BEN_ON_TEAMS, ADA])
        await tx.save(CurrentRollout(person_id=BEN.id, rollout_id="r1"))
        await tx.rollouts.count_wave("w1", size=3, withdrawn=0, stage=WaveStage.SENDING)
        await tx.save(check(of["ben"]))
        await tx.save(check(of["cleo"], CheckKind.TOKEN, confirmed_by=BEN.id))
        await tx.save(case_of(of["ben"], "c1", description="Büro zu"))
        theirs = {"state": CaseState.ANSWERED, "answered_at": NOW, "answered_by": BEN.id, "group_id": "c1"}
        words = {"description": "Ask ben@acme.example, he said.", "answer": "Ben Ober knows."}
        await tx.save(case_of(of["cleo"], "c2", opened_at=NOW + MINUTE, **theirs, **words))
        await tx.deliveries.enqueue(
            [reminder(of["ben"]), reminder(of["cleo"]), about_ben("sent"), about_ben("list", "invite")]
        )
        for each in await tx.deliveries.claim(LANE, NOW, NOW + MINUTE, 10):
            if each.invitation_id is None:
                await tx.deliveries.sent(each, NOW, "D1", "1.1")
        await tx.deliveries.enqueue([about_ben("waits")])
        await tx.save(dialog("d1", data={"list": "undecided"}))
        await tx.save(dialog("d2", person_id=BEN.id))
        targets = [{"kind": "email", "id": "ben@acme.example", "label": "Ben@acme.example"}]
        for key, who in (("l1", ADA.id), ("l2", BEN.id)):
            await tx.look_ups.ask(
                LookUp(id=key, workspace_id=LANE, dialog_id="d1", person_id=who, targets=targets, not_before=NOW)
            )
        await tx.save(wave("w2", list_id="planned", size=2, starts_at=NOW + timedelta(days=9)))
        for list_id in ("undecided", "planned"):
            await tx.lists.add(listed(list_id))
        await tx.save(
            FinishItem.untouched("r1", FinishStep.RECOVERY).model_copy(
                update={
                    "state": StepState.DONE,
                    "owner": BEN.id,
                    "proof": "ben@acme.example\nada@acme.example",
                    "admins": {"web": "Ben Ober", "app": "Dora"},
                    "changed_by": BEN.id,
                    "changed_at": NOW,
                    "version": 1,
                }
            )
        )
        known = {"rollout_id": "r1", "workspace_id": LANE, "person_id": BEN.id, "expires_at": NOW, "version": 1}
        await tx.save(Handout(id="h1", kind=FileKind.PEOPLE, **known))
        await tx.save(Readiness.unknown("r1").model_copy(update={"changed_by": BEN.id, "version": 1}))
        told = {"person_id": ADA.id, "changed_by": BEN.id, "version": 1}
        await tx.save(Digest.escalation("r1").model_copy(update=told))
        await tx.save(Digest.report("r1", BEN.id).model_copy(update={"version": 1}))
        for key, asker in (("a1", BEN.id), ("a2", ADA.id)):
            await tx.save(
                Approval(
                    id=key,
                    company="acme",
                    kind=ApprovalKind.ADMINS,
                    what=text("approval.admin.add", name="Ben Ober"),
                    asked_by=asker,
                    asked_at=NOW,
                    asked={"words": ["add", targets[0]]},
                    told=(BEN.id, ADA.id),
                    version=1,
                )
            )
        cleo = of["cleo"]
        changes = {"exempt_at": NOW, "exempt_reason": "works for Ben Ober", "escalated_to": BEN.id}
        await tx.save(cleo.model_copy(update=changes | {"version": cleo.version + 1}))


def listed(list_id: str) -> list[Listed]:
    known = {"list_id": list_id, "listed_at": NOW}
    here = {"workspace_id": LANE, **known}
    return [
        Listed(position=0, label="Ben Ober", person_id=BEN.id, **here),
        Listed(position=1, label="Dora", person_id=f"{LANE}:dora", **here),
        Listed(position=2, label="3: ben@acme.example", problem="unknown_email", **known),
    ]


async def notices(store) -> dict[str, Any]:
    """Their rows, by key."""
    async with store._engine.connect() as connection:
        rows = await connection.execute(DELIVERY.select().where(DELIVERY.c.kind == "notice"))
        return {row.key: row for row in rows}


async def erase(store, *people) -> None:
    async with store.transaction() as tx:
        await erase_person(tx, "acme", people, ADA.id, NOW + timedelta(hours=1))


async def test_nothing_that_names_them_is_left(store):
    await a_busy_company(store)
    assert "ben" in (await everything(store)).casefold()
    await erase(store, BEN, BEN_ON_TEAMS)
    left = (await everything(store)).casefold()
    assert [line for line in left.splitlines() if "ben" in line or "büro" in line or "ober" in line] == []


async def test_what_is_others_stays(store):
    await a_busy_company(store)
    await erase(store, BEN, BEN_ON_TEAMS)
    async with store.transaction() as tx:
        counts = await tx.invitations.counts("r1")
        case = (await tx.cases.group("c1", 3)).shown[0][0]
        (item,) = await tx.finishing.items("r1")
        planned = await tx.lists.page("planned", 0, 9)
        first, second = await tx.rollouts.wave("w1"), await tx.rollouts.wave("w2")
        digests = await tx.digests.of_rollout("r1")
    assert (counts.invited, counts.exempt) == (2, 1)
    assert case.description == "Ask [erased], he said."
    assert case.answer == "[erased] knows."
    assert (item.owner, item.proof, item.admins) == (
        "",
        "[erased]\nada@acme.example",
        {"web": "[erased]", "app": "Dora"},
    )
    assert [each.label for each in planned] == ["Dora", "3: [erased]"]
    assert (first.size, second.size) == (2, 1)
    assert [each.person_id for each in digests] == [ADA.id]


async def test_what_others_wrote_stays_though_they_wrote_the_same(store):
    (ben, cleo) = await invite(store, ("ben", "cleo"))
    async with store.transaction() as tx:
        await tx.people.meet([BEN])
        for each, key in ((ben, "c1"), (cleo, "c2")):
            await tx.save(case_of(each, key, description="It does not work."))
    await erase(store, BEN)
    async with store.transaction() as tx:
        assert (await tx.cases.group("c2", 3)).shown[0][0].description == "It does not work."


async def test_whom_their_manager_was_to_talk_to_is_new_to_whom_the_admin_has_named(store):
    await a_busy_company(store)
    async with store.transaction() as tx:
        dora = (await tx.invitations.of_person(f"{LANE}:dora", "r1")).invitation
        told = {"escalated_to": BEN.id, "escalated_at": NOW, "version": dora.version + 1}
        await tx.save(dora.model_copy(update=told))
    await erase(store, BEN)
    async with store.transaction() as tx:
        assert await tx.escalations.marked_since("r1", NOW) == 1
        assert await tx.escalations.managers("r1", None) == []


async def test_wishes_are_shown_without_them(store):
    (ben, cleo) = await invite(store, ("ben", "cleo"))
    async with store.transaction() as tx:
        await tx.people.meet([BEN])
        for each in (ben, cleo):
            wished = {"wish": Wish.STOP, "wished_at": NOW, "version": each.version + 1}
            await tx.save(each.model_copy(update=wished))
        shown = wish_message(rollout(), Wish.STOP, 2, (BEN, person("cleo")))
        await tx.deliveries.enqueue([notice(wish_key("r1", Wish.STOP, ADA.id), ADA, shown, "r1", NOW)])
    await erase(store, BEN)
    (told,) = (await notices(store)).values()
    assert told.content == wish_message(rollout(), Wish.STOP, 1, (person("cleo"),))


async def test_a_list_that_waits_for_a_decision_is_asked_for_anew(store):
    await a_busy_company(store)
    await erase(store, BEN)
    async with store.transaction() as tx:
        assert await tx.rollouts.dialog("d1") is None
        assert await tx.lists.page("undecided", 0, 9) == []


async def test_messages_that_name_them_are_brought_up_to_date(store):
    await a_busy_company(store)
    await erase(store, BEN)
    by_key = await notices(store)
    for key, outdated in (("sent", 1), ("waits", 0), ("list", 0)):  # a list has become the progress of its wave
        content = by_key[key].content
        assert content.summary.params == {"name": "[erased]"}
        assert content.body == (Section(text("plain", words="[erased] has a problem")), Quote("Ask [erased]."))
        assert by_key[key].outdated == outdated


async def test_what_is_being_sent_to_them_settles_as_nothing(store):
    await a_busy_company(store)
    async with store.transaction() as tx:
        await tx.deliveries.enqueue([notice("hello", BEN, Message(text("hello")), None, NOW)])
        (claimed,) = await tx.deliveries.claim(LANE, NOW, NOW + MINUTE, 1)
    assert claimed.person_id == BEN.id
    await erase(store, BEN)
    async with store.transaction() as tx:
        await tx.deliveries.sent(claimed, NOW, "D1", "1.1")
    assert "hello" not in await everything(store)


async def test_whoever_confirms_meanwhile_comes_too_late(store):
    await a_busy_company(store)
    async with store.transaction() as tx:
        view = await tx.invitations.of_person(BEN.id, "r1")
    await erase(store, BEN)
    changed = view.invitation.model_copy(update={"done_at": NOW, "version": view.invitation.version + 1})
    with pytest.raises(StaleWrite):
        async with store.transaction() as tx:
            await tx.save(changed)


async def test_a_former_admins_rollout_is_whose_who_erases_them(store):
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace())
        await tx.people.meet([ADA, BEN])
        await tx.save(rollout(created_by=BEN.id))
        await tx.save(wave(created_by=BEN.id, channel_id="D7", message_id="7.7"))
    await erase(store, BEN)
    async with store.transaction() as tx:
        assert (await tx.rollouts.rollout("r1")).created_by == ADA.id
        after = await tx.rollouts.wave("w1")
    assert (after.created_by, after.channel_id, after.message_id) == (ADA.id, "", "")


async def test_whoever_was_told_of_people_who_do_not_answer_is_followed_by_who_erases_them(store):
    await a_busy_company(store)
    async with store.transaction() as tx:
        (escalation,) = [each for each in await tx.digests.of_rollout("r1") if each.person_id == ADA.id]
        await tx.save(escalation.model_copy(update={"person_id": BEN.id, "version": escalation.version + 1}))
    await erase(store, BEN)
    async with store.transaction() as tx:
        (left,) = await tx.digests.of_rollout("r1")
    assert (left.kind, left.person_id) == (DigestKind.ESCALATION, ADA.id)


async def test_a_planned_wave_that_has_them_twice_has_two_fewer(store):
    await a_busy_company(store)
    async with store.transaction() as tx:
        again = Listed(list_id="planned", position=3, label="Ben", person_id=BEN_ON_TEAMS.id, listed_at=NOW)
        await tx.lists.add([again.model_copy(update={"workspace_id": BEN_ON_TEAMS.workspace_id})])
        await tx.rollouts.count_wave("w2", size=3, withdrawn=0, stage=WaveStage.STORING)
    await erase(store, BEN, BEN_ON_TEAMS)
    async with store.transaction() as tx:
        assert (await tx.rollouts.wave("w2")).size == 1


async def test_another_companys_words_stay(store):
    await a_busy_company(store)
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace("T9", "other"))
        await tx.people.meet([person("zoe", "slack:T9")])
        await tx.deliveries.enqueue([about_ben("theirs").model_copy(update={"lane": "slack:T9"})])
        await tx.save(dialog("theirs", workspace_id="slack:T9", data={"list": "elsewhere"}))
        await tx.lists.add([Listed(list_id="elsewhere", position=0, label="1: ben@acme.example", listed_at=NOW)])
    await erase(store, BEN)
    theirs = (await notices(store))["theirs"]
    assert theirs.content.summary.params == {"name": "Ben Ober"}
    async with store.transaction() as tx:
        assert [each.label for each in await tx.lists.page("elsewhere", 0, 9)] == ["1: ben@acme.example"]


async def test_the_same_one_is_found_by_address_in_the_company_only(store):
    await a_busy_company(store)
    elsewhere = person("ben", "slack:T9")
    nameless, other = (person(name, email="") for name in ("x", "y"))
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace("T9", "other"))
        await tx.people.meet([elsewhere, nameless, other])
        same = await tx.people.same_as(BEN, "acme")
        assert [each.id for each in same] == [BEN.id, BEN_ON_TEAMS.id]
        assert [each.id for each in await tx.people.same_as(nameless, "acme")] == [nameless.id]
        assert [each.id for each in await tx.people.same_as(elsewhere, "other")] == [elsewhere.id]
        assert await tx.erasing.footprint([BEN.id, BEN_ON_TEAMS.id]) == Footprint(1, 2, 1)


async def test_a_rollout_that_is_over_loses_them_too(store):
    await a_busy_company(store)
    async with store.transaction() as tx:
        over = {"state": RolloutState.FINISHED, "finished_at": NOW, "version": 2}
        await tx.save(rollout().model_copy(update=over))
    await erase(store, BEN, BEN_ON_TEAMS)
    assert "ben" not in (await everything(store)).casefold()
    async with store.transaction() as tx:
        assert (await tx.erasing.figures("r1")).invited == 2
