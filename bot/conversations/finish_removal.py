"""Whose old account may be removed, whose is kept, and the messages to their owners.

Reached from the list of `/sso finish`. Everybody with every reason is in the file; the message shows the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.approvals import ApprovalKind, Needed
from bot.conversations import answers
from bot.conversations.finish import load_items, load_rollout
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.setup_steps import one
from bot.events import ButtonPressed, FormSubmitted
from bot.finishing import FinishStep, organizations_of, without_an_admin
from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    Element,
    Facts,
    Form,
    Message,
    Notice,
    PersonField,
    Section,
    Style,
    Text,
    Token,
    Tone,
    text,
)
from bot.model import DeliveryKind, DeliveryState, Person, Rollout, RolloutState
from bot.ports import InvitationView, RemovalCounts, Transaction
from bot.transition import Replace, ShowForm, Transition, UpdateCopies, WriteToAll

SHOWN_NAMES = 30
SHOWN_ORGANIZATIONS = 10
AT_ONCE = 10_000  # messages that are queued while an admin waits, in about a second; the rest is offered after
NOT_SENT = (DeliveryState.READY, DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.DEAD)


@dataclass(frozen=True)
class RemovalLoaded(Loaded):
    """The rollout with its counts, the first names, and who stays; or the person that a form names."""

    rollout: Rollout | None = None
    counts: RemovalCounts = field(default_factory=RemovalCounts)
    first: Sequence[InvitationView] = ()
    admins: Mapping[str, str] = field(default_factory=dict)
    named: InvitationView | None = None


async def _load(tx: Transaction, event: ButtonPressed | FormSubmitted, scene: Scene) -> RemovalLoaded:
    rollout = await load_rollout(tx, event, scene)
    if rollout is None:
        return RemovalLoaded(scene)
    items = await load_items(tx, rollout)
    named = None
    if one(event.values, "person"):
        person_id = Person.key(scene.workspace.id, one(event.values, "person"))
        named = await tx.invitations.of_person(person_id, rollout.id)
    return RemovalLoaded(
        scene,
        None,
        rollout,
        await tx.finishing.removal(rollout.id),
        await tx.finishing.may_go(rollout.id, SHOWN_NAMES),
        items[FinishStep.ORGANIZATIONS].admins,
        named,
    )


def _step(loaded: RemovalLoaded, event: ButtonPressed | FormSubmitted, _now: datetime) -> Transition:
    rollout = loaded.rollout
    if rollout is None:
        return answers.outdated()
    match event.token.action:
        case "show":
            return Transition(reply=Replace(_message(loaded, rollout)))
        case "keep":
            return Transition(reply=ShowForm(_keep_form(rollout)))
        case "kept":
            return _keep(loaded, rollout, event)
        case "tell" | "ask":
            return _write(loaded, rollout, event)
        case _:
            return answers.outdated()


def _message(loaded: RemovalLoaded, rollout: Rollout) -> Message:
    """Counts, the first names, and why some organizations are left out."""
    title = text("removal.title", enterprise=rollout.name)
    counts = loaded.counts
    lacking = without_an_admin(rollout, loaded.admins)
    possible = [key for key in organizations_of(rollout) if key not in lacking]
    figures = [(text("removal.may_go"), counts.may_go if possible else 0), (text("removal.ci"), counts.ci_unknown)]
    figures += [(text("removal.keepers"), counts.keepers)]
    figures += [(text("removal.told"), counts.farewells.get(DeliveryState.SENT, 0))] if counts.farewells else []
    figures += [
        (text(f"removal.{state}"), counts.farewells[state]) for state in NOT_SENT if counts.farewells.get(state)
    ]
    body: list[Element] = [
        Section(text("removal.rule")),
        Facts(tuple((name, text("number", n=value)) for name, value in figures)),
        *_lacking(rollout, lacking),
        *(_names(loaded.first, counts.may_go, possible) if possible and counts.may_go else ()),
    ]
    return Message(title, title, tuple(body), _buttons(rollout, counts, all_keep=not lacking))


def _lacking(rollout: Rollout, lacking: Sequence[str]) -> tuple[Element, ...]:
    """The organizations from which nobody may be removed yet."""
    if not lacking:
        return ()
    if not rollout.organizations:
        return (Notice(text("removal.lacking.one"), Tone.WARNING),)
    return (Notice(text("removal.lacking", organizations=_listed(lacking)), Tone.WARNING),)


def _listed(keys: Sequence[str]) -> tuple[Text, ...]:
    more = len(keys) - SHOWN_ORGANIZATIONS
    shown = tuple(text("plain", words=key) for key in keys[:SHOWN_ORGANIZATIONS])
    return (*shown, text("invite.more", count=more)) if more > 0 else shown


def _names(first: Sequence[InvitationView], may_go: int, possible: Sequence[str]) -> tuple[Element, ...]:
    names = tuple(text("plain", words=view.person.known_as) for view in first)
    names = (*names, text("invite.more", count=may_go - len(names))) if may_go > len(names) else names
    where = text("removal.from", organizations=_listed(possible)) if possible != [""] else text("removal.from.one")
    return (Section(where), Section(text("removal.names", names=names)))


def _buttons(rollout: Rollout, counts: RemovalCounts, *, all_keep: bool) -> tuple[Button, ...]:
    buttons = [
        Button(text("removal.file"), Token("export", "make.removal", rollout.id), Style.PRIMARY),
        Button(text("removal.keep"), Token("removal", "keep", rollout.id)),
    ]
    active = rollout.state is RolloutState.ACTIVE
    if counts.to_ask and active:
        count = min(counts.to_ask, AT_ONCE)
        token = Token("removal", "ask", rollout.id, count)
        buttons.append(Button(text("removal.ask", count=count), token, confirm=text("removal.ask.sure", count=count)))
    if counts.to_tell and all_keep and active:
        count = min(counts.to_tell, AT_ONCE)
        token = Token("removal", "tell", rollout.id, count)
        buttons.append(
            Button(text("removal.tell", count=count), token, confirm=text("removal.tell.sure", count=count))
        )
    buttons.append(Button(text("button.refresh"), Token("removal", "show", rollout.id)))
    return (*buttons, Button(text("removal.back"), Token("finish", "show", rollout.id)))


def _keep_form(rollout: Rollout, unfit: dict[str, Text] | None = None) -> Form:
    choices = (Choice("yes", text("removal.keep.yes")), Choice("no", text("removal.keep.no")))
    return Form(
        Token("removal", "kept", rollout.id),
        text("removal.keep"),
        text("finish.save"),
        body=(Section(text("removal.keep.why")),),
        fields=(
            PersonField("person", text("removal.keep.who")),
            ChoiceField("keep", text("removal.keep.what"), choices, ("yes",)),
        ),
        errors=unfit,
        cancel=Token("removal", "show", rollout.id),
    )


def _keep(loaded: RemovalLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted) -> Transition:
    view = loaded.named
    if view is None:
        return Transition(reply=ShowForm(_keep_form(rollout, {"person": text("removal.keep.unknown")})))
    keep = one(event.values, "keep") != "no"
    name = view.person.name or view.person.user_id
    done = answers.notice(text("removal.keep.done" if keep else "removal.keep.undone", name=name), Tone.SUCCESS)
    if view.invitation.is_keeper is keep:
        return Transition(reply=Replace(_message(loaded, rollout), done))
    changes = {"is_keeper": keep, "version": view.invitation.version + 1}
    after = view.invitation.model_copy(update=changes)
    return Transition(
        reply=Replace(_with_refresh(done, rollout)),
        state=(after,),
        effects=(UpdateCopies(view.invitation.id),),
        audit="keeper.marked" if keep else "keeper.unmarked",
        subject=view.invitation.id,
    )


def _with_refresh(message: Message, rollout: Rollout) -> Message:
    """The counts are those of the database, so the list is shown anew when it is asked for."""
    again = Button(text("removal.button"), Token("removal", "show", rollout.id))
    return Message(message.summary, message.title, message.body, (again,))


def _write(loaded: RemovalLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted) -> Transition:
    """To as many people as the button said, or to nobody: between showing and pressing somebody may have answered."""
    telling = event.token.action == "tell"
    count = min(loaded.counts.to_tell if telling else loaded.counts.to_ask, AT_ONCE)
    lacking = telling and without_an_admin(rollout, loaded.admins)
    if not count or count != event.token.version or lacking or rollout.state is not RolloutState.ACTIVE:
        toast = answers.notice(text("finish.overtaken"), Tone.WARNING)
        return Transition(reply=Replace(_message(loaded, rollout), toast))
    kind = DeliveryKind.FAREWELL if telling else DeliveryKind.OLD_TOKEN
    sentence = text("removal.telling" if telling else "removal.asking", count=count)
    return Transition(
        reply=Replace(_with_refresh(answers.notice(sentence, Tone.SUCCESS), rollout)),
        effects=(WriteToAll(rollout.id, kind, count),),
        audit=f"{kind}.queued",
        subject=rollout.id,
        details=(("people", count),),
        needed=Needed(ApprovalKind.SEND, text(f"approval.{kind}", count=count, enterprise=rollout.name), count),
    )


REMOVAL = Conversation("removal", _load, _step)
