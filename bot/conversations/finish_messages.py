"""What `/sso finish` shows: the list of steps, kept up to date in place, and what comes after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.conversations.bars import bar
from bot.finishing import FinishItem, FinishStep, StepState, uses_bitbucket
from bot.messages import (
    Button,
    Day,
    Element,
    Facts,
    Form,
    Message,
    Notice,
    Section,
    Style,
    Text,
    TextField,
    Token,
    Tone,
    When,
    text,
)
from bot.model import Rollout, RolloutState
from bot.ports import RolloutCounts

Items = Mapping[FinishStep, FinishItem]


def steps_message(rollout: Rollout, items: Items, names: Mapping[str, str], still_open: int) -> Message:
    """Every step with its state and owner, and what can be done now. `names` are the owners', by person id."""
    title = text("finish.title", enterprise=rollout.name)
    settled = sum(item.state is not StepState.OPEN for item in items.values())
    body: list[Element] = [
        *_end(rollout),
        Section(text("finish.bar", bar=bar(settled, len(items)), settled=settled, steps=len(items))),
        *(Section(step_line(item, names)) for item in items.values()),
    ]
    if rollout.state is not RolloutState.FINISHED and still_open:
        body.append(Notice(text("finish.still_open", count=still_open), Tone.WARNING))
    if uses_bitbucket(rollout) and items[FinishStep.SERVICE].state is not StepState.DONE:
        body.append(Notice(text("finish.bitbucket"), Tone.WARNING))
    return Message(title, title, tuple(body), _buttons(rollout, items))


def _end(rollout: Rollout) -> tuple[Element, ...]:
    if rollout.state is not RolloutState.FINISHED or rollout.finished_at is None:
        return ()
    return (Notice(text("finish.finished_on", at=When(rollout.finished_at, "date")), Tone.SUCCESS),)


def step_line(item: FinishItem, names: Mapping[str, str]) -> Text:
    """How far a step is, and whose it is."""
    what = text(f"finish.step.{item.step}")
    owner = names.get(item.owner, "")
    if item.state is StepState.DONE and item.changed_at is not None:
        return text("finish.line.done", what=what, owner=owner, at=When(item.changed_at, "date"))
    if item.state is StepState.SKIPPED:
        return text("finish.line.skipped", what=what, reason=item.reason)
    if owner and item.due_on is not None:
        return text("finish.line.due", what=what, owner=owner, on=Day(item.due_on))
    return text("finish.line.owned", what=what, owner=owner) if owner else text("finish.line.open", what=what)


def _buttons(rollout: Rollout, items: Items) -> tuple[Button, ...]:
    steps = [
        Button(text(f"finish.step.{step}.short"), Token("finish", f"step.{step}", rollout.id, items[step].version))
        for step in items
    ]
    if FinishStep.REMOVE in items:
        steps.append(Button(text("removal.button"), Token("removal", "show", rollout.id)))
    refresh = Button(text("button.refresh"), Token("finish", "show", rollout.id))
    if rollout.state is not RolloutState.FINISHED:
        end = Button(text("finish.end"), Token("finish", "end", rollout.id, rollout.version), Style.PRIMARY)
        return (*steps, end, refresh)
    return (*steps, *_after(rollout), refresh)


def _after(rollout: Rollout) -> tuple[Button, ...]:
    return (
        Button(text("export.report"), Token("export", "make.report", rollout.id)),
        Button(
            text("finish.reopen"),
            Token("finish", "reopen", rollout.id, rollout.version),
            confirm=text("finish.reopen.sure"),
        ),
        Button(
            text("finish.archive"),
            Token("finish", "archive", rollout.id, rollout.version),
            confirm=text("finish.archive.sure"),
        ),
        Button(text("erase.button"), Token("erase", "open", rollout.id, rollout.version), Style.DANGER),
    )


def report_message(rollout: Rollout, counts: RolloutCounts, now: datetime) -> Message:
    """The closing report in short; the rest is in the file."""
    title = text("report.title", enterprise=rollout.name)
    days = max((now - rollout.created_at).days, 1)
    figures = [(text("status.invited"), counts.invited), (text("status.done"), counts.done)]
    figures += [(text("status.open"), counts.open)] if counts.open else []
    figures += [(text("status.exempt"), counts.exempt)] if counts.exempt else []
    figures += [(text("status.reminders"), counts.reminders)]
    return Message(
        title,
        title,
        (
            Section(text("report.summary", count=days, bar=bar(counts.done, counts.invited))),
            Facts(tuple((name, text("number", n=value)) for name, value in figures)),
        ),
        (
            Button(text("report.button"), Token("export", "make.report", rollout.id), Style.PRIMARY),
            Button(text("removal.back"), Token("finish", "show", rollout.id)),
        ),
    )


def end_form(rollout: Rollout, items: Items, still_open: int, unfit: dict[str, Text] | None = None) -> Form:
    """The last question: what is left, and why it may be left when something is."""
    left = tuple(text(f"finish.step.{step}") for step, item in items.items() if item.state is StepState.OPEN)
    body: list[Element] = [Section(text("finish.end.what"))]
    if still_open:
        body.append(Notice(text("finish.still_open", count=still_open), Tone.WARNING))
    reason = TextField("reason", text("finish.reason"), hint=text("finish.end.reason.hint"), max_length=1000)
    if left:
        body.append(Notice(text("finish.end.left", count=len(left), steps=left), Tone.WARNING))
    return Form(
        Token("finish", "ended", rollout.id, rollout.version),
        text("finish.end"),
        text("finish.end"),
        body=tuple(body),
        fields=(reason,) if left else (),
        errors=unfit,
        cancel=Token("finish", "show", rollout.id),
    )
