"""What Slack refuses in block elements and composition objects.

Limits: docs.slack.dev/reference/block-kit/block-elements and .../composition-objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.playground.slack.world import Json

Fault = tuple[str, str]

SELECTS = frozenset({"static_select", "users_select", "channels_select", "conversations_select"})
MULTI_SELECTS = frozenset(f"multi_{name}" for name in SELECTS)
CHOICES = frozenset({"radio_buttons", "checkboxes"})
PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker"})
TEXTS = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
INPUTS = SELECTS | MULTI_SELECTS | CHOICES | PICKERS | TEXTS
ELEMENTS = SELECTS | MULTI_SELECTS | CHOICES | PICKERS | TEXTS | {"button", "overflow", "image"}

_OPTION_LIMITS = {"static_select": (1, 100), "multi_static_select": (1, 100), "radio_buttons": (1, 10)}
_OPTION_LIMITS |= {"checkboxes": (1, 10), "overflow": (1, 5)}


def check_text(
    text: Any,
    where: str,
    limit: int,
    *,
    plain: bool = False,
    required: bool = False,
) -> Iterator[Fault]:
    """Faults of a text object with at most `limit` characters; `plain` allows no mrkdwn."""
    if text is None:
        if required:
            yield f"missing required field: {where.rsplit('/', 1)[-1]}", where
        return
    if not isinstance(text, dict):
        yield "must provide an object", where
        return
    if text.get("type") not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
        yield f"unsupported type: {text.get('type')}", f"{where}/type"
    content = text.get("text")
    if not isinstance(content, str) or not content:
        yield "must be more than 0 characters", f"{where}/text"
    elif len(content) > limit:
        yield f"must be less than {limit + 1} characters", f"{where}/text"


def check_element(element: Any, where: str, allowed: frozenset[str]) -> Iterator[Fault]:
    """Faults of one element whose type must be among `allowed`."""
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in allowed:
        yield f"unsupported type: {kind}", f"{where}/type"
        return
    yield from (_too_long(element, where, "action_id", 255))
    if kind == "button":
        yield from _button(element, where)
    if kind in _OPTION_LIMITS:
        yield from _options(element, where, *_OPTION_LIMITS[kind])
    if kind == "plain_text_input":
        yield from _lengths(element, where)
    yield from check_text(element.get("placeholder"), f"{where}/placeholder", 150, plain=True)
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{where}/confirm")


def _too_long(thing: Json, where: str, name: str, limit: int) -> Iterator[Fault]:
    value = thing.get(name)
    if value is not None and not isinstance(value, str):
        yield "must be a string", f"{where}/{name}"
    elif value is not None and len(value) > limit:
        yield f"must be less than {limit + 1} characters", f"{where}/{name}"


def _button(element: Json, where: str) -> Iterator[Fault]:
    yield from check_text(element.get("text"), f"{where}/text", 75, plain=True, required=True)
    yield from _too_long(element, where, "value", 2000)
    yield from _too_long(element, where, "url", 3000)
    if element.get("style") not in {None, "primary", "danger"}:
        yield "must be a valid enum value: primary, danger", f"{where}/style"


def _options(element: Json, where: str, least: int, most: int) -> Iterator[Fault]:
    groups = element.get("option_groups")
    options = element.get("options")
    if groups is not None:
        for number, group in enumerate(groups):
            yield from check_text(group.get("label"), f"{where}/option_groups/{number}/label", 75, plain=True)
            yield from _option_list(group.get("options"), f"{where}/option_groups/{number}/options", least, most)
    else:
        yield from _option_list(options, f"{where}/options", least, most)
    yield from _initial(element, where)


def _option_list(options: Any, where: str, least: int, most: int) -> Iterator[Fault]:
    if not isinstance(options, list) or not least <= len(options) <= most:
        yield f"must have between {least} and {most} items", where
        return
    for number, option in enumerate(options):
        yield from check_text(option.get("text"), f"{where}/{number}/text", 75, required=True)
        yield from check_text(option.get("description"), f"{where}/{number}/description", 75)
        if not option.get("value"):
            yield "missing required field: value", f"{where}/{number}/value"
        yield from _too_long(option, f"{where}/{number}", "value", 150)


def all_options(element: Json) -> list[Json]:
    """Every option of a select, radio group, checkbox group or overflow menu, groups flattened."""
    grouped = [option for group in element.get("option_groups") or [] for option in group.get("options") or []]
    return list(element.get("options") or []) + grouped


def _initial(element: Json, where: str) -> Iterator[Fault]:
    """An initial option must be one of the options, to the letter."""
    one = element.get("initial_option")
    for option in ([one] if one else []) + list(element.get("initial_options") or []):
        if option not in all_options(element):
            yield "initial option must exactly match one of the options", f"{where}/initial_option"


def _lengths(element: Json, where: str) -> Iterator[Fault]:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if not 0 <= least <= 3000:
        yield "must be between 0 and 3000", f"{where}/min_length"
    if not 1 <= most <= 3000 or most < least:
        yield "must be between 1 and 3000, and not below min_length", f"{where}/max_length"
    if len(element.get("initial_value") or "") > most:
        yield f"must be less than {most + 1} characters", f"{where}/initial_value"


def _confirm(confirm: Any, where: str) -> Iterator[Fault]:
    if not isinstance(confirm, dict):
        yield "must provide an object", where
        return
    yield from check_text(confirm.get("title"), f"{where}/title", 100, plain=True)
    yield from check_text(confirm.get("text"), f"{where}/text", 300)
    yield from check_text(confirm.get("confirm"), f"{where}/confirm", 30, plain=True)
    yield from check_text(confirm.get("deny"), f"{where}/deny", 30, plain=True)
