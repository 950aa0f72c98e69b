"""What Slack refuses in blocks and views, and the ids it gives to blocks that have none.

Limits: docs.slack.dev/reference/block-kit (blocks, block elements, composition objects) and
docs.slack.dev/reference/views.
"""

from __future__ import annotations

import secrets
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from adapters.playground.slack.block_elements import ELEMENTS, INPUTS, check_element, check_text
from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adapters.playground.slack.world import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
PRIVATE_METADATA = 3000
CALLBACK_ID = 255
TITLE = 24
MESSAGE_TEXT = 40_000

Fault = tuple[str, str]  # what is wrong, JSON pointer below the block


def check_message_blocks(blocks: Any) -> list[Json]:
    """Blocks of a message, as Slack would store them, with ids.

    Raises Refused: invalid_blocks_format (not a list of objects), too_many_blocks, invalid_blocks.
    """
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused("invalid_blocks_format")
    if len(blocks) > MESSAGE_BLOCKS:
        raise Refused("too_many_blocks", [f"no more than {MESSAGE_BLOCKS} items allowed [json-pointer:/blocks]"])
    faults = list(_block_list_faults(blocks))
    if faults:
        raise Refused("invalid_blocks", [f"{what} [json-pointer:/blocks{where}]" for what, where in faults])
    return with_ids(blocks)


def check_view(view: Any, kind: str) -> Json:
    """A view of type `kind` ("modal" or "home"), as Slack would store it, with ids.

    Raises Refused("invalid_arguments") with response_metadata.messages, as views.open does.
    """
    if not isinstance(view, dict):
        raise Refused("invalid_arguments", ["must provide an object [json-pointer:/view]"])
    faults = list(_view_faults(view, kind))
    if faults:
        raise Refused("invalid_arguments", [f"{what} [json-pointer:/view{where}]" for what, where in faults])
    return {**view, "blocks": with_ids(view["blocks"])}


def _view_faults(view: Json, kind: str) -> Iterator[Fault]:
    if view.get("type") != kind:
        yield f"must be a valid enum value: {kind}", "/type"
    blocks = view.get("blocks")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        yield "missing required field: blocks", "/blocks"
        return
    if len(blocks) > VIEW_BLOCKS:
        yield f"no more than {VIEW_BLOCKS} items allowed", "/blocks"
    if len(view.get("private_metadata") or "") > PRIVATE_METADATA:
        yield f"must be less than {PRIVATE_METADATA + 1} characters", "/private_metadata"
    if len(view.get("callback_id") or "") > CALLBACK_ID:
        yield f"must be less than {CALLBACK_ID + 1} characters", "/callback_id"
    if kind == "modal":
        yield from _modal_faults(view, blocks)
    yield from ((what, f"/blocks{where}") for what, where in _block_list_faults(blocks))


def _modal_faults(view: Json, blocks: list[Json]) -> Iterator[Fault]:
    yield from check_text(view.get("title"), "/title", TITLE, plain=True, required=True)
    for name in ("submit", "close"):
        yield from check_text(view.get(name), f"/{name}", TITLE, plain=True)
    if "submit" not in view and any(block.get("type") == "input" for block in blocks):
        yield "missing required field: submit (a view with input blocks needs it)", "/submit"


def _block_list_faults(blocks: list[Json]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        check = BLOCKS.get(block.get("type", ""))
        if check is None:
            yield f"unsupported type: {block.get('type')}", f"/{number}/type"
            continue
        block_id = block.get("block_id") or ""
        if len(block_id) > 255:
            yield "must be less than 256 characters", f"/{number}/block_id"
        if block_id in seen:
            yield f"block_id already exists: {block_id}", f"/{number}/block_id"
        seen.add(block_id or f"#{number}")
        yield from ((what, f"/{number}{where}") for what, where in check(block))
        yield from ((what, f"/{number}{where}") for what, where in _repeated_actions(block))


def _repeated_actions(block: Json) -> Iterator[Fault]:
    ids = [element["action_id"] for element in elements_of(block) if element.get("action_id")]
    if len(ids) != len(set(ids)):
        yield "action_id must be unique within a block", "/elements"


def _section(block: Json) -> Iterator[Fault]:
    fields = block.get("fields")
    if "text" not in block and not fields:
        yield "missing required field: text or fields", "/text"
    yield from check_text(block.get("text"), "/text", 3000)
    if isinstance(fields, list):
        if len(fields) > 10:
            yield "no more than 10 items allowed", "/fields"
        for number, text in enumerate(fields):
            yield from check_text(text, f"/fields/{number}", 2000, required=True)
    if "accessory" in block:
        yield from check_element(block["accessory"], "/accessory", ELEMENTS)


def _header(block: Json) -> Iterator[Fault]:
    yield from check_text(block.get("text"), "/text", 150, plain=True, required=True)


def _divider(_block: Json) -> Iterator[Fault]:
    yield from ()


def _image(block: Json) -> Iterator[Fault]:
    if not block.get("image_url") and not block.get("slack_file"):
        yield "missing required field: image_url", "/image_url"
    if len(block.get("image_url") or "") > 3000:
        yield "must be less than 3001 characters", "/image_url"
    if not block.get("alt_text"):
        yield "missing required field: alt_text", "/alt_text"


def _context(block: Json) -> Iterator[Fault]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        yield "must have between 1 and 10 items", "/elements"
        return
    for number, element in enumerate(elements):
        if element.get("type") == "image":
            yield from ((what, f"/elements/{number}{where}") for what, where in _image(element))
        else:
            yield from check_text(element, f"/elements/{number}", 3000, required=True)


def _actions(block: Json) -> Iterator[Fault]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        yield "must have between 1 and 25 items", "/elements"
        return
    for number, element in enumerate(elements):
        yield from check_element(element, f"/elements/{number}", ELEMENTS)


def _input(block: Json) -> Iterator[Fault]:
    yield from check_text(block.get("label"), "/label", 2000, plain=True, required=True)
    yield from check_text(block.get("hint"), "/hint", 2000, plain=True)
    if "element" not in block:
        yield "missing required field: element", "/element"
    else:
        yield from check_element(block["element"], "/element", INPUTS)


def _rich_text(block: Json) -> Iterator[Fault]:
    if not isinstance(block.get("elements"), list):
        yield "missing required field: elements", "/elements"


BLOCKS: dict[str, Callable[[Json], Iterator[Fault]]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "rich_text": _rich_text,
}


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, in the order of reading."""
    if block.get("type") == "input":
        return [block["element"]] if isinstance(block.get("element"), dict) else []
    if block.get("type") == "actions":
        return [element for element in block.get("elements") or [] if isinstance(element, dict)]
    accessory = block.get("accessory")
    return [accessory] if isinstance(accessory, dict) and accessory.get("type") != "image" else []


def with_ids(blocks: list[Json]) -> list[Json]:
    """A copy in which every block has a block_id and every interactive element an action_id, as Slack stores them."""
    copy = deepcopy(blocks)
    for block in copy:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4))
    return copy
