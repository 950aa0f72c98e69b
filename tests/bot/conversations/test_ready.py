"""`/sso ready`: what is missing before the first invitation is named, asked for and recorded, and holds nobody back."""

from __future__ import annotations

import pytest

from bot.engine import Engine
from bot.events import PeopleFound
from bot.messages import ChoiceField, Message, Token
from bot.model import AuditEntry, Delivery, Dialog, Provisioning, Wave
from bot.readiness import Readiness, ReadyPoint, missing
from bot.roles import Admins
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
from tests.rows import installed, listed, rolled_out, stored

BEA = person("bea", is_workspace_admin=True)
READY = rollout(groups_exist=True, domain_verified=True)
SAVE = Token("ready", "save", READY.id)


@pytest.fixture
def engine(store: Database) -> Engine:
    return Engine(store, StoppedClock(NOON), Admins.of(ADA.email))


async def test_what_the_setup_knows_is_not_asked_again(store: Database, engine: Engine) -> None:
    await installed(store, people=(ADA,))
    await rolled_out(store, READY)
    shown = message_of(await engine(command("ready", actor=ADA)))
    assert "☑ User groups exist" in words(shown)
    assert "☑ E-mail domain verified" in words(shown)
    assert "☐ An admin has tried SSO" in words(shown)
    form = form_of(await engine(press(Token("ready", "open", READY.id), ADA)))
    assert [field.name for field in form.fields] == ["one_click", "tested", "recovery"]
    assert all(isinstance(field, ChoiceField) and field.value == ("not_yet",) for field in form.fields)


async def test_answers_are_kept_with_who_gave_them_and_can_be_taken_back(store: Database, engine: Engine) -> None:
    await installed(store, people=(ADA, BEA))
    await rolled_out(store, READY)
    answers = {"one_click": "yes", "tested": "yes", "recovery": "not_yet"}
    shown = message_of(await engine(submit(SAVE, ADA, **answers)))
    assert "4 of 5" in words(shown)
    (row,) = await stored(store, Readiness)
    assert (row.confirmed, row.changed_by) == ((ReadyPoint.ONE_CLICK, ReadyPoint.TESTED), ADA.id)
    again = await engine(submit(Token("ready", "save", READY.id, 1), BEA, **answers | {"tested": "not_yet"}))
    assert "3 of 5" in words(message_of(again))
    (row,) = await stored(store, Readiness)
    assert (row.confirmed, row.changed_by) == ((ReadyPoint.ONE_CLICK,), BEA.id)
    details = {entry.actor: entry.details for entry in await stored(store, AuditEntry)}
    assert details[ADA.id] == {"missing": 1, "points": "recovery"}
    assert details[BEA.id] == {"missing": 2, "points": "tested recovery"}


async def test_of_two_admins_the_later_one_sees_what_the_other_has_answered(store: Database, engine: Engine) -> None:
    await installed(store, people=(ADA, BEA))
    await rolled_out(store, READY)
    await engine(submit(SAVE, ADA, one_click="not_yet", tested="yes", recovery="not_yet"))
    form = form_of(await engine(submit(SAVE, BEA, one_click="not_yet", tested="not_yet", recovery="not_yet")))
    assert "finish.overtaken" in keys(form)
    values = {field.name: field.value for field in form.fields if isinstance(field, ChoiceField)}
    assert values["tested"] == ("yes",)
    (row,) = await stored(store, Readiness)
    assert row.confirmed == (ReadyPoint.TESTED,)


async def test_a_form_confirms_nothing_that_the_setup_has_to_say(store: Database, engine: Engine) -> None:
    await installed(store, people=(ADA,))
    await rolled_out(store, rollout(groups_exist=False))
    await engine(submit(SAVE, ADA, groups="yes", domain="yes", tested="yes"))
    (row,) = await stored(store, Readiness)
    assert row.confirmed == (ReadyPoint.TESTED,)


def test_with_scim_nobody_is_asked_for_groups() -> None:
    scim = rollout(provisioning=Provisioning.SCIM, domain_verified=True)
    every = Readiness.unknown(scim.id).model_copy(update={"confirmed": tuple(ReadyPoint)})
    assert missing(scim, Readiness.unknown(scim.id)) == (
        ReadyPoint.ONE_CLICK,
        ReadyPoint.TESTED,
        ReadyPoint.RECOVERY,
    )
    assert not missing(scim, every)


async def the_list(store: Database, engine: Engine) -> Message:
    """What the admin sees after `/sso invite` of two people."""
    await installed(store, people=(ADA, GRACE, LINUS))
    await engine(command("invite", mention(GRACE), mention(LINUS), actor=ADA))
    (dialog,) = await stored(store, Dialog)
    await listed(store, "list", GRACE, LINUS)
    found = PeopleFound(id="found", workspace_id=ADA.workspace_id, actor=ADA, dialog_id=dialog.id, list_id="list")
    await engine(found)
    content = (await stored(store, Delivery))[0].content
    assert content is not None
    return content


async def test_inviting_names_what_is_missing_and_records_that_the_admin_went_on(
    store: Database, engine: Engine
) -> None:
    await rolled_out(store, READY)
    shown = await the_list(store, engine)
    assert "Not confirmed yet: Tile opens the one-click link, An admin has tried SSO" in words(shown)
    send = button(shown, "send")
    assert send.confirm is not None
    assert send.confirm.key == "invite.sure.not_ready"
    assert send.token is not None
    await engine(press(send.token, ADA))
    assert len(await stored(store, Wave)) == 1
    (entry,) = [each for each in await stored(store, AuditEntry) if each.action == "invited"]
    assert entry.details == {"people": 2, "not_ready": "one_click tested recovery"}


async def test_what_is_missing_can_be_confirmed_from_the_list_which_then_asks_no_more(
    store: Database, engine: Engine
) -> None:
    await rolled_out(store, READY)
    opens = button(await the_list(store, engine), "ready").token
    assert opens is not None
    form = form_of(await engine(press(opens, ADA)))
    after = message_of(await engine(submit(form.token, ADA, one_click="yes", tested="yes", recovery="yes")))
    assert "invite.not_ready" not in keys(after)
    send = button(after, "send")
    assert send.confirm is not None
    assert send.confirm.key == "invite.sure"
    assert send.token is not None
    late = form_of(await engine(submit(form.token, ADA, one_click="not_yet", tested="yes", recovery="yes")))
    assert "finish.overtaken" in keys(late)
    await engine(press(send.token, ADA))
    (entry,) = [each for each in await stored(store, AuditEntry) if each.action == "invited"]
    assert entry.details == {"people": 2}
