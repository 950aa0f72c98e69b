"""What a digest says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.conversations.bars import bar
from bot.messages import Button, Day, Element, Facts, Message, Notice, Section, Text, Token, Tone, text
from bot.model import Rollout
from bot.ports import InvitationView, RolloutCounts
from bot.texts import zone

SHOWN = 20  # people in one message; the rest is a number


def figures(counts: RolloutCounts) -> dict[str, int]:
    """What a report tells, and compares with the one before."""
    return {
        "done": counts.done,
        "open": counts.open,
        "cases": counts.open_cases,
        "stopped": counts.stopped,
        "failed": counts.failed,
    }


def report_digest(
    rollout: Rollout, counts: RolloutCounts, before: Mapping[str, int], time_zone: str, now: datetime
) -> Message:
    """The rollout in figures, each with what has changed since the report before."""
    title = text("digest.title", enterprise=rollout.name)
    body: list[Element] = [
        Section(text("status.bar", bar=bar(counts.done, counts.invited), done=counts.done, invited=counts.invited)),
        Facts(
            tuple(
                (text(f"digest.{name}"), _changed(number, before.get(name)))
                for name, number in figures(counts).items()
                if number or before.get(name) or name in ("done", "open")
            )
        ),
        *_deadline(rollout, counts, time_zone, now),
    ]
    return Message(title, title, tuple(body), (Button(text("button.status"), Token("digest", "status", rollout.id)),))


def _changed(number: int, before: int | None) -> Text:
    change = number - before if before is not None else 0
    if change > 0:
        return text("digest.more", n=number, change=change)
    return text("digest.fewer", n=number, change=-change) if change < 0 else text("number", n=number)


def _deadline(rollout: Rollout, counts: RolloutCounts, time_zone: str, now: datetime) -> tuple[Element, ...]:
    deadline = rollout.policy.deadline
    if deadline is None or not counts.open:
        return ()
    days = (deadline - now.astimezone(zone(time_zone)).date()).days
    if days < 0:
        return (Notice(text("digest.deadline.over", on=Day(deadline)), Tone.WARNING),)
    return (Section(text("digest.deadline", on=Day(deadline), count=days)),)


def escalation_digest(rollout: Rollout, people: Sequence[InvitationView], total: int, new: int) -> Message:
    """Who has had many reminders and has not confirmed: by name, as far as there is room."""
    title = text("escalation.title", enterprise=rollout.name)
    lines = [_line(view) for view in people[:SHOWN]]
    more = total - len(lines)
    return Message(
        text("escalation.summary", count=total, enterprise=rollout.name),
        title,
        (
            Section(text("escalation.why", count=total, new=new)),
            *lines,
            *((Section(text("escalation.more", count=more)),) if more else ()),
            Section(text("escalation.what")),
        ),
    )


def _line(view: InvitationView) -> Section:
    still_open = tuple(text(f"check.{kind}.short") for kind in view.open_checks)
    name = view.person.known_as
    return Section(text("missing.line", name=name, open=still_open, count=view.invitation.reminders))
