"""`/sso erase @person`: what the bot knows of one human being is deleted, also while their rollout runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.commands import targets_of, words_of
from bot.conversations import answers
from bot.conversations.scene import Loaded, Scene
from bot.conversations.status import find_person
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, TargetKind
from bot.messages import Button, Message, Section, Style, Text, Token, Tone, text
from bot.model import Person
from bot.ports import Footprint, Transaction
from bot.roles import Admins, role_of
from bot.transition import ErasePerson, Replace, Transition, Whisper

ACTION = "person"
NAMED = frozenset({TargetKind.PERSON, TargetKind.EMAIL})

EraseEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class PersonLoaded(Loaded):
    """Who is named, in every workspace of the company that knows them, and how much there is of them."""

    people: tuple[Person, ...] = ()
    footprint: Footprint = field(default_factory=Footprint)


def is_about_somebody(event: EraseEvent) -> bool:
    """Whether the event is about one person, not about a rollout's people."""
    if isinstance(event, CommandIssued):
        return bool(targets_of(event) or words_of(event))
    return event.token.action == ACTION


async def load(tx: Transaction, event: EraseEvent, scene: Scene) -> PersonLoaded:
    """Read what `step` needs."""
    named = await _named(tx, event, scene)
    people = tuple(await tx.people.same_as(named, scene.workspace.company)) if named is not None else ()
    footprint = await tx.erasing.footprint([each.id for each in people])
    return PersonLoaded(scene, people=people, footprint=footprint)


async def _named(tx: Transaction, event: EraseEvent, scene: Scene) -> Person | None:
    if not isinstance(event, CommandIssued):
        return await tx.people.person(event.token.subject)
    targets = targets_of(event)
    return await find_person(tx, scene, targets[0]) if len(targets) == 1 else None


def step(loaded: PersonLoaded, event: EraseEvent) -> Transition:
    """The question, and what follows from its button."""
    people = loaded.people
    if isinstance(event, CommandIssued):
        targets = targets_of(event)
        if words_of(event) or len(targets) != 1 or targets[0].kind not in NAMED:
            return answers.whisper(text("erase.usage"), Tone.WARNING)
        if not people:
            return answers.whisper(text("erase.unknown", name=targets[0].label or targets[0].id))
    if not people:
        return answers.outdated()
    name = people[0].known_as
    if _are_admins(people, loaded.scene):
        return answers.whisper(text("erase.admin", name=name), Tone.WARNING)
    if isinstance(event, CommandIssued):
        return Transition(reply=Whisper(_question(people, loaded.footprint)))
    return Transition(
        reply=Replace(answers.notice(text("erase.person.done", name=name), Tone.SUCCESS)),
        effects=(ErasePerson(loaded.scene.workspace.company, people),),
        audit="erased.person",
        subject=people[0].id,
    )


def _are_admins(people: Sequence[Person], scene: Scene) -> bool:
    """By name, by a group of any workspace, or appointed. Slack tells who owns the workspace only while they use the
    bot, which meets them again then: it does not tell that they have left.
    """
    admins = Admins(scene.admins_elsewhere.union(scene.admins))
    known = (each.model_copy(update={"is_workspace_admin": False}) for each in people)
    return any(role_of(each, admins).runs_rollouts for each in known)


def _question(people: Sequence[Person], footprint: Footprint) -> Message:
    name = people[0].known_as
    title = text("erase.person.title", name=name)
    erase = Button(
        text("erase.person.button"),
        Token("erase", ACTION, people[0].id),
        Style.DANGER,
        confirm=text("erase.person.sure", name=name),
    )
    lines = (_held(people, footprint), text("erase.person.what"), text("erase.person.stays"))
    return Message(title, title, tuple(Section(each) for each in lines), (erase,))


def _held(people: Sequence[Person], footprint: Footprint) -> Text:
    address = next((each.email for each in people if each.email), "")
    known = text("erase.person.address", address=address) if address else text("erase.person.name")
    counted = (
        (footprint.invitations, text("erase.person.invitations", count=footprint.invitations)),
        (footprint.messages, text("erase.person.messages", count=footprint.messages)),
        (footprint.problems, text("erase.person.problems", count=footprint.problems)),
    )
    return text("erase.person.held", things=(known, *(said for count, said in counted if count)))
