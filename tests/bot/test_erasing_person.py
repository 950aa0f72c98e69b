"""`/sso erase @person`: who can be erased, what is asked first, and what goes on around it meanwhile."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.admin_groups import AdminGroups
from bot.conversations.erase import ERASE
from bot.conversations.erase_person import PersonLoaded
from bot.dispatcher import Dispatcher
from bot.engine import Engine
from bot.events import CheckSeen, Target, TargetKind
from bot.messages import Quote, Style, Token
from bot.model import (
    HOME_COMPANY,
    AuditEntry,
    Case,
    CaseState,
    CheckKind,
    Delivery,
    Invitation,
    Person,
    Platform,
    Rollout,
    Wave,
    Wish,
)
from bot.ports import NeverLeft, Outcome, Reason, Refused, Throttled, Unclear
from bot.reminders import queue_due
from bot.roles import Admins
from storage.database import Database
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    LINUS,
    NOON,
    body_keys,
    button,
    command,
    event_id,
    form_of,
    keys,
    mention,
    message_of,
    person,
    press,
    scene,
    submit,
    words,
    workspace,
)
from tests.doubles import MemoryDirectory, MemoryPlatform, StoppedClock
from tests.rows import changed, installed, invited_people, stored

TEAMS_GRACE = person("29:grace", "teams:t1", name=GRACE.name, email=GRACE.email)
EVERYBODY = Target(TargetKind.GROUP, "S1", "@everybody")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def engine(store: Database, clock: StoppedClock) -> Engine:
    return Engine(store, clock, Admins.of(ADA.user_id))


async def erases(engine: Engine, whom: Person) -> None:
    question = message_of(await engine(command("erase", mention(whom))))
    await engine(press(button(question, "person").token))


async def people(store: Database) -> set[str]:
    return {each.id for each in await stored(store, Person)}


async def test_it_is_asked_first_and_then_done(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    question = message_of(await engine(command("erase", mention(GRACE))))
    assert body_keys(question) == ["erase.person.held", "erase.person.what", "erase.person.stays"]
    assert "their name and address (grace@acme.example), 1 invitation, and 1 message." in words(question)
    assert GRACE.id in await people(store)
    sure = button(question, "person")
    assert (sure.style, sure.confirm is not None) == (Style.DANGER, True)
    done = message_of(await engine(press(sure.token)))
    assert keys(done) == ["erase.person.done"] * 2
    assert await people(store) == {ADA.id, LINUS.id}
    assert [each.person_id for each in await stored(store, Invitation)] == [LINUS.id]
    assert [each.person_id for each in await stored(store, Delivery)] == [LINUS.id]
    (entry,) = [each for each in await stored(store, AuditEntry) if each.action == "erased.person"]
    assert (entry.actor, entry.subject) == (ADA.id, GRACE.id)
    again = message_of(await engine(press(sure.token)))
    assert keys(again) == ["answer.outdated"] * 2


async def test_whoever_both_platforms_know_is_erased_on_both(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    await installed(store, workspace("teams:t1"), people=(TEAMS_GRACE,))
    await erases(engine, GRACE)
    assert await people(store) == {ADA.id}


async def test_somebody_who_was_met_and_never_invited_can_be_erased(store: Database, engine: Engine) -> None:
    await installed(store, people=(ADA, LINUS))
    await erases(engine, LINUS)
    assert await people(store) == {ADA.id}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("erase ada", "erase.usage"),
        ("erase everything now", "erase.usage"),
        ("erase nobody@acme.example", "erase.unknown"),
        ("erase a@acme.example b@acme.example", "erase.usage"),
    ],
)
async def test_one_person_is_named_who_is_known(store: Database, engine: Engine, named: str, said: str) -> None:
    await invited_people(store, GRACE)
    assert keys(message_of(await engine(command(named)))) == [said] * 2


async def test_a_group_is_not_a_person(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    assert keys(message_of(await engine(command("erase", EVERYBODY)))) == ["erase.usage"] * 2


@pytest.mark.parametrize("why", ["settings", "appointed", "group elsewhere"])
async def test_whoever_runs_rollouts_stays_known(store: Database, clock: StoppedClock, why: str) -> None:
    await invited_people(store, GRACE)
    await installed(store, workspace("teams:t1"), people=(TEAMS_GRACE,))
    groups = AdminGroups(("entra:g1",))
    if why == "appointed":
        await changed(store, "person", is_appointed=True)
    if why == "group elsewhere":
        directory = MemoryDirectory(Platform.TEAMS, groups={"entra:g1": [TEAMS_GRACE.user_id]})
        await groups.refresh(store, {Platform.TEAMS: directory}, HOME_COMPANY, NOON)
    named = GRACE.email if why == "settings" else ""
    engine = Engine(store, clock, Admins.of(f"{ADA.user_id},{named}"), groups=groups)
    assert keys(message_of(await engine(command("erase", mention(GRACE))))) == ["erase.admin"] * 2
    assert keys(message_of(await engine(press(Token("erase", "person", GRACE.id))))) == ["erase.admin"] * 2
    assert GRACE.id in await people(store)


async def test_a_former_admin_who_cannot_sign_in_any_more_can_be_erased(store: Database, clock: StoppedClock) -> None:
    """Though the settings name them still. What they have set up is then whose button it was."""
    engine = Engine(store, clock, Admins.of(f"{ADA.user_id},{GRACE.user_id}"))
    gone = GRACE.model_copy(update={"is_deactivated": True})
    await invited_people(store, LINUS)
    await installed(store, people=(gone,))
    for table in ("rollout", "wave"):
        await changed(store, table, created_by=GRACE.id)
    await erases(engine, gone)
    assert await people(store) == {ADA.id, LINUS.id}
    assert [each.created_by for noun in (Rollout, Wave) for each in await stored(store, noun)] == [ADA.id, ADA.id]


async def test_whoever_only_owns_the_workspace_can_be_erased_for_they_may_have_left_it(
    store: Database, engine: Engine
) -> None:
    await invited_people(store, LINUS)
    await installed(store, people=(GRACE.model_copy(update={"is_workspace_admin": True}),))
    await erases(engine, GRACE)
    assert await people(store) == {ADA.id, LINUS.id}


async def test_another_companys_people_are_not_found(store: Database, engine: Engine) -> None:
    mallory = person("mallory", "slack:T9")
    await invited_people(store, GRACE)
    await installed(store, workspace("slack:T9", company="other"), people=(mallory,))
    assert keys(message_of(await engine(press(Token("erase", "person", mallory.id))))) == ["answer.outdated"] * 2
    assert mallory.id in await people(store)


@pytest.mark.parametrize(
    "outcome",
    [None, Throttled(5.0), NeverLeft(Reason.NO_CONNECTION), Refused(Reason.NOT_INSTALLED), Unclear(Reason.TIMED_OUT)],
)
async def test_what_is_just_being_sent_to_them_comes_to_nothing(
    store: Database, engine: Engine, clock: StoppedClock, outcome: Outcome | None
) -> None:
    await invited_people(store, GRACE, LINUS)
    slack = ErasesMeanwhile(engine, clock, outcome)
    dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock, jitter=random.Random(1))
    await dispatcher.run_once()
    clock.at = NOON + 9 * DAY
    await queue_due(store, clock)
    await dispatcher.run_once()
    assert await people(store) == {ADA.id, LINUS.id}
    assert {each.person_id for each in await stored(store, Delivery)} == {LINUS.id}
    assert len(slack.to(LINUS)) == 2, "the invitation and a reminder"


class ErasesMeanwhile(MemoryPlatform):
    """Before it answers for Grace's message, her data is gone."""

    def __init__(self, engine: Engine, clock: StoppedClock, outcome: Outcome | None) -> None:
        super().__init__(clock=clock)
        self.engine, self.outcome = engine, outcome

    async def send(self, workspace, person, message, delivery_id):  # type: ignore[no-untyped-def]
        answer = await super().send(workspace, person, message, delivery_id)
        if person.id != GRACE.id:
            return answer
        await erases(self.engine, GRACE)
        return self.outcome or answer


async def test_a_problem_that_others_have_too_is_theirs(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    for who, said in ((GRACE, "It says 403 to me."), (LINUS, "To me, too.")):
        (invitation,) = [each for each in await stored(store, Invitation) if each.person_id == who.id]
        token = Token("problem", "describe.forbidden", invitation.id, invitation.version)
        await engine(submit(token, who, description=said))
    await erases(engine, GRACE)
    (told,) = [each for each in await stored(store, Delivery) if each.person_id == ADA.id]
    assert told.content is not None
    assert "Linus has a problem" in words(told.content)
    assert [each.words for each in told.content.body if isinstance(each, Quote)] == ["To me, too."]
    answer = form_of(await engine(press(button(told.content, "answer").token)))
    await engine(submit(answer.token, answer="Try again."))
    assert [each.state for each in await stored(store, Case)] == [CaseState.ANSWERED]


async def test_a_problem_that_nobody_else_has_is_one_no_more(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    (invitation,) = await stored(store, Invitation)
    token = Token("problem", "describe.forbidden", invitation.id, invitation.version)
    await engine(submit(token, GRACE, description="It says 403."))
    await erases(engine, GRACE)
    (told,) = await stored(store, Delivery)
    assert told.content is not None
    assert keys(told.content) == ["case.erased"] * 2


async def test_a_wish_that_others_have_too_is_theirs(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    for invitation in await stored(store, Invitation):
        who = GRACE if invitation.person_id == GRACE.id else LINUS
        await engine(press(Token("wish", Wish.NOT_MINE, invitation.id, invitation.version), who))
    await erases(engine, GRACE)
    (told,) = [each for each in await stored(store, Delivery) if each.person_id == ADA.id]
    assert told.content is not None
    assert "Linus" in words(told.content)
    assert "Grace" not in words(told.content)
    assert button(told.content, "exempt").token.version == 1


async def test_two_admins_who_erase_the_same_one_at_once(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    await asyncio.gather(erases(engine, GRACE), erases(engine, GRACE))
    assert await people(store) == {ADA.id, LINUS.id}


async def test_a_button_that_they_still_have_does_nothing(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    (invitation,) = await stored(store, Invitation)
    await erases(engine, GRACE)
    said = message_of(await engine(press(Token("confirm", "access", invitation.id), GRACE)))
    assert keys(said) == ["answer.outdated"] * 2
    assert await stored(store, Invitation) == []


async def test_what_was_asked_about_them_before_brings_nothing_back(store: Database, engine: Engine) -> None:
    """SonarQube Cloud has just been asked who has signed in."""
    await invited_people(store, GRACE)
    (invitation,) = await stored(store, Invitation)
    await erases(engine, GRACE)
    known = {"id": event_id(), "workspace_id": GRACE.workspace_id, "actor": GRACE}
    assert await engine(CheckSeen(**known, invitation_id=invitation.id, check=CheckKind.ACCESS)) is None
    assert GRACE.id not in await people(store)


async def test_a_message_to_somebody_who_is_no_more_is_none(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    await changed(store, "rollout", created_by="slack:T1:U-gone")
    (invitation,) = await stored(store, Invitation)
    token = Token("problem", "describe.other", invitation.id, invitation.version)
    await engine(submit(token, GRACE, description="It is grey."))
    assert [each.person_id for each in await stored(store, Delivery) if each.kind == "notice"] == [ADA.id]


def test_the_step_alone_changes_nothing_before_the_button() -> None:
    loaded = PersonLoaded(scene(), None, (GRACE,))
    after = ERASE.decide(loaded, command("erase", mention(GRACE)), NOON)
    assert (after.state, after.effects, after.audit) == ((), (), None)
