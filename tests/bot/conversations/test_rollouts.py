"""Several rollouts at a time: each admin works on one, and every button stays with its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.engine import Engine
from bot.events import PeopleFound
from bot.messages import Message, Token
from bot.model import (
    AuditEntry,
    CurrentRollout,
    Delivery,
    Dialog,
    Invitation,
    Rollout,
    RolloutState,
    Wave,
    derived_id,
)
from bot.roles import Admins
from bot.transition import Reply
from storage.database import Database
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NOON,
    button,
    command,
    form_of,
    keys,
    mention,
    message_of,
    person,
    press,
    rollout,
    submit,
    words,
)
from tests.doubles import StoppedClock
from tests.rows import installed, invited_people, listed, rolled_out, stored

OLDER = rollout()
NEWER = rollout(id="rollout-2", name="Globex", enterprise_key="globex", created_at=NOON)
BEA = person("bea", is_workspace_admin=True)
REMINDERS: dict[str, Any] = {
    "first_after_days": "2",
    "every_days": "3",
    "at_most": "4",
    "weekdays": ("0",),
    "hour_from": "9",
    "hour_to": "17",
}


@pytest.fixture
def engine(store: Database) -> Engine:
    return Engine(store, StoppedClock(), Admins.of(""))


@pytest.fixture
async def both(store: Database) -> None:
    """Grace is invited by the older one."""
    await invited_people(store, GRACE)
    await rolled_out(store, NEWER)


async def shown(engine: Engine, event: Any) -> Message:
    return message_of(await answer(engine, event))


async def answer(engine: Engine, event: Any) -> Reply:
    reply = await engine(event)
    assert reply is not None
    return reply


async def choose(engine: Engine, of: Rollout, actor: Any = ADA) -> Message:
    return await shown(engine, press(Token("rollouts", "choose", of.id), actor))


async def title_of_status(engine: Engine, actor: Any = ADA) -> str:
    return words(await shown(engine, command("status", actor=actor))).splitlines()[0]


@pytest.mark.usefixtures("both")
async def test_commands_are_about_the_newest_until_an_admin_chooses(store: Database, engine: Engine) -> None:
    assert "Globex" in await title_of_status(engine)
    after = await choose(engine, OLDER)
    assert "Acme" in await title_of_status(engine)
    assert "Globex" in await title_of_status(engine, BEA), "another admin works on what they have chosen"
    assert [each.token.subject for each in after.buttons if each.token.action == "choose"] == [NEWER.id]  # type: ignore[union-attr]
    (entry,) = [each for each in await stored(store, AuditEntry) if each.action == "rollout.chosen"]
    assert (entry.actor, entry.subject) == (ADA.id, OLDER.id)


@pytest.mark.usefixtures("both")
async def test_the_list_says_how_each_is_and_which_one_is_mine(engine: Engine) -> None:
    listed = words(await shown(engine, command("rollouts")))
    mine, other = (next(line for line in listed.splitlines() if name in line) for name in ("Globex", "Acme"))
    assert "the one you work on" in mine
    assert "the one you work on" not in other
    assert "1 invited, 0 done" in other


@pytest.mark.usefixtures("both")
async def test_a_choice_can_be_changed_and_ends_with_its_rollout(store: Database, engine: Engine) -> None:
    await choose(engine, OLDER)
    await choose(engine, NEWER)
    await choose(engine, OLDER)
    assert await stored(store, CurrentRollout) == [CurrentRollout(person_id=ADA.id, rollout_id=OLDER.id)]
    async with store.transaction() as tx:
        await tx.save(OLDER.model_copy(update={"state": RolloutState.FINISHED, "finished_at": NOON, "version": 2}))
    assert "Globex" in await title_of_status(engine)
    listed = await shown(engine, command("rollouts"))
    assert button(listed, "show").token == Token("finish", "show", OLDER.id)


@pytest.mark.usefixtures("both")
async def test_a_rollout_of_another_company_cannot_be_chosen_nor_seen(store: Database, engine: Engine) -> None:
    await rolled_out(store, rollout(id="theirs", company="umbrella", name="Umbrella"))
    before = await stored(store, CurrentRollout)
    assert "Umbrella" not in words(await choose(engine, rollout(id="theirs")))
    assert "Umbrella" not in words(await shown(engine, press(Token("status", "show", "theirs"))))
    assert await stored(store, CurrentRollout) == before == []


@pytest.mark.usefixtures("both")
async def test_a_button_stays_with_the_rollout_of_its_message(store: Database, engine: Engine) -> None:
    status = await shown(engine, press(Token("status", "show", OLDER.id)))
    assert "Acme" in words(status)
    asked = await shown(engine, press(Token("remind", "ask", OLDER.id, OLDER.version)))
    await engine(press(button(asked, "send").token))
    (invitation,) = await stored(store, Invitation)
    assert invitation.due_at == NOON, "Grace is reminded, though the admin works on the other rollout"


@pytest.mark.usefixtures("both")
async def test_a_list_of_people_stays_with_the_rollout_that_it_was_asked_for(store: Database, engine: Engine) -> None:
    await choose(engine, OLDER)
    await engine(command("invite linus@acme.example"))
    await choose(engine, NEWER)
    (dialog,) = await stored(store, Dialog)
    await listed(store, "list", LINUS)
    found = PeopleFound(id="found", workspace_id="slack:T1", actor=ADA, dialog_id=dialog.id, list_id="list")
    assert await engine(found) is None
    (told,) = [each for each in await stored(store, Delivery) if each.key.endswith(":list")]
    assert told.content is not None
    assert "Acme" in words(told.content)
    await engine(press(button(told.content, "send").token))
    (wave,) = [each for each in await stored(store, Wave) if each.list_id]
    assert wave.rollout_id == OLDER.id


async def _filled_in(engine: Engine, first: Any, name: str, key: str) -> Reply:
    """The answer to the dialog's last step."""
    form = form_of(first)
    values: list[dict[str, Any]] = [
        {"name": name, "enterprise_key": key, "region": "eu"},
        {"login_url": ""},
        {"provisioning": "scim", "domain_verified": "yes"},
        {"organizations": "", "uses_tokens": "no"},
        REMINDERS,
    ]
    for step in values:
        form = form_of(await answer(engine, submit(form.token, **step)))
    return await answer(engine, submit(form.token))


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("begin", [command("setup new"), press(Token("setup", "another"))])
async def test_another_one_is_set_up_beside_the_others(store: Database, engine: Engine, begin: Any) -> None:
    await choose(engine, OLDER)
    form = await answer(engine, begin)
    assert "setup.another" in keys(form_of(form))
    await _filled_in(engine, form, "Initech", "initech")
    assert {each.name for each in await stored(store, Rollout)} == {"Acme", "Globex", "Initech"}
    assert "Initech" in await title_of_status(engine), "it is the one that the admin works on"


@pytest.mark.usefixtures("both")
async def test_setup_changes_the_one_that_the_admin_works_on(store: Database, engine: Engine) -> None:
    await choose(engine, OLDER)
    await _filled_in(engine, await answer(engine, command("setup")), "Acme Group", "acme")
    assert {each.id: each.name for each in await stored(store, Rollout)} == {
        OLDER.id: "Acme Group",
        NEWER.id: "Globex",
    }


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("begin", ["setup new", "setup"])
async def test_an_enterprise_has_one_rollout_at_a_time(store: Database, engine: Engine, begin: str) -> None:
    form = form_of(await answer(engine, command(begin)))
    refused = form_of(await answer(engine, submit(form.token, name="A", enterprise_key="acme", region="eu")))
    assert refused.errors is not None
    assert refused.errors["enterprise_key"].key == "setup.error.taken"
    elsewhere = form_of(await answer(engine, submit(form.token, name="A", enterprise_key="acme", region="us")))
    assert not elsewhere.errors, "the same key in the other region is another enterprise"
    assert len(await stored(store, Rollout)) == 2


async def test_of_two_that_set_up_the_first_rollout_at_once_the_second_changes_nothing(
    store: Database, engine: Engine
) -> None:
    await installed(store, people=(ADA, BEA))
    first = await answer(engine, command("setup"))
    form = form_of(await answer(engine, command("setup", actor=BEA)))
    form = form_of(await answer(engine, submit(form.token, BEA, name="B", enterprise_key="acme", region="eu")))
    await _filled_in(engine, first, "Acme", "acme")
    for values in (
        {},
        {"provisioning": "scim"},
        {},
        REMINDERS,
    ):
        form = form_of(await answer(engine, submit(form.token, BEA, **values)))
    refused = await answer(engine, submit(form.token, BEA))
    assert keys(message_of(refused))[0] == "setup.overtaken"
    assert [each.name for each in await stored(store, Rollout)] == ["Acme"]


@pytest.mark.usefixtures("both")
async def test_a_finished_one_is_reopened_beside_another_enterprises(store: Database, engine: Engine) -> None:
    async with store.transaction() as tx:
        await tx.save(OLDER.model_copy(update={"state": RolloutState.FINISHED, "finished_at": NOON, "version": 2}))
    await engine(press(Token("finish", "reopen", OLDER.id, 2)))
    assert "Acme" in await title_of_status(engine), "and the admin works on it"


@pytest.mark.usefixtures("both")
async def test_it_is_not_reopened_while_its_enterprise_has_a_newer_one(store: Database, engine: Engine) -> None:
    over = {"state": RolloutState.FINISHED, "finished_at": NOON, "version": 2}
    async with store.transaction() as tx:
        await tx.save(OLDER.model_copy(update=over))
    await rolled_out(store, rollout(id="rollout-3", created_at=NOON + timedelta(hours=1)))
    refused = await shown(engine, press(Token("finish", "reopen", OLDER.id, 2)))
    assert keys(refused) == ["finish.reopen.another", "finish.reopen.another"]


@pytest.mark.usefixtures("both")
async def test_an_invitee_of_both_has_two_invitations_and_confirms_each(store: Database, engine: Engine) -> None:
    await invited_people(store, GRACE, of=NEWER, wave="wave-2")
    await engine(press(Token("confirm", "access", derived_id(OLDER.id, GRACE.identity)), GRACE))
    status = words(await shown(engine, press(Token("status", "show", OLDER.id))))
    other = words(await shown(engine, press(Token("status", "show", NEWER.id))))
    assert status != other
    assert len(await stored(store, Invitation)) == 2


@pytest.mark.usefixtures("both")
async def test_what_is_typed_with_a_name_is_about_the_chosen_one(engine: Engine) -> None:
    assert "status.not_invited" in keys(await shown(engine, command("status", mention(GRACE))))
    await choose(engine, OLDER)
    assert "person.title" in keys(await shown(engine, command("status", mention(GRACE))))


@pytest.mark.usefixtures("both")
async def test_members_are_not_told_of_rollouts(store: Database, engine: Engine) -> None:
    refused = await shown(engine, press(Token("rollouts", "choose", OLDER.id), GRACE))
    assert keys(refused)[0] == "answer.admins_only"
    assert await stored(store, CurrentRollout) == []
