"""How far the sending of a wave is: the admin's message, updated in place while direct messages go out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.conversations.bars import bar
from bot.messages import Button, Day, Element, Facts, Message, Notice, Section, Style, Text, Token, Tone, When, text
from bot.model import DeliveryState, Platform, Rollout, RolloutState, Wave, WaveStage
from bot.planned_waves import day_and_hour
from bot.ports import WaveCounts


def estimated_seconds(lanes: Mapping[str, int], per_minute: Mapping[Platform, float]) -> float:
    """How long so many people, by workspace, take at so many messages a minute. Lanes go side by side."""
    return max((60.0 * count / per_minute[_platform(lane)] for lane, count in lanes.items()), default=0.0)


def takes(lanes: Mapping[str, int], per_minute: Mapping[Platform, float]) -> Text:
    """The same in words."""
    minutes = estimated_seconds(lanes, per_minute) / 60
    return text("invite.takes.less") if minutes < 1 else text("invite.takes.minutes", count=round(minutes))


def _platform(lane: str) -> Platform:
    return Platform(lane.split(":", maxsplit=1)[0])


def waiting_of(wave: Wave, counts: WaveCounts) -> int:
    """How many are still to be sent, those included that are still being stored."""
    states = counts.states
    queued = states.get(DeliveryState.READY, 0) + states.get(DeliveryState.SENDING, 0)
    if wave.stage is WaveStage.SENDING:
        return queued
    return queued + max(wave.size - wave.withdrawn - counts.total, 0)


def is_waiting(wave: Wave, counts: WaveCounts) -> bool:
    """Whether it has not begun: its time has not come, or an admin is to look first."""
    planned = wave.stage is WaveStage.STORING and wave.starts_at is not None and not counts.total
    return planned or wave.stage is WaveStage.HELD


def progress_message(wave: Wave, rollout: Rollout, counts: WaveCounts, ends_at: datetime | None = None) -> Message:
    """Sent, waiting, failed and why, the expected end; and what an admin can do about it."""
    sent, waiting = counts.states.get(DeliveryState.SENT, 0), waiting_of(wave, counts)
    paused = bool(waiting) and rollout.state is RolloutState.PAUSED
    title = text(f"progress.title.{_title(wave, counts, paused=paused, waiting=bool(waiting))}")
    progress = Section(text("progress.bar", bar=bar(sent, wave.size), sent=sent, size=wave.size))
    pairs = [(name, text("number", n=value)) for name, value in _figures(wave, counts, sent, waiting)]
    if waiting and wave.starts_at is not None:
        day, hour = day_and_hour(wave.starts_at)
        pairs.append((text("progress.starts"), text("progress.starts.at", day=Day(day), hour=f"{hour}:00")))
    elif waiting and ends_at is not None and not paused and wave.stage is not WaveStage.CANCELLED:
        pairs.append((text("progress.ends"), text("progress.ends.at", at=When(ends_at, "time"))))
    notes = (*_notes(wave, counts, waiting), *failures(counts.reasons))
    return Message(title, title, (progress, Facts(tuple(pairs)), *notes), _buttons(wave, rollout, counts, waiting))


def _title(wave: Wave, counts: WaveCounts, *, paused: bool, waiting: bool) -> str:
    if wave.stage is WaveStage.CANCELLED:
        return "cancelling" if waiting else "cancelled"
    if not waiting:
        return "finished"
    if is_waiting(wave, counts):
        return "held" if wave.stage is WaveStage.HELD else "planned"
    return "paused" if paused else "sending"


def _figures(wave: Wave, counts: WaveCounts, sent: int, waiting: int) -> list[tuple[Text, int]]:
    withdrawn = wave.withdrawn + counts.states.get(DeliveryState.WITHDRAWN, 0)
    rest = (
        ("dead", counts.states.get(DeliveryState.DEAD, 0)),
        ("unknown", counts.states.get(DeliveryState.UNKNOWN, 0)),
        ("withdrawn", withdrawn),
    )
    figures = [(text("progress.sent"), sent), (text("progress.waiting"), waiting)]
    return figures + [(text(f"progress.{name}"), number) for name, number in rest if number]


def _notes(wave: Wave, counts: WaveCounts, waiting: int) -> tuple[Element, ...]:
    if wave.stage is not WaveStage.CANCELLED or waiting:
        return ()
    withdrawn = wave.withdrawn + counts.states.get(DeliveryState.WITHDRAWN, 0)
    return (Notice(text("progress.cancelled", count=withdrawn)),)


def failures(reasons: Mapping[str, int]) -> tuple[Element, ...]:
    """Why messages did not arrive, the most frequent first, each with a count and what to do."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Notice(text("status.reason", count=count, reason=text(f"reason.{key}")), Tone.WARNING)
        for key, count in ordered
    )


def _buttons(wave: Wave, rollout: Rollout, counts: WaveCounts, waiting: int) -> tuple[Button, ...]:
    def button(label: Text, action: str, style: Style = Style.PLAIN, sure: Text | None = None) -> Button:
        return Button(label, Token("wave", action, wave.id, wave.version), style, sure)

    buttons: list[Button] = []
    if is_waiting(wave, counts):
        sure = text("invite.sure", count=waiting)
        buttons.append(button(text("button.start_wave"), "start", Style.PRIMARY, sure))
    elif waiting and wave.stage is not WaveStage.CANCELLED:
        if rollout.state is RolloutState.PAUSED:
            buttons.append(button(text("button.resume"), "resume", Style.PRIMARY, text("progress.resume.sure")))
        else:
            buttons.append(button(text("button.pause"), "pause", Style.PLAIN, text("progress.pause.sure")))
    if waiting and wave.stage is not WaveStage.CANCELLED:
        sure = text("progress.cancel.sure", count=waiting)
        label = text("button.cancel" if is_waiting(wave, counts) else "button.cancel_rest")
        buttons.append(button(label, "cancel", Style.DANGER, sure))
    if counts.failed and not (waiting and wave.stage is WaveStage.CANCELLED):
        again = text("button.send_again", count=counts.failed)
        buttons.append(button(again, "again", Style.PLAIN, text("status.again.sure", count=counts.failed)))
    return (*buttons, button(text("button.status"), "status"))
