"""What an invitee gets: the invitation and the reminders, as they stand now.

Both are made anew from the invitation's state whenever they are sent or brought up to date, so every copy in the
chat shows what is still open.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.conversations.farewell import ci_buttons, ci_question, farewell_message, old_token_message
from bot.messages import (
    AnyButton,
    Button,
    Day,
    Element,
    Link,
    LinkButton,
    Message,
    Notice,
    Section,
    Style,
    Text,
    Token,
    Tone,
    When,
    text,
)
from bot.model import Check, CheckKind, Delivery, DeliveryKind, DeliveryState, Rollout, RolloutState
from bot.ports import InvitationView


def compose(delivery: Delivery, view: InvitationView | None) -> Message | None:
    """What the delivery says now. None: it need not be sent (any more)."""
    if delivery.content is not None:
        return delivery.content
    if view is None:
        return None
    not_yet_sent = delivery.state is not DeliveryState.SENT
    if not delivery.kind.asks_for_checks:
        return farewell_message(view) if delivery.kind is DeliveryKind.FAREWELL else old_token_message(view)
    if not_yet_sent and (not view.invitation.is_open or view.rollout.state is RolloutState.FINISHED):
        return None
    if view.rollout.state is RolloutState.FINISHED:
        return closed_message(view)
    if not delivery.kind.is_reminder or not view.invitation.is_open:
        return invitation_message(view)
    if delivery.kind is DeliveryKind.FINAL_NOTICE and view.rollout.policy.deadline is not None:
        return final_notice(view, view.rollout.policy.deadline)
    return reminder_message(view, delivery.number)


def invitation_message(view: InvitationView) -> Message:
    """Why, where, what to check, and a button for each check that is still open."""
    if not view.invitation.is_open or view.rollout.state is RolloutState.FINISHED:
        return closed_message(view)
    rollout = view.rollout
    return Message(
        summary=text("invitation.summary", enterprise=rollout.name),
        title=text("invitation.title"),
        body=(
            Section(text("invitation.why", enterprise=rollout.name)),
            *_what_changes(rollout),
            Section(text("invitation.where", url=Link(rollout.login_url))),
            *_first_time(rollout),
            *checks(view),
            *_until(view),
        ),
        buttons=buttons(view),
        refresh=_token(view, "show"),
    )


def reminder_message(view: InvitationView, number: int) -> Message:
    """Shorter, and about what is still open only. It asks for nothing anew: that would make an invitation of it."""
    policy = view.rollout.policy
    is_last = number >= policy.at_most and not (policy.final_notice and policy.deadline)
    why = text("reminder.why", enterprise=view.rollout.name, open=_still_open(view))
    end = (Section(text("reminder.last")),) if is_last else ()
    return _reminder(view, text("reminder.title"), why, (*_until(view), *end))


def final_notice(view: InvitationView, deadline: date) -> Message:
    """The reminder before the deadline."""
    why = text("final.why", enterprise=view.rollout.name, open=_still_open(view), at=Day(deadline))
    return _reminder(view, text("final.title"), why, (Section(text("final.last")), *_snoozed(view)))


def _reminder(view: InvitationView, title: Text, why: Text, end: tuple[Element, ...]) -> Message:
    return Message(
        summary=text("reminder.summary", enterprise=view.rollout.name),
        title=title,
        body=(
            Section(why),
            Section(text("invitation.where", url=Link(view.rollout.login_url))),
            *_first_time(view.rollout),
            *checks(view),
            *end,
        ),
        buttons=buttons(view),
    )


def _still_open(view: InvitationView) -> tuple[Text, ...]:
    return tuple(text(f"check.{kind}.short") for kind in view.open_checks)


def closed_message(view: InvitationView) -> Message:
    """Nothing is expected any more."""
    if view.invitation.exempt_at is not None:
        sentence, tone = text("invitation.exempt", enterprise=view.rollout.name), Tone.INFO
    elif view.invitation.done_at is None:  # the rollout is finished
        sentence, tone = text("invitation.over", enterprise=view.rollout.name), Tone.INFO
    else:
        sentence, tone = text("invitation.done"), Tone.SUCCESS
    confirmed = view.invitation.done_at is not None
    return Message(
        summary=sentence,
        title=text("invitation.title"),
        body=(
            Notice(sentence, tone),
            *(checks(view) if view.invitation.exempt_at is None else ()),
            *(ci_question(view) if confirmed else ()),
        ),
        buttons=(
            LinkButton(text("button.open_sonarqube"), view.rollout.login_url),
            *(ci_buttons(view) if confirmed else ()),
        ),
    )


def checks(view: InvitationView) -> tuple[Element, ...]:
    """Each check, ticked when it is confirmed."""
    confirmed = {check.kind: check for check in view.checks}
    return tuple(Section(_line(kind, confirmed.get(kind), view.rollout)) for kind in view.invitation.needs)


def _line(kind: CheckKind, check: Check | None, rollout: Rollout) -> Text:
    what = _what(kind, rollout)
    if check is None:
        return text("check.open", what=what)
    if check.not_needed:
        return text("check.not_needed", what=what)
    return text("check.confirmed", what=what, at=When(check.confirmed_at, "date"))


def buttons(view: InvitationView) -> tuple[AnyButton, ...]:
    """The login URL, one button for each open check, later, and help."""
    open_checks = view.open_checks
    return (
        LinkButton(text("button.sign_in"), view.rollout.login_url, _token(view, "opened"), Style.PRIMARY),
        *(Button(text(f"button.{kind}"), _token(view, kind.value)) for kind in open_checks),
        *((Button(text("button.no_token"), _token(view, "no_token")),) if CheckKind.TOKEN in open_checks else ()),
        Button(text("button.later"), _token(view, "later")),
        Button(text("button.problem"), Token("problem", "open", view.invitation.id, view.invitation.version)),
    )


def as_preview(message: Message, token: Token) -> Message:
    """The same message with buttons that only say that this is a preview."""
    harmless = tuple(
        replace(button, token=token) if isinstance(button, Button) else replace(button, token=None)
        for button in message.buttons
    )
    return replace(message, buttons=harmless, refresh=None)


def _token(view: InvitationView, action: str) -> Token:
    return Token("confirm", action, view.invitation.id, view.invitation.version)


def _what(kind: CheckKind, rollout: Rollout) -> Text:
    if kind is CheckKind.ACCESS and rollout.organizations:
        named = tuple(text("plain", words=key) for key in rollout.organizations[:5])
        return text("check.access.named", organizations=named)
    return text(f"check.{kind}")


def _what_changes(rollout: Rollout) -> tuple[Element, ...]:
    if not rollout.former_sign_in:
        return ()
    platforms = tuple(text(f"sign_in.{platform}") for platform in rollout.former_sign_in)
    return (Section(text("invitation.changes", platforms=platforms)),)


def _first_time(rollout: Rollout) -> tuple[Element, ...]:
    return () if rollout.domain_verified else (Notice(text("invitation.verify_email")),)


def _until(view: InvitationView) -> tuple[Element, ...]:
    deadline = view.rollout.policy.deadline
    until = (Section(text("invitation.deadline", at=Day(deadline))),) if deadline else ()
    return (*until, *_snoozed(view))


def _snoozed(view: InvitationView) -> tuple[Element, ...]:
    if view.invitation.wish:
        return (Notice(text("invitation.stopped")),)
    until = view.invitation.snoozed_until
    return (Notice(text("invitation.snoozed", at=When(until, "moment"))),) if until else ()
