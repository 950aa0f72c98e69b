"""What a person fills in on a card becomes what Teams sends: strings by input id, checked before anything is sent."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, time

from adapters.playground.teams.tenant import Account, Json

Value = str | bool | int | float | date | time | Account | Sequence[str | Account]


class InputRefused(ValueError):
    """Teams shows this beside the input and does not send the press; the text is what the person reads."""


def filled_in(inputs: Sequence[Json], values: Mapping[str, Value]) -> dict[str, str]:
    """The inputs' values as Teams sends them: what was filled in, else the input's own default.

    Raises InputRefused when a required input is empty, a value does not fit its input, or there is no such input.
    """
    unknown = set(values) - {each["id"] for each in inputs}
    if unknown:
        raise InputRefused(f"no such input beside this button: {', '.join(sorted(unknown))}")
    sent: dict[str, str] = {}
    for element in inputs:
        text = _wire_value(element, values)
        _check(element, text)
        # Teams leaves an empty optional input out, except a toggle, which always has a value.
        if text:
            sent[element["id"]] = text
    return sent


def _wire_value(element: Json, values: Mapping[str, Value]) -> str:
    toggle = element["type"] == "Input.Toggle"
    if element["id"] not in values:
        default = element.get("valueOff", "false") if toggle else ""
        return str(element.get("value", default))
    value = values[element["id"]]
    if isinstance(value, bool):
        return str(element.get("valueOn", "true") if value else element.get("valueOff", "false"))
    return _text(value)


def _text(value: Value) -> str:
    if isinstance(value, Account):
        return value.aad_object_id
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, str | int | float):
        return str(value)
    return ",".join(_text(each) for each in value)


def _check(element: Json, text: str) -> None:
    refusal = str(element.get("errorMessage") or f"{element['id']} is not valid: {text!r}")
    if not text:
        if element.get("isRequired"):
            raise InputRefused(refusal)
        return
    if element["type"] == "Input.Text":
        _check_text(element, text, refusal)
    elif element["type"] == "Input.ChoiceSet":
        _check_choice(element, text, refusal)
    elif element["type"] in ("Input.Number", "Input.Date"):
        _check_range(element, text, refusal)


def _check_text(element: Json, text: str, refusal: str) -> None:
    too_long = len(text) > element.get("maxLength", len(text))
    pattern = element.get("regex")
    if too_long or (pattern and re.search(pattern, text) is None):
        raise InputRefused(refusal)


def _check_choice(element: Json, text: str, refusal: str) -> None:
    if "choices.data" in element or element.get("data"):
        return  # the choices come from a search, as in a people picker
    offered = {each["value"] for each in element.get("choices") or ()}
    chosen = text.split(",") if element.get("isMultiSelect") else [text]
    if not offered.issuperset(chosen):
        raise InputRefused(refusal)


def _check_range(element: Json, text: str, refusal: str) -> None:
    try:
        value: float | date = float(text) if element["type"] == "Input.Number" else date.fromisoformat(text)
        low, high = (_bound(element, name) for name in ("min", "max"))
    except ValueError:
        raise InputRefused(refusal) from None
    if (low is not None and value < low) or (high is not None and value > high):  # type: ignore[operator]
        raise InputRefused(refusal)


def _bound(element: Json, name: str) -> float | date | None:
    bound = element.get(name)
    if bound is None:
        return None
    return float(bound) if element["type"] == "Input.Number" else date.fromisoformat(str(bound))
