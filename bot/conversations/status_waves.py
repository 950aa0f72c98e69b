"""The status by wave: how far the people of each are."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversations.bars import bar
from bot.messages import Button, Message, Param, Section, Token, When, text
from bot.model import Rollout
from bot.ports import WaveStanding

WAVES_A_PAGE = 8


def waves_message(rollout: Rollout, waves: Sequence[WaveStanding], page: int) -> Message:
    """How far the people of each wave are, the newest wave first, a page at a time."""
    title = text("waves.title", enterprise=rollout.name)
    lines = [line for wave in waves[:WAVES_A_PAGE] for line in _wave_lines(wave)]
    buttons = [Button(text("button.status"), Token("status", "show", rollout.id))]
    if page:
        buttons.append(Button(text("button.previous_page"), Token("status", "waves", rollout.id, page - 1)))
    if len(waves) > WAVES_A_PAGE:
        buttons.append(Button(text("button.next_page"), Token("status", "waves", rollout.id, page + 1)))
    return Message(title, title, tuple(lines), tuple(buttons))


def _wave_lines(wave: WaveStanding) -> tuple[Section, ...]:
    """When it began and how far its people are: of those who are exempt nothing is expected, so they are done."""
    settled = wave.done + wave.exempt
    percent = 100 * settled // wave.invited
    known = {"reached": wave.reached, "done": wave.done, "exempt": wave.exempt, "reported": wave.reported}
    figures = (
        text("waves.figures.opened", opened=wave.opened, **known) if wave.opened else text("waves.figures", **known)
    )
    line: dict[str, Param] = {"at": When(wave.began), "count": wave.invited, "percent": percent}
    named = text("waves.line.named", label=wave.label, **line)
    return (
        Section(named if wave.label else text("waves.line", **line)),
        Section(text("waves.bar", bar=bar(settled, wave.invited), figures=figures)),
    )
