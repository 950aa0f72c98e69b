"""`/sso erase`: after a rollout is finished, its people become counts. It cannot be undone, so it is asked twice.

With somebody named it is about that person alone (bot/conversations/erase_person.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.conversations import answers, erase_person
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.messages import Button, Form, Message, Notice, Section, Style, Text, TextField, Token, Tone, text
from bot.model import Rollout, RolloutState
from bot.ports import Transaction
from bot.transition import Replace, ShowForm, Transition, Whisper

EraseEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class EraseLoaded(Loaded):
    """The rollout whose people are to be erased."""

    rollout: Rollout | None = None


async def _load(tx: Transaction, event: EraseEvent, scene: Scene) -> EraseLoaded | erase_person.PersonLoaded:
    if erase_person.is_about_somebody(event):
        return await erase_person.load(tx, event, scene)
    if isinstance(event, CommandIssued):
        return EraseLoaded(scene, rollout=await tx.erasing.erasable(scene.workspace.company))
    rollout = await tx.rollouts.rollout(event.token.subject)
    if rollout is None or rollout.company != scene.workspace.company:
        return EraseLoaded(scene)
    return EraseLoaded(scene, rollout=rollout)


def _step(loaded: EraseLoaded | erase_person.PersonLoaded, event: EraseEvent, now: datetime) -> Transition:
    if isinstance(loaded, erase_person.PersonLoaded):
        return erase_person.step(loaded, event)
    rollout = loaded.rollout
    if isinstance(event, CommandIssued):
        return _nothing(loaded.scene) if rollout is None else Transition(reply=Whisper(_question(rollout)))
    if rollout is None or not _can_be_erased(rollout) or event.token.version != rollout.version:
        return answers.outdated()
    if event.token.action == "open":
        return Transition(reply=ShowForm(_form(rollout)))
    if event.token.action != "sure":
        return Transition(reply=Replace(_question(rollout)))
    if one(event.values, "key") != rollout.enterprise_key:
        return Transition(reply=ShowForm(_form(rollout, {"key": text("erase.error", key=rollout.enterprise_key)})))
    changes = {"erased_at": now, "archived_at": rollout.archived_at or now, "version": rollout.version + 1}
    return Transition(
        reply=Replace(answers.notice(text("erase.done", enterprise=rollout.name), Tone.SUCCESS)),
        state=(rollout.model_copy(update=changes),),
        audit="erased",
        subject=rollout.id,
    )


def _can_be_erased(rollout: Rollout) -> bool:
    return rollout.state is RolloutState.FINISHED and rollout.erased_at is None


def _nothing(scene: Scene) -> Transition:
    if scene.rollout is not None:
        return answers.whisper(text("erase.running", enterprise=scene.rollout.name), Tone.WARNING)
    return answers.whisper(text("erase.nothing"))


def _question(rollout: Rollout) -> Message:
    title = text("erase.title", enterprise=rollout.name)
    erase = Button(text("erase.button"), Token("erase", "open", rollout.id, rollout.version), Style.DANGER)
    return Message(title, title, (Section(text("erase.what")), Section(text("erase.stays"))), (erase,))


def _form(rollout: Rollout, unfit: dict[str, Text] | None = None) -> Form:
    return Form(
        Token("erase", "sure", rollout.id, rollout.version),
        text("erase.button"),
        text("erase.button"),
        body=(Notice(text("erase.what"), Tone.WARNING), Section(text("erase.stays"))),
        fields=(TextField("key", text("erase.key"), hint=text("erase.key.hint", key=rollout.enterprise_key)),),
        errors=unfit,
        cancel=Token("erase", "show", rollout.id, rollout.version),
    )


ERASE = Conversation("erase", _load, _step)
