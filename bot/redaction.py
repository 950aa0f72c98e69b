"""Leaving somebody out of what others wrote: for erasing one person's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
    """`alone` are names that are redacted where there is nothing else; `names`, `addresses` and `ids` also in longer
    texts.

    A name of a single word is not looked for in sentences: it may be a word, or somebody else's name. Of what is
    stored as JSON only what people wrote or are called is touched: the rest is what the bot works with.
    """

    alone: frozenset[str]
    names: frozenset[str]
    addresses: frozenset[str]
    ids: frozenset[str]

    @classmethod
    def of(cls, people: Iterable[Person]) -> Redaction:
        """That of one human being in several workspaces."""
        known = list(people)
        called = {person.name.strip() for person in known} - {""}
        return cls(
            alone=frozenset(called | {f"@{name}" for name in called}),
            names=frozenset(name for name in called if " " in name),
            addresses=frozenset(person.email for person in known if person.email),
            ids=frozenset(each for person in known for each in (person.id, person.user_id)),
        )

    @property
    def within(self) -> frozenset[str]:
        """What is looked for in longer texts."""
        return self.names | self.addresses | self.ids

    def words(self, words: str) -> str:
        """What somebody wrote or is called."""
        if words.strip().casefold() in self._alone:
            return ERASED
        return self._within.sub(ERASED, words)

    def message(self, value: Any) -> Any:
        """A bot.messages.Message, or a part of one, as JSON."""
        match value:
            case {"params": dict() as params}:
                return {**value, "params": {name: self._param(each) for name, each in params.items()}}
            case {"kind": "quote", "words": str() as words}:
                return {**value, "words": self.words(words)}
            case dict():
                return {name: self.message(each) for name, each in value.items()}
            case list():
                return [self.message(each) for each in value]
            case _:
                return value

    def _param(self, value: Any) -> Any:
        match value:
            case str():
                return self.words(value)
            case list():
                return [self._param(each) for each in value]
            case {"params": _}:
                return self.message(value)
            case _:  # a link, a moment, a number
                return value

    def target(self, target: Mapping[str, str]) -> dict[str, str]:
        """Whom a command names, as JSON (bot.events.Target.as_data)."""
        if target["id"].casefold() in self._theirs:
            return {**target, "id": ERASED, "label": ERASED}
        return {**target, "label": self.words(target["label"])}

    def targets(self, targets: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """The same for several."""
        return [self.target(each) for each in targets]

    def asked(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """What a second admin is to approve (bot.approvals.as_data)."""
        named = [self.target(word) if isinstance(word, dict) else word for word in data["words"]]
        return {**data, "words": named}

    def people(self, person_ids: Sequence[str]) -> list[str]:
        """The others."""
        return [each for each in person_ids if each not in self.ids]

    def by_organization(self, named: Mapping[str, str]) -> dict[str, str]:
        """Whom an admin has named for each organization."""
        return {organization: self.words(words) for organization, words in named.items()}

    @cached_property
    def _alone(self) -> frozenset[str]:
        return frozenset(each.casefold() for each in self.alone)

    @cached_property
    def _theirs(self) -> frozenset[str]:
        return frozenset(each.casefold() for each in self.addresses | self.ids)

    @cached_property
    def _within(self) -> re.Pattern[str]:
        """li@acme.example is not in wei.li@acme.example or li@acme.example.org, nor Li Wei in Mei-Li Wei."""
        words = rf"(?<![\w-])(?:{_either(self.names | self.ids)})(?![\w-])"
        if not self.addresses:
            return re.compile(words, re.IGNORECASE)
        addresses = rf"(?<![\w.+%'-])(?:{_either(self.addresses)})(?![\w-]|\.\w)"
        return re.compile(f"{addresses}|{words}", re.IGNORECASE)


def _either(texts: Iterable[str]) -> str:
    """The longest first. A person always has an id, so it is never empty."""
    return "|".join(re.escape(each) for each in sorted(texts, key=len, reverse=True))
