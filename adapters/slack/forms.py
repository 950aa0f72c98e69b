"""From the bot's forms to modal views, and what people fill in back to values.

Limits: docs.slack.dev/reference/views and .../block-kit/block-elements. A field's block_id is its name: errors are
addressed by it. Its action_id holds the form's token: Slack keeps what is typed for as long as block_id and action_id
stay the same, and a new step or version must show the values that the bot gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from adapters.slack.render import VIEW_BLOCKS, button_rows, element_blocks, header, message_blocks, notice
from adapters.slack.words import Json, plain, shorten
from bot.events import FormValues
from bot.messages import (
    Choice,
    ChoiceField,
    DateField,
    Field,
    Form,
    Message,
    Notice,
    PersonField,
    Text,
    TextField,
    TextKind,
    Token,
    Tone,
    text,
)
from bot.texts import PLAIN, Reader, say

TITLE = 24
LABEL = 2000
HINT = 2000
PLACEHOLDER = 150
OPTION = 75
OPTIONS_SEEN = 10  # radio buttons and checkboxes
OPTIONS = 100
TYPED = 3000
PRIVATE_METADATA = 3000
CALLBACK = "form"


@dataclass(frozen=True)
class Opener:
    """What a modal remembers, in its private_metadata: where it was opened from, to answer there when it is done."""

    channel_id: str = ""
    message_id: str = ""
    response_url: str = ""
    ephemeral: bool = False


def form_view(form: Form, reader: Reader, opener: Opener) -> Json:
    """The view object of a form."""
    blocks = list(_form_blocks(form, reader))[:VIEW_BLOCKS] or [header(form.title, reader)]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain(form.title, reader, TITLE),
        "submit": plain(form.submit, reader, TITLE),
        "close": plain(text("button.cancel"), reader, TITLE),
        "private_metadata": memory(form, opener),
        "blocks": blocks,
    }


def message_view(message: Message, reader: Reader) -> Json:
    """A modal that only says something, for where Slack has no other place to say it."""
    title = message.title or text("slack.title")
    bare = Message(summary=message.summary, body=message.body, buttons=message.buttons)
    return {
        "type": "modal",
        "title": plain(title, reader, TITLE),
        "close": plain(text("slack.close"), reader, TITLE),
        "blocks": message_blocks(bare, reader, VIEW_BLOCKS),
    }


def home_view(message: Message, reader: Reader) -> Json:
    """The Home tab."""
    return {"type": "home", "blocks": message_blocks(message, reader, VIEW_BLOCKS)}


def _form_blocks(form: Form, reader: Reader) -> Iterator[Json]:
    if len(say(form.title, reader, PLAIN)) > TITLE:
        yield header(form.title, reader)
    errors = dict(form.errors or {})
    named = {field.name for field in form.fields}
    yield from (_error(errors[name], reader) for name in errors if name not in named)
    yield from element_blocks(form.body, reader)
    for field in form.fields:
        if field.name in errors:
            yield _error(errors[field.name], reader)
        yield from _input(field, form.token, reader)
    yield from button_rows(form.buttons, reader)


def _error(what: Text, reader: Reader) -> Json:
    return notice(Notice(what, Tone.ERROR), reader)


def field_errors(form: Form, reader: Reader) -> dict[str, str] | None:
    """The errors by block_id, if each belongs to a field; None when some do not or there are none."""
    if not form.errors or not set(form.errors) <= {field.name for field in form.fields}:
        return None
    return {name: shorten(say(what, reader, PLAIN), LABEL) for name, what in form.errors.items()}


def _input(field: Field, token: Token, reader: Reader) -> Iterator[Json]:
    element = _element(field, token.pack(), reader)
    if element is None:
        return
    yield {
        "type": "input",
        "block_id": field.name,
        "label": plain(field.label, reader, LABEL),
        "element": element,
        "optional": not field.required,
        **({"hint": plain(field.hint, reader, HINT)} if field.hint else {}),
    }


def _element(field: Field, action_id: str, reader: Reader) -> Json | None:
    match field:
        case TextField():
            return {"action_id": action_id, **_text_input(field, reader)}
        case ChoiceField():
            return _choice(field, action_id, reader)
        case PersonField():
            chosen = _initial("initial_user", r"[UW]\w+", field.value)
            return {"type": "users_select", "action_id": action_id, **chosen}
        case DateField():
            chosen = _initial("initial_date", r"\d{4}-\d\d-\d\d", field.value)
            return {"type": "datepicker", "action_id": action_id, **chosen}
        case _:
            assert_never(field)


def _text_input(field: TextField, reader: Reader) -> Json:
    hint = {"placeholder": plain(field.placeholder, reader, PLACEHOLDER)} if field.placeholder else {}
    match field.text_kind:
        case TextKind.PLAIN:
            most = max(1, min(field.max_length, TYPED))
            written = {"initial_value": field.value[:most]} if field.value else {}
            return {
                "type": "plain_text_input",
                "multiline": field.multiline,
                "max_length": most,
                **hint,
                **written,
            }
        case TextKind.URL:
            written = _initial("initial_value", r"https?://\S+", field.value)
            return {"type": "url_text_input", **hint, **written}
        case TextKind.EMAIL:
            written = _initial("initial_value", r"[^@\s]+@[^@\s]+", field.value)
            return {"type": "email_text_input", **hint, **written}
        case TextKind.NUMBER:
            written = _initial("initial_value", r"-?\d+", field.value)
            return {"type": "number_input", "is_decimal_allowed": False, **hint, **written}
        case _:
            assert_never(field.text_kind)


def _initial(name: str, pattern: str, value: str) -> Json:
    """A value that Slack would refuse to show makes it refuse the whole view."""
    return {name: value} if re.fullmatch(pattern, value) and len(value) <= TYPED else {}


def _choice(field: ChoiceField, action_id: str, reader: Reader) -> Json | None:
    """None for a field without choices: Slack has no such thing."""
    options = [_option(choice, reader) for choice in field.choices[:OPTIONS]]
    if not options:
        return None
    chosen = [option for option in options if option["value"] in field.value]
    all_seen = len(options) <= OPTIONS_SEEN
    initial: Json
    if field.multiple:
        kind = "checkboxes" if all_seen else "multi_static_select"
        initial = {"initial_options": chosen} if chosen else {}
    else:
        kind = "radio_buttons" if all_seen else "static_select"
        initial = {"initial_option": chosen[0]} if chosen else {}
    return {"type": kind, "action_id": action_id, "options": options, **initial}


def _option(choice: Choice, reader: Reader) -> Json:
    described = {"description": plain(choice.description, reader, OPTION)} if choice.description else {}
    return {"value": choice.value, "text": plain(choice.label, reader, OPTION), **described}


def memory(form: Form, opener: Opener) -> str:
    """A form's token and where it was opened from, as private_metadata."""
    parts = {"t": form.token.pack(), "c": opener.channel_id, "m": opener.message_id, "e": opener.ephemeral}
    short = json.dumps(parts)
    whole = json.dumps({**parts, "r": opener.response_url})
    return whole if len(whole) <= PRIVATE_METADATA else short


def remembered(private_metadata: str) -> tuple[Token, Opener]:
    """The inverse of `memory`. Raises ValueError for a view that is not this bot's."""
    parts = json.loads(private_metadata)
    if not isinstance(parts, dict):
        raise ValueError("not a form of this bot")  # noqa: TRY004  # one kind of error for all that is not ours
    channel, message, url = (str(parts.get(name) or "") for name in "cmr")
    opener = Opener(channel, message, url, ephemeral=bool(parts.get("e")))
    return Token.unpack(str(parts.get("t"))), opener


def filled_in(state_values: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> FormValues:
    """Values by field name out of `view.state.values`. Nothing chosen is "" or ()."""
    return {
        block_id: _value(entry) for block_id, entries in state_values.items() for entry in list(entries.values())[:1]
    }


def _value(entry: Mapping[str, Any]) -> str | tuple[str, ...]:
    if "selected_options" in entry:
        return tuple(str(option["value"]) for option in entry["selected_options"] or ())
    if "selected_option" in entry:
        return str((entry["selected_option"] or {}).get("value") or "")
    for name in ("selected_user", "selected_date", "value"):
        if name in entry:
            return str(entry[name] or "").replace("\x00", "")
    return ""
