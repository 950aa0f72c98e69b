"""`/sso digest`: reports to a person or a channel, and who is told of people who do not answer."""

from __future__ import annotations

from typing import Any

import pytest

from bot.digests import Digest, DigestKind, Frequency
from bot.engine import Engine
from bot.events import Target, TargetKind
from bot.messages import ChoiceField, Form, PersonField, TextField, Token
from bot.model import AuditEntry, Delivery, Person
from bot.roles import Admins, Role, role_of
from bot.transition import CloseForm
from storage.database import Database
from tests.builders import (
    ADA,
    GRACE,
    NOON,
    command,
    form_of,
    keys,
    message_of,
    person,
    press,
    rollout,
    submit,
    words,
    workspace,
)
from tests.doubles import StoppedClock
from tests.rows import installed, rolled_out, stored

BEA = person("bea", is_workspace_admin=True)
LEADS = Target(TargetKind.CHANNEL, "C-leads", "#leads")
DAILY = {"every": "daily", "where": "me", "after": "", "to": ""}


@pytest.fixture
async def engine(store: Database) -> Engine:
    await installed(store, people=(ADA, BEA, GRACE))
    await rolled_out(store)
    return Engine(store, StoppedClock(NOON), Admins.of(ADA.email))


async def asks(engine: Engine, actor: Person = ADA, **more: Any) -> Form:
    return form_of(await engine(command("digest", actor=actor, **more)))


async def reports(store: Database) -> dict[str, Digest]:
    """By whom they go to."""
    return {each.person_id: each for each in await stored(store, Digest) if each.kind is DigestKind.REPORT}


async def escalation(store: Database) -> Digest:
    (one,) = [each for each in await stored(store, Digest) if each.kind is DigestKind.ESCALATION]
    return one


def typed(form: Form) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in form.fields:
        match each:
            case ChoiceField():
                values[each.name] = "".join(each.value)
            case TextField() | PersonField():
                values[each.name] = each.value
            case _:
                raise AssertionError(each)
    return values


async def test_at_first_there_is_none_and_nobody_is_told(engine: Engine) -> None:
    form = await asks(engine)
    assert typed(form) == {"every": "never", "where": "me", "after": "", "to": "", "managers": ""}
    assert "digest.where.hint.channel" in keys(form)


async def test_a_report_to_the_admin_comes_from_the_next_working_day_on(store: Database, engine: Engine) -> None:
    form = await asks(engine)
    reply = await engine(submit(form.token, ADA, **DAILY))
    assert isinstance(reply, CloseForm)
    assert reply.message is not None
    assert "every working day" in words(reply.message)
    report = (await reports(store))[ADA.id]
    assert report.every is Frequency.DAILY
    assert report.next_at is not None
    assert report.next_at.isoformat() == "2026-03-04T09:00:00+00:00"
    assert not await stored(store, Delivery), "the answer has said so already"
    assert typed(await asks(engine))["every"] == "daily"
    assert typed(await asks(engine, BEA))["every"] == "never", "each admin has their own"
    (entry,) = await stored(store, AuditEntry)
    assert (entry.action, entry.details["to"]) == ("digest.changed", ADA.id)


async def test_a_channel_is_told_at_once_that_it_will_hear_from_the_bot(store: Database, engine: Engine) -> None:
    form = await asks(engine, here=LEADS)
    assert typed(form)["where"] == "here"
    await engine(submit(form.token, ADA, every="weekly", where="here", after="", to=""))
    (hello,) = await stored(store, Delivery)
    assert (hello.person_id, hello.kind) == ("slack:T1:C-leads", "notice")
    assert hello.content is not None
    assert "every week" in words(hello.content)
    (channel,) = [each for each in await stored(store, Person) if each.user_id == "C-leads"]
    assert (channel.channel_id, channel.name) == ("C-leads", "#leads")
    assert role_of(channel, Admins.of("C-leads")) is Role.STRANGER
    assert set(await reports(store)) == {channel.id}
    assert typed(await asks(engine, here=LEADS))["every"] == "weekly"


async def test_it_ends_when_asked_to(store: Database, engine: Engine) -> None:
    await engine(submit((await asks(engine)).token, ADA, **DAILY))
    await engine(submit((await asks(engine)).token, ADA, **DAILY | {"every": "never"}))
    report = (await reports(store))[ADA.id]
    assert (report.every, report.next_at) == (Frequency.NEVER, None)


async def test_who_is_told_of_people_who_do_not_answer(store: Database, engine: Engine) -> None:
    form = await asks(engine)
    reply = await engine(submit(form.token, ADA, **DAILY | {"every": "never", "after": "3", "to": GRACE.user_id}))
    assert isinstance(reply, CloseForm)
    assert reply.message is not None
    assert f"{GRACE.name} is told of people" in words(reply.message)
    told = await escalation(store)
    assert (told.person_id, told.after, told.every) == (GRACE.id, 3, Frequency.DAILY)
    as_it_is = {"every": "never", "where": "me", "after": "3", "to": GRACE.user_id, "managers": ""}
    assert typed(await asks(engine, BEA)) == as_it_is


async def test_managers_can_be_told_and_whom_the_form_names_is_told_of_the_others(
    store: Database, engine: Engine
) -> None:
    values = DAILY | {"every": "never", "after": "2", "managers": ("yes",)}
    reply = await engine(submit((await asks(engine)).token, ADA, **values))
    assert isinstance(reply, CloseForm)
    assert reply.message is not None
    assert "Managers are told of their people who have not confirmed after 2 reminders" in words(reply.message)
    told = await escalation(store)
    assert (told.person_id, told.to_managers) == (ADA.id, True)
    again = await asks(engine)
    assert typed(again)["managers"] == "yes"
    await engine(submit(again.token, ADA, **DAILY | {"after": "2"}))
    assert not (await escalation(store)).to_managers


async def test_somebody_whom_the_bot_has_never_met_can_be_told(store: Database, engine: Engine) -> None:
    form = await asks(engine)
    await engine(submit(form.token, ADA, **DAILY | {"after": "3", "to": "U-head"}))
    assert (await escalation(store)).person_id == "slack:T1:U-head"
    assert "slack:T1:U-head" in {each.id for each in await stored(store, Person)}


async def test_an_admin_on_the_other_platform_does_not_lose_who_is_told(store: Database, engine: Engine) -> None:
    await engine(submit((await asks(engine)).token, ADA, **DAILY | {"after": "3", "to": GRACE.user_id}))
    await installed(store, workspace("teams:t1"), people=())
    eve = person("eve", workspace_id="teams:t1", is_workspace_admin=True)
    form = await asks(engine, eve)
    assert typed(form)["to"] == ""
    await engine(submit(form.token, eve, **DAILY | {"after": "5"}))
    told = await escalation(store)
    assert (told.person_id, told.after) == (GRACE.id, 5)


async def test_of_two_admins_the_later_one_sees_what_the_other_has_changed(store: Database, engine: Engine) -> None:
    hers = await asks(engine, BEA)
    await engine(submit((await asks(engine)).token, ADA, **DAILY | {"after": "3", "to": GRACE.user_id}))
    again = form_of(await engine(submit(hers.token, BEA, **DAILY)))
    assert "finish.overtaken" in keys(again)
    assert typed(again)["after"] == "3"
    assert (await escalation(store)).after == 3
    await engine(submit(again.token, BEA, **DAILY | {"after": "4", "to": GRACE.user_id}))
    assert (await escalation(store)).after == 4


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"every": "hourly"}, "every"),
        ({"every": ""}, "every"),
        ({"where": "here"}, "where"),
        ({"after": "0"}, "after"),
        ({"after": "21"}, "after"),
        ({"after": "two"}, "after"),
    ],
)
async def test_what_cannot_be_is_said_where_it_stands(
    store: Database, engine: Engine, wrong: dict[str, str], at: str
) -> None:
    form = form_of(await engine(submit((await asks(engine)).token, ADA, **DAILY | wrong)))
    assert set(form.errors or {}) == {at}
    assert not await stored(store, Digest)


async def test_a_form_is_its_admins_own_and_counts_once(store: Database, engine: Engine) -> None:
    form = await asks(engine)
    refused = await engine(submit(form.token, BEA, **DAILY))
    assert keys(message_of(refused))[0] == "answer.outdated"
    await engine(submit(form.token, ADA, **DAILY))
    again = await engine(submit(form.token, ADA, **DAILY | {"every": "never"}))
    assert keys(message_of(again))[0] == "answer.outdated"
    assert (await reports(store))[ADA.id].every is Frequency.DAILY


async def test_the_reports_button_shows_the_status_to_the_admin_alone(engine: Engine) -> None:
    token = Token("digest", "status", rollout().id)
    assert "status.title" in keys(message_of(await engine(press(token, ADA))))
    assert keys(message_of(await engine(press(token, GRACE))))[0] == "answer.admins_only"
