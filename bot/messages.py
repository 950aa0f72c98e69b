"""What can be shown, on any platform: a closed set of frozen values.

A conversation says *what* is shown; the adapters' renderers decide *how*. Every sentence is a `Text`: a key of
the catalogues in bot/locale and its parameters. Words that people wrote travel as parameters or as `Quote`,
so that a renderer escapes them and they can never become a link, a mention or markup.

A direct message that waits is stored as JSON: `MESSAGE` and `FORM` read and write these values, and check what they
read. What the bot's own code makes is checked by its types alone: a message has some thirty values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

_STRICT = ConfigDict(extra="forbid")  # also for the values within


@dataclass(frozen=True)
class When:
    """A moment, shown in the reader's language and time zone."""

    at: datetime
    style: Literal["date", "day", "time", "moment"] = "moment"
    kind: Literal["when"] = "when"


@dataclass(frozen=True)
class Day:
    """A calendar day, the same for every reader wherever they are."""

    on: date
    kind: Literal["calendar_day"] = "calendar_day"


@dataclass(frozen=True)
class Link:
    """An inline link. `label` is a literal such as a page's name; None shows the address itself."""

    url: str
    label: str | None = None
    kind: Literal["link"] = "link"


@dataclass(frozen=True)
class Text:
    """A sentence: a catalogue key and what fills its placeholders.

    A parameter named `count` also chooses the plural form.
    """

    key: str
    params: dict[str, Param] = field(default_factory=dict)
    kind: Literal["text"] = "text"


Param: TypeAlias = "int | str | When | Day | Link | Text | tuple[Text, ...]"


def text(key: str, /, **params: Param) -> Text:
    """`text("invite.count", count=3)`: the usual way to say a sentence."""
    return Text(key, params)


class Tone(StrEnum):
    """How a notice is meant."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


class Style(StrEnum):
    """How a button looks. One primary button a message at most."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True)
class Token:
    """What a button or a form carries back: which conversation it belongs to, which thing it is about and
    that thing's version when it was shown. A stale version is answered kindly and changes nothing.

    Packed it is at most 255 characters, Slack's limit for an action_id
    (docs.slack.dev/reference/block-kit/block-elements).
    """

    conversation: str
    action: str
    subject: str = ""
    version: int = 0

    def pack(self) -> str:
        """One string for the wire; raises ValueError when a part would not survive the way back."""
        packed = f"{self.conversation}|{self.action}|{self.subject}|{self.version}"
        if packed.count("|") != 3 or len(packed) > 255:
            raise ValueError(f"a button's token may not contain '|' nor exceed 255 characters: {packed[:80]!r}")
        return packed

    @classmethod
    def unpack(cls, packed: str) -> Token:
        """The inverse of `pack`. Raises ValueError for anything that `pack` did not make."""
        parts = packed.split("|")
        if len(parts) != 4 or not parts[3].isdecimal():
            raise ValueError("not a token of this bot")
        return cls(parts[0], parts[1], parts[2], int(parts[3]))


@dataclass(frozen=True)
class Section:
    """A paragraph."""

    text: Text
    kind: Literal["section"] = "section"


@dataclass(frozen=True)
class Quote:
    """Words that a person wrote, shown as a quotation, escaped."""

    words: str
    kind: Literal["quote"] = "quote"


@dataclass(frozen=True)
class Facts:
    """Names and values, side by side."""

    pairs: tuple[tuple[Text, Text], ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Notice:
    """A sentence that stands out: a warning, an error, a success."""

    text: Text
    tone: Tone = Tone.INFO
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True)
class BarChart:
    """A bar for each figure, longest where it is `whole`."""

    title: Text
    bars: tuple[tuple[Text, int], ...]
    whole: int
    kind: Literal["bar_chart"] = "bar_chart"


@dataclass(frozen=True)
class LineChart:
    """Lines over time. Each has a value for every one of `days`, of which there are two at least. `until`, if given,
    is a day to be marked.
    """

    title: Text
    days: tuple[date, ...]
    lines: tuple[tuple[Text, tuple[int, ...]], ...]
    until: tuple[Text, date] | None = None
    kind: Literal["line_chart"] = "line_chart"


@dataclass(frozen=True)
class Button:
    """Pressing it sends `token` back as a ButtonPressed event. `confirm`, if given, is asked first."""

    label: Text
    token: Token
    style: Style = Style.PLAIN
    confirm: Text | None = None
    kind: Literal["button"] = "button"


@dataclass(frozen=True)
class LinkButton:
    """Opens `url` in the browser. Where the platform tells that it was pressed, `token` comes back."""

    label: Text
    url: str
    token: Token | None = None
    style: Style = Style.PLAIN
    kind: Literal["link_button"] = "link_button"


Chart: TypeAlias = BarChart | LineChart
Element: TypeAlias = Section | Quote | Facts | Notice | Chart
AnyButton: TypeAlias = Button | LinkButton


@dataclass(frozen=True)
class Message:
    """A message: what the notification says, a title, paragraphs and a row of buttons below.

    A platform that can ask anew whenever the message is looked at sends `refresh` as a press (Teams).
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    summary: Text
    title: Text | None = None
    body: tuple[Element, ...] = ()
    buttons: tuple[AnyButton, ...] = ()
    refresh: Token | None = None
    kind: Literal["message"] = "message"


class TextKind(StrEnum):
    """What a text field takes; the platforms check some of it before sending."""

    PLAIN = "plain"
    URL = "url"
    EMAIL = "email"
    NUMBER = "number"


@dataclass(frozen=True)
class TextField:
    """A line of text, or several. `value` is what stands in it when it opens."""

    name: str
    label: Text
    value: str = ""
    hint: Text | None = None
    placeholder: Text | None = None
    required: bool = True
    multiline: bool = False
    max_length: int = 255
    text_kind: TextKind = TextKind.PLAIN
    kind: Literal["text_field"] = "text_field"


@dataclass(frozen=True)
class Choice:
    """One option of a ChoiceField. `value` is what comes back; at most 75 characters."""

    value: str
    label: Text
    description: Text | None = None


@dataclass(frozen=True)
class ChoiceField:
    """One of several options, or any number of them. Ten at most, so that all can be seen at once."""

    name: str
    label: Text
    choices: tuple[Choice, ...]
    value: tuple[str, ...] = ()
    multiple: bool = False
    required: bool = True
    hint: Text | None = None
    kind: Literal["choice_field"] = "choice_field"


@dataclass(frozen=True)
class PersonField:
    """A person of this workspace; their platform user id comes back."""

    name: str
    label: Text
    value: str = ""
    required: bool = True
    hint: Text | None = None
    kind: Literal["person_field"] = "person_field"


@dataclass(frozen=True)
class DateField:
    """A day, as YYYY-MM-DD; empty when none was chosen."""

    name: str
    label: Text
    value: str = ""
    required: bool = True
    hint: Text | None = None
    kind: Literal["date_field"] = "date_field"


Field: TypeAlias = TextField | ChoiceField | PersonField | DateField


@dataclass(frozen=True)
class Form:
    """A dialog's step: a Slack modal, a Teams card or task module. Submitting it sends `token` and the values
    back as FormSubmitted; a button in `buttons` (Back, for example) sends its own token with the values so far.

    `errors` names fields and what is wrong with them; the values stand in the fields again. `cancel` is sent by a
    cancel button where a form replaces the message that opened it (Teams); a modal has its own way out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    token: Token
    title: Text
    submit: Text
    body: tuple[Element, ...] = ()
    fields: tuple[Field, ...] = ()
    buttons: tuple[Button, ...] = ()
    errors: dict[str, Text] | None = None
    cancel: Token | None = None
    kind: Literal["form"] = "form"


MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)
FORM: TypeAdapter[Form] = TypeAdapter(Form)
