"""The commands: their names, which conversation each starts, and the nearest one to a misspelt word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from bot.events import CommandIssued, MessageReceived, Target, TargetKind


@dataclass(frozen=True)
class Command:
    """`/sso name arguments`. Its description is the catalogue's "help.<name>"."""

    name: str
    conversation: str
    arguments: str = ""


COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command("setup", "setup", "[new]"),
        Command("ready", "ready"),
        Command("invite", "invite", "@group @person name@example.com"),
        Command("status", "status", "[@person]"),
        Command("rollouts", "rollouts"),
        Command("digest", "digest"),
        Command("admins", "admins", "[add @person] [remove @person]"),
        Command("problems", "problems"),
        Command("remind", "remind", "[@person]"),
        Command("pause", "pause"),
        Command("resume", "pause"),
        Command("exempt", "exempt", "@person reason"),
        Command("export", "export"),
        Command("finish", "finish"),
        Command("erase", "erase", "[@person]"),
        Command("language", "language"),
        Command("help", "help"),
    )
}

EMAIL = re.compile(r"^[^@\s<>|]+@[^@\s<>|]+\.[^@\s<>|]+$")


def command_of(event: CommandIssued) -> str:
    """The command's name in lower case, "help" when there is none; it need not be a known one."""
    first = event.words[0] if event.words else "help"
    return first.casefold() if isinstance(first, str) else first.label


def suggestion(word: str, among: Iterable[str] = COMMANDS) -> str | None:
    """The command that a misspelt word probably meant."""
    near = get_close_matches(word.casefold(), list(among), n=1, cutoff=0.6)
    return near[0] if near else None


def as_target(word: str) -> str | Target:
    """A word of a command; an e-mail address becomes a target."""
    bare = word.strip(",;")
    return Target(TargetKind.EMAIL, bare.casefold(), bare) if EMAIL.match(bare) else word


def from_message(event: MessageReceived) -> CommandIssued | None:
    """What somebody wrote to the bot, as a command, if its first word is one, or "sso": then any word may follow."""
    words = event.words or tuple(as_target(word) for word in event.text.split())
    addressed = bool(words) and isinstance(words[0], str) and words[0].casefold() in ("sso", "/sso")
    if addressed:
        words = words[1:] or ("help",)
    first = words[0] if words else ""
    if not isinstance(first, str) or not (addressed or first.lstrip("/").casefold() in COMMANDS):
        return None
    return CommandIssued(
        id=event.id,
        workspace_id=event.workspace_id,
        actor=event.actor,
        in_private=event.in_private,
        words=(first.lstrip("/").casefold(), *words[1:]),
    )


def without_command(event: CommandIssued) -> tuple[str | Target, ...]:
    """The arguments."""
    return event.words[1:]


def targets_of(event: CommandIssued) -> tuple[Target, ...]:
    """Whom the command names, in order, each once."""
    named = (word for word in without_command(event) if isinstance(word, Target))
    return tuple({(target.kind, target.id): target for target in named}.values())


def words_of(event: CommandIssued) -> tuple[str, ...]:
    """The arguments that are plain words."""
    return tuple(word for word in without_command(event) if isinstance(word, str))


def words_said(event: CommandIssued) -> str:
    """Everything that was typed, without whom it names."""
    return " ".join(word for word in event.words if isinstance(word, str))
