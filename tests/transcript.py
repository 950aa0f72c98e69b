"""Every conversation written down as people read it, and as it is carried out: tests/bot/transcripts.

After a change that is meant, `make transcripts` writes them anew; the difference says who reads what from now on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from bot.charts import as_text
from bot.messages import (
    BarChart,
    Button,
    Choice,
    ChoiceField,
    DateField,
    Element,
    Facts,
    Form,
    LineChart,
    LinkButton,
    Message,
    Notice,
    PersonField,
    Quote,
    Section,
    Text,
    TextField,
    Token,
)
from bot.model import FormerSignIn, Provisioning, ReminderPolicy
from bot.texts import Markup, Reader, say
from bot.transition import Replace, ShowForm, Transition
from tests.builders import ADA, DAY, GRACE, NOON, rollout
from tests.samples import MAKERS, SMALL, Company

DIRECTORY = Path(__file__).parent / "bot" / "transcripts"
# A company that uses everything there is.
ACME = Company(
    "Acme",
    rollout(
        provisioning=Provisioning.SCIM,
        former_sign_in=tuple(FormerSignIn),
        organizations=("acme-web", "acme-core"),
        policy=ReminderPolicy(deadline=(NOON + 30 * DAY).date(), final_notice=True),
    ),
    ADA,
    GRACE,
    "My words",
)
MARKED = Markup(escape=str, bold=lambda words: f"*{words}*", code=lambda words: f"`{words}`", link="<{0}|{1}>".format)
MADE_UP = re.compile(r"\b(?:[0-9a-f]{32}|event-\d+)\b")


def transcript(conversation: str) -> str:
    """What comes of each scene of tests/samples.py, for a company with everything and for one with nothing."""
    first_seen: dict[str, str] = {}
    written = ""
    for company in (ACME, SMALL):
        for name, transition in MAKERS[conversation](company):
            scene = f"{company.name}: {name}"
            parts = _numbered("\n".join(_lines(transition))).split("\n-> ")
            written += f"\n=== {scene}\n" + "\n-> ".join(_once(part, scene, first_seen) for part in parts) + "\n"
    return written


def _once(part: str, scene: str, first_seen: dict[str, str]) -> str:
    """Long ones are not written twice."""
    head, _, shown = part.partition("\n")
    before = first_seen.setdefault(shown, scene)
    return part if before == scene or shown.count("\n") < 3 else f"{head}\n(as in {before})"


def _numbered(lines: str) -> str:
    """Ids that are made up differ from run to run: the first is id-1."""
    seen: dict[str, str] = {}
    return MADE_UP.sub(lambda found: seen.setdefault(found.group(), f"id-{len(seen) + 1}"), lines)


def _lines(transition: Transition) -> Iterator[str]:
    reply = transition.reply
    yield f"-> {type(reply).__name__}"
    match reply:
        case None:
            pass
        case ShowForm(form=form):
            yield from _form(form)
        case Replace(message=message, toast=toast):
            yield from _message(message)
            if toast is not None:
                yield "-> toast"
                yield from _message(toast)
        case _:
            yield from _message(reply.message) if reply.message is not None else ()
    for row in transition.state:
        yield f"-> stored: {type(row).__name__} {_stored(row)}"
    for effect in transition.effects:
        named = {each.name: getattr(effect, each.name) for each in fields(effect)}
        message = named.pop("message", None)
        yield f"-> {type(effect).__name__} {named}"
        yield from _message(message) if message is not None else ()
    if transition.audit is not None:
        yield f"-> audit: {transition.outcome} {transition.audit} {transition.subject} {dict(transition.details)}"


def _stored(row: Any) -> dict[str, Any]:
    """What a row says that is not said otherwise; what a dialog has gathered is shown at its end."""
    said = row.model_dump(mode="json", exclude_defaults=True, exclude={"data"})
    return {name: value for name, value in said.items() if value}


def _message(message: Message) -> Iterator[str]:
    yield f"({_say(message.summary)})"
    if message.title is not None:
        yield f"# {_say(message.title)}"
    yield from _body(message.body)
    yield from (_button(each) for each in message.buttons)
    if message.refresh is not None:
        yield f"refreshed by {_token(message.refresh)}"


def _form(form: Form) -> Iterator[str]:
    yield f"# {_say(form.title)}"
    yield from _body(form.body)
    for each in form.fields:
        given = " ".join(f"{name}={value!r}" for name, value in vars(each).items() if _is_plain(name, value))
        yield f"{_say(each.label)} ({type(each).__name__} {given}){_more(each)}"
        if isinstance(each, ChoiceField):
            yield from (f"  o {choice.value}: {_say(choice.label)}{_more(choice)}" for choice in each.choices)
        if form.errors and each.name in form.errors:
            yield f"  ! {_say(form.errors[each.name])}"
    yield f"[{_say(form.submit)}] {_token(form.token)}"
    yield from (_button(each) for each in form.buttons)
    if form.cancel is not None:
        yield f"cancelled by {_token(form.cancel)}"


def _is_plain(name: str, value: object) -> bool:
    return name != "kind" and not isinstance(value, Text) and value not in (None, "", (), False) and name != "choices"


def _more(shown: TextField | ChoiceField | PersonField | DateField | Choice) -> str:
    more = (getattr(shown, name, None) for name in ("placeholder", "hint", "description"))
    return "".join(f"\n    {_say(each)}" for each in more if each is not None)


def _body(body: tuple[Element, ...]) -> Iterator[str]:
    for each in body:
        match each:
            case Section(text=said):
                yield _say(said)
            case Quote(words=words):
                yield f"> {words}"
            case Notice(text=said, tone=tone):
                yield f"{tone}: {_say(said)}"
            case Facts(pairs=pairs):
                yield from (f"| {_say(name)} | {_say(value)}" for name, value in pairs)
            case BarChart() | LineChart():
                yield from (f"% {_say(line)}" for line in as_text(each))


def _button(each: Button | LinkButton) -> str:
    leads = [f"<{each.url}>"] if isinstance(each, LinkButton) else []
    leads += [_token(each.token)] if each.token is not None else []
    asked = f" asks: {_say(each.confirm)}" if isinstance(each, Button) and each.confirm is not None else ""
    return f"[{_say(each.label)}] {each.style} {' '.join(leads)}{asked}"


def _token(token: Token) -> str:
    return f"{token.conversation}.{token.action} {token.subject} v{token.version}"


_say: Callable[[Text], str] = lambda said: say(said, Reader(), MARKED)  # noqa: E731


def write_all() -> None:
    """Every transcript anew."""
    for conversation in MAKERS:
        (DIRECTORY / f"{conversation}.txt").write_text(transcript(conversation), encoding="utf-8")


if __name__ == "__main__":
    write_all()
