"""What `/sso invite` shows: the list before sending, everybody on it, and the progress while it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bot.conversations.bars import bar
from bot.events import NotFound, Problem
from bot.messages import AnyButton, Button, Element, Facts, Message, Notice, Section, Style, Text, Token, Tone, text
from bot.model import DeliveryState, Dialog, Person, Platform, Rollout, Wave

# What the platforms let through in a minute, for the estimate before sending (docs/delivery.md, "How fast").
PER_MINUTE: Mapping[Platform, int] = {Platform.SLACK: 525, Platform.TEAMS: 1800}
SHOWN_NAMES = 5
NAMES_A_PAGE = 40


def people_of(dialog: Dialog) -> tuple[str, ...]:
    """The ids of the people who would be written to."""
    people = dialog.data.get("people", [])
    return tuple(str(each) for each in people) if isinstance(people, list) else ()


def left_out_of(dialog: Dialog) -> tuple[NotFound, ...]:
    """Who would not, and why."""
    left_out = dialog.data.get("left_out", [])
    return (
        tuple(NotFound(label, Problem(problem)) for label, problem in left_out) if isinstance(left_out, list) else ()
    )


def name_of(person: Person) -> str:
    """What an admin knows a person by."""
    return person.name or person.email or person.user_id


def list_message(dialog: Dialog, rollout: Rollout, fresh: Sequence[Person], already: int) -> Message:
    """Who would be written to, who not and why, how long it takes; and the question."""
    title = text("invite.title", enterprise=rollout.name)
    left_out = left_out_of(dialog)
    body: list[Element] = [_will_get(fresh)] if fresh else []
    body += [Section(text("invite.already", count=already))] if already else []
    body += left_out_elements(left_out)
    if not fresh:
        return Message(title, title, (*body, Notice(text("invite.nobody"), Tone.WARNING)))
    takes = (text("invite.takes"), _takes(fresh))
    body.append(Facts(((text("invite.login_url"), text("plain", words=rollout.login_url)), takes)))
    more = len(fresh) > SHOWN_NAMES or len(left_out) > SHOWN_NAMES
    everybody = (_turn("invite.everybody", dialog, 0),) if more else ()
    return Message(title, title, tuple(body), _buttons(dialog, everybody))


def names_message(dialog: Dialog, rollout: Rollout, names: Mapping[str, str], page: int) -> Message:
    """A page of everybody on the list, then of everybody left out. `names` are those of the page's people."""
    title = text("invite.title", enterprise=rollout.name)
    people, left_out = people_of(dialog), left_out_of(dialog)
    lines = [text("invite.name", name=names.get(each, each)) for each in page_of(people, page)]
    after = max(page * NAMES_A_PAGE - len(people), 0)
    room = NAMES_A_PAGE - len(lines)
    lines += [
        text("invite.name_left_out", name=each.label, reason=text(f"left_out.{each.problem}.short"))
        for each in left_out[after : after + room]
    ]
    turns = [
        _turn(label, dialog, to)
        for label, to in (("button.previous_page", page - 1), ("button.next_page", page + 1))
        if to >= 0 and to * NAMES_A_PAGE < len(people) + len(left_out)
    ]
    count = Section(text("invite.count", count=len(people)))
    return Message(title, title, (count, Section(text("invite.names", names=tuple(lines)))), _buttons(dialog, turns))


def page_of(people: Sequence[str], page: int) -> Sequence[str]:
    """The people of a page."""
    return people[page * NAMES_A_PAGE : (page + 1) * NAMES_A_PAGE]


def _will_get(fresh: Sequence[Person]) -> Section:
    names = tuple(text("plain", words=name_of(person)) for person in fresh[:SHOWN_NAMES])
    more = len(fresh) - len(names)
    names = (*names, text("invite.more", count=more)) if more else names
    return Section(text("invite.will_get", count=len(fresh), names=names))


def _buttons(dialog: Dialog, between: Sequence[Button]) -> tuple[AnyButton, ...]:
    people = len(people_of(dialog))
    token = Token("invite", "send", dialog.id, dialog.version)
    sure = text("invite.sure", count=people)
    send = Button(text("invite.send", count=people), token, Style.PRIMARY, confirm=sure)
    cancel = Button(text("button.cancel"), Token("invite", "cancel", dialog.id, dialog.version))
    return (send, *between, cancel)


def _turn(label: str, dialog: Dialog, page: int) -> Button:
    return Button(text(label), Token("invite", f"names.{page}", dialog.id, dialog.version))


def left_out_elements(left_out: tuple[NotFound, ...]) -> tuple[Element, ...]:
    """One line for each reason, with names and what to do."""
    by_problem: dict[Problem, list[str]] = {}
    for entry in left_out:
        by_problem.setdefault(entry.problem, []).append(entry.label)
    elements: list[Element] = []
    for problem, labels in by_problem.items():
        shown = tuple(text("plain", words=label) for label in labels[:SHOWN_NAMES])
        if len(labels) > SHOWN_NAMES:
            shown = (*shown, text("invite.more", count=len(labels) - SHOWN_NAMES))
        elements.append(Notice(text(f"left_out.{problem}", names=shown), Tone.WARNING))
    return tuple(elements)


def _takes(people: Sequence[Person]) -> Text:
    """The time at the platforms' limits; lanes go side by side, so the slowest counts."""
    per_platform = Counter(Platform(person.workspace_id.split(":", maxsplit=1)[0]) for person in people)
    minutes = max(count / PER_MINUTE[platform] for platform, count in per_platform.items())
    return text("invite.takes.less") if minutes < 1 else text("invite.takes.minutes", count=round(minutes))


def progress_message(wave: Wave, counts: Mapping[DeliveryState, int]) -> Message:
    """How far the sending is; the admin's message is updated with it in place."""
    sent = counts.get(DeliveryState.SENT, 0)
    unknown, dead = counts.get(DeliveryState.UNKNOWN, 0), counts.get(DeliveryState.DEAD, 0)
    waiting = counts.get(DeliveryState.READY, 0) + counts.get(DeliveryState.SENDING, 0)
    title = text("progress.title") if waiting else text("progress.finished")
    progress = text("progress.bar", bar=bar(sent, wave.size), sent=sent, size=wave.size)
    pairs = [(text("progress.sent"), sent), (text("progress.waiting"), waiting)]
    pairs += [(text("progress.dead"), dead)] if dead else []
    pairs += [(text("progress.unknown"), unknown)] if unknown else []
    facts = Facts(tuple((name, text("number", n=value)) for name, value in pairs))
    hint = (Notice(text("progress.look_at_status"), Tone.WARNING),) if dead or unknown else ()
    status = Button(text("button.status"), Token("status", "show", wave.rollout_id))
    return Message(summary=title, title=title, body=(Section(progress), facts, *hint), buttons=(status,))
