"""What `/sso invite` shows before anything is sent: the list in short, and everybody on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.conversations.wave_messages import takes
from bot.events import Problem
from bot.messages import AnyButton, Button, Element, Facts, Message, Notice, Section, Style, Text, Token, Tone, text
from bot.model import Dialog, Listed, Platform, Rollout
from bot.ports import LeftOut, ListSummary
from bot.readiness import ReadyPoint

SHOWN_NAMES = 5
NAMES_A_PAGE = 40


def count_of(dialog: Dialog) -> int:
    """How many people would be written to."""
    lanes = dialog.data.get("lanes")
    return sum(lanes.values()) if isinstance(lanes, dict) else 0


def left_out_count(dialog: Dialog) -> int:
    """How many people and names would not."""
    left_out = dialog.data.get("left_out")
    return left_out if isinstance(left_out, int) else 0


def list_message(
    dialog: Dialog,
    rollout: Rollout,
    found: ListSummary,
    not_ready: Sequence[ReadyPoint],
    per_minute: Mapping[Platform, float],
) -> Message:
    """Who would be written to, who not and why, how long it takes, what is not ready; and the question."""
    title = text("invite.title", enterprise=rollout.name)
    body: list[Element] = [_will_get(found)] if found.people else []
    body += left_out_elements(found.left_out)
    if not found.people:
        return Message(title, title, (*body, Notice(text("invite.nobody"), Tone.WARNING)))
    facts = (
        (text("invite.login_url"), text("plain", words=rollout.login_url)),
        (text("invite.takes"), takes(found.people, per_minute)),
    )
    body.append(Facts(facts))
    body += not_ready_notice(not_ready)
    more = count_of(dialog) > SHOWN_NAMES or any(each.count > len(each.labels) for each in found.left_out)
    everybody = (_turn("invite.everybody", dialog, 0),) if more else ()
    return Message(title, title, tuple(body), _buttons(dialog, everybody, not_ready))


def names_message(
    dialog: Dialog, rollout: Rollout, lines: Sequence[Listed], page: int, not_ready: Sequence[ReadyPoint] = ()
) -> Message:
    """A page of everybody on the list, then of everybody left out."""
    title = text("invite.title", enterprise=rollout.name)
    total = count_of(dialog) + left_out_count(dialog)
    turns = [
        _turn(label, dialog, to)
        for label, to in (("button.previous_page", page - 1), ("button.next_page", page + 1))
        if to >= 0 and to * NAMES_A_PAGE < total
    ]
    count = Section(text("invite.count", count=count_of(dialog)))
    names = Section(text("invite.names", names=tuple(_line(each) for each in lines)))
    return Message(title, title, (count, names), _buttons(dialog, turns, not_ready))


def _line(line: Listed) -> Text:
    if not line.problem:
        return text("invite.name", name=line.label)
    return text("invite.name_left_out", name=line.label, reason=text(f"left_out.{line.problem}.short"))


def _will_get(found: ListSummary) -> Section:
    count = sum(found.people.values())
    return Section(text("invite.will_get", count=count, names=_names(found.first, count)))


def _names(first: Sequence[str], count: int) -> tuple[Text, ...]:
    names = tuple(text("plain", words=name) for name in first)
    more = count - len(names)
    return (*names, text("invite.more", count=more)) if more else names


def not_ready_notice(not_ready: Sequence[ReadyPoint]) -> tuple[Notice, ...]:
    """What nobody has confirmed, though it should be there before anybody is invited; nothing when all is."""
    return (Notice(text("invite.not_ready", points=_points(not_ready)), Tone.WARNING),) if not_ready else ()


def _points(not_ready: Sequence[ReadyPoint]) -> tuple[Text, ...]:
    return tuple(text(f"ready.{point}") for point in not_ready)


def _buttons(dialog: Dialog, between: Sequence[Button], not_ready: Sequence[ReadyPoint]) -> tuple[AnyButton, ...]:
    people = count_of(dialog)
    token = Token("invite", "send", dialog.id, dialog.version)
    anyway = text("invite.sure.not_ready", count=people, points=_points(not_ready))
    sure = anyway if not_ready else text("invite.sure", count=people)
    send = Button(text("invite.send", count=people), token, Style.PRIMARY, confirm=sure)
    cancel = Button(text("button.cancel"), Token("invite", "cancel", dialog.id, dialog.version))
    later = Button(text("invite.later"), Token("invite", "later", dialog.id, dialog.version))
    ready = Button(text("invite.ready"), Token("invite", "ready", dialog.id, dialog.version))
    file = Button(text("invite.left_out"), Token("invite", "left_out", dialog.id, dialog.version))
    shown = (*((ready,) if not_ready else ()), *between, *((file,) if left_out_count(dialog) else ()))
    return (send, later, *shown, cancel)


def _turn(label: str, dialog: Dialog, page: int) -> Button:
    return Button(text(label), Token("invite", f"names.{page}", dialog.id, dialog.version))


def left_out_elements(left_out: Sequence[LeftOut]) -> tuple[Element, ...]:
    """One line for each reason, with names and what to do; first, as no problem, how many are invited already."""
    invited = [each for each in left_out if each.problem is Problem.INVITED]
    return (
        *(Section(text("invite.already", count=each.count)) for each in invited),
        *(
            Notice(text(f"left_out.{each.problem}", names=_names(each.labels, each.count)), Tone.WARNING)
            for each in left_out
            if each.problem is not Problem.INVITED
        ),
    )
