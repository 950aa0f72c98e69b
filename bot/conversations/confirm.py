"""The invitee's own message: confirming checks and choosing when to be reminded.

A check that is still open is confirmed by a button on any copy of the message, however old: the person says the
same thing with it. One that is confirmed already stays as it is, and the copy is brought up to date.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.calendar import allowed_from, opening
from bot.conversations import answers
from bot.conversations.invitation import invitation_message
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, CheckSeen, FormSubmitted
from bot.messages import Button, Choice, ChoiceField, DateField, Form, Message, Text, Token, Tone, When, text
from bot.model import Check, CheckKind, CheckSource, Invitation, RolloutState, Wish
from bot.ports import InvitationView, Transaction
from bot.transition import Replace, ShowForm, Transition, UpdateCopies

ConfirmEvent = ButtonPressed | FormSubmitted | CheckSeen
_KIND = {kind.value: kind for kind in CheckKind} | {"no_token": CheckKind.TOKEN}
DELAYS = {
    "3_hours": timedelta(hours=3),
    "1_day": timedelta(days=1),
    "3_days": timedelta(days=3),
    "1_week": timedelta(days=7),
}


@dataclass(frozen=True)
class ConfirmLoaded(Loaded):
    """The invitation that the event is about; None when it is not one of this company's."""

    view: InvitationView | None = None


async def load_invitation(tx: Transaction, event: ConfirmEvent, scene: Scene) -> ConfirmLoaded:
    """The invitation that a button, a form or another source names."""
    subject = event.invitation_id if isinstance(event, CheckSeen) else event.token.subject
    view = await tx.invitations.view(subject)
    if view is None or view.rollout.company != scene.workspace.company:
        return ConfirmLoaded(scene)
    mine = event.actor.identity == view.invitation.identity  # the same person, perhaps on the other platform
    return ConfirmLoaded(scene, owner=event.actor.id if mine else view.person.id, view=view)


def _step(loaded: ConfirmLoaded, event: ConfirmEvent, now: datetime) -> Transition:
    view = loaded.view
    if view is None:
        return answers.outdated()
    if isinstance(event, CheckSeen):
        return _seen(view, event, now)
    action = event.token.action
    if action == "opened":
        return opened(view, now)
    if action == "show" or not view.invitation.is_open or view.rollout.state is RolloutState.FINISHED:
        return Transition(reply=Replace(invitation_message(view)))
    if action in _KIND:
        return _confirm(view, _KIND[action], event, now)
    if action == "later":
        return Transition(reply=ShowForm(_later_form(view)))
    if action == "snooze" and isinstance(event, FormSubmitted):
        return _snooze(view, event, now)
    return answers.outdated()


def _confirm(
    view: InvitationView, kind: CheckKind, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    if kind not in view.open_checks:
        return Transition(reply=Replace(invitation_message(view), _toast(text("confirm.already"))))
    check = Check(
        invitation_id=view.invitation.id,
        kind=kind,
        confirmed_at=now,
        confirmed_by=event.actor.id,
        not_needed=event.token.action == "no_token",
    )
    after = confirmed(view, check, now)
    return Transition(
        reply=Replace(invitation_message(after)),
        state=(check, after.invitation),
        effects=(UpdateCopies(view.invitation.id),),
        audit=f"confirmed.{event.token.action}",
        subject=view.invitation.id,
    )


def opened(view: InvitationView, now: datetime) -> Transition:
    """The invitee has opened the login page; the first time is noted."""
    if view.invitation.login_opened_at is not None:
        return Transition()
    changes = {"login_opened_at": now, "version": view.invitation.version + 1}
    return Transition(state=(view.invitation.model_copy(update=changes),))


def _seen(view: InvitationView, event: CheckSeen, now: datetime) -> Transition:
    """Another source shows it: noted unless the invitee was faster."""
    if event.check not in view.open_checks or not view.invitation.is_open:
        return Transition()
    source = CheckSource.SONARQUBE
    check = Check(invitation_id=view.invitation.id, kind=event.check, confirmed_at=now, source=source)
    after = confirmed(view, check, now)
    return Transition(
        state=(check, after.invitation),
        effects=(UpdateCopies(view.invitation.id),),
        audit=f"seen.{event.check}",
        subject=view.invitation.id,
    )


def confirmed(view: InvitationView, check: Check, now: datetime) -> InvitationView:
    """The invitation after this check; done when it was the last."""
    after = replace(view, checks=(*view.checks, check))
    changes: dict[str, object] = {"version": view.invitation.version + 1}
    if not after.open_checks:
        changes |= {"done_at": now, "due_at": None, "snoozed_until": None}
    return replace(after, invitation=view.invitation.model_copy(update=changes))


def _later_form(view: InvitationView, day: str = "", errors: dict[str, Text] | None = None) -> Form:
    delays = tuple(Choice(name, text(f"later.{name}")) for name in DELAYS)
    cancel = Token("confirm", "show", view.invitation.id, view.invitation.version)
    return Form(
        Token("confirm", "snooze", view.invitation.id, view.invitation.version),
        text("later.title"),
        text("later.submit"),
        fields=(
            ChoiceField("delay", text("later.delay"), delays, ("1_day",), required=False),
            DateField("day", text("later.day"), day, required=False, hint=text("later.day.hint")),
        ),
        buttons=(
            Button(text("button.stop"), Token("wish", Wish.STOP.value, view.invitation.id)),
            Button(text("button.not_mine"), Token("wish", Wish.NOT_MINE.value, view.invitation.id)),
            Button(text("button.language"), Token("language", "ask", view.invitation.id)),
        ),
        errors=errors,
        cancel=cancel,
    )


def _snooze(view: InvitationView, event: FormSubmitted, now: datetime) -> Transition:
    policy, time_zone = view.rollout.policy, view.person.time_zone
    day = one(event.values, "day")
    wished = _wished(day, one(event.values, "delay"), view, now)
    if wished is None or wished <= now:
        return Transition(reply=ShowForm(_later_form(view, day, {"day": text("later.error.day")})))
    at = allowed_from(policy, time_zone, wished)
    if at is None:
        return Transition(reply=ShowForm(_later_form(view, day, {"day": text("later.error.deadline")})))
    changes = {
        "snoozed_until": at,
        "due_at": at,
        "wish": Wish.NONE,
        "wished_at": None,
        "version": view.invitation.version + 1,
    }
    invitation: Invitation = view.invitation.model_copy(update=changes)
    after = replace(view, invitation=invitation)
    return Transition(
        reply=Replace(invitation_message(after), _toast(text("later.set", at=When(at)))),
        state=(invitation,),
        effects=(UpdateCopies(invitation.id),),
        audit="snoozed",
        subject=invitation.id,
    )


def _wished(day: str, delay: str, view: InvitationView, now: datetime) -> datetime | None:
    """The chosen day's first working hour, or the chosen delay; None for a day that is none."""
    if not day:
        return now + DELAYS.get(delay, DELAYS["1_day"])
    try:
        chosen = datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007  # a day, not a moment
    except ValueError:
        return None
    return opening(view.rollout.policy, view.person.time_zone, chosen)


def _toast(sentence: Text) -> Message:
    return answers.notice(sentence, Tone.SUCCESS)


CONFIRM = Conversation("confirm", load_invitation, _step)
