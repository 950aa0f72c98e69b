"""`/sso language`: people are written to in the language of their chat, unless they have chosen another one here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.conversations import answers
from bot.conversations.invitation import invitation_message
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.messages import Choice, ChoiceField, Form, Token, Tone, text
from bot.ports import InvitationView, Transaction
from bot.texts import languages, own_name
from bot.transition import CloseForm, Replace, ShowForm, Speak, Transition

LanguageEvent = CommandIssued | ButtonPressed | FormSubmitted
CHAT = "chat"  # whatever the chat is in


@dataclass(frozen=True)
class LanguageLoaded(Loaded):
    """The person's own invitation, if the button on it was pressed."""

    view: InvitationView | None = None


async def _load(tx: Transaction, event: LanguageEvent, scene: Scene) -> LanguageLoaded:
    if isinstance(event, CommandIssued) or not event.token.subject:
        return LanguageLoaded(scene)
    view = await tx.invitations.view(event.token.subject)
    mine = view is not None and view.invitation.identity == event.actor.identity
    return LanguageLoaded(scene, view=view if mine else None)


def _step(loaded: LanguageLoaded, event: LanguageEvent, _now: datetime) -> Transition:
    if not isinstance(event, FormSubmitted):
        return Transition(reply=ShowForm(_form(event.actor.language, loaded.view)))
    chosen = one(event.values, "language")
    if chosen not in (CHAT, *languages()):
        return answers.outdated()
    language = "" if chosen == CHAT else chosen
    said = answers.notice(text("language.chosen"), Tone.SUCCESS)
    return Transition(
        reply=Replace(invitation_message(loaded.view), said) if loaded.view else CloseForm(said),
        effects=(Speak(event.actor.id, language),),
        audit="language.chosen",
        subject=event.actor.id,
        details=(("language", chosen),),
    )


def _form(now: str, view: InvitationView | None) -> Form:
    choices = (
        Choice(CHAT, text("language.chat")),
        *(Choice(each, text("plain", words=own_name(each))) for each in languages()),
    )
    about = view.invitation.id if view else ""
    return Form(
        Token("language", "choose", about),
        text("language.title"),
        text("language.save"),
        fields=(ChoiceField("language", text("language.label"), choices, (now or CHAT,)),),
        cancel=Token("confirm", "show", about) if view else None,
    )


LANGUAGE = Conversation("language", _load, _step)
