"""One admin wants something that another one has to approve: asking, and deciding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.approvals import Approval, ApprovalState, Asking, Needed, approval_id, as_data
from bot.conversations import answers
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.messages import Button, Message, Section, Style, Text, Token, Tone, text
from bot.model import Person
from bot.ports import Transaction
from bot.roles import Role
from bot.transition import Replace, SendMessage, Transition, UpdateNotices, Whisper

ApprovalEvent = ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class ApprovalLoaded(Loaded):
    """What is to be decided, and who has asked for it."""

    approval: Approval | None = None
    asker: Person | None = None


async def _load(tx: Transaction, event: ApprovalEvent, scene: Scene) -> ApprovalLoaded:
    approval = await tx.approvals.approval(event.token.subject)
    if approval is None or approval.company != scene.workspace.company:
        return ApprovalLoaded(scene)
    return ApprovalLoaded(scene, approval=approval, asker=await tx.people.person(approval.asked_by))


def _step(loaded: ApprovalLoaded, event: ApprovalEvent, now: datetime) -> Transition:
    approval, asker = loaded.approval, loaded.asker
    if approval is None or asker is None or not approval.is_open(now) or approval.version != event.token.version:
        return answers.outdated()
    if asker.identity == event.actor.identity:
        return answers.whisper(text("approval.own"), Tone.WARNING)
    if approval.for_owners and loaded.scene.role is not Role.OWNER:
        return answers.whisper(text("answer.owners_only"), Tone.WARNING)
    if event.token.action == "approve":
        return Transition(approved=approval)
    return decided(approval, asker, event.actor, ApprovalState.REFUSED)


def ask_for(
    needed: Needed,
    event: Asking,
    others: tuple[Person, ...],
    now: datetime,
    *,
    company: str,
    before: Approval | None = None,
) -> Transition:
    """Nothing is done; the `others` are asked. `before` is the same question, asked earlier."""
    if before is not None and before.is_open(now):
        return answers.whisper(text("approval.waiting"))
    if not others:
        return answers.whisper(text("approval.nobody"), Tone.WARNING)
    approval = Approval(
        id=approval_id(company, event),
        company=company,
        kind=needed.kind,
        what=needed.what,
        asked_by=event.actor.id,
        asked_at=now,
        asked=as_data(event),
        told=tuple(each.id for each in others),
        version=before.version + 1 if before is not None else 1,
    )
    question = question_message(approval, event.actor)
    said = answers.notice(text("approval.asked", what=needed.what, names=_names(others)))
    return Transition(
        reply=Whisper(said) if isinstance(event, CommandIssued) else Replace(said),
        state=(approval,),
        effects=tuple(SendMessage(approval.key(each.id), each.id, question) for each in others),
        audit="approval.asked",
        subject=approval.id,
        details=(("kind", approval.kind.value),),
    )


def question_message(approval: Approval, asker: Person) -> Message:
    """What the others are asked."""
    asks = text("approval.question", name=asker.known_as, what=approval.what)
    tokens = (Token("approval", action, approval.id, approval.version) for action in ("approve", "refuse"))
    approve, refuse = tokens
    return Message(
        asks,
        text("approval.title"),
        (Section(asks), Section(text("approval.how"))),
        (
            Button(text("button.approve"), approve, Style.PRIMARY),
            Button(text("button.refuse"), refuse, Style.DANGER),
        ),
    )


def decided(approval: Approval, asker: Person, by: Person, state: ApprovalState) -> Transition:
    """Everybody who was asked sees what has become of it, and whoever asked is told."""
    after = approval.model_copy(update={"state": state, "decided_by": by.id, "version": approval.version + 1})
    said = text(f"approval.{state}", name=by.known_as, asker=asker.known_as, what=approval.what)
    tone = Tone.SUCCESS if state is ApprovalState.APPROVED else Tone.WARNING
    message = Message(said, text("approval.title"), answers.notice(said, tone).body)
    return Transition(
        reply=Replace(message),
        state=(after,),
        effects=(
            UpdateNotices(tuple(approval.key(each) for each in approval.told if each != by.id), message),
            SendMessage(f"{approval.id}:{approval.version}:decided", asker.id, message),
        ),
        audit=f"approval.{state}",
        subject=approval.id,
        details=(("kind", approval.kind.value),),
    )


def _names(others: tuple[Person, ...]) -> tuple[Text, ...]:
    return tuple(text("plain", words=each.known_as) for each in others)


APPROVAL = Conversation("approval", _load, _step)
