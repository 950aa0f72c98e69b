"""`/sso help`, unknown commands, and what the bot says when it is met or written to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.commands import COMMANDS, command_of, suggestion
from bot.conversations import answers
from bot.conversations.invitation import invitation_message
from bot.conversations.scene import Conversation, Loaded, Scene, load_scene_only
from bot.conversations.status import for_role, status_message
from bot.events import ButtonPressed, CommandIssued, Event, FormSubmitted, HomeOpened, MessageReceived
from bot.messages import Button, Element, Message, Notice, Section, Style, Token, Tone, text
from bot.ports import InvitationView, RolloutCounts, Transaction
from bot.roles import Role, may
from bot.secrets import holds_secret
from bot.transition import ShowHome, Transition, Whisper


@dataclass(frozen=True)
class HomeLoaded(Loaded):
    """What concerns this person: their own invitation, and whether a message about it is on its way; for an admin,
    the rollout's counts.
    """

    view: InvitationView | None = None
    counts: RolloutCounts | None = None
    under_way: bool = False


def _help(loaded: Loaded, event: CommandIssued | ButtonPressed | FormSubmitted, _now: datetime) -> Transition:
    if not isinstance(event, CommandIssued):
        return answers.outdated()
    name = command_of(event)
    if name in COMMANDS:
        return Transition(reply=Whisper(help_message(loaded.scene)))
    near = suggestion(name, _commands_for(loaded.scene.role))
    if near is None:
        sentence = text("help.unknown", word=name)
    else:
        sentence = text("help.did_you_mean", word=name, command=f"/sso {near}")
    message = help_message(loaded.scene)
    body: tuple[Element, ...] = (Notice(sentence, Tone.WARNING), *(() if near else message.body))
    return Transition(reply=Whisper(Message(summary=sentence, body=body)))


def _commands_for(role: Role) -> list[str]:
    """What somebody of this role may run."""
    return [each.name for each in COMMANDS.values() if may(role, each.conversation, each.name, is_invitee=False)]


def help_message(scene: Scene) -> Message:
    """What this person can ask for."""
    title = text("help.title")
    if not scene.role.runs_rollouts and scene.role is not Role.VIEWER:
        return Message(title, title, (Section(text("help.invitee")),))
    lines = tuple(
        Section(
            text(
                "help.line",
                command=f"/sso {command.name} {command.arguments}".strip(),
                does=text(f"help.{command.name}"),
            )
        )
        for command in map(COMMANDS.__getitem__, _commands_for(scene.role))
    )
    if scene.rollout is None and may(scene.role, "setup", "begin", is_invitee=False):
        begin = Button(text("button.set_up"), Token("setup", "begin"), Style.PRIMARY)
        return Message(title, title, (Section(text("help.start")), *lines), (begin,))
    if scene.rollout is None:
        return Message(title, title, lines)
    return Message(title, title, (Section(text("help.current", enterprise=scene.rollout.name)), *lines))


async def _load_home(tx: Transaction, event: HomeOpened | MessageReceived, scene: Scene) -> HomeLoaded:
    view = await tx.invitations.newest_of_person(event.actor)
    counts = None
    if may(scene.role, "status", "show", is_invitee=False) and scene.rollout is not None:
        counts = await tx.invitations.counts(scene.rollout.id)
    under_way = False
    if _was_installed(event) and view is not None:
        under_way = bool(await tx.deliveries.under_way([view.invitation.id]))
    return HomeLoaded(scene, view=view, counts=counts, under_way=under_way)


def _home(loaded: HomeLoaded, event: HomeOpened | MessageReceived, _now: datetime) -> Transition:
    if isinstance(event, MessageReceived):
        return _written_to(loaded, event)
    rollout = loaded.scene.rollout
    if _was_installed(event) and not _is_greeted(loaded):
        return Transition()
    if loaded.counts is not None and rollout is not None:
        status = for_role(status_message(rollout, loaded.counts), loaded.scene.role)
        return Transition(reply=ShowHome(_with_own(status, loaded.view) if loaded.view else status))
    if loaded.view is not None:
        return Transition(reply=ShowHome(invitation_message(loaded.view)))
    return Transition(reply=ShowHome(help_message(loaded.scene)))


def _was_installed(event: Event) -> bool:
    return isinstance(event, HomeOpened) and event.installed  # a forged button can lead here too


def _is_greeted(loaded: HomeLoaded) -> bool:
    """Whether somebody hears from the bot because its app was installed: an organization may install it for everybody
    in one night, and the bot itself installs it for whoever it is just about to write to.
    """
    waits = loaded.view is not None and loaded.view.invitation.is_open
    return (waits or loaded.scene.role.runs_rollouts) and not loaded.under_way


def _with_own(status: Message, view: InvitationView) -> Message:
    """An admin is invited like everybody else: their own invitation stands below the rollout."""
    own = invitation_message(view)
    heading = (Section(text("help.own", title=own.title)),) if own.title else ()
    return replace(status, body=(*status.body, *heading, *own.body), buttons=(*status.buttons, *own.buttons))


def _written_to(loaded: HomeLoaded, event: MessageReceived) -> Transition:
    """Words that are no command. A pasted secret is told of and goes no further."""
    if holds_secret(event.text):
        return answers.secret_pasted(event.link)
    words = event.text.split()
    allowed = _commands_for(loaded.scene.role)
    near = suggestion(words[0].lstrip("/"), allowed) if words and len(words[0]) < 30 else None
    if near is not None and loaded.scene.role.runs_rollouts:  # "please" from somebody else is no misspelt "pause"
        return answers.whisper(text("help.did_you_mean", word=words[0], command=near))
    if loaded.view is not None and loaded.view.invitation.is_open:
        return Transition(reply=Whisper(invitation_message(loaded.view)))
    return Transition(reply=Whisper(help_message(loaded.scene)))


HELP = Conversation("help", load_scene_only, _help)
HOME = Conversation("home", _load_home, _home)
