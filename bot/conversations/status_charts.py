"""The status as charts: how far people have come, and how that went over time against the deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.messages import BarChart, Button, Chart, LineChart, Message, Section, Text, Token, When, text
from bot.model import Rollout
from bot.ports import OverTime, RolloutCounts, Standing

MOST_PARTS = 8  # waves or groups in a chart; the status by wave and by group has all
MOST_DAYS = 60  # in a chart; a longer rollout is shown by every second day, third day, ...


@dataclass(frozen=True)
class Shown:
    """What the charts show beside the counts: each day, the newest waves and the largest groups."""

    over_time: OverTime = field(default_factory=OverTime)
    waves: tuple[Standing, ...] = ()
    groups: tuple[Standing, ...] = ()


def charts_message(
    rollout: Rollout, steps: Sequence[tuple[Text, int]], counts: RolloutCounts, shown: Shown, today: date
) -> Message:
    """All charts: by wave and by group where there are several. `steps` are the funnel's."""
    title = text("status.title", enterprise=rollout.name)
    token = Token("status", "show", rollout.id)
    body = (
        Section(text("status.headline", done=counts.done, invited=counts.invited)),
        funnel_chart(steps, counts),
        *progress_chart(rollout, shown.over_time, today),
        *_parts_chart(text("chart.by_wave"), shown.waves if counts.several_waves else ()),
        *_parts_chart(text("chart.by_group"), shown.groups if counts.several_groups else ()),
    )
    again = Button(text("button.refresh"), Token("status", "charts", rollout.id))
    return Message(title, title, body, (Button(text("button.status"), token), again))


def funnel_chart(steps: Sequence[tuple[Text, int]], counts: RolloutCounts) -> Chart:
    """The funnel's steps, then those of whom nothing more comes by itself."""
    aside = (
        (text("status.exempt"), counts.exempt),
        (text("status.cases"), counts.open_cases),
        (text("status.unreachable"), counts.unreachable),
    )
    bars = (*steps, *((what, number) for what, number in aside if number))
    return BarChart(text("report.funnel"), bars, counts.invited)


def _parts_chart(title: Text, parts: Sequence[Standing]) -> tuple[Chart, ...]:
    """How many percent of each wave's or group's people are done, or exempt."""
    bars = tuple((_name(part), 100 * (part.done + part.exempt) // part.invited) for part in parts[:MOST_PARTS])
    return (BarChart(title, bars, 100),) if bars else ()


def _name(part: Standing) -> Text:
    return text("plain", words=part.label) if part.label else text("moment", at=When(part.began, "date"))


def progress_chart(rollout: Rollout, over_time: OverTime, today: date) -> tuple[Chart, ...]:
    """How many were invited and done by the end of each day, from the one before the first invitation up to today;
    nothing when nobody was invited.
    """
    if not over_time.invited:
        return ()
    first = min(over_time.invited) - timedelta(days=1)
    last = max(today, *over_time.invited, *over_time.done)
    step = -(-(last - first).days // MOST_DAYS)
    days = tuple(sorted(last - timedelta(days=back) for back in range(0, (last - first).days + 1, step)))
    deadline = rollout.policy.deadline
    lines = (
        (text("status.invited"), _sums(over_time.invited, days)),
        (text("status.done"), _sums(over_time.done, days)),
    )
    return (
        LineChart(text("report.over_time"), days, lines, (text("chart.deadline"), deadline) if deadline else None),
    )


def _sums(on: Mapping[date, int], days: Sequence[date]) -> tuple[int, ...]:
    return tuple(sum(number for day, number in on.items() if day <= until) for until in days)
