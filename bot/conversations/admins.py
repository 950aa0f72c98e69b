"""`/sso admins`: who may run rollouts, and why; an owner makes somebody an admin here, and takes that back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.approvals import ApprovalKind, Needed
from bot.commands import targets_of, words_of
from bot.conversations import answers
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.status import find_person
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, Target, TargetKind
from bot.messages import Message, Section, Text, Tone, text
from bot.model import Person
from bot.ports import Transaction
from bot.roles import Admins
from bot.transition import Appoint, Meet, SendMessage, Transition, Whisper

SHOWN = 30
ADD, REMOVE = "add", "remove"

AdminsEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class AdminsLoaded(Loaded):
    """Whom the command names, if the bot has met them; and all admins that it has met."""

    named: Person | None = None
    admins: tuple[Person, ...] = ()


async def _load(tx: Transaction, event: AdminsEvent, scene: Scene) -> AdminsLoaded:
    if not isinstance(event, CommandIssued):  # a button that was never made
        return AdminsLoaded(scene)
    targets = targets_of(event)
    named = await find_person(tx, scene, targets[0]) if targets else None
    admins = await tx.people.admins_seen(scene.workspace.company, scene.admins)
    return AdminsLoaded(scene, None, named, tuple(admins))


def _step(loaded: AdminsLoaded, event: AdminsEvent, now: datetime) -> Transition:
    if not isinstance(event, CommandIssued):
        return answers.outdated()
    words, targets = [word.casefold() for word in words_of(event)], targets_of(event)
    if not words and not targets:
        return Transition(reply=Whisper(_list(loaded)))
    if len(words) != 1 or words[0] not in (ADD, REMOVE) or len(targets) != 1:
        return answers.whisper(text("admins.usage"), Tone.WARNING)
    person = loaded.named or _unmet(loaded.scene, targets[0], now)
    if person is None:
        return answers.whisper(text("admins.unknown", name=targets[0].label or targets[0].id), Tone.WARNING)
    return _appoint(person, event) if words[0] == ADD else _dismiss(person)


def _appoint(person: Person, event: CommandIssued) -> Transition:
    if person.is_appointed:
        return answers.whisper(text("admins.already", name=person.known_as))
    if person.is_bot or person.is_guest or person.is_deactivated:
        return answers.whisper(text("admins.cannot", name=person.known_as), Tone.WARNING)
    welcome = answers.notice(text("admins.welcome", name=event.actor.known_as))
    return Transition(
        reply=Whisper(answers.notice(text("admins.added", name=person.known_as), Tone.SUCCESS)),
        effects=(Meet((person,)), Appoint(person.id, True), SendMessage(f"{event.id}:appointed", person.id, welcome)),
        audit="admin.appointed",
        subject=person.id,
        needed=Needed(ApprovalKind.ADMINS, text("approval.admin.add", name=person.known_as)),
    )


def _dismiss(person: Person) -> Transition:
    if not person.is_appointed:
        return answers.whisper(text("admins.not_here", name=person.known_as), Tone.WARNING)
    return Transition(
        reply=Whisper(answers.notice(text("admins.removed", name=person.known_as), Tone.SUCCESS)),
        effects=(Appoint(person.id, False),),
        audit="admin.dismissed",
        subject=person.id,
        needed=Needed(ApprovalKind.ADMINS, text("approval.admin.remove", name=person.known_as)),
    )


def _unmet(scene: Scene, target: Target, now: datetime) -> Person | None:
    """Somebody of this workspace whom the bot has not met yet, if the platform's client has named them."""
    if target.kind is not TargetKind.PERSON:
        return None
    key = Person.key(scene.workspace.id, target.id)
    return Person(
        id=key, workspace_id=scene.workspace.id, user_id=target.id, name=target.label.lstrip("@"), seen_at=now
    )


def _list(loaded: AdminsLoaded) -> Message:
    title = text("admins.title")
    lines = [Section(_line(each, Admins(frozenset(loaded.scene.admins)))) for each in loaded.admins[:SHOWN]]
    return Message(title, title, (*lines, *_more(loaded.admins), Section(text("admins.usage"))))


def _more(admins: Sequence[Person]) -> tuple[Section, ...]:
    return (Section(text("invite.more", count=len(admins) - SHOWN)),) if len(admins) > SHOWN else ()


def _line(person: Person, named: Admins) -> Text:
    """Why somebody is an admin: what counts first is said."""
    if named.include(person):
        why = "admins.by.settings"
    else:
        why = "admins.by.owner" if person.is_appointed else "admins.by.workspace"
    return text("admins.line", name=person.known_as, why=text(why))


ADMINS = Conversation("admins", _load, _step)
