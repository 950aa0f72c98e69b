"""`/sso rollouts`: all that the company has, and which of them this admin works on.

Commands are about that one; a button stays with the rollout of its message (bot/engine.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.conversations import answers
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.events import ButtonPressed, CommandIssued, FormSubmitted
from bot.messages import Button, Element, Message, Section, Style, Token, Tone, text
from bot.model import CurrentRollout, Rollout, RolloutState
from bot.ports import RolloutCounts, Transaction
from bot.roles import may
from bot.transition import Replace, Transition, Whisper

SHOWN = 8  # that run; more would be too many buttons for one message
SHOWN_FINISHED = 5

RolloutsEvent = CommandIssued | ButtonPressed | FormSubmitted


@dataclass(frozen=True)
class RolloutsLoaded(Loaded):
    """The rollouts, the newest first, with the counts of those that run; and which the admin works on."""

    rollouts: tuple[Rollout, ...] = ()
    finished: tuple[Rollout, ...] = ()
    counts: Mapping[str, RolloutCounts] = field(default_factory=dict)
    current: str = ""


async def _load(tx: Transaction, event: RolloutsEvent, scene: Scene) -> RolloutsLoaded:
    company = scene.workspace.company
    rollouts = tuple(await tx.rollouts.unfinished(company))
    current = await tx.rollouts.current(company, event.actor.id)
    return RolloutsLoaded(
        scene,
        None,
        rollouts,
        tuple(await tx.rollouts.finished(company, SHOWN_FINISHED)),
        {each.id: await tx.invitations.counts(each.id) for each in rollouts[:SHOWN]},
        current.id if current else "",
    )


def _step(loaded: RolloutsLoaded, event: RolloutsEvent, _now: datetime) -> Transition:
    if isinstance(event, CommandIssued):
        if not loaded.rollouts and not loaded.finished:
            return answers.no_rollout()
        return Transition(reply=Whisper(_list(loaded, loaded.current)))
    chosen = next((each for each in loaded.rollouts if each.id == event.token.subject), None)
    if event.token.action != "choose" or chosen is None:
        return Transition(reply=Replace(_list(loaded, loaded.current)))
    toast = answers.notice(text("rollouts.chosen", enterprise=chosen.name), Tone.SUCCESS)
    return Transition(
        reply=Replace(_list(loaded, chosen.id), toast),
        state=(CurrentRollout(person_id=event.actor.id, rollout_id=chosen.id),),
        audit="rollout.chosen",
        subject=chosen.id,
    )


def _list(loaded: RolloutsLoaded, current: str) -> Message:
    title = text("rollouts.title")
    body: list[Element] = [_line(each, loaded.counts, current) for each in loaded.rollouts[:SHOWN]]
    body += [
        Section(text("rollouts.finished", enterprise=each.name, key=each.enterprise_key)) for each in loaded.finished
    ]
    if len(loaded.rollouts) > SHOWN:
        body.append(Section(text("rollouts.more", count=len(loaded.rollouts) - SHOWN)))
    if len(loaded.rollouts) > 1:
        body.append(Section(text("rollouts.hint")))
    return Message(title, title, tuple(body), _buttons(loaded, current))


def _line(rollout: Rollout, counts: Mapping[str, RolloutCounts], current: str) -> Section:
    of = counts.get(rollout.id, RolloutCounts())
    return Section(
        text(
            "rollouts.line.current" if rollout.id == current else "rollouts.line",
            enterprise=rollout.name,
            key=rollout.enterprise_key,
            host=rollout.region.host,
            state=text("rollouts.paused" if rollout.state is RolloutState.PAUSED else "rollouts.active"),
            invited=of.invited,
            done=of.done,
        )
    )


def _buttons(loaded: RolloutsLoaded, current: str) -> tuple[Button, ...]:
    buttons = [
        Button(text("rollouts.choose", enterprise=each.name), Token("rollouts", "choose", each.id))
        for each in loaded.rollouts[:SHOWN]
        if each.id != current
    ]
    buttons += [
        Button(text("rollouts.steps", enterprise=each.name), Token("finish", "show", each.id))
        for each in loaded.finished
    ]
    if may(loaded.scene.role, "setup", "another", is_invitee=False):
        buttons.append(Button(text("rollouts.another"), Token("setup", "another"), Style.PLAIN))
    return tuple(buttons)


ROLLOUTS = Conversation("rollouts", _load, _step)
