"""`/sso remind`, `/sso pause`, `/sso resume`, `/sso exempt`: what an admin does while a rollout runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.approvals import ApprovalKind, Needed
from bot.calendar import is_over
from bot.commands import command_of, targets_of, words_of
from bot.conversations import answers
from bot.conversations.scene import Conversation, Loaded, Scene, load_scene_only
from bot.conversations.status import find_invitation
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, Target, TargetKind
from bot.messages import Button, Element, Message, Notice, Section, Style, Token, Tone, text
from bot.model import Rollout, RolloutState
from bot.ports import InvitationView, RolloutCounts, Transaction
from bot.secrets import redact
from bot.transition import HoldDeliveries, MakeDue, ReleaseDeliveries, Replace, Transition, UpdateCopies, Whisper

ManageEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class RemindLoaded(Loaded):
    """Whom the command names, and who of them has an invitation; or how many are open."""

    named: tuple[tuple[Target, InvitationView | None], ...] = ()
    counts: RolloutCounts | None = None


async def _load_named(tx: Transaction, event: ManageEvent, scene: Scene) -> RemindLoaded:
    if scene.rollout is None:
        return RemindLoaded(scene)
    if isinstance(event, CommandIssued) and targets_of(event):
        named = [(target, await find_invitation(tx, scene, target)) for target in targets_of(event)]
        return RemindLoaded(scene, named=tuple(named))
    return RemindLoaded(scene, counts=await tx.invitations.counts(scene.rollout.id))


def _remind(loaded: RemindLoaded, event: ManageEvent, now: datetime) -> Transition:
    rollout = loaded.scene.rollout
    if rollout is None:
        return answers.no_rollout()
    if rollout.state is RolloutState.PAUSED:
        return answers.whisper(text("invite.paused"), Tone.WARNING)
    if is_over(rollout.policy, now):
        return answers.whisper(text("remind.deadline"), Tone.WARNING)
    if isinstance(event, CommandIssued) and words_of(event):
        return answers.whisper(text("remind.usage"), Tone.WARNING)
    if any(target.kind not in (TargetKind.PERSON, TargetKind.EMAIL) for target, _ in loaded.named):
        return answers.whisper(text("remind.usage"), Tone.WARNING)
    return _remind_named(loaded, rollout, now) if loaded.named else _remind_all(loaded, rollout, event)


def _remind_all(loaded: RemindLoaded, rollout: Rollout, event: ManageEvent) -> Transition:
    """Everybody who is open: asked first, since it writes to many."""
    counts = loaded.counts or RolloutCounts()
    waiting = counts.open - counts.snoozed - counts.stopped
    if not counts.open:
        return answers.whisper(text("remind.nobody"), Tone.SUCCESS)
    if not waiting:
        return Transition(reply=Whisper(Message(text("remind.nobody_now"), body=_left_alone(counts))))
    if isinstance(event, CommandIssued) or event.token.action == "ask":
        return Transition(reply=Whisper(_sure(rollout, waiting, counts)))
    if event.token.version != rollout.version or event.token.subject != rollout.id:
        return answers.outdated()
    return Transition(
        reply=Replace(answers.notice(text("remind.queued", count=waiting), Tone.SUCCESS)),
        effects=(MakeDue(rollout.id),),
        audit="reminded",
        subject=rollout.id,
        details=(("people", waiting),),
        needed=Needed(ApprovalKind.SEND, text("approval.remind", count=waiting, enterprise=rollout.name), waiting),
    )


def _left_alone(counts: RolloutCounts) -> tuple[Element, ...]:
    """Who gets no reminder now, and why."""
    snoozed = (Notice(text("remind.snoozed", count=counts.snoozed)),) if counts.snoozed else ()
    stopped = (Notice(text("remind.stopped", count=counts.stopped)),) if counts.stopped else ()
    return (*snoozed, *stopped)


def _sure(rollout: Rollout, waiting: int, counts: RolloutCounts) -> Message:
    question = text("remind.sure", count=waiting)
    send = Button(
        text("remind.send", count=waiting), Token("remind", "send", rollout.id, rollout.version), Style.PRIMARY
    )
    return Message(question, None, (Section(question), *_left_alone(counts)), (send,))


def _remind_named(loaded: RemindLoaded, rollout: Rollout, now: datetime) -> Transition:
    """Whoever is named is reminded, also when they are snoozed; not when they want no more."""
    views = [view for _, view in loaded.named if view is not None]
    if views and all(is_over(rollout.policy, now, view.person.time_zone) for view in views):
        return answers.whisper(text("remind.deadline"), Tone.WARNING)
    open_ids = tuple(view.invitation.id for _, view in loaded.named if view is not None and _may_remind(view))
    not_open = tuple(
        text("plain", words=target.label or target.id)
        for target, view in loaded.named
        if view is None or not _may_remind(view)
    )
    if not open_ids:
        return answers.whisper(text("remind.none_open", names=not_open), Tone.WARNING)
    body = [Section(text("remind.queued", count=len(open_ids)))]
    body += [Section(text("remind.none_open", names=not_open))] if not_open else []
    return Transition(
        reply=Whisper(Message(text("remind.queued", count=len(open_ids)), body=tuple(body))),
        effects=(MakeDue(rollout.id, open_ids),),
        audit="reminded",
        subject=rollout.id,
        details=(("people", len(open_ids)),),
    )


def _may_remind(view: InvitationView) -> bool:
    return view.invitation.is_open and not view.invitation.wish


def _pause(loaded: Loaded, event: ManageEvent, _now: datetime) -> Transition:
    """Both `/sso pause` and `/sso resume`."""
    rollout = loaded.scene.rollout
    if rollout is None:
        return answers.no_rollout()
    resume = isinstance(event, CommandIssued) and command_of(event) == "resume"
    wanted = RolloutState.ACTIVE if resume else RolloutState.PAUSED
    if rollout.state is wanted:
        return answers.whisper(text("resume.already" if resume else "pause.already"))
    after = rollout.model_copy(update={"state": wanted, "version": rollout.version + 1})
    effect = ReleaseDeliveries(rollout.id) if resume else HoldDeliveries(rollout.id)
    return Transition(
        reply=Whisper(answers.notice(text("resume.done" if resume else "pause.done"), Tone.SUCCESS)),
        state=(after,),
        effects=(effect,),
        audit="resumed" if resume else "paused",
        subject=rollout.id,
    )


def _exempt(loaded: RemindLoaded, event: ManageEvent, now: datetime) -> Transition:
    if loaded.scene.rollout is None:
        return answers.no_rollout()
    reason = redact(" ".join(words_of(event))) if isinstance(event, CommandIssued) else ""
    if len(loaded.named) != 1 or not reason:
        return answers.whisper(text("exempt.usage"), Tone.WARNING)
    target, view = loaded.named[0]
    if view is None:
        return answers.whisper(text("status.not_invited", name=target.label or target.id), Tone.WARNING)
    if not view.invitation.is_open:
        return answers.whisper(text("exempt.not_open"), Tone.WARNING)
    changes = {
        "exempt_at": now,
        "exempt_reason": reason[:500],
        "due_at": None,
        "snoozed_until": None,
        "version": view.invitation.version + 1,
    }
    name = view.person.name or target.label
    return Transition(
        reply=Whisper(answers.notice(text("exempt.done", name=name), Tone.SUCCESS)),
        state=(view.invitation.model_copy(update=changes),),
        effects=(UpdateCopies(view.invitation.id),),
        audit="exempted",
        subject=view.invitation.id,
    )


REMIND = Conversation("remind", _load_named, _remind)
PAUSE = Conversation("pause", load_scene_only, _pause)
EXEMPT = Conversation("exempt", _load_named, _exempt)
