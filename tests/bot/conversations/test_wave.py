"""The progress message's buttons: pause, resume, cancel the rest, start, send again, status."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.conversations.scene import PER_MINUTE
from bot.conversations.wave import WAVE, WaveLoaded
from bot.conversations.wave_messages import progress_message, takes, waiting_of
from bot.messages import Facts, Message, Text, Token
from bot.model import DeliveryState, Platform, Rollout, RolloutState, Wave, WaveStage
from bot.planned_waves import starts_at
from bot.ports import Reason, RolloutCounts, WaveCounts
from bot.transition import HoldDeliveries, ReleaseDeliveries, Replace, SendAgain, Transition, Whisper
from tests.builders import ADA, NOON, command, keys, message_of, press, rollout, scene

RUNNING = WaveCounts({DeliveryState.SENT: 7, DeliveryState.READY: 6, DeliveryState.SENDING: 4}, {}, 0)
FAILED = WaveCounts({DeliveryState.SENT: 15, DeliveryState.DEAD: 5}, {Reason.BLOCKED: 5}, 5)
DONE = WaveCounts({DeliveryState.SENT: 20}, {}, 0)


def a_wave(**changes: Any) -> Wave:
    given = {
        "id": "wave-1",
        "rollout_id": "rollout-1",
        "workspace_id": "slack:T1",
        "created_by": ADA.id,
        "created_at": NOON,
        "size": 20,
        "shown": "what was shown before",
        "version": 3,
    }
    return Wave(**given | changes)


def act(
    action: str, wave: Wave | None = None, counts: WaveCounts = RUNNING, of: Rollout | None = None, version: int = 3
) -> Transition:
    loaded = WaveLoaded(scene(of or rollout()), wave=wave or a_wave(), counts=counts)
    return WAVE.decide(loaded, press(Token("wave", action, "wave-1", version)), NOON)


def changed(after: Transition) -> Wave:
    (wave,) = after.state
    assert isinstance(wave, Wave)
    return wave


def facts(message: Message) -> dict[str, Any]:
    (pairs,) = (each.pairs for each in message.body if isinstance(each, Facts))
    return {name.key: value.params["n"] for name, value in pairs if "n" in value.params}


@pytest.mark.parametrize(
    ("action", "before", "wanted", "audit", "effect"),
    [
        ("pause", RolloutState.ACTIVE, RolloutState.PAUSED, "paused", HoldDeliveries("rollout-1")),
        ("resume", RolloutState.PAUSED, RolloutState.ACTIVE, "resumed", ReleaseDeliveries("rollout-1")),
    ],
)
def test_pausing_a_send_pauses_its_rollout(
    action: str, before: RolloutState, wanted: RolloutState, audit: str, effect: Any
) -> None:
    of = rollout(state=before)
    after = act(action, of=of)
    (stored,) = after.state
    assert isinstance(stored, Rollout)
    assert (stored.state, stored.version) == (wanted, of.version + 1)
    assert (after.effects, after.audit, after.subject) == ((effect,), audit, "rollout-1")
    assert after.reply == Replace(progress_message(a_wave(), stored, RUNNING))
    again = act(action, of=rollout(state=wanted))
    assert (again.state, again.effects) == ((), ())
    assert again.reply == Replace(progress_message(a_wave(), rollout(state=wanted), RUNNING))


def test_the_rest_is_cancelled_and_shown_anew() -> None:
    after = act("cancel")
    wave = changed(after)
    assert (wave.stage, wave.shown, wave.version) == (WaveStage.CANCELLED, "", 4)
    assert (after.audit, after.subject, after.details) == ("invite.cancelled_rest", "wave-1", (("people", 10),))
    assert after.reply == Replace(progress_message(wave, rollout(), RUNNING))


@pytest.mark.parametrize("counts", [DONE, FAILED])
def test_where_nothing_waits_there_is_nothing_to_cancel(counts: WaveCounts) -> None:
    after = act("cancel", counts=counts)
    assert after == Transition(reply=Replace(progress_message(a_wave(), rollout(), counts)))


def test_nothing_is_cancelled_twice() -> None:
    cancelled = a_wave(stage=WaveStage.CANCELLED)
    assert act("cancel", cancelled) == Transition(reply=Replace(progress_message(cancelled, rollout(), RUNNING)))


@pytest.mark.parametrize("stage", [WaveStage.STORING, WaveStage.HELD])
def test_what_is_planned_or_held_starts_at_once_for_everybody(stage: WaveStage) -> None:
    planned = a_wave(stage=stage, starts_at=starts_at(date(2026, 3, 9), 9), hold_above=10)
    after = act("start", planned, WaveCounts())
    wave = changed(after)
    assert (wave.stage, wave.starts_at, wave.hold_above, wave.shown, wave.version) == (
        WaveStage.STORING,
        None,
        None,
        "",
        4,
    )
    assert (after.audit, after.details) == ("invite.started", (("people", 20),))


def test_what_runs_already_is_not_started() -> None:
    assert act("start") == Transition(reply=Replace(progress_message(a_wave(), rollout(), RUNNING)))


def test_exactly_those_that_failed_are_sent_again() -> None:
    after = act("again", a_wave(finished_at=NOON), FAILED)
    wave = changed(after)
    assert (wave.stage, wave.shown, wave.finished_at, wave.version) == (WaveStage.SENDING, "", None, 4)
    assert (after.effects, after.audit) == ((SendAgain("rollout-1", "wave-1"),), "sent_again")
    assert after.details == (("messages", 5),)
    assert after.reply == Replace(progress_message(wave, rollout(), FAILED.sent_again()))


def test_a_wave_that_was_cancelled_and_has_ended_sends_again_what_failed_before() -> None:
    ended = a_wave(stage=WaveStage.CANCELLED, finished_at=NOON)
    assert changed(act("again", ended, FAILED)).stage is WaveStage.SENDING
    storing = a_wave(stage=WaveStage.STORING)
    assert changed(act("again", storing, FAILED)).stage is WaveStage.STORING


@pytest.mark.parametrize(("wave", "counts"), [(a_wave(), RUNNING), (a_wave(stage=WaveStage.CANCELLED), FAILED)])
def test_nothing_is_sent_again_where_nothing_failed_or_while_the_rest_is_withdrawn(
    wave: Wave, counts: WaveCounts
) -> None:
    assert act("again", wave, counts) == Transition(reply=Replace(progress_message(wave, rollout(), counts)))


def test_the_status_is_said_beside() -> None:
    loaded = WaveLoaded(scene(rollout()), wave=a_wave(), rollout_counts=RolloutCounts(invited=3, open=3))
    after = WAVE.decide(loaded, press(Token("wave", "status", "wave-1")), NOON)
    assert isinstance(after.reply, Whisper)
    assert keys(after.reply.message)[0] == "status.title"


@pytest.mark.parametrize(("action", "version"), [("cancel", 2), ("again", 2), ("start", 4), ("dance", 3)])
def test_an_old_button_changes_nothing(action: str, version: int) -> None:
    after = act(action, version=version, counts=FAILED)
    assert (after.state, after.effects) == ((), ())
    assert keys(message_of(after.reply))[0] == "answer.outdated"


def test_without_a_rollout_or_a_wave_it_says_so() -> None:
    nothing = WAVE.decide(WaveLoaded(scene()), press(Token("wave", "pause", "wave-1")), NOON)
    assert keys(message_of(nothing.reply))[0] == "answer.no_rollout"
    gone = WAVE.decide(WaveLoaded(scene(rollout())), press(Token("wave", "pause", "wave-1")), NOON)
    assert keys(message_of(gone.reply))[0] == "answer.outdated"
    typed = WAVE.decide(WaveLoaded(scene(rollout()), wave=a_wave()), command("wave"), NOON)
    assert keys(message_of(typed.reply))[0] == "answer.outdated"


def test_what_is_being_sent_still_waits_and_what_is_withdrawn_is_added_up() -> None:
    assert waiting_of(a_wave(), RUNNING) == 10
    assert waiting_of(a_wave(stage=WaveStage.STORING), RUNNING) == 13, "three are not stored yet"
    counts = WaveCounts({DeliveryState.SENT: 10, DeliveryState.WITHDRAWN: 4}, {}, 0)
    shown = facts(progress_message(a_wave(stage=WaveStage.CANCELLED, withdrawn=6), rollout(), counts))
    assert shown == {"progress.sent": 10, "progress.waiting": 0, "progress.withdrawn": 10}


def test_how_long_it_takes_is_said_in_minutes_of_the_slowest_lane() -> None:
    assert takes({"slack:T1": 10_000}, PER_MINUTE) == Text("invite.takes.minutes", {"count": 19})
    assert takes({"teams:a:b": 10_000}, PER_MINUTE) == Text("invite.takes.minutes", {"count": 6})
    assert takes({"slack:T1": 525}, PER_MINUTE) == Text("invite.takes.minutes", {"count": 1})
    assert takes({"slack:T1": 524}, PER_MINUTE) == Text("invite.takes.less")
    assert takes({}, PER_MINUTE) == Text("invite.takes.less")
    assert takes({"slack:T1": 10_000}, {Platform.SLACK: 100}) == Text("invite.takes.minutes", {"count": 100})
