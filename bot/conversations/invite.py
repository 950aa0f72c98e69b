"""`/sso invite`: name people, see who would be written to and who not, and why; confirm; watch it go out.

The names are looked up outside the transaction: the command queues a question to the directory, whose answer
comes back as PeopleFound and becomes a direct message to the admin with the list and a button.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.commands import targets_of, words_of
from bot.conversations import answers
from bot.conversations.bars import bar
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, NotFound, PeopleFound, Problem
from bot.messages import Button, Element, Facts, Message, Notice, Section, Style, Text, Token, Tone, text
from bot.model import DeliveryState, Dialog, Person, Platform, Rollout, RolloutState, Wave, derived_id
from bot.ports import Transaction
from bot.transition import AskDirectory, Invite, Remember, Replace, SendMessage, Transition, Whisper

InviteEvent = CommandIssued | PeopleFound | ButtonPressed | FormSubmitted

# What the platforms let through in a minute, for the estimate before sending (docs/delivery.md, "How fast").
PER_MINUTE: Mapping[Platform, int] = {Platform.SLACK: 525, Platform.TEAMS: 1800}
SHOWN_NAMES = 5
HERE = frozenset({"here", "team", "channel", "@team", "@channel"})


@dataclass(frozen=True)
class InviteLoaded(Loaded):
    """The list that waits for confirmation, and who of the found is invited already."""

    dialog: Dialog | None = None
    invited: frozenset[str] = frozenset()


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
            return InviteLoaded(scene, dialog=await tx.rollouts.dialog(event.token.subject))


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
            "data": {"people": [person.id for person in fresh]},
            "version": dialog.version + 1,
            "closed": not fresh,
            "updated_at": now,
        }
    )
    message = _list_message(waiting, rollout, fresh, len(unique) - len(fresh), event.left_out)
    send = SendMessage(key=f"{dialog.id}:list", to=dialog.person_id, message=message)
    return Transition(state=(waiting,), effects=(Remember(event.people), send))


def _list_message(
    dialog: Dialog, rollout: Rollout, fresh: list[Person], already: int, left_out: tuple[NotFound, ...]
) -> Message:
    """Who would be written to, who not and why, how long it takes; and the question."""
    names = tuple(
        text("plain", words=person.name or person.email or person.user_id) for person in fresh[:SHOWN_NAMES]
    )
    more = len(fresh) - len(names)
    if more > 0:
        names = (*names, text("invite.more", count=more))
    body: list[Element] = [Section(text("invite.will_get", count=len(fresh), names=names))] if fresh else []
    if already:
        body.append(Section(text("invite.already", count=already)))
    body.extend(left_out_elements(left_out))
    if not fresh:
        body.append(Notice(text("invite.nobody"), Tone.WARNING))
        return Message(
            text("invite.title", enterprise=rollout.name), text("invite.title", enterprise=rollout.name), tuple(body)
        )
    body.append(
        Facts(
            (
                (text("invite.login_url"), text("plain", words=rollout.login_url)),
                (text("invite.takes"), _takes(fresh)),
            )
        )
    )
    token = Token("invite", "send", dialog.id, dialog.version)
    send = Button(
        text("invite.send", count=len(fresh)), token, Style.PRIMARY, confirm=text("invite.sure", count=len(fresh))
    )
    cancel = Button(text("button.cancel"), Token("invite", "cancel", dialog.id, dialog.version))
    title = text("invite.title", enterprise=rollout.name)
    return Message(title, title, tuple(body), (send, cancel))


def left_out_elements(left_out: tuple[NotFound, ...]) -> tuple[Element, ...]:
    """One line for each reason, with names and what to do."""
    by_problem: dict[Problem, list[str]] = {}
    for entry in left_out:
        by_problem.setdefault(entry.problem, []).append(entry.label)
    elements: list[Element] = []
    for problem, labels in by_problem.items():
        shown = tuple(text("plain", words=label) for label in labels[:SHOWN_NAMES])
        if len(labels) > SHOWN_NAMES:
            shown = (*shown, text("invite.more", count=len(labels) - SHOWN_NAMES))
        elements.append(Notice(text(f"left_out.{problem}", names=shown), Tone.WARNING))
    return tuple(elements)


def _takes(people: list[Person]) -> Text:
    """The time at the platforms' limits; lanes go side by side, so the slowest counts."""
    per_platform = Counter(Platform(person.workspace_id.split(":", maxsplit=1)[0]) for person in people)
    minutes = max(count / PER_MINUTE[platform] for platform, count in per_platform.items())
    return text("invite.takes.less") if minutes < 1 else text("invite.takes.minutes", count=round(minutes))


def _decided(
    loaded: InviteLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    dialog = loaded.dialog
    if dialog is None or dialog.closed or dialog.version != event.token.version or dialog.rollout_id != rollout.id:
        return answers.outdated()
    closed = dialog.model_copy(update={"closed": True, "version": dialog.version + 1, "updated_at": now})
    if event.token.action == "cancel":
        cancelled = answers.notice(text("invite.cancelled"))
        return Transition(Replace(cancelled), (closed,), audit="invite.cancelled", subject=dialog.id)
    if event.token.action != "send":
        return answers.outdated()
    if rollout.state is RolloutState.PAUSED:
        return answers.whisper(text("invite.paused"), Tone.WARNING)
    people = tuple(str(person_id) for person_id in _people(dialog))
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


def _people(dialog: Dialog) -> list[object]:
    people = dialog.data.get("people", [])
    return people if isinstance(people, list) else []


def progress_message(wave: Wave, counts: Mapping[DeliveryState, int]) -> Message:
    """How far the sending is; the admin's message is updated with it in place."""
    sent = counts.get(DeliveryState.SENT, 0)
    unknown, dead = counts.get(DeliveryState.UNKNOWN, 0), counts.get(DeliveryState.DEAD, 0)
    waiting = counts.get(DeliveryState.READY, 0) + counts.get(DeliveryState.SENDING, 0)
    title = text("progress.title") if waiting else text("progress.finished")
    progress = text("progress.bar", bar=bar(sent, wave.size), sent=sent, size=wave.size)
    pairs = [(text("progress.sent"), sent), (text("progress.waiting"), waiting)]
    pairs += [(text("progress.dead"), dead)] if dead else []
    pairs += [(text("progress.unknown"), unknown)] if unknown else []
    facts = Facts(tuple((name, text("number", n=value)) for name, value in pairs))
    hint = (Notice(text("progress.look_at_status"), Tone.WARNING),) if dead or unknown else ()
    status = Button(text("button.status"), Token("status", "show", wave.rollout_id))
    return Message(summary=title, title=title, body=(Section(progress), facts, *hint), buttons=(status,))


INVITE = Conversation("invite", _load, _step)
