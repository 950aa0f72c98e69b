"""`/sso invite`: name people, see who would be written to and who not, and why; confirm; watch it go out.

The names are looked up outside the transaction: the command queues a question to the directory, whose answer
comes back as PeopleFound and becomes a direct message to the admin with the list and a button.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.commands import targets_of, words_of
from bot.conversations import answers
from bot.conversations.invite_messages import (
    list_message,
    name_of,
    names_message,
    page_of,
    people_of,
    progress_message,
)
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, PeopleFound
from bot.messages import Tone, text
from bot.model import DeliveryState, Dialog, Rollout, RolloutState, Wave, derived_id
from bot.ports import Transaction
from bot.transition import AskDirectory, Invite, Remember, Replace, SendMessage, Transition, Whisper

InviteEvent = CommandIssued | PeopleFound | ButtonPressed | FormSubmitted

HERE = frozenset({"here", "team", "channel", "@team", "@channel"})


@dataclass(frozen=True)
class InviteLoaded(Loaded):
    """The list that waits for confirmation, who of the found is invited already, and the names of a page of it."""

    dialog: Dialog | None = None
    invited: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)  # by person id


async def _load(tx: Transaction, event: InviteEvent, scene: Scene) -> InviteLoaded:
    match event:
        case CommandIssued():
            return InviteLoaded(scene)
        case PeopleFound():
            dialog = await tx.rollouts.dialog(event.dialog_id)
            if dialog is None or scene.rollout is None:
                return InviteLoaded(scene, dialog=dialog)
            identities = [person.identity for person in event.people]
            return InviteLoaded(
                scene, None, dialog, await tx.invitations.invited_identities(scene.rollout.id, identities)
            )
        case _:
            dialog = await tx.rollouts.dialog(event.token.subject)
            page = _page(event.token.action)
            if dialog is None or page is None:
                return InviteLoaded(scene, dialog=dialog)
            people = await tx.people.by_ids(page_of(people_of(dialog), page))
            return InviteLoaded(scene, dialog=dialog, names={person.id: name_of(person) for person in people})


def _page(action: str) -> int | None:
    """The page that "names.3" asks for; None for other actions."""
    word, _, page = action.partition(".")
    return int(page) if word == "names" and page.isdecimal() else None


def _step(loaded: InviteLoaded, event: InviteEvent, now: datetime) -> Transition:
    rollout = loaded.scene.rollout
    if rollout is None:
        return answers.no_rollout()
    match event:
        case CommandIssued():
            return _ask(rollout, event, now)
        case PeopleFound():
            return _found(loaded, rollout, event, now)
        case _:
            return _decided(loaded, rollout, event, now)


def _ask(rollout: Rollout, event: CommandIssued, now: datetime) -> Transition:
    if rollout.state is RolloutState.PAUSED:
        return answers.whisper(text("invite.paused"), Tone.WARNING)
    targets = targets_of(event)
    words = words_of(event)
    if event.here is not None and any(word.casefold() in HERE for word in words):
        targets = (*targets, event.here)
        words = tuple(word for word in words if word.casefold() not in HERE)
    if words and words[0].casefold() in HERE:
        return answers.whisper(text("invite.here_where", word=words[0]), Tone.WARNING)
    if words:
        return answers.whisper(text("invite.unknown_word", word=words[0]), Tone.ERROR)
    if not targets:
        return answers.whisper(text("invite.usage"))
    dialog = Dialog(
        id=derived_id(event.id, "invite"),
        conversation="invite",
        workspace_id=event.workspace_id,
        person_id=event.actor.id,
        rollout_id=rollout.id,
        step="looking",
        version=1,
        updated_at=now,
    )
    return Transition(
        reply=Whisper(answers.notice(text("invite.looking", count=len(targets)))),
        state=(dialog,),
        effects=(AskDirectory(dialog.id, targets),),
        audit="invite.asked",
        subject=dialog.id,
    )


def _found(loaded: InviteLoaded, rollout: Rollout, event: PeopleFound, now: datetime) -> Transition:
    dialog = loaded.dialog
    if dialog is None or dialog.step != "looking":
        return Transition()
    unique = {person.identity: person for person in event.people}
    fresh = [person for identity, person in unique.items() if identity not in loaded.invited]
    waiting = dialog.model_copy(
        update={
            "step": "confirm" if fresh else "nobody",
            "data": {
                "people": [person.id for person in fresh],
                "left_out": [[each.label, each.problem.value] for each in event.left_out],
            },
            "version": dialog.version + 1,
            "closed": not fresh,
            "updated_at": now,
        }
    )
    message = list_message(waiting, rollout, fresh, len(unique) - len(fresh))
    send = SendMessage(key=f"{dialog.id}:list", to=dialog.person_id, message=message)
    return Transition(state=(waiting,), effects=(Remember(event.people), send))


def _decided(
    loaded: InviteLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    dialog = loaded.dialog
    if dialog is None or dialog.closed or dialog.version != event.token.version or dialog.rollout_id != rollout.id:
        return answers.outdated()
    page = _page(event.token.action)
    if page is not None:
        return Transition(reply=Replace(names_message(dialog, rollout, loaded.names, page)))
    closed = dialog.model_copy(update={"closed": True, "version": dialog.version + 1, "updated_at": now})
    if event.token.action == "cancel":
        cancelled = answers.notice(text("invite.cancelled"))
        return Transition(Replace(cancelled), (closed,), audit="invite.cancelled", subject=dialog.id)
    if event.token.action != "send":
        return answers.outdated()
    if rollout.state is RolloutState.PAUSED:
        return answers.whisper(text("invite.paused"), Tone.WARNING)
    people = people_of(dialog)
    wave = Wave(
        id=derived_id(dialog.id, "wave"),
        rollout_id=rollout.id,
        workspace_id=event.workspace_id,
        created_by=event.actor.id,
        created_at=now,
        size=len(people),
        channel_id=event.message.channel_id if event.message else "",
        message_id=event.message.message_id if event.message else "",
        version=1,
    )
    return Transition(
        reply=Replace(progress_message(wave, {DeliveryState.READY: len(people)})),
        state=(closed, wave),
        effects=(Invite(rollout, wave, people),),
        audit="invited",
        subject=wave.id,
        details=(("people", len(people)),),
    )


INVITE = Conversation("invite", _load, _step)
