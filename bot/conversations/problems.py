"""`/sso problems`: what waits for an answer, a line for each problem however many have it, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.conversations import answers
from bot.conversations.case_messages import SHOWN, group_message
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.messages import Button, Element, Message, Notice, Section, Token, Tone, When, text
from bot.model import Rollout
from bot.ports import CaseGroup, Transaction
from bot.transition import Replace, Transition, Whisper

PAGE = 5
ProblemsEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class ProblemsLoaded(Loaded):
    """A page of what waits, and one group more if there is another page; or the group that was asked for."""

    groups: tuple[CaseGroup, ...] = ()
    group: CaseGroup | None = None


async def _load(tx: Transaction, event: ProblemsEvent, scene: Scene) -> ProblemsLoaded:
    if scene.rollout is None:
        return ProblemsLoaded(scene)
    if not isinstance(event, CommandIssued) and event.token.action == "one":
        group = await tx.cases.group(event.token.subject, SHOWN)
        mine = group is not None and group.rollout_id == scene.rollout.id
        return ProblemsLoaded(scene, group=group if mine else None)
    groups = await tx.cases.open_groups(scene.rollout.id, PAGE + 1, _page(event) * PAGE)
    return ProblemsLoaded(scene, groups=tuple(groups))


def _step(loaded: ProblemsLoaded, event: ProblemsEvent, _now: datetime) -> Transition:
    rollout = loaded.scene.rollout
    if rollout is None:
        return answers.no_rollout()
    if isinstance(event, CommandIssued):
        return Transition(reply=Whisper(_list(rollout, loaded.groups, 0)))
    if event.token.action == "one":
        return _one(rollout, loaded.group, _page(event))
    if event.token.subject != rollout.id:
        return answers.outdated()
    return Transition(reply=Replace(_list(rollout, loaded.groups, _page(event))))


def _page(event: ProblemsEvent) -> int:
    return 0 if isinstance(event, CommandIssued) else event.token.version


def _list(rollout: Rollout, groups: tuple[CaseGroup, ...], page: int) -> Message:
    title = text("problems.title", enterprise=rollout.name)
    lines: list[Element] = []
    buttons: list[Button] = []
    for number, group in enumerate(groups[:PAGE], page * PAGE + 1):
        lines.append(_line(number, group))
        buttons.append(Button(text("problems.show", number=number), Token("problems", "one", group.id, page)))
    if page:
        buttons.append(Button(text("button.previous_page"), Token("problems", "show", rollout.id, page - 1)))
    if len(groups) > PAGE:
        buttons.append(Button(text("button.next_page"), Token("problems", "show", rollout.id, page + 1)))
    none = (Notice(text("problems.none"), Tone.SUCCESS),)
    return Message(title, title, tuple(lines) or none, tuple(buttons))


def _line(number: int, group: CaseGroup) -> Section:
    problem = text(f"problem.{group.problem}")
    at = When(group.first_at, "date")
    return Section(text("problems.line", number=number, problem=problem, count=group.open, at=at))


def _one(rollout: Rollout, group: CaseGroup | None, page: int) -> Transition:
    if group is None:
        return answers.outdated()
    message = group_message(group)
    back = Button(text("problems.back"), Token("problems", "show", rollout.id, page))
    return Transition(reply=Replace(Message(message.summary, message.title, message.body, (*message.buttons, back))))


PROBLEMS_LIST = Conversation("problems", _load, _step)
