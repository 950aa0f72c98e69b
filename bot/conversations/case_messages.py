"""What admins see of problems that invitees have described, and what an invitee is answered."""

from __future__ import annotations

from bot.messages import (
    Button,
    Element,
    Form,
    Message,
    Notice,
    Quote,
    Section,
    Style,
    Text,
    TextField,
    Token,
    Tone,
    text,
)
from bot.model import CaseState
from bot.ports import CaseGroup

SHOWN = 3  # what so many of them wrote
MAX_ANSWER = 2000


def admin_key(group_id: str, admin: str) -> str:
    """The key of the message about a problem to one admin, a person id; without one, what all of these begin with."""
    return f"{group_id}:to:{admin}"


def group_message(group: CaseGroup) -> Message:
    """One problem, of however many people, with a button to answer them all."""
    title = title_of(group)
    body: list[Element] = [Section(kind_of(group)), *descriptions(group)]
    if group.open:
        return Message(title, title, tuple(body), (answer_button(group),))
    told = text("case.answered", count=group.answered + group.solved)
    solved = (Notice(text("case.solved", count=group.solved), Tone.SUCCESS),) if group.solved else ()
    answer = (Quote(group.answer),) if group.answer else ()
    return Message(title, title, (*body, Notice(told, Tone.SUCCESS), *answer, *solved))


def title_of(group: CaseGroup) -> Text:
    """Who has the problem."""
    if group.people == 1 and group.shown:
        return text("case.title", name=group.shown[0][1].known_as)
    return text("case.title.many", count=group.people)


def kind_of(group: CaseGroup) -> Text:
    """What they chose."""
    return text("case.kind", problem=text(f"problem.{group.problem}"))


def descriptions(group: CaseGroup) -> tuple[Element, ...]:
    """What the first of them wrote, each with a name where there are several."""
    lines: list[Element] = []
    for case, person in group.shown[:SHOWN]:
        if group.people > 1:
            lines.append(Section(text("case.by", name=person.known_as)))
        lines.append(Quote(case.description))
    if group.people > SHOWN:
        lines.append(Section(text("case.more", count=group.people - SHOWN)))
    return tuple(lines)


def answer_button(group: CaseGroup) -> Button:
    """Opens the answer's form."""
    label = text("case.answer") if group.open == 1 else text("case.answer.all", count=group.open)
    return Button(label, Token("case", "answer", group.id, group.open), Style.PRIMARY)


def answer_form(group: CaseGroup, typed: str = "", errors: dict[str, Text] | None = None) -> Form:
    """One answer for all who wait."""
    all_of_them = (Notice(text("case.to_all", count=group.open)),) if group.open > 1 else ()
    return Form(
        Token("case", "send", group.id, group.open),
        text("case.form"),
        text("case.send"),
        body=(Section(kind_of(group)), *descriptions(group), *all_of_them),
        fields=(TextField("answer", text("case.your_answer"), typed, multiline=True, max_length=MAX_ANSWER),),
        errors=errors,
        cancel=Token("case", "show", group.id),
    )


def reply_message(group: CaseGroup, answer: str) -> Message:
    """The answer, as each of those who wait gets it. Where it is one person, with what they wrote."""
    title = text("case.reply.title")
    only = next((case for case, _ in group.shown if case.state is CaseState.OPEN), None) if group.open == 1 else None
    asked: tuple[Element, ...] = (
        (Section(text("case.reply.asked")), Quote(only.description))
        if only
        else (Section(text("case.reply.about", problem=text(f"problem.{group.problem}"))),)
    )
    return Message(
        title,
        title,
        (*asked, Section(text("case.reply.answer")), Quote(answer)),
        (
            Button(text("case.reply.solved"), Token("solved", "yes", group.id)),
            Button(text("button.problem"), Token("solved", "again", group.id)),
        ),
    )
