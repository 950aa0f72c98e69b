"""The buttons of a progress message: pause, go on, cancel the rest, send again, status."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.conversations import answers
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.status import status_message
from bot.conversations.wave_messages import is_waiting, progress_message, waiting_of
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.model import Rollout, RolloutState, Wave, WaveStage
from bot.ports import RolloutCounts, Transaction, WaveCounts
from bot.transition import HoldDeliveries, ReleaseDeliveries, Replace, SendAgain, Transition, Whisper

WaveEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class WaveLoaded(Loaded):
    """The wave and how far it is; the whole rollout's counts for its status."""

    wave: Wave | None = None
    counts: WaveCounts = field(default_factory=WaveCounts)
    rollout_counts: RolloutCounts = field(default_factory=RolloutCounts)


async def _load(tx: Transaction, event: WaveEvent, scene: Scene) -> WaveLoaded:
    if isinstance(event, CommandIssued) or scene.rollout is None:
        return WaveLoaded(scene)
    wave = await tx.rollouts.wave(event.token.subject)
    if wave is None or wave.rollout_id != scene.rollout.id:
        return WaveLoaded(scene)
    if event.token.action == "status":
        return WaveLoaded(scene, None, wave, rollout_counts=await tx.invitations.counts(scene.rollout.id))
    return WaveLoaded(scene, None, wave, await tx.deliveries.of_wave(wave.id))


def _step(loaded: WaveLoaded, event: WaveEvent, _now: datetime) -> Transition:
    rollout, wave = loaded.scene.rollout, loaded.wave
    if rollout is None:
        return answers.no_rollout()
    if wave is None or isinstance(event, CommandIssued):
        return answers.outdated()
    action = event.token.action
    if action == "status":
        return Transition(reply=Whisper(status_message(rollout, loaded.rollout_counts)))
    if action in _PAUSING:
        return _to(_PAUSING[action], rollout, wave, loaded.counts)
    if wave.version != event.token.version or action not in _DECIDING:
        return answers.outdated()
    return _DECIDING[action](rollout, wave, loaded.counts)


def _to(state: RolloutState, rollout: Rollout, wave: Wave, counts: WaveCounts) -> Transition:
    """Pausing a send pauses its rollout, as `/sso pause` does: one thing that is paused, wherever one looks."""
    if rollout.state is state:
        return Transition(reply=Replace(progress_message(wave, rollout, counts)))
    after = rollout.model_copy(update={"state": state, "version": rollout.version + 1})
    paused = state is RolloutState.PAUSED
    return Transition(
        reply=Replace(progress_message(wave, after, counts)),
        state=(after,),
        effects=(HoldDeliveries(rollout.id) if paused else ReleaseDeliveries(rollout.id),),
        audit="paused" if paused else "resumed",
        subject=rollout.id,
    )


def _cancel(rollout: Rollout, wave: Wave, counts: WaveCounts) -> Transition:
    """What is not yet sent is withdrawn in the background (bot/waves.py); those people are then not invited."""
    waiting = waiting_of(wave, counts)
    if not waiting or wave.stage is WaveStage.CANCELLED:
        return Transition(reply=Replace(progress_message(wave, rollout, counts)))
    after = wave.model_copy(update={"stage": WaveStage.CANCELLED, "shown": "", "version": wave.version + 1})
    return Transition(
        reply=Replace(progress_message(after, rollout, counts)),
        state=(after,),
        audit="invite.cancelled_rest",
        subject=wave.id,
        details=(("people", waiting),),
    )


def _start(rollout: Rollout, wave: Wave, counts: WaveCounts) -> Transition:
    """A planned wave, or one that waits for the admin, goes now, and to everybody at once."""
    if not is_waiting(wave, counts):
        return Transition(reply=Replace(progress_message(wave, rollout, counts)))
    changes = {"stage": WaveStage.STORING, "starts_at": None, "hold_above": None, "shown": ""}
    after = wave.model_copy(update={**changes, "version": wave.version + 1})
    return Transition(
        reply=Replace(progress_message(after, rollout, counts)),
        state=(after,),
        audit="invite.started",
        subject=wave.id,
        details=(("people", waiting_of(wave, counts)),),
    )


def _send_again(rollout: Rollout, wave: Wave, counts: WaveCounts) -> Transition:
    if not counts.failed or (wave.stage is WaveStage.CANCELLED and wave.finished_at is None):
        return Transition(reply=Replace(progress_message(wave, rollout, counts)))
    stage = wave.stage if wave.finished_at is None else WaveStage.SENDING
    changes = {"stage": stage, "shown": "", "finished_at": None, "version": wave.version + 1}
    after = wave.model_copy(update=changes)
    return Transition(
        reply=Replace(progress_message(after, rollout, counts.sent_again())),
        state=(after,),
        effects=(SendAgain(rollout.id, wave.id),),
        audit="sent_again",
        subject=wave.id,
        details=(("messages", counts.failed),),
    )


_PAUSING = {"pause": RolloutState.PAUSED, "resume": RolloutState.ACTIVE}
_DECIDING = {"cancel": _cancel, "again": _send_again, "start": _start}

WAVE = Conversation("wave", _load, _step)
