"""Lists as files: addresses that an admin hands in (`/sso invite csv`), and who of a list is left out."""

from __future__ import annotations

from datetime import datetime

from bot.conversations import answers
from bot.conversations.export import file_link
from bot.conversations.invite_wave import InviteLoaded, begun_dialog, list_of
from bot.events import ButtonPressed, CommandIssued, ListHandedIn
from bot.finishing import FileKind
from bot.messages import Tone, text
from bot.model import Dialog, Rollout
from bot.transition import AskDirectory, Transition, Whisper


def ask_for_a_file(loaded: InviteLoaded, rollout: Rollout, event: CommandIssued, now: datetime) -> Transition:
    """A link by which the admin hands in a list of addresses."""
    if not loaded.scene.public_url:
        return answers.whisper(text("export.no_address"), Tone.WARNING)
    dialog = begun_dialog(rollout, event, "file", now)
    handout, message = file_link(loaded.scene, rollout, FileKind.ADDRESSES, event, now, subject=dialog.id)
    return Transition(Whisper(message), (dialog, handout), audit="file.asked.addresses", subject=dialog.id)


def handed_in(loaded: InviteLoaded, event: ListHandedIn, now: datetime) -> Transition:
    """From here on it is as if the addresses had been typed."""
    dialog = loaded.dialog
    if dialog is None or dialog.step != "file" or dialog.person_id != event.actor.id:
        return Transition()
    looking = dialog.model_copy(update={"step": "looking", "version": dialog.version + 1, "updated_at": now})
    return Transition(
        state=(looking,),
        effects=(AskDirectory(dialog.id, event.targets),),
        audit="invite.asked",
        subject=dialog.id,
        details=(("lines", len(event.targets)),),
    )


def file_of_left_out(
    loaded: InviteLoaded, dialog: Dialog, rollout: Rollout, event: ButtonPressed, now: datetime
) -> Transition:
    """A link to that file."""
    if not loaded.scene.public_url:
        return answers.whisper(text("export.no_address"), Tone.WARNING)
    handout, message = file_link(loaded.scene, rollout, FileKind.LEFT_OUT, event, now, subject=list_of(dialog))
    return Transition(Whisper(message), (handout,), audit="file.offered.left_out", subject=rollout.id)
