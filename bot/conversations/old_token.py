"""An invitee says whether a CI job still uses the token of their old account.

Asked once everything is confirmed: the token dies with the account, and a CI job that uses it fails long after with a
403, when nobody thinks of the account any more (SonarQube Cloud, "Managing your tokens").
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.conversations import answers
from bot.conversations.confirm import ConfirmLoaded, load_invitation
from bot.conversations.invitation import invitation_message
from bot.conversations.scene import Conversation
from bot.events import ButtonPressed, FormSubmitted
from bot.messages import Tone, text
from bot.model import OldToken
from bot.transition import Replace, Transition, UpdateCopies


def _step(loaded: ConfirmLoaded, event: ButtonPressed | FormSubmitted, _now: datetime) -> Transition:
    """Like a check, an answer counts from any copy of the message, however old, and can be changed."""
    view = loaded.view
    if view is None or event.token.action not in (OldToken.IN_USE, OldToken.UNUSED):
        return answers.outdated()
    answer = OldToken(event.token.action)
    toast = answers.notice(text("old_token.thanks"), Tone.SUCCESS)
    if view.invitation.old_token is answer:
        return Transition(reply=Replace(invitation_message(view), toast))
    changes = {"old_token": answer, "version": view.invitation.version + 1}
    after = replace(view, invitation=view.invitation.model_copy(update=changes))
    return Transition(
        reply=Replace(invitation_message(after), toast),
        state=(after.invitation,),
        effects=(UpdateCopies(view.invitation.id),),
        audit=f"old_token.{answer}",
        subject=view.invitation.id,
    )


OLD_TOKEN = Conversation("old_token", load_invitation, _step)
