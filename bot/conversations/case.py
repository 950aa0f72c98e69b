"""A problem that was passed on: an admin answers everybody who has it, and they say whether that solved it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.conversations import answers
from bot.conversations.case_messages import (
    MAX_ANSWER,
    SHOWN,
    admin_key,
    answer_form,
    group_message,
    reply_message,
)
from bot.conversations.confirm import ConfirmLoaded
from bot.conversations.problem import admins_for, which_form
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, FormSubmitted
from bot.messages import Message, Notice, Quote, Section, Text, Tone, text
from bot.model import Case, CaseState
from bot.ports import CaseGroup, Transaction
from bot.secrets import redact
from bot.transition import AnswerCases, Replace, ShowForm, Transition, UpdateNotices

CaseEvent = ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class CaseLoaded(Loaded):
    """The problem, and the admins who have a message about it."""

    group: CaseGroup | None = None
    admins_told: tuple[str, ...] = ()


async def _load(tx: Transaction, event: CaseEvent, scene: Scene) -> CaseLoaded:
    group = await tx.cases.group(event.token.subject, SHOWN)
    if group is None:
        return CaseLoaded(scene)
    view = await tx.invitations.view(group.shown[0][0].invitation_id)
    if view is None or view.rollout.company != scene.workspace.company:
        return CaseLoaded(scene)
    return CaseLoaded(scene, group=group, admins_told=await admins_for(tx, view, scene))


def _step(loaded: CaseLoaded, event: CaseEvent, _now: datetime) -> Transition:
    group = loaded.group
    if group is None:
        return answers.outdated()
    if event.token.action == "show" or not group.open:
        return Transition(reply=Replace(group_message(group)))
    if event.token.action == "answer":
        return Transition(reply=ShowForm(answer_form(group)))
    answer = redact(one(event.values, "answer")[:MAX_ANSWER])
    if not answer:
        return Transition(reply=ShowForm(answer_form(group, "", {"answer": text("setup.error.required")})))
    if event.token.version != group.open:  # somebody else has it too, whose words the admin has not read
        return Transition(reply=ShowForm(answer_form(group, answer, {"answer": text("case.error.others")})))
    return _send(loaded, group, event, answer)


def _send(loaded: CaseLoaded, group: CaseGroup, event: CaseEvent, answer: str) -> Transition:
    after = group.when_answered(answer)
    keys = tuple(admin_key(group.id, admin) for admin in loaded.admins_told)
    toast = answers.notice(text("case.sent", count=group.open), Tone.SUCCESS)
    return Transition(
        reply=Replace(group_message(after), toast),
        effects=(
            AnswerCases(group.id, group.rollout_id, answer, event.actor.id, reply_message(group, answer)),
            UpdateNotices(keys, group_message(after)),
        ),
        audit="case.answered",
        subject=group.id,
        details=(("people", group.open),),
    )


@dataclass(frozen=True)
class SolvedLoaded(ConfirmLoaded):
    """The invitee's own case; the problem that it belongs to, and the admins who have a message about it."""

    case: Case | None = None
    group: CaseGroup | None = None
    admins_told: tuple[str, ...] = ()


async def _load_own(tx: Transaction, event: CaseEvent, scene: Scene) -> SolvedLoaded:
    case = await tx.cases.own(event.token.subject, event.actor.id)
    view = await tx.invitations.view(case.invitation_id) if case else None
    if case is None or view is None or view.rollout.company != scene.workspace.company:
        return SolvedLoaded(scene, owner=None if case is None else event.actor.id)
    group = await tx.cases.group(case.group_id, SHOWN)
    return SolvedLoaded(scene, event.actor.id, view, case, group, await admins_for(tx, view, scene))


def _solved(loaded: SolvedLoaded, event: CaseEvent, now: datetime) -> Transition:
    case, group, view = loaded.case, loaded.group, loaded.view
    if case is None or group is None or view is None:
        return answers.outdated()
    if event.token.action == "again":
        return Transition(reply=ShowForm(which_form(view)))
    if case.state is not CaseState.ANSWERED:
        return Transition(reply=Replace(_over(case)))
    solved = case.model_copy(update={"state": CaseState.SOLVED, "solved_at": now, "version": case.version + 1})
    after = replace(group, answered=group.answered - 1, solved=group.solved + 1)
    keys = tuple(admin_key(group.id, admin) for admin in loaded.admins_told)
    return Transition(
        reply=Replace(_over(solved)),
        state=(solved,),
        effects=(UpdateNotices(keys, group_message(after)),),
        audit="case.solved",
        subject=case.id,
    )


def _over(case: Case) -> Message:
    """The answer stays to be read; nothing is left to press."""
    title: Text = text("case.reply.title")
    return Message(
        title,
        title,
        (Section(text("case.reply.answer")), Quote(case.answer), Notice(text("problem.glad"), Tone.SUCCESS)),
    )


CASE = Conversation("case", _load, _step)
SOLVED = Conversation("solved", _load_own, _solved)
