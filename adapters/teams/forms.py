"""Forms as Adaptive Cards. Each input's id is its field's name."""

from datetime import date
from typing import Any, assert_never

from adapters.teams import markdown
from adapters.teams.card_data import PRESS, SUBMIT, form_data, packed_choice, press_data
from adapters.teams.render import (
    Pen,
    block,
    blocks,
    card,
    card_activity,
    execute,
    fitting,
    pressing,
    text_block,
    title,
)
from bot.messages import (
    Button,
    Choice,
    ChoiceField,
    DateField,
    Field,
    Form,
    Notice,
    PersonField,
    Text,
    TextField,
    TextKind,
    Tone,
    text,
)
from bot.texts import Reader

Json = dict[str, Any]

# More choices than this are shown as a list that drops down.
EXPANDED_CHOICES = 7
LABEL_LENGTH = 300

_TEXT_STYLES = {TextKind.PLAIN: "text", TextKind.NUMBER: "text", TextKind.URL: "url", TextKind.EMAIL: "email"}


def form_card(form: Form, reader: Reader) -> Json:
    """The card for a form's step."""

    def draw(pen: Pen, elements: int) -> Json:
        body = [*title(form.title, pen), *blocks(form.body[:elements], pen), *_errors_without_field(form, pen)]
        for field in form.fields:
            body += _field(field, (form.errors or {}).get(field.name), pen)
        label = pen.plain(form.submit, LABEL_LENGTH)
        submit = execute(label, form_data(form, form.token, SUBMIT), "positive")
        buttons = [_button(each, form, pen) for each in form.buttons]
        return card(body or [text_block("")], [submit, *buttons, *_cancel(form, pen)])

    return fitting(draw, len(form.body), reader)


def form_activity(form: Form, reader: Reader) -> Json:
    """The activity that shows a form's step."""
    return card_activity(form_card(form, reader), Pen(reader).plain(form.title, LABEL_LENGTH))


def _button(button: Button, form: Form, pen: Pen) -> Json:
    # Teams sends nothing while a required input is empty. Somebody who goes back must not be held up by that, so
    # there the button goes without the inputs, unless all of them are filled in already.
    inputs = "none" if any(field.required and not field.value for field in form.fields) else "auto"
    return pressing(button, pen, form_data(form, button.token, PRESS), inputs=inputs)


def _cancel(form: Form, pen: Pen) -> list[Json]:
    """The way back to the message whose place the form has taken."""
    if form.cancel is None:
        return []
    return [execute(pen.plain(text("teams.cancel"), LABEL_LENGTH), press_data(form.cancel), inputs="none")]


def _errors_without_field(form: Form, pen: Pen) -> list[Json]:
    names = {field.name for field in form.fields}
    errors = [error for name, error in (form.errors or {}).items() if name not in names]
    return [block(Notice(error, Tone.ERROR), pen) for error in errors]


def _field(field: Field, error: Text | None, pen: Pen) -> list[Json]:
    """The input, what is wrong with it, and its hint."""
    drawn = [_input(field, pen)]
    if error is not None:
        drawn.append(text_block(pen.marked(error), color="attention", weight="bolder", spacing="none"))
    if field.hint is not None:
        drawn.append(_subtle(pen.marked(field.hint)))
    return drawn


def _subtle(words: str) -> Json:
    return {**text_block(words, size="small", spacing="none"), "isSubtle": True}


def _input(field: Field, pen: Pen) -> Json:
    match field:
        case TextField():
            return _text_input(field, pen)
        case ChoiceField():
            return _choices(field, pen)
        case PersonField():
            return _people_picker(field, pen)
        case DateField():
            return {"type": "Input.Date", **_common(field, pen), **_given(value=_day(field.value))}
        case _:
            assert_never(field)


def _common(field: Field, pen: Pen) -> Json:
    drawn: Json = {"id": field.name, "label": pen.plain(field.label, LABEL_LENGTH) or " "}
    if field.required:
        drawn |= {"isRequired": True, "errorMessage": pen.plain(text("teams.required"))}
    return drawn


def _given(**properties: object) -> Json:
    return {name: value for name, value in properties.items() if value not in (None, "")}


def _text_input(field: TextField, pen: Pen) -> Json:
    placeholder = pen.plain(field.placeholder, LABEL_LENGTH) if field.placeholder else None
    common = _common(field, pen)
    if field.text_kind is TextKind.NUMBER and (field.value == "" or _number(field.value) is not None):
        return {"type": "Input.Number", **common, **_given(value=_number(field.value), placeholder=placeholder)}
    return {
        "type": "Input.Text",
        **common,
        "style": _TEXT_STYLES[field.text_kind],
        "maxLength": field.max_length,
        "isMultiline": field.multiline,
        **_given(value=markdown.sendable(field.value)[: field.max_length], placeholder=placeholder),
    }


def _number(value: str) -> int | None:
    # What is not a number must stand in the field again beside its error: then the field is one for text.
    return int(value) if value.isascii() and value.removeprefix("-").isdigit() else None


def _choices(field: ChoiceField, pen: Pen) -> Json:
    expanded = len(field.choices) <= EXPANDED_CHOICES
    offered = {choice.value for choice in field.choices}
    chosen = [packed_choice(value) for value in field.value if value in offered]
    drawn: Json = {
        "type": "Input.ChoiceSet",
        **_common(field, pen),
        "style": "expanded" if expanded else "compact",
        "isMultiSelect": field.multiple,
        "wrap": True,
        "choices": [_choice(choice, pen, many=field.multiple, marked=expanded) for choice in field.choices],
    }
    if not field.multiple:
        chosen = [value for value in field.value if value in offered][:1]
    return drawn | _given(value=",".join(chosen))


def _choice(choice: Choice, pen: Pen, *, many: bool, marked: bool) -> Json:
    # Beside radio buttons and check boxes Teams reads Markdown; in a list that drops down it does not.
    write = pen.marked if marked else pen.plain
    label = write(choice.label)
    if choice.description is not None:
        label = f"{label} – {write(choice.description)}"  # noqa: RUF001  # a dash between label and description
    return {"title": label or " ", "value": packed_choice(choice.value) if many else choice.value}


def _people_picker(field: PersonField, pen: Pen) -> Json:
    """Teams' own people picker (learn.microsoft.com, "People Picker in Adaptive Cards").

    It gives Entra object ids, so a Teams id ("29:…") cannot be preset.
    """
    preset = "" if field.value.startswith("29:") else field.value
    return {
        "type": "Input.ChoiceSet",
        **_common(field, pen),
        "choices": [],
        "choices.data": {"type": "Data.Query", "dataset": "graph.microsoft.com/users"},
        **_given(value=preset),
    }


def _day(value: str) -> str | None:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None
