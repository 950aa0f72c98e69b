"""`/sso digest`: a report every day or week, to the admin or to the channel that they write in; and who is told of
people who do not answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.conversations import answers
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.conversations.status import for_role, status_message
from bot.digests import Digest, Frequency, next_at
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.messages import (
    Choice,
    ChoiceField,
    Form,
    Message,
    Notice,
    PersonField,
    Section,
    Text,
    TextField,
    TextKind,
    Token,
    Tone,
    When,
    text,
)
from bot.model import Dialog, Person, Rollout, derived_id
from bot.ports import RolloutCounts, Transaction
from bot.transition import CloseForm, Meet, SendMessage, ShowForm, Transition, Whisper

DigestEvent = CommandIssued | ButtonPressed | FormSubmitted
ME, HERE, YES = "me", "here", "yes"
MOST_REMINDERS = 20
Errors = dict[str, Text]


@dataclass(frozen=True)
class DigestLoaded(Loaded):
    """The dialog that was filled in; what there is, by id; who is told of people who do not answer, and whom the form
    names instead; the counts for the status.
    """

    dialog: Dialog | None = None
    digests: dict[str, Digest] = field(default_factory=dict)
    told: Person | None = None
    named: Person | None = None
    counts: RolloutCounts = field(default_factory=RolloutCounts)


async def _load(tx: Transaction, event: DigestEvent, scene: Scene) -> DigestLoaded:
    if scene.rollout is None:
        return DigestLoaded(scene)
    if isinstance(event, ButtonPressed) and event.token.action == "status":
        return DigestLoaded(scene, counts=await tx.invitations.counts(scene.rollout.id))
    digests = {each.id: each for each in await tx.digests.of_rollout(scene.rollout.id)}
    escalation = digests.get(Digest.escalation(scene.rollout.id).id)
    told = await tx.people.person(escalation.person_id) if escalation else None
    if isinstance(event, CommandIssued):
        return DigestLoaded(scene, digests=digests, told=told)
    dialog = await tx.rollouts.dialog(event.token.subject)
    user_id = one(event.values, "to")
    named = await tx.people.person(Person.key(scene.workspace.id, user_id)) if user_id else None
    return DigestLoaded(scene, None, dialog, digests, told, named)


def _step(loaded: DigestLoaded, event: DigestEvent, now: datetime) -> Transition:
    rollout = loaded.scene.rollout
    if rollout is None:
        return answers.no_rollout()
    if isinstance(event, CommandIssued):
        return _ask(loaded, rollout, event, now)
    if event.token.action == "status":
        return Transition(reply=Whisper(for_role(status_message(rollout, loaded.counts), loaded.scene.role)))
    dialog = loaded.dialog
    mine = dialog is not None and dialog.conversation == "digest" and dialog.person_id == event.actor.id
    stale = dialog is None or dialog.closed or dialog.version != event.token.version
    if dialog is None or not mine or stale or not isinstance(event, FormSubmitted):
        return answers.outdated()
    return _save(loaded, rollout, dialog, event, now)


def _ask(loaded: DigestLoaded, rollout: Rollout, event: CommandIssued, now: datetime) -> Transition:
    dialog = _asked(loaded, rollout, event, now)
    typed = _as_it_is(loaded, rollout, dialog, event.actor, now)
    return Transition(reply=ShowForm(digest_form(dialog, rollout, typed)), state=(dialog,))


def _asked(loaded: DigestLoaded, rollout: Rollout, event: CommandIssued, now: datetime) -> Dialog:
    """The dialog remembers the channel, and which state of the escalation the admin sees."""
    here = {"here": event.here.id, "label": event.here.label} if event.here is not None else {}
    return Dialog(
        id=derived_id(event.id, "digest"),
        conversation="digest",
        workspace_id=event.workspace_id,
        person_id=event.actor.id,
        rollout_id=rollout.id,
        step="asked",
        data={**here, "seen": _escalation(loaded, rollout).version},
        version=1,
        updated_at=now,
    )


def _escalation(loaded: DigestLoaded, rollout: Rollout) -> Digest:
    return _as_stored(loaded, Digest.escalation(rollout.id))


def _report(loaded: DigestLoaded, rollout: Rollout, place: Person) -> Digest:
    return _as_stored(loaded, Digest.report(rollout.id, place.id))


def _as_stored(loaded: DigestLoaded, new: Digest) -> Digest:
    return loaded.digests.get(new.id, new)


def _as_it_is(loaded: DigestLoaded, rollout: Rollout, dialog: Dialog, actor: Person, now: datetime) -> dict[str, str]:
    where = HERE if "here" in dialog.data else ME
    to = _place(dialog, actor, where, now)
    report, escalation, told = _report(loaded, rollout, to), _escalation(loaded, rollout), loaded.told
    return {
        "every": report.every.value,
        "where": where,
        "after": str(escalation.after) if escalation.after else "",
        "to": told.user_id if told and told.workspace_id == actor.workspace_id else "",
        "managers": YES if escalation.to_managers else "",
    }


def digest_form(
    dialog: Dialog, rollout: Rollout, typed: dict[str, str], errors: Errors | None = None, warning: Text | None = None
) -> Form:
    """The questions, with what holds now or was typed."""
    every = tuple(Choice(each.value, text(f"digest.every.{each}")) for each in Frequency)
    where = [Choice(ME, text("digest.where.me"))]
    if "here" in dialog.data:
        where.append(Choice(HERE, text("digest.where.here", place=str(dialog.data["label"]))))
    hint = text("digest.where.hint" if "here" in dialog.data else "digest.where.hint.channel")
    return Form(
        Token("digest", "save", dialog.id, dialog.version),
        text("digest.form"),
        text("finish.save"),
        body=(
            *((Notice(warning, Tone.WARNING),) if warning else ()),
            Section(text("digest.how", enterprise=rollout.name)),
        ),
        fields=(
            ChoiceField("every", text("digest.every"), every, (typed["every"],)),
            ChoiceField("where", text("digest.where"), tuple(where), (typed["where"],), hint=hint),
            TextField(
                "after",
                text("digest.after"),
                typed["after"],
                text("digest.after.hint"),
                required=False,
                max_length=2,
                text_kind=TextKind.NUMBER,
            ),
            PersonField("to", text("digest.to"), typed["to"], required=False, hint=text("digest.to.hint")),
            ChoiceField(
                "managers",
                text("digest.managers"),
                (Choice(YES, text("digest.managers.yes"), text("digest.managers.yes.more")),),
                (YES,) if typed["managers"] else (),
                multiple=True,
                required=False,
            ),
        ),
        errors=errors,
    )


def _save(loaded: DigestLoaded, rollout: Rollout, dialog: Dialog, event: FormSubmitted, now: datetime) -> Transition:
    typed = {name: one(event.values, name) for name in ("every", "where", "after", "to", "managers")}
    before = _escalation(loaded, rollout)
    if before.version != dialog.data.get("seen"):  # another admin was faster
        seen = {**dialog.data, "seen": before.version}
        again = dialog.model_copy(update={"data": seen, "version": dialog.version + 1, "updated_at": now})
        now_is = _as_it_is(loaded, rollout, again, event.actor, now)
        form = digest_form(again, rollout, now_is, warning=text("finish.overtaken"))
        return Transition(reply=ShowForm(form), state=(again,))
    errors = _errors(typed, dialog)
    if errors:
        return Transition(reply=ShowForm(digest_form(dialog, rollout, typed, errors)))
    place = _place(dialog, event.actor, typed["where"], now)
    every = Frequency(typed["every"])
    report = _asked_for(_report(loaded, rollout, place), rollout, every, event.actor, now)
    after = int(typed["after"] or 0)
    told = _told(loaded, event, typed["to"], now)
    frequency = Frequency.DAILY if after else Frequency.NEVER
    escalation = _asked_for(before, rollout, frequency, event.actor, now)
    to_managers = typed["managers"] == YES
    escalation = escalation.model_copy(update={"person_id": told.id, "after": after, "to_managers": to_managers})
    closed = dialog.model_copy(update={"closed": True, "version": dialog.version + 1, "updated_at": now})
    hello = _hello(report, place, event.actor)
    return Transition(
        reply=CloseForm(_saved(rollout, report, escalation, told)),
        state=(closed, report, escalation),
        effects=(Meet((place, told)), *hello),
        audit="digest.changed",
        subject=rollout.id,
        details=(
            ("every", report.every.value),
            ("to", place.id),
            ("escalate_after", after),
            ("escalate_to", told.id),
            ("escalate_to_managers", int(to_managers)),
        ),
    )


def _errors(typed: dict[str, str], dialog: Dialog) -> Errors:
    errors: Errors = {}
    if typed["every"] not in set(Frequency):
        errors["every"] = text("setup.error.required")
    if typed["where"] != ME and not (typed["where"] == HERE and "here" in dialog.data):
        errors["where"] = text("setup.error.required")
    after = typed["after"]
    if after and not (after.isdecimal() and 1 <= int(after) <= MOST_REMINDERS):
        errors["after"] = text("digest.error.after", most=MOST_REMINDERS)
    return errors


def _place(dialog: Dialog, actor: Person, where: str, now: datetime) -> Person:
    """The admin, or the channel that they wrote in: what the platforms know it by is both its id and its chat."""
    if where == ME:
        return actor
    channel = str(dialog.data["here"])
    return Person(
        id=Person.key(actor.workspace_id, channel),
        workspace_id=actor.workspace_id,
        user_id=channel,
        name=str(dialog.data["label"]),
        time_zone=actor.time_zone,
        locale=actor.locale,
        is_bot=True,  # so that nobody takes it for a colleague
        channel_id=channel,
        seen_at=now,
    )


def _told(loaded: DigestLoaded, event: FormSubmitted, user_id: str, now: datetime) -> Person:
    """Whom the form names, known to the bot or not yet. When it names nobody: the admin, or who was told before and
    is in another workspace, whom the form cannot show.
    """
    here = loaded.scene.workspace.id
    if not user_id:
        elsewhere = loaded.told is not None and loaded.told.workspace_id != here
        return loaded.told if loaded.told is not None and elsewhere else event.actor
    return loaded.named or Person(
        id=Person.key(here, user_id), workspace_id=here, user_id=user_id, time_zone=event.actor.time_zone, seen_at=now
    )


def _asked_for(before: Digest, rollout: Rollout, every: Frequency, by: Person, now: datetime) -> Digest:
    changes = {
        "every": every,
        "time_zone": by.time_zone,
        "next_at": next_at(every, rollout.policy, by.time_zone, now, before.sent_at),
        "changed_by": by.id,
        "version": before.version + 1,
    }
    return before.model_copy(update=changes)


def _hello(report: Digest, place: Person, actor: Person) -> tuple[SendMessage, ...]:
    """A channel is told that it will hear from the bot: then it shows at once whether the bot may write there."""
    if report.every is Frequency.NEVER or place.id == actor.id:
        return ()
    sentence = text(f"digest.hello.{report.every}", name=actor.name or actor.user_id)
    key = f"{report.id}:hello:{report.version}"
    return (SendMessage(key, place.id, answers.notice(sentence), rollout_id=report.rollout_id),)


def _saved(rollout: Rollout, report: Digest, escalation: Digest, told: Person) -> Message:
    first = text(f"digest.saved.{report.every}", enterprise=rollout.name, **_at(report.next_at))
    lines = [Notice(first, Tone.SUCCESS)]
    if escalation.every is not Frequency.NEVER:
        key = "digest.saved.managers" if escalation.to_managers else "digest.saved.escalation"
        second = text(key, count=escalation.after, name=told.known_as)
        lines.append(Notice(second, Tone.SUCCESS))
    return Message(first, body=tuple(lines))


def _at(moment: datetime | None) -> dict[str, When]:
    return {"at": When(moment)} if moment is not None else {}


DIGEST = Conversation("digest", _load, _step)
