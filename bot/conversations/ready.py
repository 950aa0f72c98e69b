"""`/sso ready`: what should be there before the first invitation, why, and what is still missing.

What the setup dialog asks for is taken from there; the rest is asked for here. Inviting goes on whatever is missing,
after the question that names it (bot/conversations/invite.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.conversations import answers
from bot.conversations.bars import bar
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, FormValues
from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    Element,
    Form,
    Link,
    Message,
    Notice,
    Section,
    Style,
    Text,
    Token,
    Tone,
    text,
)
from bot.model import Person, Rollout
from bot.ports import Transaction
from bot.readiness import IN_SETUP, Readiness, ReadyPoint, missing, points_of
from bot.roles import Role, may
from bot.transition import Replace, ShowForm, Transition, Whisper

ReadyEvent = CommandIssued | ButtonPressed | FormSubmitted
_SSO = (
    "https://docs.sonarsource.com/sonarqube-cloud/administering-sonarcloud/enterprise-security/sso-and-provisioning"
)
# SonarQube Cloud's page on each point, by its title there.
PAGES = {
    ReadyPoint.GROUPS: Link(f"{_SSO}/before-you-start", "Before setting up SSO and provisioning"),
    ReadyPoint.DOMAIN: Link(f"{_SSO}/verify-domain", "Domain verification"),
    ReadyPoint.ONE_CLICK: Link(f"{_SSO}/complete-setup", "Invite users to sign in"),
    ReadyPoint.TESTED: Link(f"{_SSO}/complete-setup", "Invite users to sign in"),
    ReadyPoint.RECOVERY: Link(f"{_SSO}/recovery-account", "Recovery account for SSO"),
}
YES, NOT_YET = "yes", "not_yet"


@dataclass(frozen=True)
class ReadyLoaded(Loaded):
    """What has been confirmed of the rollout that the event is about."""

    readiness: Readiness | None = None


async def read_readiness(tx: Transaction, rollout: Rollout) -> Readiness:
    """What has been confirmed of it; nothing when nobody was asked yet."""
    return await tx.rollouts.readiness(rollout.id) or Readiness.unknown(rollout.id)


async def _load(tx: Transaction, _event: ReadyEvent, scene: Scene) -> ReadyLoaded:
    readiness = await read_readiness(tx, scene.rollout) if scene.rollout is not None else None
    return ReadyLoaded(scene, readiness=readiness)


def _step(loaded: ReadyLoaded, event: ReadyEvent, now: datetime) -> Transition:
    rollout, readiness = loaded.scene.rollout, loaded.readiness
    if rollout is None or readiness is None:
        return answers.no_rollout()
    if isinstance(event, CommandIssued):
        return Transition(reply=Whisper(ready_message(rollout, readiness, loaded.scene.role)))
    if event.token.subject != rollout.id:
        return answers.outdated()
    if event.token.action == "open":
        return Transition(reply=ShowForm(_form(rollout, readiness)))
    if event.token.action == "save" and isinstance(event, FormSubmitted):
        return _save(loaded, rollout, readiness, event, now)
    return Transition(reply=Replace(ready_message(rollout, readiness, loaded.scene.role)))


def _save(
    loaded: ReadyLoaded, rollout: Rollout, readiness: Readiness, event: FormSubmitted, now: datetime
) -> Transition:
    if event.token.version != readiness.version:
        return Transition(reply=ShowForm(_form(rollout, readiness, text("finish.overtaken"))))
    after = answered(readiness, rollout, event.values, event.actor, now)
    return confirmed(Replace(ready_message(rollout, after, loaded.scene.role)), rollout, after)


def answered(readiness: Readiness, rollout: Rollout, values: FormValues, by: Person, now: datetime) -> Readiness:
    """With what the form says. A point that it does not ask for stays as it is."""
    asked = {point for point in _asked_for(rollout) if one(values, point.value)}
    yes = {point for point in asked if one(values, point.value) == YES}
    there = tuple(point for point in ReadyPoint if point in yes or point in {*readiness.confirmed} - asked)
    changes = {"confirmed": there, "changed_by": by.id, "changed_at": now, "version": readiness.version + 1}
    return readiness.model_copy(update=changes)


def confirmed(reply: Replace, rollout: Rollout, after: Readiness) -> Transition:
    """The step that saves it. The audit log says how many points are still missing, and which."""
    lacking = missing(rollout, after)
    return Transition(
        reply=reply,
        state=(after,),
        audit="readiness.confirmed",
        subject=rollout.id,
        details=(("missing", len(lacking)), ("points", " ".join(lacking))),
    )


def ready_message(rollout: Rollout, readiness: Readiness, role: Role) -> Message:
    """Every point with its state; why those that are missing matter."""
    title = text("ready.title", enterprise=rollout.name)
    points, lacking = points_of(rollout), missing(rollout, readiness)
    there = len(points) - len(lacking)
    body: list[Element] = [Section(text("ready.bar", bar=bar(there, len(points)), there=there, points=len(points)))]
    body += [_line(point, lacking) for point in points]
    all_there = text("ready.all") if not lacking else text("ready.may_go_on")
    body.append(Notice(all_there, Tone.INFO if lacking else Tone.SUCCESS))
    return Message(title, title, tuple(body), tuple(_buttons(rollout, lacking, role)))


def _line(point: ReadyPoint, lacking: Sequence[ReadyPoint]) -> Section:
    what = text(f"ready.{point}")
    if point not in lacking:
        return Section(text("ready.line.there", what=what))
    return Section(text("ready.line.missing", what=what, why=text(f"ready.{point}.why"), page=PAGES[point]))


def _buttons(rollout: Rollout, lacking: Sequence[ReadyPoint], role: Role) -> list[Button]:
    style = Style.PRIMARY if lacking else Style.PLAIN
    buttons = [Button(text("ready.answer"), Token("ready", "open", rollout.id), style)]
    if IN_SETUP.intersection(lacking) and may(role, "setup", "begin", is_invitee=False):
        buttons.append(Button(text("ready.setup"), Token("setup", "begin", rollout.id)))
    return [*buttons, Button(text("button.refresh"), Token("ready", "show", rollout.id))]


def _form(rollout: Rollout, readiness: Readiness, warning: Text | None = None) -> Form:
    save = Token("ready", "save", rollout.id, readiness.version)
    return ready_form(rollout, readiness, save, Token("ready", "show", rollout.id), warning)


def _asked_for(rollout: Rollout) -> tuple[ReadyPoint, ...]:
    return tuple(point for point in points_of(rollout) if point not in IN_SETUP)


def ready_form(
    rollout: Rollout, readiness: Readiness, save: Token, cancel: Token, warning: Text | None = None
) -> Form:
    """A question for each point that the setup does not ask for."""
    choices = tuple(Choice(value, text(f"ready.{value}")) for value in (YES, NOT_YET))
    fields = tuple(
        ChoiceField(
            point.value,
            text(f"ready.{point}"),
            choices,
            (YES if point in readiness.confirmed else NOT_YET,),
            hint=text(f"ready.{point}.why"),
        )
        for point in _asked_for(rollout)
    )
    return Form(
        save,
        text("ready.form"),
        text("finish.save"),
        body=((Notice(warning, Tone.WARNING),) if warning else ()) + (Section(text("ready.form.how")),),
        fields=fields,
        cancel=cancel,
    )


READY = Conversation("ready", _load, _step)
