"""`/sso setup`: the dialog in which an admin sets a rollout up, step by step, each step checked and stored.

What was filled in is kept in a Dialog row after every step, so the dialog survives being left for a day and a
restart of the bot. The last step shows the very message that invitees will get.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.approvals import ApprovalKind, Needed
from bot.commands import words_of
from bot.conversations import answers
from bot.conversations.invitation import as_preview, invitation_message
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_changes import CHANGED, changed_form, changes_meanwhile
from bot.conversations.setup_draft import Draft
from bot.conversations.setup_steps import NAMES, PREVIEW, STEPS, Errors, SetupStep, Where, one
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, FormValues
from bot.messages import Button, Element, Form, Link, Message, Notice, Section, Text, Token, Tone, text
from bot.model import CurrentRollout, Dialog, FormerSignIn, Invitation, Person, Rollout, derived_id
from bot.ports import InvitationView, Transaction
from bot.texts import zone
from bot.transition import CloseForm, SendMessage, ShowForm, Transition, UpdateAllCopies

SetupEvent = CommandIssued | ButtonPressed | FormSubmitted

_BEGINNING = ("begin", "another")


@dataclass(frozen=True)
class SetupLoaded(Loaded):
    """The dialog that the event continues; None for a new one. The scene is on the rollout that it changes, if any.
    `others` are the company's other rollouts.
    """

    dialog: Dialog | None = None
    others: tuple[Rollout, ...] = ()


async def _load(tx: Transaction, event: SetupEvent, scene: Scene) -> SetupLoaded:
    if isinstance(event, CommandIssued) or event.token.action in _BEGINNING:
        return SetupLoaded(replace(scene, rollout=None) if _asks_for_another(event) else scene)
    dialog = await tx.rollouts.dialog(event.token.subject)
    if dialog is None or dialog.person_id != event.actor.id:
        return SetupLoaded(scene)
    unfinished = await tx.rollouts.unfinished(scene.workspace.company)
    changed = next((each for each in unfinished if each.id == dialog.rollout_id), None)
    others = tuple(each for each in unfinished if each is not changed)
    return SetupLoaded(replace(scene, rollout=changed), None, dialog, others)


def _asks_for_another(event: SetupEvent) -> bool:
    if isinstance(event, CommandIssued):
        return any(word.casefold() == "new" for word in words_of(event))
    return event.token.action == "another"


def _step(loaded: SetupLoaded, event: SetupEvent, now: datetime) -> Transition:
    if isinstance(event, CommandIssued) or event.token.action in _BEGINNING:
        return _begin(loaded.scene, event, now)
    if event.token.action == "preview":
        return answers.whisper(text("setup.preview.only"))
    if loaded.dialog is None or loaded.dialog.closed:
        return answers.outdated()
    if loaded.dialog.step == CHANGED and loaded.scene.rollout is None:
        return answers.outdated()  # there is nothing to change any more
    if event.token.version != loaded.dialog.version:
        return _show(loaded.dialog, loaded.scene, event.actor, now, notice=text("setup.stale"))
    if isinstance(event, ButtonPressed):
        return _pressed(loaded, loaded.dialog, event, now)
    if loaded.dialog.step in (PREVIEW, CHANGED):
        return _save(loaded, loaded.dialog, event, now)
    return _fill_in(loaded, loaded.dialog, event, now)


def _begin(scene: Scene, event: SetupEvent, now: datetime) -> Transition:
    """A new rollout, or the current one to be changed."""
    rollout = scene.rollout
    draft = Draft.to_change(rollout) if rollout else Draft()
    dialog = Dialog(
        id=derived_id(event.id, "setup"),
        conversation="setup",
        workspace_id=event.workspace_id,
        person_id=event.actor.id,
        rollout_id=rollout.id if rollout else None,
        step=NAMES[0],
        data=draft.model_dump(mode="json"),
        version=1,
        updated_at=now,
    )
    notice = text("setup.another") if _asks_for_another(event) else None
    notice = text("setup.changing", enterprise=rollout.name) if rollout else notice
    return _show(dialog, scene, event.actor, now, notice=notice, store=(dialog,))


def _pressed(loaded: SetupLoaded, dialog: Dialog, event: ButtonPressed, now: datetime) -> Transition:
    """Back, or "send it to me first"."""
    if event.token.action == "send_to_me":
        return _send_to_me(loaded.scene, dialog, event, now)
    if event.token.action == "again" and loaded.scene.rollout is not None:
        moved = _moved(dialog, NAMES[0], Draft.to_change(loaded.scene.rollout), now)
        return _show(moved, loaded.scene, event.actor, now, store=(moved,))
    if dialog.step == CHANGED:
        return _show(dialog, loaded.scene, event.actor, now)
    draft = Draft.model_validate(dialog.data)
    if dialog.step != PREVIEW:  # what was typed is kept as far as it is valid
        changes, errors = _step_named(dialog.step).read(event.values, draft, _where(loaded.scene, event.actor, now))
        draft = draft if errors or not event.values else Draft.model_validate({**draft.model_dump(), **changes})
    previous = NAMES[max(NAMES.index(dialog.step) - 1, 0)]
    moved = _moved(dialog, previous, draft, now)
    return _show(moved, loaded.scene, event.actor, now, store=(moved,))


def _fill_in(loaded: SetupLoaded, dialog: Dialog, event: FormSubmitted, now: datetime) -> Transition:
    """Check this step; go on when it is right, show what is wrong where it is not."""
    draft = Draft.model_validate(dialog.data)
    changes, errors = _step_named(dialog.step).read(event.values, draft, _where(loaded.scene, event.actor, now))
    if not errors and dialog.step == NAMES[0]:
        errors = _taken(Draft.model_validate({**draft.model_dump(), **changes}), loaded.others)
    if errors:
        form = _form(dialog, _typed(draft, event.values, changes, errors), loaded.scene, event.actor, now)
        return Transition(reply=ShowForm(replace(form, errors=errors)))
    following = NAMES[NAMES.index(dialog.step) + 1]
    moved = _moved(dialog, following, Draft.model_validate({**draft.model_dump(), **changes}), now)
    return _show(moved, loaded.scene, event.actor, now, store=(moved,))


def _taken(draft: Draft, others: tuple[Rollout, ...]) -> dict[str, Text]:
    """An enterprise has one rollout at a time: two would write to the same people about the same thing."""
    same = [each for each in others if each.enterprise == (draft.region, draft.enterprise_key)]
    return {"enterprise_key": text("setup.error.taken", enterprise=same[0].name)} if same else {}


def _save(loaded: SetupLoaded, dialog: Dialog, event: FormSubmitted, now: datetime) -> Transition:
    """The rollout is stored, and becomes the one that the admin works on; from now on people can be invited."""
    scene = loaded.scene
    closed = dialog.model_copy(update={"closed": True, "version": dialog.version + 1, "updated_at": now})
    old = scene.rollout
    draft = Draft.model_validate(dialog.data)
    if (old.id if old else None) != dialog.rollout_id or _taken(draft, loaded.others):  # somebody else was faster
        return Transition(CloseForm(answers.notice(text("setup.overtaken"), Tone.WARNING)), (closed,))
    if old is not None and draft.base_version != old.version and changes_meanwhile(draft, old):
        seen = _moved(dialog, CHANGED, draft.model_copy(update={"base_version": old.version}), now)
        return _show(seen, scene, event.actor, now, store=(seen,))
    rollout = _rollout(dialog, scene, event.actor, now)
    if old is not None:
        rollout = _on_top_of(old, rollout)
    message = Message(
        summary=text("setup.saved", enterprise=rollout.name),
        body=(Notice(text("setup.saved", enterprise=rollout.name), Tone.SUCCESS), Section(text("setup.next"))),
        buttons=(Button(text("ready.button"), Token("ready", "show", rollout.id)),),
    )
    changed_url = old is not None and old.login_url != rollout.login_url
    changed_day = old is not None and old.policy.deadline != rollout.policy.deadline
    return Transition(
        reply=CloseForm(message),
        state=(rollout, closed, CurrentRollout(person_id=event.actor.id, rollout_id=rollout.id)),
        effects=(UpdateAllCopies(rollout.id),) if changed_url or changed_day else (),
        audit="rollout.changed" if old else "rollout.created",
        subject=rollout.id,
        details=(("login_url_changed", int(changed_url)), ("version", rollout.version)),
        needed=_needed(rollout) if old is None or changed_url else None,
    )


def _needed(rollout: Rollout) -> Needed:
    what = text("approval.login_url", enterprise=rollout.name, url=Link(rollout.login_url))
    return Needed(ApprovalKind.LOGIN_URL, what)


def _on_top_of(old: Rollout, rollout: Rollout) -> Rollout:
    """The rollout as the dialog has it, with what the dialog does not ask for. A new policy changes every plan."""
    kept = old.model_dump(include={"state", "created_by", "created_at"})
    planned_up_to = old.planned_up_to if old.policy == rollout.policy else ""
    return rollout.model_copy(update={**kept, "planned_up_to": planned_up_to, "version": old.version + 1})


def _send_to_me(scene: Scene, dialog: Dialog, event: ButtonPressed, now: datetime) -> Transition:
    """Once for each version of the dialog; the dialog stays as it is, so that it can be saved at once."""
    preview = as_preview(_preview(dialog, scene, event.actor, now), Token("setup", "preview", dialog.id))
    send = SendMessage(key=f"preview:{dialog.id}:{dialog.version}", to=event.actor.id, message=preview)
    shown = _show(dialog, scene, event.actor, now, notice=text("setup.sent_to_you"))
    return replace(shown, effects=(send,))


def _show(
    dialog: Dialog,
    scene: Scene,
    actor: Person,
    now: datetime,
    *,
    notice: Text | None = None,
    store: tuple[Dialog, ...] = (),
) -> Transition:
    form = _form(dialog, Draft.model_validate(dialog.data), scene, actor, now)
    if notice is not None:
        form = replace(form, body=(Notice(notice), *form.body))
    return Transition(reply=ShowForm(form), state=store)


def _form(dialog: Dialog, draft: Draft, scene: Scene, actor: Person, now: datetime) -> Form:
    if dialog.step == CHANGED and scene.rollout is not None:
        return changed_form(dialog, draft, scene.rollout)
    position = NAMES.index(dialog.step)
    back = Button(text("button.back"), Token("setup", "back", dialog.id, dialog.version))
    title = text("setup.title", step=position + 1, steps=len(NAMES))
    token = Token("setup", "next", dialog.id, dialog.version)
    if dialog.step == PREVIEW:
        send = Button(text("button.send_to_me"), Token("setup", "send_to_me", dialog.id, dialog.version))
        body = _preview_body(dialog, draft, scene, actor, now)
        return Form(token, title, text("button.save"), body=body, buttons=(back, send))
    step = _step_named(dialog.step)
    heading = Section(text(f"setup.{step.name}.heading"))
    return Form(
        token,
        title,
        text("button.next"),
        body=(heading, *step.body(draft)),
        fields=step.fields(draft),
        buttons=(back,) if position else (),
    )


def _preview_body(dialog: Dialog, draft: Draft, scene: Scene, actor: Person, now: datetime) -> tuple[Element, ...]:
    bitbucket = FormerSignIn.BITBUCKET in draft.former_sign_in
    message = _preview(dialog, scene, actor, now)
    labels = tuple(button.label for button in message.buttons)
    return (
        Section(text("setup.preview.heading")),
        *((Notice(text("setup.people.bitbucket"), Tone.WARNING),) if bitbucket else ()),
        *((Section(text("setup.preview.title", title=message.title)),) if message.title else ()),
        *message.body,
        Section(text("setup.preview.buttons", buttons=labels)),
    )


def _preview(dialog: Dialog, scene: Scene, actor: Person, now: datetime) -> Message:
    """The message that the admin would get as an invitee."""
    rollout = _rollout(dialog, scene, actor, now)
    invitation = Invitation(
        id=dialog.id,
        rollout_id=rollout.id,
        person_id=actor.id,
        identity=actor.identity,
        wave_id="",
        needs=rollout.needs,
        invited_at=now,
    )
    return invitation_message(InvitationView(invitation, actor, rollout))


def _rollout(dialog: Dialog, scene: Scene, actor: Person, now: datetime) -> Rollout:
    draft = Draft.model_validate(dialog.data)
    return draft.rollout(dialog.rollout_id or dialog.id, scene.workspace.company, actor.id, now)


def _typed(draft: Draft, values: FormValues, changes: Mapping[str, Any], errors: Errors) -> Draft:
    """The draft with what was filled in, right or wrong, so that it stands in the fields again."""
    right = {name: value for name, value in changes.items() if name not in errors}
    wrong = {name: one(values, name) for name in errors if name in _FREE_TEXT}
    typed = {name: value.splitlines() if name == "organizations" else value for name, value in wrong.items()}
    return Draft.model_validate({**draft.model_dump(), **right}).model_copy(update=typed)


_FREE_TEXT = frozenset({"name", "enterprise_key", "login_url", "organizations", "deadline", "holiday_country"})


def _moved(dialog: Dialog, step: str, draft: Draft, now: datetime) -> Dialog:
    changes = {"step": step, "data": draft.model_dump(mode="json"), "version": dialog.version + 1, "updated_at": now}
    return dialog.model_copy(update=changes)


def _step_named(name: str) -> SetupStep:
    return next(step for step in STEPS if step.name == name)


def _where(scene: Scene, actor: Person, now: datetime) -> Where:
    return Where(scene.login_hosts, now.astimezone(zone(actor.time_zone)).date())


SETUP = Conversation("setup", _load, _step)
