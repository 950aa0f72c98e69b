"""`/sso status`: where everyone stands, who is missing, and one person's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.commands import targets_of, words_of
from bot.conversations import answers
from bot.conversations.bars import bar
from bot.conversations.invitation import checks
from bot.conversations.missing import PAGE, asked_which, filter_form, missing_message
from bot.conversations.scene import Conversation, Loaded, Scene
from bot.conversations.status_charts import MOST_PARTS, Shown, charts_message
from bot.conversations.status_waves import A_PAGE, groups_message, waves_message
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, Target, TargetKind
from bot.messages import (
    Button,
    Day,
    Element,
    Facts,
    Message,
    Notice,
    Section,
    Style,
    Text,
    Token,
    Tone,
    When,
    text,
)
from bot.model import CheckKind, Person, Rollout, RolloutState, WaveStage
from bot.planned_waves import day_and_hour
from bot.ports import InvitationView, RolloutCounts, Standing, Transaction
from bot.roles import Role, may
from bot.transition import Replace, SendAgain, ShowForm, Transition, Whisper

StatusEvent = CommandIssued | ButtonPressed | FormSubmitted
WAVES_SHOWN = 5  # that are planned
KINDS_SHOWN = 5  # of problems; `/sso problems` has all


@dataclass(frozen=True)
class StatusLoaded(Loaded):
    """The counts, or the page of missing people, of waves or of groups, or the person that was asked for."""

    counts: RolloutCounts | None = None
    missing: tuple[InvitationView, ...] = ()
    waves: tuple[Standing, ...] = ()
    groups: tuple[Standing, ...] = ()
    shown: Shown = field(default_factory=Shown)
    person: InvitationView | None = None
    asked_for: str = ""


async def find_person(tx: Transaction, scene: Scene, target: Target) -> Person | None:
    """The person whom a command names, if the bot has met them."""
    if target.kind is TargetKind.EMAIL:
        here = await tx.people.by_email(scene.workspace.id, target.id)
        return here or await _on_another_platform(tx, scene, target.id)
    return await tx.people.person(Person.key(scene.workspace.id, target.id))


async def _on_another_platform(tx: Transaction, scene: Scene, email: str) -> Person | None:
    for workspace in await tx.people.workspaces(scene.workspace.company):
        person = await tx.people.by_email(workspace.id, email)
        if person is not None:
            return person
    return None


async def find_invitation(tx: Transaction, scene: Scene, target: Target) -> InvitationView | None:
    """Their invitation in the current rollout."""
    person = await find_person(tx, scene, target)
    if person is None or scene.rollout is None:
        return None
    return await tx.invitations.of_person(person.id, scene.rollout.id)


async def _load(tx: Transaction, event: StatusEvent, scene: Scene) -> StatusLoaded:
    if scene.rollout is None:
        return StatusLoaded(scene)
    if isinstance(event, CommandIssued):
        targets = targets_of(event)
        if targets:
            view = await find_invitation(tx, scene, targets[0])
            return StatusLoaded(scene, person=view, asked_for=targets[0].label or targets[0].id)
        return StatusLoaded(scene, counts=await tx.invitations.counts(scene.rollout.id))
    which = asked_which(event)
    if which is not None:
        views = await tx.invitations.open_views(scene.rollout.id, PAGE + 1, which.page * PAGE, which.missing)
        return StatusLoaded(scene, missing=tuple(views))
    if event.token.action == "waves":
        waves = await tx.invitations.by_wave(scene.rollout.id, A_PAGE + 1, event.token.version * A_PAGE)
        return StatusLoaded(scene, waves=tuple(waves))
    if event.token.action == "groups":
        groups = await tx.invitations.by_group(scene.rollout.id)
        return StatusLoaded(scene, groups=tuple(groups[event.token.version * A_PAGE :]))
    if event.token.action == "charts":
        return await _load_charts(tx, scene, scene.rollout)
    return StatusLoaded(scene, counts=await tx.invitations.counts(scene.rollout.id))


async def _load_charts(tx: Transaction, scene: Scene, rollout: Rollout) -> StatusLoaded:
    counts = await tx.invitations.counts(rollout.id)
    waves = await tx.invitations.by_wave(rollout.id, MOST_PARTS) if counts.several_waves else ()
    groups = await tx.invitations.by_group(rollout.id) if counts.several_groups else ()
    over_time = await tx.invitations.over_time(rollout.id)
    return StatusLoaded(scene, counts=counts, shown=Shown(over_time, tuple(waves), tuple(groups)))


def _step(loaded: StatusLoaded, event: StatusEvent, now: datetime) -> Transition:
    rollout = loaded.scene.rollout
    if rollout is None:
        return answers.no_rollout()
    if isinstance(event, CommandIssued):
        return _answer(loaded, rollout, event)
    if event.token.subject != rollout.id:
        return answers.outdated()
    which = asked_which(event)
    if which is not None:
        return Transition(reply=Replace(missing_message(rollout, loaded.missing, which.missing, which.page)))
    return _pressed(loaded, rollout, event, now)


def _pressed(
    loaded: StatusLoaded, rollout: Rollout, event: ButtonPressed | FormSubmitted, now: datetime
) -> Transition:
    if event.token.action == "filter":
        return Transition(reply=ShowForm(filter_form(rollout)))
    if event.token.action == "waves":
        return Transition(reply=Replace(waves_message(rollout, loaded.waves, event.token.version)))
    if event.token.action == "groups":
        return Transition(reply=Replace(groups_message(rollout, loaded.groups, event.token.version)))
    counts = loaded.counts or RolloutCounts()
    if event.token.action == "send_again":
        return _send_again(rollout, counts)
    shown = for_role(status_message(rollout, counts), loaded.scene.role)
    if event.token.action == "charts" and counts.invited:
        shown = charts_message(rollout, funnel(rollout, counts), counts, loaded.shown, now.astimezone(UTC).date())
    return Transition(reply=Replace(shown))


def _answer(loaded: StatusLoaded, rollout: Rollout, event: CommandIssued) -> Transition:
    if loaded.person is not None:
        return Transition(reply=Whisper(person_message(loaded.person)))
    if loaded.asked_for:
        return answers.whisper(text("status.not_invited", name=loaded.asked_for), Tone.WARNING)
    if words_of(event):
        return answers.whisper(text("status.usage", word=words_of(event)[0]), Tone.WARNING)
    shown = status_message(rollout, loaded.counts or RolloutCounts())
    return Transition(reply=Whisper(for_role(shown, loaded.scene.role)))


def status_message(rollout: Rollout, counts: RolloutCounts) -> Message:
    """The whole rollout."""
    title = text("status.title", enterprise=rollout.name)
    if counts.invited == 0:
        body: tuple[Element, ...] = (
            Notice(text(f"status.state.{rollout.state}")),
            *(_planned(counts) or (Section(text("setup.next")),)),
        )
        return Message(title, title, body)
    done = text("status.headline", done=counts.done, invited=counts.invited)
    body = (
        *((Notice(text("status.state.paused"), Tone.WARNING),) if rollout.state is RolloutState.PAUSED else ()),
        Section(done),
        *(
            Section(text("status.step", bar=bar(number, counts.invited), n=number, what=what))
            for what, number in funnel(rollout, counts)
        ),
        Facts(tuple((name, text("number", n=value)) for name, value in _figures(counts))),
        *_planned(counts),
        *_deadline(rollout),
        *_reported(counts),
        *problems(counts),
    )
    return Message(title, title, body, _status_buttons(rollout, counts))


def for_role(message: Message, role: Role) -> Message:
    """Without the buttons that somebody of this role may not press."""
    mine = tuple(
        button
        for button in message.buttons
        if button.token is None or may(role, button.token.conversation, button.token.action, is_invitee=False)
    )
    return replace(message, buttons=mine)


def funnel(rollout: Rollout, counts: RolloutCounts) -> list[tuple[Text, int]]:
    """How many have come how far: fewer and fewer. Whether somebody has opened the login page
    is not told everywhere, so the step is left out where nobody has.
    """
    confirmed: Mapping[CheckKind, int] = counts.confirmed or {}
    steps = [(text("status.invited"), counts.invited), (text("status.reached"), counts.reached)]
    steps += [(text("status.opened"), counts.opened)] if counts.opened else []
    steps += [(text(f"status.confirmed.{kind}"), confirmed.get(kind, 0)) for kind in rollout.needs]
    return [*steps, (text("status.done"), counts.done)]


def _figures(counts: RolloutCounts) -> list[tuple[Text, int]]:
    figures = [(text("status.open"), counts.open)]
    figures += [(text("status.exempt"), counts.exempt)] if counts.exempt else []
    figures += [(text("status.unreachable"), counts.unreachable)] if counts.unreachable else []
    figures += [(text("status.stopped"), counts.stopped)] if counts.stopped else []
    figures += [(text("status.cases"), counts.open_cases)] if counts.open_cases else []
    return [*figures, (text("status.reminders"), counts.reminders)]


def _planned(counts: RolloutCounts) -> tuple[Element, ...]:
    """The waves that have not gone out yet."""
    lines: list[Element] = []
    for wave in counts.planned[:WAVES_SHOWN]:
        if wave.stage is WaveStage.HELD:
            lines.append(Notice(text("status.held", count=wave.size), Tone.WARNING))
        elif wave.starts_at is not None:
            day, hour = day_and_hour(wave.starts_at)
            at = text("progress.starts.at", day=Day(day), hour=f"{hour}:00")
            named = text("status.planned.named", count=wave.size, at=at, label=wave.label)
            lines.append(Section(named if wave.label else text("status.planned", count=wave.size, at=at)))
    return tuple(lines)


def _deadline(rollout: Rollout) -> tuple[Element, ...]:
    deadline = rollout.policy.deadline
    return (Section(text("status.deadline", at=Day(deadline))),) if deadline else ()


def _reported(counts: RolloutCounts) -> tuple[Element, ...]:
    """What invitees have reported, by kind: what waits most first."""
    kinds = sorted(counts.problems.items(), key=lambda item: (-item[1].open, -item[1].answered, item[0]))
    return tuple(
        Section(
            text(
                "status.problem",
                problem=text(f"problem.{kind}"),
                waiting=number.open,
                answered=number.answered,
                solved=number.solved,
            )
        )
        for kind, number in kinds[:KINDS_SHOWN]
    )


def problems(counts: RolloutCounts) -> tuple[Element, ...]:
    """Why messages did not arrive, with counts and what to do."""
    reasons = sorted((counts.reasons or {}).items(), key=lambda item: -item[1])
    return tuple(
        Notice(text("status.reason", count=count, reason=text(f"reason.{key}")), Tone.WARNING)
        for key, count in reasons
    )


def _status_buttons(rollout: Rollout, counts: RolloutCounts) -> tuple[Button, ...]:
    token = Token("status", "show", rollout.id)
    again = counts.failed
    buttons = [Button(text("button.refresh"), token)]
    buttons.append(Button(text("button.charts"), Token("status", "charts", rollout.id)))
    if counts.open:
        buttons.append(Button(text("button.missing"), Token("status", "missing", rollout.id)))
        buttons.append(Button(text("button.remind_all"), Token("remind", "ask", rollout.id, rollout.version)))
    if counts.several_waves:
        buttons.append(Button(text("button.by_wave"), Token("status", "waves", rollout.id)))
    if counts.several_groups:
        buttons.append(Button(text("button.by_group"), Token("status", "groups", rollout.id)))
    if counts.open_cases:
        buttons.append(Button(text("button.problems"), Token("problems", "show", rollout.id)))
    if again:
        sure = text("status.again.sure", count=again)
        buttons.append(
            Button(
                text("button.send_again", count=again), Token("status", "send_again", rollout.id), Style.PLAIN, sure
            )
        )
    return tuple(buttons)


def _send_again(rollout: Rollout, counts: RolloutCounts) -> Transition:
    again = counts.failed
    if not again:
        return Transition(reply=Replace(status_message(rollout, counts)))
    return Transition(
        reply=Replace(answers.notice(text("status.again.queued", count=again), Tone.SUCCESS)),
        effects=(SendAgain(rollout.id),),
        audit="sent_again",
        subject=rollout.id,
        details=(("messages", again),),
    )


def person_message(view: InvitationView) -> Message:
    """One invitee's state."""
    invitation = view.invitation
    title = text("person.title", name=view.person.name or view.person.user_id)
    pairs = [(text("person.invited"), text("moment", at=When(invitation.invited_at)))]
    if invitation.reached_at:
        pairs.append((text("person.reached"), text("moment", at=When(invitation.reached_at))))
    pairs.append((text("person.reminders"), text("number", n=invitation.reminders)))
    if invitation.escalated_at:
        pairs.append((text("person.escalated"), text("moment", at=When(invitation.escalated_at))))
    if invitation.due_at:
        pairs.append((text("person.next"), text("moment", at=When(invitation.due_at))))
    notices: list[Element] = []
    if invitation.exempt_at:
        notices.append(Notice(text("person.exempt", reason=invitation.exempt_reason)))
    if invitation.wish and invitation.is_open:
        notices.append(Notice(text(f"person.{invitation.wish}")))
    if invitation.unreachable:
        notices.append(Notice(text(f"reason.{invitation.unreachable}"), Tone.WARNING))
    return Message(title, title, (*notices, *checks(view), Facts(tuple(pairs))))


STATUS = Conversation("status", _load, _step)
