"""The messages about an invitee's old account: the question about CI, and that they may delete it."""

from __future__ import annotations

from bot.messages import Button, Element, Link, Message, Notice, Section, Text, Token, Tone, text
from bot.model import CheckKind, OldToken
from bot.ports import InvitationView

# SonarQube Cloud's page "Deleting your account"
DELETING = "https://docs.sonarsource.com/sonarqube-cloud/managing-your-account/deleting"


def asks_about_ci(view: InvitationView) -> bool:
    """Whether there is an old account whose token a CI job could use."""
    return bool(view.rollout.former_sign_in) and CheckKind.TOKEN in view.invitation.needs


def ci_question(view: InvitationView) -> tuple[Element, ...]:
    """Whether a CI job still uses the old token, or what they said about it."""
    if not asks_about_ci(view):
        return ()
    answer = view.invitation.old_token
    return (Section(text("old_token.question" if answer is OldToken.UNKNOWN else f"old_token.{answer}")),)


def ci_buttons(view: InvitationView) -> tuple[Button, ...]:
    """The answers that were not given: one may turn out to be wrong, or change."""
    if not asks_about_ci(view):
        return ()
    answers = (OldToken.UNUSED, OldToken.IN_USE)
    token = view.invitation
    return tuple(
        Button(text(f"button.old_token.{answer}"), Token("old_token", answer.value, token.id, token.version))
        for answer in answers
        if answer is not view.invitation.old_token
    )


def old_token_message(view: InvitationView) -> Message:
    """The question in a message of its own, for whoever has not answered it."""
    title = text("old_token.title")
    why = Section(text("old_token.why", enterprise=view.rollout.name))
    return Message(title, title, (why, *ci_question(view)), ci_buttons(view))


def farewell_message(view: InvitationView) -> Message:
    """They may delete their old account, what dies with it, and what to do before."""
    if _takes_back(view):
        return _not_yet(view)
    platforms: tuple[Text, ...] = tuple(text(f"sign_in.{platform}") for platform in view.rollout.former_sign_in)
    problem = Button(text("button.problem"), Token("problem", "open", view.invitation.id, view.invitation.version))
    return Message(
        summary=text("farewell.title"),
        title=text("farewell.title"),
        body=(
            Section(text("farewell.why", enterprise=view.rollout.name, platforms=platforms)),
            Notice(text("farewell.tokens"), Tone.WARNING),
            Section(text("farewell.before")),
            Section(text("farewell.anew")),
            Section(text("farewell.how", page=Link(DELETING))),
        ),
        buttons=(*(each for each in ci_buttons(view) if each.token.action == OldToken.IN_USE), problem),
    )


def _takes_back(view: InvitationView) -> bool:
    """They or an admin have said since that the old account is still needed."""
    in_use = asks_about_ci(view) and view.invitation.old_token is OldToken.IN_USE
    return view.invitation.is_keeper or in_use


def _not_yet(view: InvitationView) -> Message:
    sentence = text("farewell.keep" if view.invitation.is_keeper else "farewell.not_yet")
    buttons = () if view.invitation.is_keeper else ci_buttons(view)
    return Message(text("farewell.title"), text("farewell.title"), (Notice(sentence, Tone.WARNING),), buttons)
