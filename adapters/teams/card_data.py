"""What a card's buttons carry, and what comes back of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.events import FormValues
from bot.messages import ChoiceField, Form, PersonField, Token

Json = dict[str, Any]

PRESS, SUBMIT = "usher/press", "usher/submit"

# Teams puts the inputs' values beside these keys, so none of them may look like a field's name.
_TOKEN, _VERB = "usher", "usher.verb"
_FIELDS, _MANY, _PEOPLE = "usher.fields", "usher.many", "usher.people"


@dataclass(frozen=True)
class Pressed:
    """A press: the button's token, and what was typed beside it.

    `submitted` when it sends a form in. `people` names the fields whose values are Entra object ids.
    """

    token: Token
    submitted: bool = False
    values: FormValues = field(default_factory=dict)
    people: tuple[str, ...] = ()


def press_data(token: Token) -> Json:
    """The data of a message's button."""
    return {_TOKEN: token.pack(), _VERB: PRESS}


def form_data(form: Form, token: Token, verb: str) -> Json:
    """The data of a form's button. It names the fields: Teams leaves an empty one out of what it sends."""
    return {
        _TOKEN: token.pack(),
        _VERB: verb,
        _FIELDS: [each.name for each in form.fields],
        _MANY: [each.name for each in form.fields if isinstance(each, ChoiceField) and each.multiple],
        _PEOPLE: [each.name for each in form.fields if isinstance(each, PersonField)],
    }


def read_press(data: object) -> Pressed | None:
    """What was pressed; None when the data is not of this bot's making."""
    if not isinstance(data, Mapping):
        return None
    try:
        token = Token.unpack(str(data.get(_TOKEN, "")))
    except ValueError:
        return None
    many = set(_names(data.get(_MANY)))
    values = {name: _value(data.get(name), many=name in many) for name in _names(data.get(_FIELDS))}
    return Pressed(
        token=token,
        submitted=data.get(_VERB) == SUBMIT,
        values=values,
        people=_names(data.get(_PEOPLE)),
    )


def packed_choice(value: str) -> str:
    """A choice's value without a comma, which is what Teams joins several with."""
    return value.replace("%", "%25").replace(",", "%2C")


def _unpacked_choice(value: str) -> str:
    return value.replace("%2C", ",").replace("%25", "%")


def _value(sent: object, *, many: bool) -> str | tuple[str, ...]:
    text = "" if sent is None else str(sent)
    if many:
        return tuple(_unpacked_choice(each) for each in text.split(",") if each)
    return text.strip()


def _names(listed: object) -> tuple[str, ...]:
    return tuple(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()
