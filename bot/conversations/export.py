"""`/sso export`, and whatever else hands an admin a file: a link that works once, for a few minutes, for them.

The same link serves Slack and Teams. It is shown to the admin alone and stored nowhere, only its digest is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.conversations import answers
from bot.conversations.finish import load_rollout
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.finishing import LINK_LIVES, FileKind, Handout
from bot.messages import Button, LinkButton, Message, Section, Style, Token, Tone, text
from bot.model import Rollout
from bot.ports import Transaction
from bot.transition import Transition, Whisper

ExportEvent = CommandIssued | ButtonPressed | FormSubmitted
OFFERED = (FileKind.PEOPLE, FileKind.REMOVAL, FileKind.AUDIT, FileKind.AUDIT_LINES, FileKind.REPORT)


@dataclass(frozen=True)
class ExportLoaded(Loaded):
    """The rollout that the file is about, finished or not."""

    rollout: Rollout | None = None


async def _load(tx: Transaction, event: ExportEvent, scene: Scene) -> ExportLoaded:
    if isinstance(event, CommandIssued) or event.token.action != f"make.{FileKind.REPORT}":
        return ExportLoaded(scene, rollout=await load_rollout(tx, event, scene))
    rollout = await tx.rollouts.rollout(event.token.subject)  # it has a report also when its people are erased
    if rollout is None or rollout.company != scene.workspace.company:
        return ExportLoaded(scene)
    return ExportLoaded(scene, rollout=rollout)


def _step(loaded: ExportLoaded, event: ExportEvent, now: datetime) -> Transition:
    rollout = loaded.rollout
    if rollout is None:
        return answers.no_rollout() if isinstance(event, CommandIssued) else answers.outdated()
    if not loaded.scene.public_url:
        return answers.whisper(text("export.no_address"), Tone.WARNING)
    if isinstance(event, CommandIssued):
        return Transition(reply=Whisper(_choice(rollout)))
    action, _, kind = event.token.action.partition(".")
    if action != "make" or kind not in set(OFFERED):
        return answers.outdated()
    return _hand_out(loaded.scene, rollout, FileKind(kind), event, now)


def _choice(rollout: Rollout) -> Message:
    title = text("export.title", enterprise=rollout.name)
    buttons = tuple(
        Button(text(f"export.{kind}"), Token("export", f"make.{kind}", rollout.id))
        for kind in OFFERED
        if kind is not FileKind.REMOVAL or rollout.former_sign_in
    )
    return Message(title, title, (Section(text("export.which")),), buttons)


def _hand_out(
    scene: Scene, rollout: Rollout, kind: FileKind, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    handout, message = file_link(scene, rollout, kind, event, now)
    return Transition(
        reply=Whisper(message),
        state=(handout,),
        audit=f"file.offered.{kind}",
        subject=rollout.id,
    )


def file_link(
    scene: Scene, rollout: Rollout, kind: FileKind, event: ExportEvent, now: datetime, *, subject: str = ""
) -> tuple[Handout, Message]:
    """The row of a file that passes between this admin and the bot, and the message with the link to it."""
    handout = Handout(
        id=Handout.key(scene.secret),
        kind=kind,
        rollout_id=rollout.id,
        workspace_id=event.workspace_id,
        person_id=event.actor.id,
        subject=subject,
        expires_at=now + LINK_LIVES,
        version=1,
    )
    handed_in = kind is FileKind.ADDRESSES
    minutes = int(LINK_LIVES.total_seconds() // 60)
    sentence = text("export.hand_in" if handed_in else "export.ready", minutes=minutes)
    label = text("export.upload" if handed_in else "export.fetch")
    link = LinkButton(label, f"{scene.public_url}/files/{scene.secret}", style=Style.PRIMARY)
    return handout, Message(sentence, text(f"export.{kind}"), (Section(sentence),), (link,))


EXPORT = Conversation("export", _load, _step)
