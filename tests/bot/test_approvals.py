"""What a second admin has to approve is not done before they do, and then as if it were asked for now."""

from __future__ import annotations

from typing import Any

import pytest

from bot.approvals import EXPIRES, Approval, ApprovalKind, ApprovalState, Needed, Rules
from bot.engine import Engine
from bot.messages import Message, Token, text
from bot.model import AuditEntry, Delivery, Invitation, Person, RolloutState
from bot.roles import Admins
from bot.transition import Replace, Whisper
from storage.database import Database
from tests.builders import ADA, GRACE, LINUS, command, keys, mention, message_of, person, press, workspace
from tests.doubles import StoppedClock
from tests.rows import changed, installed, invited_people, stored

BEA, CID = person("bea"), person("cid")
ADMINS = Admins(frozenset({BEA.email, CID.email}), frozenset({ADA.email, BEA.email}))
EVERYTHING = Rules(frozenset(ApprovalKind), above=1)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def engine(store: Database, clock: StoppedClock) -> Engine:
    """Ada and Bea are owners, Cid is an admin; two people are invited."""
    await invited_people(store, GRACE, LINUS)
    await installed(store, people=(ADA, BEA, CID))
    return Engine(store, clock, ADMINS, approvals=EVERYTHING)


async def questions(store: Database) -> dict[str, Message]:
    """Who is asked what, by person."""
    return {
        each.person_id: each.content
        for each in await stored(store, Delivery)
        if each.content is not None and "approval.question" in keys(each.content)
    }


async def remind_all(engine: Engine) -> Any:
    return await engine(press(Token("remind", "send", "rollout-1", 1), ADA))


def token(message: Message, action: str) -> Token:
    return next(each.token for each in message.buttons if each.token is not None and each.token.action == action)


async def due(store: Database) -> int:
    return sum(each.due_at is not None for each in await stored(store, Invitation))


async def test_nothing_is_done_before_it_is_approved(store: Database, engine: Engine) -> None:
    before = await due(store)
    reply = await remind_all(engine)
    assert isinstance(reply, Replace)
    assert "approval.asked" in keys(reply.message)
    assert await due(store) == before == 0
    asked = await questions(store)
    assert set(asked) == {BEA.id, CID.id}, "not who asked"
    answer = await engine(press(token(asked[CID.id], "approve"), CID))
    assert isinstance(answer, Replace)
    assert "approval.approved" in keys(answer.message)
    assert await due(store) == 2
    audited = {each.action: each.actor for each in await stored(store, AuditEntry)}
    assert audited == {"approval.asked": ADA.id, "reminded": ADA.id, "approval.approved": CID.id}
    told = [each for each in await stored(store, Delivery) if each.person_id == ADA.id and each.content is not None]
    assert "approval.approved" in keys(told[-1].content)
    assert "approval.approved" in keys((await copies(store))[BEA.id]), "who was asked too sees what has become of it"


async def copies(store: Database) -> dict[str, Message | None]:
    of = {each.id: each for each in await stored(store, Approval)}
    return {
        each.person_id: each.content
        for each in await stored(store, Delivery)
        if any(each.key == approval.key(each.person_id) for approval in of.values())
    }


async def test_what_is_refused_is_not_done_and_cannot_be_approved_any_more(store: Database, engine: Engine) -> None:
    await remind_all(engine)
    asked = await questions(store)
    await engine(press(token(asked[BEA.id], "refuse"), BEA))
    late = await engine(press(token(asked[CID.id], "approve"), CID))
    assert isinstance(late, Whisper)
    assert "answer.outdated" in keys(late.message)
    assert await due(store) == 0
    (approval,) = await stored(store, Approval)
    assert (approval.state, approval.decided_by) == (ApprovalState.REFUSED, BEA.id)
    await remind_all(engine)
    (approval,) = await stored(store, Approval)
    assert approval.state is ApprovalState.OPEN, "it can be asked for again"


async def test_nobody_approves_what_they_have_asked_for(store: Database, engine: Engine) -> None:
    await remind_all(engine)
    asked = (await questions(store))[CID.id]
    elsewhere = person("ada-too", email=ADA.email)
    for actor in (ADA, elsewhere):
        answer = await engine(press(token(asked, "approve"), actor))
        assert "approval.own" in keys(message_of(answer))
    assert await due(store) == 0


@pytest.mark.parametrize("who", [GRACE, LINUS])
async def test_who_is_no_admin_approves_nothing(store: Database, engine: Engine, who: Person) -> None:
    await remind_all(engine)
    answer = await engine(press(token((await questions(store))[CID.id], "approve"), who))
    assert "answer.admins_only" in keys(message_of(answer))
    assert await due(store) == 0


async def test_what_only_owners_may_do_only_owners_approve(store: Database, engine: Engine) -> None:
    reply = await engine(command("admins", "add", mention(LINUS)))
    assert "approval.asked" in keys(message_of(reply))
    asked = await questions(store)
    assert set(asked) == {BEA.id}, "Cid is no owner"
    assert "answer.owners_only" in keys(message_of(await engine(press(token(asked[BEA.id], "approve"), CID))))
    await engine(press(token(asked[BEA.id], "approve"), BEA))
    (linus,) = [each for each in await stored(store, Person) if each.id == LINUS.id]
    assert linus.is_appointed


async def test_what_has_changed_meanwhile_is_not_done(store: Database, engine: Engine) -> None:
    await remind_all(engine)
    await changed(store, "rollout", state=RolloutState.PAUSED, version=2)
    answer = await engine(press(token((await questions(store))[CID.id], "approve"), CID))
    assert "approval.overtaken" in keys(message_of(answer))
    assert await due(store) == 0


async def test_whoever_is_no_admin_any_more_gets_nothing_done(
    store: Database, engine: Engine, clock: StoppedClock
) -> None:
    await remind_all(engine)
    without_ada = Admins(ADMINS.names, frozenset({BEA.email}))
    await changed(store, "person", is_workspace_admin=False)
    later = Engine(store, clock, without_ada, approvals=EVERYTHING)
    answer = await later(press(token((await questions(store))[CID.id], "approve"), CID))
    assert "approval.overtaken" in keys(message_of(answer))
    assert await due(store) == 0


async def test_a_question_ends_after_three_days(store: Database, engine: Engine, clock: StoppedClock) -> None:
    await remind_all(engine)
    asked = (await questions(store))[CID.id]
    clock.at += EXPIRES
    assert "answer.outdated" in keys(message_of(await engine(press(token(asked, "approve"), CID))))
    assert await due(store) == 0


async def test_asking_twice_asks_nobody_twice(store: Database, engine: Engine) -> None:
    await remind_all(engine)
    again = await remind_all(engine)
    assert "approval.waiting" in keys(message_of(again))
    assert len([each for each in await stored(store, Delivery) if each.content is not None]) == 2


async def test_two_approvals_at_once_do_it_once(store: Database, engine: Engine) -> None:
    await remind_all(engine)
    asked = await questions(store)
    first = await engine(press(token(asked[CID.id], "approve"), CID))
    second = await engine(press(token(asked[BEA.id], "approve"), BEA))
    assert "approval.approved" in keys(message_of(first))
    assert "answer.outdated" in keys(message_of(second))
    assert [each.action for each in await stored(store, AuditEntry)].count("reminded") == 1


@pytest.mark.parametrize(
    "rules", [Rules(), Rules(frozenset({ApprovalKind.SEND}), above=2), Rules(frozenset({ApprovalKind.ADMINS}))]
)
async def test_what_the_settings_do_not_want_approved_is_done_at_once(
    store: Database, engine: Engine, clock: StoppedClock, rules: Rules
) -> None:
    await remind_all(Engine(store, clock, ADMINS, approvals=rules))
    assert await due(store) == 2


async def test_without_another_admin_it_is_said_and_not_done(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE, LINUS)
    engine = Engine(store, clock, Admins(frozenset({ADA.email})), approvals=EVERYTHING)
    assert "approval.nobody" in keys(message_of(await remind_all(engine)))
    assert await due(store) == 0


async def test_the_workspaces_own_admins_are_asked_where_nobody_is_named(
    store: Database, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE, LINUS)
    await installed(store, people=(ADA, person("wes", is_workspace_admin=True)))
    engine = Engine(store, clock, Admins(frozenset({ADA.email})), approvals=EVERYTHING)
    await remind_all(engine)
    assert set(await questions(store)) == {"slack:T1:U-wes"}


async def test_a_question_that_is_not_there_is_outdated(store: Database, engine: Engine) -> None:
    for action in ("approve", "refuse"):
        answered = message_of(await engine(press(Token("approval", action, "none", 1), BEA)))
        assert keys(answered)[0] == "answer.outdated"


async def test_another_company_decides_nothing(store: Database, engine: Engine) -> None:
    await remind_all(engine)
    asked = (await questions(store))[CID.id]
    foreign = person("eve", workspace_id="slack:T9", is_workspace_admin=True)
    await installed(store, workspace("slack:T9").model_copy(update={"company": "slack:T9"}), people=(foreign,))
    answer = await engine(press(token(asked, "approve"), foreign))
    assert "answer.outdated" in keys(message_of(answer))
    assert await due(store) == 0


def test_a_count_of_just_as_many_needs_no_approval() -> None:
    rules = Rules(frozenset({ApprovalKind.SEND}), above=100)
    assert not rules.want(Needed(ApprovalKind.SEND, text("approval.invite", count=100), 100))
    assert rules.want(Needed(ApprovalKind.SEND, text("approval.invite", count=101), 101))
