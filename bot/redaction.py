"""Leaving somebody out of what others wrote: for erasing one person's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot.model import Person

ERASED = "[erased]"  # stands where the person stood
# Whose buttons leave their message as it is, or store what it shows from then on. Other messages may have become
# something else in the chat, which showing them anew would undo.
IN_STEP = frozenset({"case", "digest"})


def can_be_shown_anew(message: Mapping[str, Any]) -> bool:
    """Whether the message, as it is stored, is surely what the chat shows."""
    tokens = (button["token"] for button in message["buttons"])
    return all(token is None or token["conversation"] in IN_STEP for token in tokens)


@dataclass(frozen=True)
class Redaction:
    """`alone` are texts that are redacted where there is nothing else, `within` also inside longer ones.

    A name of a single word is not looked for in sentences: it may be a word, or somebody else's name.
    """

    alone: frozenset[str]
    within: frozenset[str]

    @classmethod
    def of(cls, people: Iterable[Person], wrote: Iterable[str] = ()) -> Redaction:
        """That of one human being in several workspaces, and of the words that they wrote."""
        alone, within = set(wrote), set[str]()
        for person in people:
            alone |= {person.name, f"@{person.name}"}
            within |= {person.email, person.id, person.user_id}
            within |= {person.name} if " " in person.name.strip() else set()
        return cls(frozenset(alone - {"", "@"}), frozenset(within - {""}))

    def redacted(self, value: Any) -> Any:
        """The same JSON value without them; keys stay."""
        match value:
            case str():
                return ERASED if value.casefold() in self._alone else self._within.sub(ERASED, value)
            case list():
                return [self.redacted(each) for each in value]
            case dict():
                return {key: self.redacted(each) for key, each in value.items()}
            case _:
                return value

    @cached_property
    def _alone(self) -> frozenset[str]:
        return frozenset(each.casefold() for each in self.alone)

    @cached_property
    def _within(self) -> re.Pattern[str]:
        """A person always has an id, so this is never empty."""
        longest_first = sorted(self.within, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
