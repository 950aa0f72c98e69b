"""Who is missing, a page at a time: everybody, or those who are missing in one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, FormSubmitted
from bot.messages import Button, Choice, ChoiceField, Element, Form, Message, Notice, Section, Text, Token, Tone, text
from bot.model import CheckKind, Rollout
from bot.ports import InvitationView, Missing

PAGE = 15
EVERYBODY = "everybody"


@dataclass(frozen=True)
class Which:
    """Whom an admin asks for; None: everybody of whom something is expected. And which page, counted from 0."""

    missing: Missing | None
    page: int


def asked_which(event: ButtonPressed | FormSubmitted) -> Which | None:
    """Whom a button "missing" or "missing.token", or the filter's form, asks for; None for other actions."""
    action, _, which = event.token.action.partition(".")
    page = event.token.version
    if action == "filtered" and isinstance(event, FormSubmitted):
        which, page = one(event.values, "which"), 0
    elif action != "missing":
        return None
    return Which(Missing(which) if which in set(Missing) else None, page)


def missing_message(rollout: Rollout, views: Sequence[InvitationView], which: Missing | None, page: int) -> Message:
    """Who is missing and what. `views` is one more than a page when there is another."""
    title = text("missing.title", enterprise=rollout.name)
    action = "missing" if which is None else f"missing.{which}"
    lines: list[Element] = [Section(text("missing.only", which=text(f"missing.which.{which}")))] if which else []
    lines += [_line(view) for view in views[:PAGE]]
    if not views:
        nobody = text("missing.nobody") if which is None else text("missing.nobody.such")
        lines.append(Notice(nobody, Tone.SUCCESS))
    buttons = [Button(text("button.status"), Token("status", "show", rollout.id))]
    if views or which is not None:
        buttons.append(Button(text("missing.filter"), Token("status", "filter", rollout.id)))
    if page:
        buttons.append(Button(text("button.previous_page"), Token("status", action, rollout.id, page - 1)))
    if len(views) > PAGE:
        buttons.append(Button(text("button.next_page"), Token("status", action, rollout.id, page + 1)))
    return Message(title, title, tuple(lines), tuple(buttons))


def filter_form(rollout: Rollout) -> Form:
    """In which way people are missing who are to be shown."""
    of_checks = {Missing(kind.value) for kind in CheckKind}
    asked_for = {Missing(kind.value) for kind in rollout.needs}
    ways = [way for way in Missing if way not in of_checks - asked_for]
    choices = (
        Choice(EVERYBODY, text("missing.which.everybody")),
        *(Choice(way.value, text(f"missing.which.{way}")) for way in ways),
    )
    return Form(
        Token("status", "filtered", rollout.id),
        text("missing.filter.title"),
        text("missing.filter.show"),
        fields=(ChoiceField("which", text("missing.filter.which"), choices, (EVERYBODY,)),),
        cancel=Token("status", "missing", rollout.id),
    )


def _line(view: InvitationView) -> Section:
    name, still_open = view.person.known_as, _still_open(view)
    if view.invitation.unreachable:
        reason = text(f"reason.{view.invitation.unreachable}")
        return Section(text("missing.unreachable", name=name, open=still_open, reason=reason))
    if view.invitation.wish:
        return Section(text(f"missing.{view.invitation.wish}", name=name, open=still_open))
    return silent_line(view)


def silent_line(view: InvitationView) -> Section:
    """Somebody of whom nothing is known but what is missing and how many reminders they have had."""
    return Section(
        text("missing.line", name=view.person.known_as, open=_still_open(view), count=view.invitation.reminders)
    )


def _still_open(view: InvitationView) -> tuple[Text, ...]:
    return tuple(text(f"check.{kind}.short") for kind in view.open_checks)
