"""A wave that is planned goes out later, to each person at the same time where they are, unless an admin is to look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.conversations.invite_wave import LABEL, label_of, list_of
from bot.conversations.status import status_message
from bot.engine import Engine
from bot.events import PeopleFound, Target, TargetKind
from bot.messages import Form, Token
from bot.model import (
    Case,
    Delivery,
    DeliveryKind,
    Dialog,
    Invitation,
    Listed,
    Person,
    ReminderPolicy,
    Rollout,
    RolloutState,
    Wave,
    WaveStage,
)
from bot.planned_waves import day_and_hour, moments, starts_at
from bot.roles import Admins
from bot.transition import Replace, Reply, ShowForm, Whisper
from bot.waves import WaveWorker
from storage.database import Database
from tests.builders import ADA, NOON, actions, button, command, event_id, keys, person, press, rollout, submit, words
from tests.doubles import StoppedClock
from tests.rows import changed, installed, listed, rolled_out, stored

MONDAY = date(2026, 3, 9)
BERLIN = person("berta", time_zone="Europe/Berlin")
TOKYO = person("taro", time_zone="Asia/Tokyo")
LISBON = person("luis", time_zone="Europe/Lisbon")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def engine(store: Database, clock: StoppedClock) -> Engine:
    return Engine(store, clock, Admins.of(""))


@pytest.fixture
def worker(store: Database, clock: StoppedClock) -> WaveWorker:
    return WaveWorker(store, clock)


async def listed_for(store: Database, engine: Engine, *people: Person) -> Token:
    """Ada has asked for these people and got the list; returns its button "Later, or in parts…"."""
    await installed(store, people=())
    if not await stored(store, Rollout):
        await rolled_out(store)
    await engine(command("invite grace@acme.example"))
    (dialog,) = [each.id for each in await stored(store, Dialog) if each.step == "looking"]
    await listed(store, dialog, *people)
    await engine(PeopleFound(id=event_id(), workspace_id="slack:T1", actor=ADA, dialog_id=dialog, list_id=dialog))
    return Token("invite", "later", dialog, 2)


async def planned(store: Database, engine: Engine, *people: Person, hold: str = "never") -> Wave:
    """And has planned it for Monday at ten."""
    later = await listed_for(store, engine, *people)
    plan = Token("invite", "plan", later.subject, later.version)
    reply = await engine(submit(plan, when="day", day=MONDAY.isoformat(), hour="10", hold=hold))
    assert isinstance(reply, Replace)
    (wave,) = [each for each in await stored(store, Wave) if each.list_id == later.subject]
    return wave


async def invitations(store: Database, wave: Wave) -> dict[str, datetime]:
    """When each message of the wave goes, by person."""
    return {each.person_id: each.not_before for each in await stored(store, Delivery) if each.wave_id == wave.id}


async def test_the_form_offers_the_rollouts_working_hours(store: Database, engine: Engine) -> None:
    later = await listed_for(store, engine, BERLIN)
    reply = await engine(press(later))
    assert isinstance(reply, ShowForm)
    (hours,) = [each for each in reply.form.fields if each.name == "hour"]
    assert [each.value for each in hours.choices] == ["9", "10", "11", "12", "13", "14", "15", "16"]
    shown = await engine(press(Token("invite", "show", later.subject, later.version)))
    assert isinstance(shown, Replace)
    assert actions(shown.message) == ["send", "later", "ready", "cancel"]


async def test_everybody_gets_it_at_that_time_where_they_are(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    wave = await planned(store, engine, BERLIN, TOKYO, LISBON)
    assert day_and_hour(wave.starts_at or NOON) == (MONDAY, 10)
    clock.at = datetime(2026, 3, 8, 19, 59, tzinfo=UTC)
    assert await worker.run_once() == 0, "it is not Monday at ten anywhere"

    clock.at = datetime(2026, 3, 8, 20, 0, tzinfo=UTC)
    assert await worker.run_once() == 2
    assert await invitations(store, wave) == {
        TOKYO.id: datetime(2026, 3, 9, 1, tzinfo=UTC),
        BERLIN.id: datetime(2026, 3, 9, 9, tzinfo=UTC),
        LISBON.id: datetime(2026, 3, 9, 10, tzinfo=UTC),
    }


async def test_a_holiday_there_moves_it_to_the_next_working_time(store: Database) -> None:
    policy = ReminderPolicy(skip_holidays=True)
    may_day = Wave(
        id="w", rollout_id="r", workspace_id="slack:T1", created_by="ada", created_at=NOON,
        starts_at=starts_at(date(2026, 5, 1), 10),
    )  # fmt: skip
    when = moments(may_day, policy, (BERLIN, TOKYO), NOON)
    assert when[BERLIN.id] == datetime(2026, 5, 4, 7, tzinfo=UTC), "Labour Day is on a Friday"
    assert when[TOKYO.id] == datetime(2026, 5, 1, 1, tzinfo=UTC), "not in Japan"
    assert moments(may_day.model_copy(update={"starts_at": None}), policy, (BERLIN,), NOON) == {}


async def test_where_the_time_has_passed_already_it_goes_at_once(store: Database) -> None:
    wave = Wave(
        id="w", rollout_id="r", workspace_id="slack:T1", created_by="ada", created_at=NOON,
        starts_at=starts_at(NOON.date(), 10),
    )  # fmt: skip
    when = moments(wave, ReminderPolicy(), (BERLIN, LISBON), NOON)
    assert when == {BERLIN.id: NOON, LISBON.id: NOON}


@pytest.mark.parametrize(
    ("day", "hour", "problem"),
    [
        ("", "10", "plan.error.day"),
        ("2026-02-30", "10", "plan.error.day"),
        ("2026-03-03", "10", "plan.error.day"),
        ("2026-03-09", "3", "plan.error.day"),
        ("2026-03-07", "10", "plan.error.weekday"),
        ("2026-06-30", "10", "plan.error.far"),
        ("2026-04-01", "10", "plan.error.deadline"),
    ],
)
async def test_what_cannot_be_is_said_at_the_day(
    store: Database, engine: Engine, day: str, hour: str, problem: str
) -> None:
    await rolled_out(store, rollout(policy=ReminderPolicy(deadline=date(2026, 3, 31))))
    later = await listed_for(store, engine, BERLIN)
    if problem == "plan.error.far":
        await changed(store, "rollout", policy=ReminderPolicy())
    plan = Token("invite", "plan", later.subject, later.version)
    reply = await engine(submit(plan, when="day", day=day, hour=hour, hold="never"))
    assert isinstance(reply, ShowForm)
    assert _error(reply.form) == problem
    assert await stored(store, Wave) == []


async def test_an_admin_sends_it_at_once_or_cancels_it(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    wave = await planned(store, engine, BERLIN, TOKYO)
    reply = await engine(press(Token("wave", "start", wave.id, wave.version)))
    assert isinstance(reply, Replace)
    assert "progress.title.sending" in keys(reply.message)
    await worker.run_once()
    assert await invitations(store, wave) == {BERLIN.id: clock.now(), TOKYO.id: clock.now()}

    again = await planned(store, engine, LISBON)
    reply = await engine(press(Token("wave", "cancel", again.id, again.version)))
    assert isinstance(reply, Replace)
    assert "progress.title.cancelling" in keys(reply.message)
    await worker.run_once()
    clock.forward(days=30)
    await worker.run_once()
    assert await invitations(store, again) == {}


async def test_while_the_rollout_is_paused_a_planned_wave_does_not_begin(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    wave = await planned(store, engine, BERLIN)
    await changed(store, "rollout", state=RolloutState.PAUSED)
    clock.at = datetime(2026, 3, 9, 6, tzinfo=UTC)
    assert await worker.run_once() == 0
    await changed(store, "rollout", state=RolloutState.ACTIVE)
    await worker.run_once()
    assert await invitations(store, wave) == {BERLIN.id: datetime(2026, 3, 9, 9, tzinfo=UTC)}


async def with_problems(
    store: Database, engine: Engine, worker: WaveWorker, people: Sequence[Person], so_many: int
) -> None:
    """A first wave has reached these people; so many of them have reported a problem."""
    later = await listed_for(store, engine, *people)
    await engine(press(Token("invite", "send", later.subject, later.version)))
    await worker.run_once()
    await changed(store, "invitation", reached_at=NOON)
    for number, each in enumerate((await stored(store, Invitation))[:so_many]):
        case = Case(
            id=f"case-{number}", rollout_id=each.rollout_id, invitation_id=each.id, person_id=each.person_id,
            problem="no_organization", group_id="case-0", description="", opened_at=NOON, version=1,
        )  # fmt: skip
        async with store.transaction() as tx:
            await tx.save(case)


PILOT = tuple(person(f"pilot{number}") for number in range(10))


@pytest.mark.parametrize("problems", [0, 1, 2])
async def test_it_waits_for_the_admin_when_too_many_of_those_before_have_a_problem(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock, problems: int
) -> None:
    is_held = problems > 1  # of ten
    await with_problems(store, engine, worker, PILOT, problems)
    wave = await planned(store, engine, BERLIN, hold="10")
    clock.at = datetime(2026, 3, 9, 6, tzinfo=UTC)
    await worker.run_once()
    await worker.run_once()
    assert bool(await invitations(store, wave)) is not is_held
    told = [each for each in await stored(store, Delivery) if each.key.startswith(f"{wave.id}:held")]
    assert len(told) == is_held
    assert all((each.person_id, each.kind) == (ADA.id, DeliveryKind.NOTICE) for each in told)
    if not is_held:
        return

    (held,) = [each for each in await stored(store, Wave) if each.id == wave.id]
    assert held.stage is WaveStage.HELD
    assert told[0].content is not None
    await engine(press(button(told[0].content, "start").token))
    await worker.run_once()
    assert set(await invitations(store, wave)) == {BERLIN.id}


async def test_after_a_pilot_the_admin_is_asked_and_sees_how_it_went(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    await with_problems(store, engine, worker, PILOT, 1)
    pilot = await stored(store, Invitation)
    async with store.transaction() as tx:
        for number, each in enumerate(pilot):
            done_at = NOON + timedelta(hours=(number + 1) * 2) if number < 7 else None
            await tx.save(each.model_copy(update={"done_at": done_at, "version": each.version + 1}))
    wave = await planned(store, engine, BERLIN, hold="ask")
    clock.at = datetime(2026, 3, 9, 6, tzinfo=UTC)
    await worker.run_once()
    (asked,) = [each for each in await stored(store, Delivery) if each.key.startswith(f"{wave.id}:held")]
    assert asked.content is not None
    shown = words(asked.content)
    assert "1 person would get a message" in shown
    for fact in (
        "Message arrived\n10",
        "Done\n7 (70 %)",
        "Half were done after\n8 hours",
        "1 (10 %)",
        "I am signed in but see no organization\n1",
    ):
        assert fact in shown, shown
    assert actions(asked.content) == ["start", "status"]
    assert await invitations(store, wave) == {}


async def test_its_list_is_kept_however_far_ahead_it_is_planned(store: Database, engine: Engine) -> None:
    wave = await planned(store, engine, BERLIN)
    async with store.transaction() as tx:
        assert await tx.lists.forget(NOON + timedelta(days=60)) == 0
    assert [each.list_id for each in await stored(store, Listed)] == [wave.list_id]
    (dialog,) = await stored(store, Dialog)
    assert list_of(dialog) == wave.list_id


def _error(form: Form) -> str:
    assert form.errors is not None
    return form.errors["day"].key


async def planned_as(store: Database, engine: Engine, later: Token, **values: str) -> Reply | None:
    """The dialog "Later, or in parts" with these values."""
    return await engine(submit(Token("invite", "plan", later.subject, later.version), **values))


async def test_the_first_of_a_list_are_invited_now_and_the_rest_is_a_list_of_its_own(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    later = await listed_for(store, engine, BERLIN, TOKYO, LISBON)
    reply = await planned_as(store, engine, later, size="1", when="now")
    assert isinstance(reply, Replace)
    assert "0 of 1" in words(reply.message)
    await worker.run_once()
    assert [each.person_id for each in await stored(store, Invitation)] == [BERLIN.id]

    rest = next(each for each in await stored(store, Dialog) if each.id != later.subject)
    (asked,) = [each.content for each in await stored(store, Delivery) if each.key == f"{rest.id}:list"]
    assert asked is not None
    assert "2 people" in words(asked)
    assert [each.label for each in await stored(store, Listed)] == [TOKYO.name, LISBON.name]
    page = await engine(press(Token("invite", "names.0", rest.id, rest.version)))
    assert isinstance(page, Replace)
    assert TOKYO.name in words(page.message)

    second = Token("invite", "later", rest.id, rest.version)
    day = {"when": "day", "day": MONDAY.isoformat(), "hour": "10", "hold": "ask"}
    await planned_as(store, engine, second, size="1", **day)
    third = next(each for each in await stored(store, Dialog) if each.id not in {later.subject, rest.id})
    await engine(press(Token("invite", "send", third.id, third.version)))
    waves = {each.id: each for each in await stored(store, Wave)}
    assert sorted(each.size for each in waves.values()) == [1, 1, 1]
    assert [each.hold_above for each in waves.values() if each.starts_at is not None] == [0]
    await worker.run_once()
    clock.at = starts_at(MONDAY, 10)
    await worker.run_once()
    assert {each.person_id for each in await stored(store, Invitation)} == {BERLIN.id, LISBON.id}
    assert [each.stage for each in await stored(store, Wave) if each.hold_above == 0] == [WaveStage.HELD]


@pytest.mark.parametrize("size", ["3", "900"])
async def test_as_many_as_there_are_is_everybody(
    store: Database, engine: Engine, worker: WaveWorker, size: str
) -> None:
    later = await listed_for(store, engine, BERLIN, TOKYO, LISBON)
    await planned_as(store, engine, later, size=size, when="now")
    await worker.run_once()
    assert len(await stored(store, Invitation)) == 3
    assert len(await stored(store, Dialog)) == 1


@pytest.mark.parametrize("size", ["0", "-2", "many", "1.5"])
async def test_a_number_that_is_none_is_pointed_out_and_nothing_is_sent(
    store: Database, engine: Engine, size: str
) -> None:
    later = await listed_for(store, engine, BERLIN, TOKYO, LISBON)
    day = MONDAY.isoformat()
    reply = await planned_as(store, engine, later, size=size, when="day", day=day, hour="11", hold="25")
    assert isinstance(reply, ShowForm)
    assert set(reply.form.errors or {}) == {"size"}
    typed = {field.name: getattr(field, "value", "") for field in reply.form.fields}
    assert typed == {"size": size, "when": ("day",), "day": day, "hour": ("11",), "hold": ("25",)}
    assert not await stored(store, Wave)


async def test_of_a_list_that_is_divided_twice_at_once_one_part_is_sent(store: Database, engine: Engine) -> None:
    later = await listed_for(store, engine, BERLIN, TOKYO, LISBON)
    await planned_as(store, engine, later, size="1", when="now")
    again = await planned_as(store, engine, later, size="2", when="now")
    assert isinstance(again, Whisper)
    assert again.message.summary.key == "answer.outdated"
    assert len(await stored(store, Wave)) == 1


async def test_while_the_rollout_is_paused_no_part_of_a_list_is_sent_now(store: Database, engine: Engine) -> None:
    later = await listed_for(store, engine, BERLIN, TOKYO)
    await changed(store, "rollout", state=RolloutState.PAUSED)
    reply = await planned_as(store, engine, later, size="1", when="now")
    assert isinstance(reply, Whisper)
    assert reply.message.summary.key == "invite.paused"
    assert not await stored(store, Wave)


@pytest.mark.parametrize("when", ["", "someday"])
async def test_nobody_is_written_to_because_a_field_was_overlooked(
    store: Database, engine: Engine, when: str
) -> None:
    later = await listed_for(store, engine, BERLIN)
    reply = await planned_as(store, engine, later, size="", when=when, day="", hour="9", hold="never")
    assert isinstance(reply, ShowForm)
    assert set(reply.form.errors or {}) == {"when"}
    assert not await stored(store, Wave)


async def test_a_wave_remembers_the_groups_that_were_named_and_no_people(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    await installed(store, people=())
    await rolled_out(store)
    groups = (Target(TargetKind.GROUP, "S1", "@engineering"), Target(TargetKind.CHANNEL, "C1", "#web"))
    await engine(command("invite grace@acme.example", *groups))
    (dialog,) = [each.id for each in await stored(store, Dialog) if each.step == "looking"]
    await listed(store, dialog, BERLIN, TOKYO)
    await engine(PeopleFound(id=event_id(), workspace_id="slack:T1", actor=ADA, dialog_id=dialog, list_id=dialog))
    await planned_as(store, engine, Token("invite", "later", dialog, 2), size="1", when="now")
    rest = next(each for each in await stored(store, Dialog) if each.id != dialog)
    await planned_as(store, engine, Token("invite", "later", rest.id, 1), when="day", day="2026-03-09", hour="9")
    assert {each.label for each in await stored(store, Wave)} == {"@engineering, #web"}
    await worker.run_once()
    async with store.transaction() as tx:
        (standing,) = await tx.invitations.by_wave("rollout-1", 5, 0)
        counts = await tx.invitations.counts("rollout-1")
    assert standing.label == "@engineering, #web"
    assert "1 person (@engineering, #web) is invited on Monday 9 March" in words(status_message(rollout(), counts))


def test_a_long_list_of_groups_is_cut() -> None:
    many = [Target(TargetKind.GROUP, f"S{number}", f"@group-{number}") for number in range(40)]
    assert len(label_of(many)) == LABEL
    assert label_of(many).endswith("…")
