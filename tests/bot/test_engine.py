"""One event, one transaction: what the engine promises, on the real store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.engine import ATTEMPTS, Engine
from bot.events import CheckSeen, HomeOpened, MessageReceived, PeopleFound
from bot.messages import Token
from bot.model import (
    AuditEntry,
    Case,
    Check,
    CheckKind,
    CheckSource,
    Delivery,
    DeliveryKind,
    Dialog,
    InboxEntry,
    Invitation,
    LookUp,
    Person,
    Rollout,
    derived_id,
)
from bot.ports import StaleWrite, StoreUnavailable
from bot.roles import Admins
from bot.transition import Replace, ShowForm, ShowHome, Whisper
from bot.waves import WaveWorker
from storage.database import Database
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    actions,
    button,
    command,
    event_id,
    form_of,
    keys,
    mention,
    message_of,
    person,
    press,
    rollout,
    submit,
    words,
    workspace,
)
from tests.doubles import Crash, Door, StoppedClock, killed_at
from tests.rows import installed, invited_people, listed, rolled_out, stored

STRANGER = person("mallory", "slack:T9")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def engine(store: Database, clock: StoppedClock) -> Engine:
    return Engine(store, clock, Admins.of(""))


def grace_presses(action: str, actor: Person = GRACE, conversation: str = "confirm") -> Any:
    invitation_id = derived_id(rollout().id, GRACE.identity)
    return press(Token(conversation, action, invitation_id), actor)


async def test_an_event_counts_once_however_often_it_comes(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    event = grace_presses("access")

    assert isinstance(await engine(event), Replace)
    assert await engine(event) is None

    assert [check.kind for check in await stored(store, Check)] == [CheckKind.ACCESS]
    assert len(await stored(store, AuditEntry)) == 1
    assert [entry.event_id for entry in await stored(store, InboxEntry)] == [event.id]


async def test_an_event_that_comes_twice_at_once_counts_once(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    event = grace_presses("access")
    replies = await asyncio.gather(*(engine(event) for _ in range(4)))
    assert sum(reply is not None for reply in replies) == 1
    assert len(await stored(store, Check)) == 1


async def test_checks_that_are_confirmed_at_once_all_count(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    replies = await asyncio.gather(*(engine(grace_presses(each)) for each in ("access", "tasks", "no_token")))
    assert all(isinstance(reply, Replace) for reply in replies)
    (invitation,) = await stored(store, Invitation)
    assert invitation.done_at is not None
    assert invitation.version == 3
    assert len(await stored(store, Check)) == 3


async def test_a_member_is_refused_kindly_and_it_is_audited(store: Database, engine: Engine) -> None:
    await installed(store, people=(ADA, GRACE))
    reply = await engine(command("setup", actor=GRACE))
    assert keys(message_of(reply))[0] == "answer.admins_only"
    (entry,) = await stored(store, AuditEntry)
    assert (entry.action, entry.outcome, entry.actor) == ("refused.setup", "refused", GRACE.id)
    assert not await stored(store, Dialog)


async def test_nobody_confirms_for_somebody_else_not_even_an_admin(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, LINUS)
    for actor in (ADA, LINUS):
        reply = await engine(grace_presses("access", actor))
        assert keys(message_of(reply))[0] == "answer.not_yours"
    assert not await stored(store, Check)
    assert [(entry.outcome, entry.subject) for entry in await stored(store, AuditEntry)] == [
        ("refused", GRACE.id),
        ("refused", GRACE.id),
    ]


async def test_the_same_person_may_confirm_on_their_other_platform(store: Database, engine: Engine) -> None:
    on_teams = person("grace", "teams:X")
    await invited_people(store, GRACE)
    await installed(store, workspace("teams:X"), people=())
    home = await engine(HomeOpened(id=event_id(), workspace_id="teams:X", actor=on_teams))
    assert isinstance(home, ShowHome)

    reply = await engine(press(button(home.message, "access").token, on_teams))

    assert isinstance(reply, Replace)
    assert [check.confirmed_by for check in await stored(store, Check)] == [on_teams.id]


async def test_a_button_without_a_profile_takes_nobodys_role(store: Database, engine: Engine) -> None:
    """Clicks tell a name at most; who is an admin was told by the profile before."""
    await installed(store)
    await rolled_out(store)
    bare = Person(id=ADA.id, workspace_id=ADA.workspace_id, user_id=ADA.user_id, seen_at=ADA.seen_at)
    reply = await engine(command("status", actor=bare))
    assert keys(message_of(reply))[0] == "status.title"
    known = {each.id: each for each in await stored(store, Person)}[ADA.id]
    assert (known.is_workspace_admin, known.email, known.name) == (True, ADA.email, "Ada")


async def test_a_guest_stays_one_when_a_click_does_not_say_so(store: Database) -> None:
    guest = GRACE.model_copy(update={"is_guest": True})
    await installed(store, people=(guest,))
    bare = guest.model_copy(update={"is_guest": False, "email": ""})
    reply = await Engine(store, StoppedClock(), Admins.of(GRACE.user_id))(command("status", actor=bare))
    assert keys(message_of(reply))[0] == "answer.admins_only"


async def test_an_unknown_workspace_is_not_answered_and_stores_nobody(store: Database, engine: Engine) -> None:
    assert await engine(command("help", actor=STRANGER)) is None
    assert not await stored(store, Person)


async def test_a_workspace_that_has_removed_the_bot_is_not_answered(store: Database, engine: Engine) -> None:
    await installed(store, workspace(active=False))
    assert await engine(command("help")) is None


class TestAnotherCompany:
    """Mallory is an admin, in a workspace of another company, and knows every id."""

    @pytest.fixture
    async def mallory(self, store: Database) -> Person:
        await invited_people(store, GRACE)
        mallory = STRANGER.model_copy(update={"is_workspace_admin": True})
        await installed(store, workspace("slack:T9", company="other"), people=(mallory,))
        return mallory

    async def test_sees_no_rollout(self, engine: Engine, mallory: Person) -> None:
        for event in (command("status", actor=mallory), command("remind", actor=mallory)):
            assert keys(message_of(await engine(event)))[0] == "answer.no_rollout"

    async def test_sees_no_rollout_of_ours_beside_their_own(
        self, store: Database, engine: Engine, mallory: Person
    ) -> None:
        await rolled_out(store, rollout(id="theirs", company="other"))
        for token in (
            Token("status", "show", rollout().id),
            Token("status", "missing", rollout().id),
            Token("status", "send_again", rollout().id),
            Token("remind", "send", rollout().id, 1),
        ):
            reply = await engine(press(token, mallory))
            assert keys(message_of(reply))[0] in {"answer.outdated", "remind.nobody"}

    async def test_reaches_no_invitation(self, store: Database, engine: Engine, mallory: Person) -> None:
        for conversation in ("confirm", "problem"):
            for action in ("access", "show", "open", "later", "helped"):
                reply = await engine(grace_presses(action, mallory, conversation))
                assert keys(message_of(reply))[0] == "answer.outdated"
        assert not await stored(store, Check)

    async def test_not_even_with_the_invitees_address(self, store: Database, engine: Engine, mallory: Person) -> None:
        pretender = mallory.model_copy(update={"email": GRACE.email})
        reply = await engine(grace_presses("access", pretender))
        assert keys(message_of(reply))[0] == "answer.outdated"
        home = await engine(HomeOpened(id=event_id(), workspace_id="slack:T9", actor=pretender))
        assert "invitation.summary" not in keys(message_of(home))

    async def test_reaches_no_dialog(self, store: Database, engine: Engine, mallory: Person) -> None:
        form = form_of(await engine(command("setup")))
        for event in (submit(form.token, mallory, name="Evil"), press(replace(form.token, action="back"), mallory)):
            assert keys(message_of(await engine(event)))[0] == "answer.outdated"
        (dialog,) = await stored(store, Dialog)
        assert dialog.version == 1

    async def test_reaches_no_list(self, store: Database, engine: Engine, mallory: Person) -> None:
        await rolled_out(store, rollout(id="theirs", company="other"))
        await engine(command("invite linus@acme.example"))
        (dialog,) = await stored(store, Dialog)
        for action in ("send", "names.0", "cancel"):
            reply = await engine(press(Token("invite", action, dialog.id, dialog.version), mallory))
            assert keys(message_of(reply))[0] == "answer.outdated"

    async def test_reaches_no_case(self, store: Database, engine: Engine, mallory: Person) -> None:
        form = form_of(await engine(grace_presses("open", conversation="problem")))
        form = form_of(await engine(submit(form.token, GRACE, problem="other")))
        await engine(submit(form.token, GRACE, description="It is broken."))
        (case,) = await stored(store, Case)
        for action in ("show", "answer", "send"):
            reply = await engine(submit(Token("case", action, case.id, 1), mallory, answer="Ha."))
            assert keys(message_of(reply))[0] == "answer.outdated"


async def test_from_setup_to_a_queued_invitation(store: Database, engine: Engine, clock: StoppedClock) -> None:
    """The whole way of an admin, every event through the engine."""
    await installed(store)
    form = form_of(await engine(command("setup")))
    for values in (
        {"name": "Acme", "enterprise_key": "acme", "region": "eu"},
        {"login_url": ""},
        {"provisioning": "scim", "domain_verified": "yes"},
        {"uses_tokens": "yes"},
        {
            "first_after_days": "2",
            "every_days": "3",
            "at_most": "4",
            "weekdays": ("0",),
            "hour_from": "9",
            "hour_to": "17",
        },
    ):
        form = form_of(await engine(submit(form.token, **values)))
    await engine(press(button(form, "send_to_me").token))
    await engine(submit(form.token))
    (current,) = await stored(store, Rollout)
    assert (current.name, current.needs) == ("Acme", (CheckKind.ACCESS, CheckKind.TOKEN))
    (preview,) = await stored(store, Delivery)
    assert (preview.kind, preview.person_id) == (DeliveryKind.NOTICE, ADA.id)

    await engine(command("invite grace@acme.example"))
    (look_up,) = await stored(store, LookUp)
    await listed(store, "the list", GRACE, LINUS)
    found = PeopleFound(
        id=look_up.id, workspace_id="slack:T1", actor=ADA, dialog_id=look_up.dialog_id, list_id="the list"
    )
    await engine(found)
    await engine(found)
    lists = [each for each in await stored(store, Delivery) if each.key.endswith(":list")]
    assert len(lists) == 1
    assert actions(lists[0].content) == ["send", "later", "ready", "cancel"]

    await engine(press(button(lists[0].content, "send").token))
    await WaveWorker(store, clock).run_once()
    invitations = [each for each in await stored(store, Delivery) if each.kind is DeliveryKind.INVITATION]
    assert {each.person_id for each in invitations} == {GRACE.id, LINUS.id}


async def test_messages_that_are_commands_are_carried_out(store: Database, engine: Engine) -> None:
    await installed(store)
    for text in ("sso setup", "Setup", "/setup"):
        event = MessageReceived(id=event_id(), workspace_id="slack:T1", actor=ADA, text=text)
        assert isinstance(await engine(event), ShowForm)


async def test_a_command_by_name_of_a_person(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    reply = await engine(command("exempt is on leave", mention(GRACE)))
    assert keys(message_of(reply))[0] == "exempt.done"
    reply = await engine(command("status", mention(GRACE)))
    assert "person.exempt" in keys(message_of(reply))
    reply = await engine(command("exempt again grace@acme.example"))
    assert keys(message_of(reply))[0] == "exempt.usage" or keys(message_of(reply))[0] == "exempt.not_open"


async def test_a_pasted_token_is_nowhere_in_the_database(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    secret = "squ_" + "0123456789abcdef0123456789abcdef01234567"
    await engine(MessageReceived(id=event_id(), workspace_id="slack:T1", actor=GRACE, text=f"here: {secret}"))
    form = form_of(await engine(grace_presses("open", conversation="problem")))
    form = form_of(await engine(submit(form.token, GRACE, problem="token_fails")))
    await engine(submit(form.token, GRACE, description=f"{secret} fails"))
    await engine(command(f"exempt {secret}", mention(GRACE)))
    for noun in (AuditEntry, Case, Delivery, Dialog, Invitation, InboxEntry):
        assert secret not in repr(await stored(store, noun))
    assert "secret.pasted" in [entry.action for entry in await stored(store, AuditEntry)]


@pytest.mark.parametrize("before", ["", "invite ", "status ", "exempt because of "])
async def test_a_token_in_a_command_is_warned_of_and_not_said_again(
    store: Database, engine: Engine, before: str
) -> None:
    await invited_people(store, GRACE)
    token = "sqp_" + "d4" * 20
    said = message_of(await engine(command(before + token)))
    assert keys(said)[0] == "secret.pasted"
    assert token not in words(said)


async def test_another_source_confirms_without_an_invitees_click(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE)
    event = CheckSeen(
        id=event_id(),
        workspace_id="slack:T1",
        actor=ADA,
        invitation_id=derived_id(rollout().id, GRACE.identity),
        check=CheckKind.ACCESS,
    )
    assert await engine(event) is None
    assert [check.source for check in await stored(store, Check)] == [CheckSource.SONARQUBE]


# when the database is in trouble


async def test_when_somebody_else_was_faster_the_engine_looks_again(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    troubled = Door(store, StaleWrite(), StaleWrite())
    assert isinstance(await Engine(troubled, clock, Admins.of(""))(grace_presses("access")), Replace)
    assert troubled.entered == 3
    assert len(await stored(store, Check)) == 1
    assert len(await stored(store, AuditEntry)) == 1


@pytest.mark.parametrize("trouble", [[StoreUnavailable()], [StaleWrite()] * ATTEMPTS])
async def test_what_could_not_be_stored_is_said_and_may_be_tried_again(
    store: Database, clock: StoppedClock, trouble: list[Exception]
) -> None:
    await invited_people(store, GRACE)
    engine = Engine(Door(store, *trouble), clock, Admins.of(""))
    event = grace_presses("access")

    reply = await engine(event)

    assert isinstance(reply, Whisper)
    assert keys(reply.message)[0] == "answer.try_again"
    assert not await stored(store, InboxEntry)
    assert isinstance(await engine(event), Replace), "the same event, delivered again, counts now"


async def test_what_nobody_waits_for_is_left_to_be_delivered_again(store: Database, clock: StoppedClock) -> None:
    await installed(store)
    engine = Engine(Door(store, StoreUnavailable()), clock, Admins.of(""))
    event = HomeOpened(id=event_id(), workspace_id="slack:T1", actor=ADA)
    with pytest.raises(StoreUnavailable):
        await engine(event)
    assert isinstance(await engine(event), ShowHome)


@pytest.mark.parametrize("point", ["engine.after_inbox", "engine.before_commit", "engine.after_commit"])
async def test_a_crash_loses_at_most_the_answer(store: Database, engine: Engine, point: str) -> None:
    await invited_people(store, GRACE)
    event = grace_presses("access")

    with killed_at(point), pytest.raises(Crash):
        await engine(event)
    again = await engine(event)
    assert (again is None) == (point == "engine.after_commit")
    assert len(await stored(store, Check)) == 1
    assert len(await stored(store, AuditEntry)) == 1


async def test_an_admin_whom_the_platform_is_slow_to_tell_about_is_asked_to_try_again(
    store: Database, engine: Engine
) -> None:
    """What was once stored about their right has no date: it does not count, and is not lost either."""
    await installed(store)
    await rolled_out(store)
    unknown = ADA.model_copy(update={"email": "", "is_workspace_admin": False})
    reply = await engine(command("status", actor=unknown, actor_known=False))
    assert keys(message_of(reply))[0] == "answer.not_recognised"
    assert not [each for each in await stored(store, AuditEntry) if each.outcome == "refused"]
    (ada,) = await stored(store, Person)
    assert ada.is_workspace_admin
    assert "status.title" in keys(message_of(await engine(command("status"))))


async def test_an_admin_by_name_needs_nobodys_word_for_it(store: Database, clock: StoppedClock) -> None:
    await installed(store, people=(ADA, GRACE))
    await rolled_out(store)
    engine = Engine(store, clock, Admins.of(GRACE.email))
    bare = GRACE.model_copy(update={"email": ""})
    reply = await engine(command("status", actor=bare, actor_known=False))
    assert "status.title" in keys(message_of(reply))


async def test_somebody_elses_button_is_refused_whether_or_not_it_is_known_who_pressed_it(
    store: Database, engine: Engine
) -> None:
    await invited_people(store, GRACE, LINUS)
    (grace, _) = await stored(store, Invitation)
    owner = GRACE if grace.person_id == GRACE.id else LINUS
    other = LINUS if owner is GRACE else GRACE
    pressed = replace(press(Token("confirm", "access", grace.id), other), actor_known=False)
    assert keys(message_of(await engine(pressed)))[0] == "answer.not_yours"
