"""What somebody typed, as words and targets."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.events import Target, TargetKind

Json = Mapping[str, Any]
Word = str | Target

_EMAIL = re.compile(r"[^@\s<>|]+@[^@\s<>|]+\.[^@\s<>|]+")
_PUNCTUATION = ",;"


@dataclass(frozen=True)
class Place:
    """The channel that something was written in. Both ids are thread ids ("19:…")."""

    team_id: str
    team_name: str
    channel_id: str
    channel_name: str

    @property
    def team(self) -> Target:
        """The whole team."""
        return Target(TargetKind.TEAM, self.team_id, self.team_name or "team")

    @property
    def channel(self) -> Target:
        """The channel itself."""
        return Target(TargetKind.CHANNEL, self.channel_id, self.channel_name or "channel")


def words_of(text: str, mentions: Sequence[Json], bot_id: str, place: Place | None) -> tuple[Word, ...]:
    """The words of a text, with mentions and e-mail addresses as targets in their places.

    `mentions` are the activity's entities of type "mention". The bot's own is left out.
    """
    words: list[Word] = []
    position = 0
    for mention in mentions:
        written = str(mention.get("text") or "")
        start = text.find(written, position) if written else -1
        if start < 0:
            continue
        words += _plain_words(text[position:start])
        target = _mentioned(mention.get("mentioned"), bot_id, place)
        words += [target] if target is not None else []
        position = start + len(written)
    return tuple(words + _plain_words(text[position:]))


def plain_text(text: str) -> str:
    """What was typed, without the HTML that Teams writes for "<" and "&" and hard blanks."""
    return html.unescape(text).replace("\xa0", " ").strip()


def command_words(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words of a command: without a leading "/" and "sso"."""
    if not words or not isinstance(words[0], str):
        return words
    first = words[0].removeprefix("/")
    if first.casefold() == "sso" or not first:
        return words[1:]
    return (first, *words[1:])


def is_command(words: tuple[Word, ...]) -> bool:
    """Whether the words are meant as a command wherever they are written."""
    return bool(words) and isinstance(words[0], str) and (words[0].startswith("/") or words[0].casefold() == "sso")


def _plain_words(text: str) -> list[Word]:
    return [_word(each) for each in plain_text(text).split() if each.strip(_PUNCTUATION)]


def _word(typed: str) -> Word:
    bare = typed.strip(_PUNCTUATION + "<>").removeprefix("mailto:")
    if _EMAIL.fullmatch(bare):
        return Target(TargetKind.EMAIL, bare.casefold(), bare)
    return typed


def _mentioned(mentioned: object, bot_id: str, place: Place | None) -> Target | None:
    """Whom a mention names. Tags have ids of their own kind; they belong to the team that they are written in."""
    if not isinstance(mentioned, Mapping):
        return None
    found, name = str(mentioned.get("id") or ""), str(mentioned.get("name") or "")
    if not found or found == bot_id:
        return None
    if found.startswith(("29:", "8:")):
        return Target(TargetKind.PERSON, found, name)
    if found.startswith("28:"):
        return Target(TargetKind.PERSON, found, name)  # another bot: the directory says so
    if found.startswith("19:"):
        is_team = place is not None and found == place.team_id and mentioned.get("type") != "channel"
        return Target(TargetKind.TEAM if is_team else TargetKind.CHANNEL, found, name)
    if place is None:
        return Target(TargetKind.PERSON, found, name)
    return Target(TargetKind.TAG, f"{place.team_id}/{found}", name)
