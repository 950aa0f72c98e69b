"""What a person sees in blocks: texts, labels, buttons; and the element that somebody means by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.playground.slack.block_kit import elements_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.playground.slack.world import Json

_TEXT_PLACES = ("text", "label", "title", "description", "hint", "placeholder")


def visible_text(blocks: list[Json]) -> str:
    """All text in these blocks, one piece per line, in the order of reading."""
    return "\n".join(piece for block in blocks for piece in _pieces(block))


def _pieces(thing: Any) -> Iterator[str]:
    if isinstance(thing, list):
        for each in thing:
            yield from _pieces(each)
    elif isinstance(thing, dict):
        if isinstance(thing.get("text"), str):
            yield thing["text"]
        for name, each in thing.items():
            if name in _TEXT_PLACES or name in {"fields", "elements", "accessory", "element", "options"}:
                yield from _pieces(each) if not isinstance(each, str) else ()


def buttons(blocks: list[Json]) -> list[str]:
    """The labels of all buttons."""
    return [_text(each, "text") for _, each in _all(blocks) if each.get("type") == "button"]


def labels(blocks: list[Json]) -> list[str]:
    """The labels of all form fields."""
    return [_text(block, "label") for block in blocks if block.get("type") == "input"]


def find_element(blocks: list[Json], name: str, block_id: str | None = None) -> tuple[Json, Json]:
    """The (block, element) that `name` means: its action_id, its block_id, or the label a person reads.

    A `block_id` that is gone counts for nothing: blocks without one of the bot's get a new one at every update, and
    who presses in that moment still means the button of that name.
    Raises LookupError, naming what there is, when nothing or more than one element fits.
    """
    there = {block["block_id"] for block in blocks}
    here = [(block, each) for block, each in _all(blocks) if block_id not in there or block["block_id"] == block_id]
    for meant in (_by_action, _by_block, _by_label, _by_start_of_label):
        found = [(block, each) for block, each in here if meant(block, each, name)]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise LookupError(f"{name!r} means {len(found)} elements: say which block_id")
    names = [f"{label_of(block, each)!r} ({block['block_id']}, {each['action_id']})" for block, each in here]
    raise LookupError(f"nothing is called {name!r}; there are: {', '.join(names) or 'no elements'}")


def label_of(block: Json, element: Json) -> str:
    """What a person calls this element: a button's text, a field's label, the text that it stands beside."""
    if element.get("type") == "button":
        return _text(element, "text")
    return _text(block, "label") or _text(block, "text") or _text(element, "placeholder")


def _all(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        for element in elements_of(block):
            yield block, element


def _text(thing: Json, name: str) -> str:
    inner = thing.get(name)
    return str(inner.get("text", "")) if isinstance(inner, dict) else ""


def _by_action(_block: Json, element: Json, name: str) -> bool:
    return bool(element["action_id"] == name)


def _by_block(block: Json, _element: Json, name: str) -> bool:
    return bool(block["block_id"] == name)


def _by_label(block: Json, element: Json, name: str) -> bool:
    return label_of(block, element).casefold() == name.casefold()


def _by_start_of_label(block: Json, element: Json, name: str) -> bool:
    return label_of(block, element).casefold().startswith(name.casefold())
