"""A click invites thousands, or takes them back: in the background, in steps that a crash neither loses nor repeats."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot import waves
from bot.conversations.scene import PER_MINUTE
from bot.dispatcher import Dispatcher
from bot.engine import ANSWER_WITHIN, Engine
from bot.events import PeopleFound
from bot.messages import Token
from bot.model import (
    Check,
    CheckKind,
    Delivery,
    DeliveryState,
    Dialog,
    Invitation,
    Listed,
    Person,
    Platform,
    Rollout,
    RolloutState,
    Wave,
    WaveStage,
)
from bot.ports import Limits, Reason, Refused, WaveCounts
from bot.progress import Pace, show_progress
from bot.roles import Admins
from bot.transition import Replace
from bot.waves import WaveWorker
from storage.database import Database
from tests.builders import (
    ADA,
    DAY,
    NOON,
    actions,
    button,
    command,
    event_id,
    keys,
    message_of,
    person,
    press,
    rollout,
    words,
)
from tests.doubles import Crash, MemoryPlatform, StoppedClock, killed_at
from tests.rows import changed, installed, listed, rolled_out, stored

PEOPLE = tuple(person(f"p{number:02}") for number in range(25))


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def engine(store: Database, clock: StoppedClock) -> Engine:
    return Engine(store, clock, Admins.of(""))


@pytest.fixture
def worker(store: Database, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> WaveWorker:
    """Ten people at once, so that a few are many."""
    monkeypatch.setattr(waves, "AT_ONCE", 10)
    return WaveWorker(store, clock)


async def asked(store: Database, engine: Engine, *people: Person) -> Token:
    """Ada has asked for these people and got the list, with this button."""
    await installed(store)
    if not await stored(store, Rollout):
        await rolled_out(store)
    await engine(command("invite grace@acme.example"))
    (dialog,) = [each.id for each in await stored(store, Dialog) if each.step == "looking"]
    await listed(store, dialog, *people)
    found = PeopleFound(id=event_id(), workspace_id="slack:T1", actor=ADA, dialog_id=dialog, list_id=dialog)
    await engine(found)
    async with store.transaction() as tx:
        for each in await tx.deliveries.claim("slack:T1", NOON, NOON + DAY, 1):
            await tx.deliveries.sent(each, NOON, "D1", "100.1")
    return Token("invite", "send", dialog, 2)


async def agreed(store: Database, engine: Engine, *people: Person) -> Wave:
    """And has pressed it."""
    send = await asked(store, engine, *people)
    await engine(press(send))
    (wave,) = [each for each in await stored(store, Wave) if each.list_id == send.subject]
    return wave


async def the_wave(store: Database) -> Wave:
    (wave,) = await stored(store, Wave)
    return wave


async def invited(store: Database) -> set[str]:
    return {each.person_id for each in await stored(store, Invitation)}


async def decides(engine: Engine, store: Database, action: str) -> list[str]:
    """Ada presses a button of the progress message; returns what it says then."""
    wave = await the_wave(store)
    reply = await engine(press(Token("wave", action, wave.id, wave.version)))
    assert isinstance(reply, Replace), reply
    return keys(reply.message)


async def test_the_click_stores_the_wave_alone_and_the_worker_invites_everybody(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    wave = await agreed(store, engine, *PEOPLE)
    assert (wave.stage, wave.size) == (WaveStage.STORING, 25)
    assert await invited(store) == set()

    assert await worker.run_once() == 4, "ten, ten, five, and the end"
    assert await invited(store) == {each.id for each in PEOPLE}
    assert {each.person_id for each in await stored(store, Delivery) if each.wave_id} == {each.id for each in PEOPLE}
    assert (await the_wave(store)).stage is WaveStage.SENDING
    assert await stored(store, Listed) == []
    assert await worker.run_once() == 0


@pytest.mark.parametrize("point", ["wave.before_commit", "wave.after_commit"])
@pytest.mark.parametrize("nth", range(1, 5))
async def test_a_crash_between_two_steps_loses_nobody_and_invites_nobody_twice(
    store: Database, engine: Engine, worker: WaveWorker, point: str, nth: int
) -> None:
    await agreed(store, engine, *PEOPLE)
    with killed_at(point, nth), pytest.raises(Crash):
        await worker.run_once()
    await worker.run_once()

    assert len(await stored(store, Invitation)) == 25
    assert (await the_wave(store)).size == 25


async def test_sending_starts_with_the_first_step(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    await agreed(store, engine, *PEOPLE)
    slack = MemoryPlatform(clock=clock)
    with killed_at("wave.after_commit"), pytest.raises(Crash):
        await worker.run_once()
    await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
    assert len(slack.log) == 10
    await show_progress(store, {Platform.SLACK: slack}, clock)
    assert "10 of 25" in words(slack.shown["100.1"])
    assert "progress.title.sending" in keys(slack.shown["100.1"])
    assert (await the_wave(store)).finished_at is None


async def test_a_wave_that_another_process_has_just_stored_is_left_alone(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    """Two processes have seen that it is to be stored; the slower one finds it stored."""
    wave = await agreed(store, engine, *PEOPLE)
    await worker.run_once()
    assert not await worker._step(wave.id)
    assert len(await stored(store, Invitation)) == 25


async def test_whoever_was_invited_by_somebody_else_meanwhile_does_not_count(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    await agreed(store, engine, *PEOPLE[:5])
    await agreed(store, engine, *PEOPLE[:8])
    await worker.run_once()
    waves_of = Counter(each.wave_id for each in await stored(store, Invitation))
    assert waves_of.total() == 8
    assert {wave.id: wave.size for wave in await stored(store, Wave) if wave.size} == waves_of


async def test_cancelling_while_it_is_stored_leaves_nobody_invited(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    await agreed(store, engine, *PEOPLE)
    assert "progress.title.cancelling" in await decides(engine, store, "cancel")
    await worker.run_once()
    assert await invited(store) == set()
    assert (await the_wave(store)).withdrawn == 25


async def test_cancelling_the_rest_takes_back_what_is_not_sent_and_counts_it(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    await agreed(store, engine, *PEOPLE)
    await worker.run_once()
    seven = Limits(per_second=1, burst=7, in_flight=7)
    slack = MemoryPlatform(clock=clock, limits=seven, script=[Refused(Reason.BLOCKED)])
    await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
    await decides(engine, store, "cancel")
    await worker.run_once()
    await show_progress(store, {Platform.SLACK: slack}, clock)

    reached = {each.person_id for each in slack.log}
    assert len(await invited(store)) == 7
    assert reached < await invited(store), "and whoever could not be reached stays invited, to be sent again"
    said = slack.shown["100.1"]
    assert "progress.title.cancelled" in keys(said)
    assert "18 people were not written to and are not invited." in words(said)
    assert actions(said) == ["again", "status"]
    assert (await the_wave(store)).finished_at is not None
    assert await worker.run_once() == 0

    still_invited = await invited(store)
    await agreed(store, engine, *(each for each in PEOPLE if each.id not in still_invited))
    await worker.run_once()
    assert len(await invited(store)) == 25, "they can be invited later"


async def test_what_was_just_being_sent_and_comes_back_is_cancelled_too(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    await agreed(store, engine, *PEOPLE[:3])
    await worker.run_once()
    async with store.transaction() as tx:
        (claimed,) = await tx.deliveries.claim("slack:T1", NOON, NOON + DAY, 1)
    await decides(engine, store, "cancel")
    await worker.run_once()
    async with store.transaction() as tx:
        await tx.deliveries.put_off(claimed, NOON, Reason.THROTTLED)
    await show_progress(store, {}, clock)
    await worker.run_once()
    assert claimed.person_id not in await invited(store)


async def test_somebody_who_has_confirmed_already_stays_invited_without_a_message(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    """The Home tab shows an invitation before its message arrives."""
    await agreed(store, engine, *PEOPLE[:3])
    await worker.run_once()
    first = (await stored(store, Invitation))[0]
    async with store.transaction() as tx:
        await tx.save(Check(invitation_id=first.id, kind=CheckKind.ACCESS, confirmed_at=NOON))
    await decides(engine, store, "cancel")
    await worker.run_once()
    assert await invited(store) == {first.person_id}
    (delivery,) = [each for each in await stored(store, Delivery) if each.invitation_id == first.id]
    assert delivery.state is DeliveryState.WITHDRAWN


async def test_a_rollout_that_ends_while_it_is_stored_invites_nobody_more(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    await agreed(store, engine, *PEOPLE)
    await changed(store, "rollout", state=RolloutState.FINISHED)
    await worker.run_once()
    assert await invited(store) == set()


async def test_pausing_holds_what_is_stored_later_and_resuming_lets_it_go(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    await agreed(store, engine, *PEOPLE)
    slack = MemoryPlatform(clock=clock)
    dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock)
    assert "progress.title.paused" in await decides(engine, store, "pause")
    await worker.run_once()
    await dispatcher.run_once()
    assert slack.log == []
    assert "progress.title.sending" in await decides(engine, store, "resume")
    await dispatcher.run_once()
    assert len(slack.log) == 25


async def test_send_again_reaches_exactly_those_that_failed_and_the_progress_follows(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    await agreed(store, engine, *PEOPLE[:6])
    await worker.run_once()
    refused = [Refused(Reason.BLOCKED), Refused(Reason.POLICY), Refused(Reason.BLOCKED)]
    slack = MemoryPlatform(clock=clock, script=[*refused])
    dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock)
    await dispatcher.run_once()
    await show_progress(store, {Platform.SLACK: slack}, clock)
    said = words(slack.shown["100.1"])
    assert said.index("2 messages: they have blocked me") < said.index("1 message: a policy of the workspace")
    assert button(slack.shown["100.1"], "again").confirm is not None
    assert (await the_wave(store)).finished_at is not None

    before = len(slack.log)
    await decides(engine, store, "again")
    assert (await the_wave(store)).finished_at is None
    await dispatcher.run_once()
    await show_progress(store, {Platform.SLACK: slack}, clock)
    assert len(slack.log) - before == 3
    assert "6 of 6" in words(slack.shown["100.1"])
    assert (await the_wave(store)).finished_at is not None


async def test_send_again_from_the_status_reopens_the_progress_too(
    store: Database, engine: Engine, worker: WaveWorker, clock: StoppedClock
) -> None:
    await agreed(store, engine, *PEOPLE[:2])
    await worker.run_once()
    slack = MemoryPlatform(clock=clock, script=[Refused(Reason.BLOCKED)])
    dispatcher = Dispatcher(store, {Platform.SLACK: slack}, clock)
    await dispatcher.run_once()
    await show_progress(store, {Platform.SLACK: slack}, clock)
    await engine(press(Token("status", "send_again", rollout().id)))
    await dispatcher.run_once()
    await show_progress(store, {Platform.SLACK: slack}, clock)
    assert "2 of 2" in words(slack.shown["100.1"])


async def test_an_old_button_of_a_progress_message_decides_nothing(
    store: Database, engine: Engine, worker: WaveWorker
) -> None:
    wave = await agreed(store, engine, *PEOPLE)
    await decides(engine, store, "cancel")
    reply = await engine(press(Token("wave", "cancel", wave.id, wave.version)))
    assert "answer.outdated" in keys(message_of(reply))


def test_before_anything_is_measured_the_end_is_expected_by_the_limits_that_are_set() -> None:
    wave = Wave(id="w", rollout_id="r", workspace_id="slack:T1", created_by=ADA.id, created_at=NOON, size=1_200)
    slack = MemoryPlatform(limits=Limits(per_second=2, burst=1, in_flight=1))
    counts = WaveCounts({DeliveryState.READY: 1_200})
    assert Pace.allowed_by({Platform.SLACK: slack}).expected_end(wave, rollout(), counts, NOON) == NOON + timedelta(
        minutes=10
    )


def test_the_end_is_expected_from_the_measured_pace() -> None:
    wave = Wave(id="w", rollout_id="r", workspace_id="slack:T1", created_by=ADA.id, created_at=NOON, size=10_000)
    pace = Pace(PER_MINUTE)

    def end(seconds: float, sent: int, of: Rollout | None = None) -> timedelta | None:
        counts = WaveCounts({DeliveryState.SENT: sent, DeliveryState.READY: 10_000 - sent})
        now = NOON + timedelta(seconds=seconds)
        at = pace.expected_end(wave, of or rollout(), counts, now)
        return at - now if at else None

    assert end(0, 0) == timedelta(minutes=10_000 / 525), "nothing is measured yet: the platform's own pace"
    assert end(60, 100) == timedelta(minutes=99)
    assert end(120, 1_100) == timedelta(seconds=8_900 * 120 / 1_100)
    assert end(300, 2_100) == timedelta(minutes=7_900 / 525), "an old pace is forgotten"
    assert end(360, 3_100) == timedelta(minutes=6.9)
    assert end(390, 3_100, rollout(state=RolloutState.PAUSED)) is None
    assert end(9000, 3_200) == timedelta(minutes=6_800 / 525), "the pause is no part of the pace"
    assert end(9000, 10_000) is None


async def test_agreeing_to_ten_thousand_takes_no_longer_than_agreeing_to_one(
    store: Database, engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    send = await asked(store, engine, *(person(f"n{number}") for number in range(10_000)))
    began = time.perf_counter()
    reply = await engine(press(send))
    took = time.perf_counter() - began
    record_property("answered in seconds", round(took, 3))
    assert isinstance(reply, Replace)
    assert "0 of 10,000" in words(reply.message)
    assert took < ANSWER_WITHIN
