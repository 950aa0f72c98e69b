"""`/sso finish`: the end of a rollout, as a list of steps that any admin can take up where another left it.

The list is a direct message, since it lives for days: every press brings it up to date in place, with what other
admins have recorded in the meantime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.conversations import answers
from bot.conversations.finish_messages import Items, end_form, report_message, steps_message
from bot.conversations.finish_steps import Filled, read_step, step_form
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.finishing import FinishItem, FinishStep, StepState, steps_of
from bot.messages import Message, Notice, Text, Tone, text
from bot.model import CurrentRollout, Person, Rollout, RolloutState
from bot.ports import RolloutCounts, Transaction
from bot.roles import Admins, role_of
from bot.secrets import holds_secret, redact
from bot.transition import (
    HoldDeliveries,
    ReleaseDeliveries,
    Replace,
    SendMessage,
    ShowForm,
    Transition,
    UpdateAllCopies,
    Whisper,
)

FinishEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class FinishLoaded(Loaded):
    """The rollout that the event is about, finished or not; what is recorded of its steps, and who owns them."""

    rollout: Rollout | None = None
    items: Items = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)  # owners, by person id
    counts: RolloutCounts = field(default_factory=RolloutCounts)
    admins_seen: tuple[str, ...] = ()  # whom the closing report goes to
    chosen: Person | None = None  # whom the submitted form names as owner, if the bot knows them
    instead: Rollout | None = None  # one that runs for the same enterprise


async def load_rollout(tx: Transaction, event: FinishEvent, scene: Scene) -> Rollout | None:
    """The rollout that a button names, or the one that the admin works on, or else the one that ended last; None when
    it is another company's or erased.
    """
    if isinstance(event, CommandIssued):
        return scene.rollout or await tx.finishing.latest(scene.workspace.company)
    rollout = await tx.rollouts.rollout(event.token.subject)
    if rollout is None or rollout.company != scene.workspace.company or rollout.erased_at is not None:
        return None
    return rollout


async def load_items(tx: Transaction, rollout: Rollout) -> Items:
    """Every step that the rollout has, in order."""
    recorded = {item.step: item for item in await tx.finishing.items(rollout.id)}
    return {step: recorded.get(step) or FinishItem.untouched(rollout.id, step) for step in steps_of(rollout)}


async def _load(tx: Transaction, event: FinishEvent, scene: Scene) -> FinishLoaded:
    rollout = await load_rollout(tx, event, scene)
    if rollout is None:
        return FinishLoaded(scene)
    items = await load_items(tx, rollout)
    owners = {item.owner for item in items.values() if item.owner} | {event.actor.id}
    people = {person.id: person for person in await tx.people.by_ids(owners)}
    counts = await tx.invitations.counts(rollout.id)
    seen = await tx.people.admins_seen(scene.workspace.company, scene.admins)
    # Owners of the Slack workspace may run a rollout, but did not ask to hear of it.
    admins_seen = tuple(each.id for each in seen if Admins(frozenset(scene.admins)).include(each))
    chosen = None
    if isinstance(event, FormSubmitted) and one(event.values, "owner"):
        chosen = await tx.people.person(Person.key(scene.workspace.id, one(event.values, "owner")))
    instead = await _instead(tx, rollout) if rollout.state is RolloutState.FINISHED else None
    return FinishLoaded(scene, None, rollout, items, people, counts, admins_seen, chosen, instead)


async def _instead(tx: Transaction, rollout: Rollout) -> Rollout | None:
    """A rollout that runs for the same enterprise, which has one at a time."""
    running = await tx.rollouts.unfinished(rollout.company)
    return next((each for each in running if each.enterprise == rollout.enterprise), None)


def _step(loaded: FinishLoaded, event: FinishEvent, now: datetime) -> Transition:
    rollout = loaded.rollout
    if rollout is None:
        return answers.no_rollout() if isinstance(event, CommandIssued) else answers.outdated()
    if isinstance(event, CommandIssued):
        send = SendMessage(f"{event.id}:finish", event.actor.id, _list(loaded, rollout, loaded.items))
        return Transition(reply=Whisper(answers.notice(text("finish.sent"))), effects=(send,))
    action, _, step = event.token.action.partition(".")
    if action == "show":
        return Transition(reply=Replace(_list(loaded, rollout, loaded.items)))
    if action in ("step", "save"):
        item = loaded.items.get(FinishStep(step)) if step in set(FinishStep) else None
        if item is None:
            return answers.outdated()
        return _open(loaded, rollout, item) if action == "step" else _save(loaded, rollout, item, event, now)
    return _end_or_begin(loaded, rollout, event, now)


def _end_or_begin(
    loaded: FinishLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    """What is done to the rollout as a whole."""
    if event.token.version != rollout.version:
        return _overtaken(loaded, rollout)
    finished = rollout.state is RolloutState.FINISHED
    match event.token.action:
        case "end" if not finished:
            return Transition(reply=ShowForm(end_form(rollout, loaded.items, loaded.counts.open)))
        case "ended" if not finished:
            return _finish(loaded, rollout, event, now)
        case "reopen" if finished:
            return _reopen(loaded, rollout, event.actor)
        case "archive" if finished:
            return _archive(rollout, now)
        case _:
            return answers.outdated()


def _list(loaded: FinishLoaded, rollout: Rollout, items: Items) -> Message:
    names = {key: person.known_as for key, person in loaded.people.items()}
    return steps_message(rollout, items, names, loaded.counts.open)


def _overtaken(loaded: FinishLoaded, rollout: Rollout) -> Transition:
    """Another admin was faster: show what there is now."""
    toast = answers.notice(text("finish.overtaken"), Tone.WARNING)
    return Transition(reply=Replace(_list(loaded, rollout, loaded.items), toast))


def _open(
    loaded: FinishLoaded,
    rollout: Rollout,
    item: FinishItem,
    unfit: dict[str, Text] | None = None,
    warning: Text | None = None,
) -> Transition:
    owner = loaded.people.get(item.owner)
    here = owner is not None and owner.workspace_id == loaded.scene.workspace.id
    shown = owner.user_id if here and owner is not None else ""
    return Transition(reply=ShowForm(step_form(rollout, item, shown, unfit=unfit, warning=warning)))


def _save(
    loaded: FinishLoaded,
    rollout: Rollout,
    item: FinishItem,
    event: ButtonPressed | FormSubmitted,
    now: datetime,
) -> Transition:
    if event.token.version != item.version:
        return _open(loaded, rollout, item, warning=text("finish.overtaken"))
    filled = read_step(event.values, rollout, item)
    owner, stranger = _owner(loaded, event, item)
    unfit = filled.unfit | ({"owner": text("finish.error.owner")} if stranger else {})
    if unfit:
        return _open(loaded, rollout, filled.item, unfit)
    changes = {"owner": owner.id, "changed_by": event.actor.id, "changed_at": now, "version": item.version + 1}
    saved = filled.item.model_copy(update=changes)
    after = _with(loaded, owner)
    return Transition(
        reply=Replace(_list(after, rollout, {**loaded.items, item.step: saved}), _left_out(filled)),
        state=(saved,),
        audit=f"finish.{saved.state}.{saved.step}",
        subject=saved.id,
    )


def _with(loaded: FinishLoaded, person: Person) -> FinishLoaded:
    """The same with somebody more."""
    return replace(loaded, people={**loaded.people, person.id: person})


def _left_out(filled: Filled) -> Message | None:
    return answers.notice(text("finish.secret"), Tone.WARNING) if filled.secret else None


def _owner(loaded: FinishLoaded, event: ButtonPressed | FormSubmitted, item: FinishItem) -> tuple[Person, bool]:
    """Who the step belongs to: whom the form names, else who had it, else who fills it in. True for no admin."""
    if not one(event.values, "owner"):
        return loaded.people.get(item.owner, event.actor), False
    admins = Admins(frozenset(loaded.scene.admins))
    if loaded.chosen is None or not role_of(loaded.chosen, admins).runs_rollouts:
        return event.actor, True
    return loaded.chosen, False


def _finish(
    loaded: FinishLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    """Nothing more is sent. What is open is skipped, with the reason, so that the list says how it ended."""
    written = one(event.values, "reason")
    left = [item for item in loaded.items.values() if item.state is StepState.OPEN]
    if left and not written:
        unfit = {"reason": text("finish.error.reason")}
        return Transition(reply=ShowForm(end_form(rollout, loaded.items, loaded.counts.open, unfit)))
    skipped = {
        item.step: item.model_copy(
            update={
                "state": StepState.SKIPPED,
                "reason": redact(written)[:1000],
                "changed_by": event.actor.id,
                "changed_at": now,
                "version": item.version + 1,
            }
        )
        for item in left
    }
    changes = {"state": RolloutState.FINISHED, "finished_at": now, "version": rollout.version + 1}
    after = rollout.model_copy(update=changes)
    toast = text("finish.secret") if holds_secret(written) else text("finish.finished")
    return Transition(
        reply=Replace(_list(loaded, after, {**loaded.items, **skipped}), answers.notice(toast, Tone.SUCCESS)),
        state=(after, *skipped.values()),
        effects=(HoldDeliveries(rollout.id), UpdateAllCopies(rollout.id), *_reports(loaded, after, event, now)),
        audit="finished",
        subject=rollout.id,
        details=(("skipped", len(skipped)), ("open", loaded.counts.open)),
    )


def _reports(
    loaded: FinishLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted, now: datetime
) -> tuple[SendMessage, ...]:
    """The closing report's summary, to everybody who ran the rollout. A second end has a second report."""
    message = report_message(rollout, loaded.counts, now)
    to = dict.fromkeys((event.actor.id, rollout.created_by, *loaded.admins_seen))
    return tuple(SendMessage(f"{rollout.id}:report:{rollout.version}:{each}", each, message) for each in to)


def _reopen(loaded: FinishLoaded, rollout: Rollout, admin: Person) -> Transition:
    """It runs again where it was; reminders are planned anew, so that what came due meanwhile is not a flood."""
    if loaded.instead is not None:
        return answers.whisper(text("finish.reopen.another", enterprise=loaded.instead.name), Tone.WARNING)
    changes = {
        "state": RolloutState.ACTIVE,
        "finished_at": None,
        "archived_at": None,
        "planned_up_to": "",
        "version": rollout.version + 1,
    }
    after = rollout.model_copy(update=changes)
    return Transition(
        reply=Replace(_list(loaded, after, loaded.items), answers.notice(text("finish.reopened"), Tone.SUCCESS)),
        state=(after, CurrentRollout(person_id=admin.id, rollout_id=rollout.id)),
        effects=(ReleaseDeliveries(rollout.id), UpdateAllCopies(rollout.id)),
        audit="reopened",
        subject=rollout.id,
    )


def _archive(rollout: Rollout, now: datetime) -> Transition:
    after = rollout.model_copy(update={"archived_at": now, "version": rollout.version + 1})
    sentence = text("finish.archived", enterprise=rollout.name)
    return Transition(
        reply=Replace(Message(sentence, body=(Notice(sentence, Tone.SUCCESS),))),
        state=(after,),
        audit="archived",
        subject=rollout.id,
    )


FINISH = Conversation("finish", _load, _step)
