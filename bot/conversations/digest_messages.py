"""What a digest says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.conversations.bars import bar
from bot.conversations.missing import silent_line
from bot.conversations.status_charts import progress_chart
from bot.messages import Button, Day, Element, Facts, Message, Notice, Section, Text, Token, Tone, text
from bot.model import Rollout
from bot.ports import InvitationView, OverTime, RolloutCounts
from bot.texts import zone

DAYS_OF_PACE = 7
LONGEST_FORECAST = 365  # days; beyond it, a forecast says nothing
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


@dataclass(frozen=True)
class Lately:
    """Where and when the report is read, how many people have finished in the seven days before, and on each day."""

    done: int
    time_zone: str
    now: datetime
    over_time: OverTime = field(default_factory=OverTime)

    @property
    def today(self) -> date:
        """The day there."""
        return self.now.astimezone(zone(self.time_zone)).date()


def report_digest(rollout: Rollout, counts: RolloutCounts, before: Mapping[str, int], lately: Lately) -> Message:
    """The rollout in figures, each with what has changed since the report before; its pace against the deadline."""
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
        *_deadline(rollout, counts, lately.today),
        *_pace(rollout, counts, lately),
        *progress_chart(rollout, lately.over_time, lately.today),
    ]
    return Message(title, title, tuple(body), (Button(text("button.status"), Token("digest", "status", rollout.id)),))


def _changed(number: int, before: int | None) -> Text:
    change = number - before if before is not None else 0
    if change > 0:
        return text("digest.more", n=number, change=change)
    return text("digest.fewer", n=number, change=-change) if change < 0 else text("number", n=number)


def _pace(rollout: Rollout, counts: RolloutCounts, lately: Lately) -> tuple[Element, ...]:
    """When everybody will be done if it goes on like this."""
    if not counts.open or not lately.done:
        return ()
    days = -(-counts.open * DAYS_OF_PACE // lately.done)
    if days > LONGEST_FORECAST:
        return ()
    end, deadline = lately.today + timedelta(days=days), rollout.policy.deadline
    if deadline is not None and end > deadline:
        return (Notice(text("digest.pace.late", count=lately.done, on=Day(end)), Tone.WARNING),)
    return (Section(text("digest.pace", count=lately.done, on=Day(end))),)


def _deadline(rollout: Rollout, counts: RolloutCounts, today: date) -> tuple[Element, ...]:
    deadline = rollout.policy.deadline
    if deadline is None or not counts.open:
        return ()
    days = (deadline - today).days
    if days < 0:
        return (Notice(text("digest.deadline.over", on=Day(deadline)), Tone.WARNING),)
    return (Section(text("digest.deadline", on=Day(deadline), count=days)),)


def escalation_digest(rollout: Rollout, people: Sequence[InvitationView], total: int, new: int) -> Message:
    """Who has had many reminders and has not confirmed: by name, as far as there is room."""
    return _silent_people(rollout, people, total, text("escalation.why", count=total, new=new))


def manager_digest(rollout: Rollout, people: Sequence[InvitationView], total: int) -> Message:
    """The same for their manager, who need not have heard of the bot."""
    return _silent_people(
        rollout, people, total, text("escalation.why.manager", count=total, enterprise=rollout.name)
    )


def _silent_people(rollout: Rollout, people: Sequence[InvitationView], total: int, why: Text) -> Message:
    lines = [silent_line(view) for view in people[:SHOWN]]
    more = total - len(lines)
    return Message(
        text("escalation.summary", count=total, enterprise=rollout.name),
        text("escalation.title", enterprise=rollout.name),
        (
            Section(why),
            *lines,
            *((Section(text("escalation.more", count=more)),) if more else ()),
            Section(text("escalation.what")),
        ),
    )
