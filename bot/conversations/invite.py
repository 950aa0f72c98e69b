"""`/sso invite`: name people, see who would be written to and who not, and why; confirm; watch it go out.

The names are looked up outside the transaction: the command queues a question to the directory, whose answer
comes back as PeopleFound and becomes a direct message to the admin with the list and a button.
"""

from __future__ import annotations

from datetime import datetime

from bot.commands import targets_of, words_of
from bot.conversations import answers
from bot.conversations.invite_file import ask_for_a_file, file_of_left_out, handed_in
from bot.conversations.invite_later import Plan, plan_form, read_plan, size_in
from bot.conversations.invite_messages import NAMES_A_PAGE, SHOWN_NAMES, list_message, names_message
from bot.conversations.invite_wave import (
    InviteLoaded,
    begun_dialog,
    closed_dialog,
    label_of,
    list_of,
    send_as_planned,
    send_list,
)
from bot.conversations.ready import answered, confirmed, read_readiness, ready_form
from bot.conversations.scene import Conversation, Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, ListHandedIn, PeopleFound
from bot.messages import Form, Text, Token, Tone, text
from bot.model import Dialog, Rollout, RolloutState
from bot.ports import ListSummary, Transaction
from bot.readiness import Readiness, missing
from bot.transition import AskDirectory, Replace, SendMessage, ShowForm, Transition, Whisper

InviteEvent = CommandIssued | PeopleFound | ListHandedIn | ButtonPressed | FormSubmitted

FILE = "csv"
HERE = frozenset({"here", "team", "channel", "@team", "@channel"})


async def _load(tx: Transaction, event: InviteEvent, scene: Scene) -> InviteLoaded:
    if isinstance(event, CommandIssued) or scene.rollout is None:
        return InviteLoaded(scene)
    if isinstance(event, ListHandedIn):
        return InviteLoaded(scene, dialog=await tx.rollouts.dialog(event.dialog_id))
    readiness = await read_readiness(tx, scene.rollout)
    match event:
        case PeopleFound():
            dialog = await tx.rollouts.dialog(event.dialog_id)
            summary = await tx.lists.summary(event.list_id, SHOWN_NAMES)
            return InviteLoaded(scene, None, dialog, summary, readiness=readiness)
        case _:
            dialog = await tx.rollouts.dialog(event.token.subject)
            if dialog is None:
                return InviteLoaded(scene)
            page = _page(event.token.action) or 0
            lines = await tx.lists.page(list_of(dialog), page * NAMES_A_PAGE, NAMES_A_PAGE)
            in_short = event.token.action.partition(".")[0] in ("show", "readied")
            summary = await tx.lists.summary(list_of(dialog), SHOWN_NAMES) if in_short else ListSummary()
            parts = await _parts(tx, dialog, event) if isinstance(event, FormSubmitted) else None
            return InviteLoaded(scene, None, dialog, summary, tuple(lines), parts, readiness)


async def _parts(tx: Transaction, dialog: Dialog, event: FormSubmitted) -> tuple[ListSummary, ListSummary] | None:
    """The list's first people and the rest, when the plan that was filled in takes so many."""
    if event.token.action != "plan":
        return None
    try:
        size = size_in(event, dialog)
    except ValueError:
        return None
    return await tx.lists.in_two(list_of(dialog), size, SHOWN_NAMES) if size is not None else None


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
            return _ask(loaded, rollout, event, now)
        case PeopleFound():
            return _found(loaded, rollout, event, now)
        case ListHandedIn():
            return handed_in(loaded, event, now)
        case _:
            return _decided(loaded, rollout, event, now)


def _ask(loaded: InviteLoaded, rollout: Rollout, event: CommandIssued, now: datetime) -> Transition:
    if rollout.state is RolloutState.PAUSED:
        return answers.whisper(text("invite.paused"), Tone.WARNING)
    targets = targets_of(event)
    words = words_of(event)
    if event.here is not None and any(word.casefold() in HERE for word in words):
        targets = (*targets, event.here)
        words = tuple(word for word in words if word.casefold() not in HERE)
    if not targets and [word.casefold() for word in words] == [FILE]:
        return ask_for_a_file(loaded, rollout, event, now)
    if words and words[0].casefold() in HERE:
        return answers.whisper(text("invite.here_where", word=words[0]), Tone.WARNING)
    if words:
        return answers.whisper(text("invite.unknown_word", word=words[0]), Tone.ERROR)
    if not targets:
        return answers.whisper(text("invite.usage"))
    begun = begun_dialog(rollout, event, "looking", now)
    dialog = begun.model_copy(update={"data": {"label": label_of(targets)}})
    return Transition(
        reply=Whisper(answers.notice(text("invite.looking", count=len(targets)))),
        state=(dialog,),
        effects=(AskDirectory(dialog.id, targets),),
        audit="invite.asked",
        subject=dialog.id,
    )


def _found(loaded: InviteLoaded, rollout: Rollout, event: PeopleFound, now: datetime) -> Transition:
    dialog, found = loaded.dialog, loaded.summary
    if dialog is None or dialog.step != "looking":
        return Transition()
    people = sum(found.people.values())
    waiting = dialog.model_copy(
        update={
            "step": "confirm" if people else "nobody",
            "data": {
                "label": dialog.data.get("label", ""),
                "list": event.list_id,
                "lanes": dict(found.people),
                "left_out": sum(each.count for each in found.left_out),
            },
            "version": dialog.version + 1,
            "closed": not people,
            "updated_at": now,
        }
    )
    message = list_message(waiting, rollout, found, loaded.not_ready, loaded.scene.per_minute)
    send = SendMessage(key=f"{dialog.id}:list", to=dialog.person_id, message=message)
    return Transition(state=(waiting,), effects=(send,))


def _decided(
    loaded: InviteLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    dialog = loaded.dialog
    if dialog is None or dialog.closed or dialog.version != event.token.version or dialog.rollout_id != rollout.id:
        return answers.outdated()
    if event.token.action == "cancel":
        cancelled = answers.notice(text("invite.cancelled"))
        return Transition(
            Replace(cancelled), (closed_dialog(dialog, now),), audit="invite.cancelled", subject=dialog.id
        )
    if not loaded.lines:  # lists are not kept for ever
        return answers.outdated()
    if isinstance(event, FormSubmitted):
        return _filled_in(loaded, dialog, rollout, event, now)
    if event.token.action == "send":
        paused = rollout.state is RolloutState.PAUSED
        return (
            answers.whisper(text("invite.paused"), Tone.WARNING) if paused else send_list(loaded, dialog, event, now)
        )
    if event.token.action == "left_out":
        return file_of_left_out(loaded, dialog, rollout, event, now)
    shown = _shown(loaded, dialog, rollout, event.token.action)
    return Transition(reply=shown) if shown is not None else answers.outdated()


def _filled_in(
    loaded: InviteLoaded, dialog: Dialog, rollout: Rollout, event: FormSubmitted, now: datetime
) -> Transition:
    """The dialog that plans the wave, or the one that asks what is ready; or one of them was left."""
    action = event.token.action
    if action == "plan":
        plan = read_plan(event, dialog, rollout.policy, now, loaded.not_ready)
        return (
            send_as_planned(loaded, dialog, event, now, plan)
            if isinstance(plan, Plan)
            else Transition(ShowForm(plan))
        )
    if action.startswith("readied."):
        return _readied(loaded, dialog, rollout, event, now)
    shown = _shown(loaded, dialog, rollout, action)
    return Transition(reply=shown) if shown is not None else answers.outdated()


def _readied(
    loaded: InviteLoaded, dialog: Dialog, rollout: Rollout, event: FormSubmitted, now: datetime
) -> Transition:
    """What is there was confirmed from the list: the list is shown again, with what is still missing."""
    if event.token.action != f"readied.{loaded.readiness.version}":
        return Transition(ShowForm(_ready_form(dialog, rollout, loaded.readiness, text("finish.overtaken"))))
    after = answered(loaded.readiness, rollout, event.values, event.actor, now)
    shown = list_message(dialog, rollout, loaded.summary, missing(rollout, after), loaded.scene.per_minute)
    return confirmed(Replace(shown), rollout, after)


def _ready_form(dialog: Dialog, rollout: Rollout, readiness: Readiness, warning: Text | None = None) -> Form:
    save = Token("invite", f"readied.{readiness.version}", dialog.id, dialog.version)
    cancel = Token("invite", "show", dialog.id, dialog.version)
    return ready_form(rollout, readiness, save, cancel, warning)


def _shown(loaded: InviteLoaded, dialog: Dialog, rollout: Rollout, action: str) -> Replace | ShowForm | None:
    """What an action shows that decides nothing; None for the others."""
    page = _page(action)
    if page is not None:
        return Replace(names_message(dialog, rollout, loaded.lines, page, loaded.not_ready))
    match action:
        case "show":
            return Replace(list_message(dialog, rollout, loaded.summary, loaded.not_ready, loaded.scene.per_minute))
        case "later":
            return ShowForm(plan_form(dialog, rollout.policy, loaded.not_ready))
        case "ready":
            return ShowForm(_ready_form(dialog, rollout, loaded.readiness))
        case _:
            return None


INVITE = Conversation("invite", _load, _step)
