"""What is filled in: from a person's plain values to Slack's `state.values`, and what Slack's client checks itself.

The plain values are those of ui.py's VALUE. Shapes:
docs.slack.dev/reference/interaction-payloads/view-interactions-payload.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from adapters.playground.slack.block_elements import TEXTS, all_options
from adapters.playground.slack.block_kit import elements_of

if TYPE_CHECKING:
    from adapters.playground.slack.world import Json

Values = Mapping[tuple[str, str], Any]

# element type -> (field in state.values, field that holds the initial value)
_FIELDS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(TEXTS, ("value", "initial_value")),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LINK = re.compile(r"https?://\S+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def is_stateful(element: Json) -> bool:
    """Whether this element holds a value; buttons and overflow menus do not."""
    return element.get("type") in _FIELDS and element["type"] != "overflow"


def field_value(element: Json, value: Any) -> Json:
    """`{field: value}` of one element in the documented shape. Raises ValueError for an option it does not offer."""
    field, _ = _FIELDS[element["type"]]
    if field == "selected_option":
        return {field: None if value in (None, "") else _option(element, value)}
    if field == "selected_options":
        return {field: [_option(element, each) for each in value or []]}
    if field.endswith("s"):
        return {field: list(value or [])}
    return {field: value if value not in (None, "") else None}


def _option(element: Json, value: Any) -> Json:
    for option in all_options(element):
        if option.get("value") == value or option.get("text", {}).get("text") == value:
            return dict(option)
    offered = ", ".join(str(option.get("value")) for option in all_options(element))
    raise ValueError(f"no option {value!r}; there are: {offered}")


def state_values(blocks: Iterable[Json], values: Values) -> Json:
    """`state.values` of these blocks: what is filled in, else the initial values, else Slack's empty values."""
    state: Json = {}
    for block in blocks:
        for element in filter(is_stateful, elements_of(block)):
            entry = {"type": element["type"], **_current(block, element, values)}
            state.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return state


def _current(block: Json, element: Json, values: Values) -> Json:
    key = (block["block_id"], element["action_id"])
    if key in values:
        return field_value(element, values[key])
    field, initial = _FIELDS[element["type"]]
    if initial in element:
        return {field: element[initial]}
    return field_value(element, None)


def kept_values(blocks: Iterable[Json], values: Values) -> dict[tuple[str, str], Any]:
    """What stays filled in when a view is updated: Slack keeps it where block_id and action_id are the same."""
    there = {(block["block_id"], element["action_id"]): element for block in blocks for element in elements_of(block)}
    kept: dict[tuple[str, str], Any] = {}
    for key, value in values.items():
        if key not in there:
            continue
        try:
            field_value(there[key], value)
        except (KeyError, ValueError):
            continue  # another element, or an option that is gone
        kept[key] = value
    return kept


def client_side_errors(blocks: Iterable[Json], state: Json) -> dict[str, str]:
    """What Slack's own client refuses to submit, by block_id; the bot never hears of it."""
    errors = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        entry = state[block["block_id"]][element["action_id"]]
        error = _field_error(element, entry, optional=bool(block.get("optional")))
        if error:
            errors[block["block_id"]] = error
    return errors


def _field_error(element: Json, entry: Json, *, optional: bool) -> str | None:
    value = next(part for name, part in entry.items() if name != "type")
    if value in (None, "", []):
        return None if optional else "Please complete this required field."
    kind = element["type"]
    if kind == "email_text_input" and not _MAIL.fullmatch(value):
        return "Please enter a valid email."
    if kind == "url_text_input" and not _LINK.fullmatch(value):
        return "Please enter a valid URL."
    if kind == "number_input" and not _NUMBER.fullmatch(value):
        return "Please enter a valid number."
    if kind == "plain_text_input":
        return _length_error(element, value)
    return None


def _length_error(element: Json, value: str) -> str | None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < least:
        return f"Please enter at least {least} characters."
    if len(value) > most:
        return f"Please enter at most {most} characters."
    return None
