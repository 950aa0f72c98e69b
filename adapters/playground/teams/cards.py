"""Adaptive Cards as Teams takes them: cheap checks before a card is accepted, and finding what a person sees on it.

The element and action names are those of Adaptive Cards 1.5 (adaptivecards.io/explorer); 1.5 is the newest version
that Teams takes for cards sent by bots (learn.microsoft.com, "Cards reference", section Adaptive Card).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.playground.teams.tenant import Json

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
NEWEST_VERSION = (1, 5)
FIRST_VERSION_WITH_EXECUTE = (1, 4)

_INPUTS = {"Input.Text", "Input.Number", "Input.Date", "Input.Time", "Input.Toggle", "Input.ChoiceSet"}
_ELEMENTS = _INPUTS | {
    "ActionSet",
    "Chart.HorizontalBar",  # beyond 1.5 (learn.microsoft.com, "Charts in Adaptive Cards")
    "Chart.Line",
    "Column",
    "ColumnSet",
    "Container",
    "FactSet",
    "Image",
    "ImageSet",
    "Media",
    "RichTextBlock",
    "Table",
    "TableCell",
    "TableRow",
    "TextBlock",
    "TextRun",
}
_ACTIONS = {
    "Action.Execute",
    "Action.OpenUrl",
    "Action.ShowCard",
    "Action.Submit",
    "Action.ToggleVisibility",
}
_CHILD_LISTS = ("body", "items", "columns", "rows", "cells", "images", "inlines", "actions")
_CHILDREN = ("card", "selectAction", "inlineAction")
_REQUIRED = {
    "TextBlock": ("text",),
    "Image": ("url",),
    "Chart.HorizontalBar": ("data",),
    "Chart.Line": ("data",),
    "FactSet": ("facts",),
    "Input.Toggle": ("title",),
    "Action.OpenUrl": ("url",),
    "Action.ShowCard": ("card",),
    "Action.ToggleVisibility": ("targetElements",),
}


class BadCard(ValueError):
    """Teams would not take, or not show, this card; the text says why."""


@dataclass(frozen=True)
class Button:
    """A button on a card, with the inputs that a press sends along."""

    title: str
    action: Json
    inputs: tuple[Json, ...]


def walk(element: object) -> Iterator[Json]:
    """The element and everything inside it, in reading order. Fallbacks are left out: they are not shown."""
    if isinstance(element, str) or not isinstance(element, dict):
        return
    yield element
    for name in _CHILD_LISTS:
        for child in element.get(name) or ():
            yield from walk(child)
    for name in _CHILDREN:
        yield from walk(element.get(name))


def check_card(card: object) -> None:
    """Return if Teams would take this card; raises :class:`BadCard` otherwise."""
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise BadCard("The card's type must be AdaptiveCard.")
    version = _version(card)
    seen: set[str] = set()
    for element in walk(card):
        kind = element.get("type")
        _check_known(element)
        _check_required(element)
        if kind in _INPUTS:
            _check_input(element, seen)
        if kind == "Action.Execute" and version < FIRST_VERSION_WITH_EXECUTE:
            raise BadCard("Action.Execute needs version 1.4 or newer.")
    _check_refresh(card)


def _version(card: Json) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)\.(\d+)", str(card.get("version", "")))
    if match is None:
        raise BadCard("The card has no valid version.")
    version = (int(match[1]), int(match[2]))
    if version > NEWEST_VERSION:
        raise BadCard(f"Version {match[0]} is newer than Teams supports (1.5).")
    return version


def _check_known(element: Json) -> None:
    kind = element.get("type")
    known = kind == "AdaptiveCard" or kind in _ELEMENTS or kind in _ACTIONS
    # A table's columns carry widths and no type; they are not elements.
    if not known and not (kind is None and "width" in element) and "fallback" not in element:
        raise BadCard(f"Unknown element or action type: {kind}.")


def _check_required(element: Json) -> None:
    for name in _REQUIRED.get(str(element.get("type")), ()):
        if element.get(name) in (None, []):
            raise BadCard(f"{element['type']} needs {name}.")


def _check_input(element: Json, seen: set[str]) -> None:
    name = element.get("id")
    if not isinstance(name, str) or not name:
        raise BadCard(f"{element['type']} needs an id.")
    if name in seen:
        raise BadCard(f"Two inputs have the id {name}.")
    seen.add(name)
    for choice in element.get("choices") or ():
        if not isinstance(choice.get("title"), str) or not isinstance(choice.get("value"), str):
            raise BadCard(f"Every choice of {name} needs a title and a value, both text.")


def _check_refresh(card: Json) -> None:
    refresh = card.get("refresh")
    if refresh is None:
        return
    if not isinstance(refresh, dict) or (refresh.get("action") or {}).get("type") != "Action.Execute":
        raise BadCard("refresh needs an action of type Action.Execute.")
    # learn.microsoft.com, "User Specific Views", section "Refresh": at most 60 people.
    if len(refresh.get("userIds") or ()) > 60:
        raise BadCard("refresh.userIds may name at most 60 people.")


def buttons(card: Json) -> list[Button]:
    """Every button on the card, also those in nested sets and in cards that a button unfolds."""
    return list(_buttons(card, ()))


def _buttons(card: Json, inherited: tuple[Json, ...]) -> Iterator[Button]:
    """A press sends the inputs of its own card and of the cards around it, never those of a sibling's ShowCard."""
    own = list(_walk_own(card))
    inputs = inherited + tuple(each for each in own if each.get("type") in _INPUTS)
    for element in own:
        if element.get("type") not in _ACTIONS:
            continue
        sent = () if element.get("associatedInputs") == "none" else inputs
        yield Button(str(element.get("title", "")), element, sent)
        if element["type"] == "Action.ShowCard":
            yield from _buttons(element["card"], inputs)


def _walk_own(card: Json) -> Iterator[Json]:
    nested: set[int] = set()
    for element in walk(card):
        if id(element) in nested:
            continue
        if element.get("type") == "Action.ShowCard":
            nested.update(id(each) for each in walk(element["card"]))
        yield element


def inputs(card: Json) -> list[Json]:
    """Every input on the card."""
    return [each for each in walk(card) if each.get("type") in _INPUTS]


def texts(card: Json) -> list[str]:
    """Every text a person can read on the card, in reading order, buttons and labels included."""
    return [text for element in walk(card) for text in _texts_of(element)]


def _texts_of(element: Json) -> Iterator[str]:
    for name in ("title", "label", "text", "placeholder"):
        if isinstance(element.get(name), str):
            yield element[name]
    for fact in element.get("facts") or ():
        yield from (str(fact.get("title", "")), str(fact.get("value", "")))
    for choice in element.get("choices") or ():
        yield str(choice["title"])
    for drawn in (element.get("data") or ()) if str(element.get("type")).startswith("Chart.") else ():
        yield str(drawn.get("legend") or f"{drawn.get('x')}: {drawn.get('y')}")
    yield from (each for each in element.get("inlines") or () if isinstance(each, str))
