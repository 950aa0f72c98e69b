"""The status by wave and by group: how far the people of each are."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversations.bars import bar
from bot.messages import Button, Message, Param, Section, Token, When, text
from bot.model import Rollout
from bot.ports import Standing

A_PAGE = 8


def waves_message(rollout: Rollout, waves: Sequence[Standing], page: int) -> Message:
    """How far the people of each wave are, the newest wave first. `waves` begin with the page's."""
    lines = [line for wave in waves[:A_PAGE] for line in _wave_lines(wave)]
    title = text("waves.title", enterprise=rollout.name)
    return Message(title, title, tuple(lines), _buttons(rollout, "waves", waves, page))


def groups_message(rollout: Rollout, groups: Sequence[Standing], page: int) -> Message:
    """How far the people of each group are, the largest first. `groups` begin with the page's."""
    lines = [line for group in groups[:A_PAGE] for line in _group_lines(group)]
    title = text("groups.title", enterprise=rollout.name)
    body = (Section(text("groups.how")), *lines)
    return Message(title, title, body, _buttons(rollout, "groups", groups, page))


def _buttons(rollout: Rollout, what: str, parts: Sequence[Standing], page: int) -> tuple[Button, ...]:
    buttons = [Button(text("button.status"), Token("status", "show", rollout.id))]
    if page:
        buttons.append(Button(text("button.previous_page"), Token("status", what, rollout.id, page - 1)))
    if len(parts) > A_PAGE:
        buttons.append(Button(text("button.next_page"), Token("status", what, rollout.id, page + 1)))
    return tuple(buttons)


def _wave_lines(wave: Standing) -> tuple[Section, ...]:
    line: dict[str, Param] = {"at": When(wave.began), "count": wave.invited, "percent": _percent(wave)}
    named = text("waves.line.named", label=wave.label, **line)
    return Section(named if wave.label else text("waves.line", **line)), _bar(wave)


def _group_lines(group: Standing) -> tuple[Section, ...]:
    label = text("plain", words=group.label) if group.label else text("groups.alone")
    return Section(text("groups.line", label=label, count=group.invited, percent=_percent(group))), _bar(group)


def _settled(part: Standing) -> int:
    """Of those who are exempt nothing is expected, so they are done."""
    return part.done + part.exempt


def _percent(part: Standing) -> int:
    return 100 * _settled(part) // part.invited


def _bar(part: Standing) -> Section:
    known = {"reached": part.reached, "done": part.done, "exempt": part.exempt, "reported": part.reported}
    figures = (
        text("waves.figures.opened", opened=part.opened, **known) if part.opened else text("waves.figures", **known)
    )
    return Section(text("waves.bar", bar=bar(_settled(part), part.invited), figures=figures))
