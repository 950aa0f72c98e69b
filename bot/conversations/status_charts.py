"""The status as charts: how far people have come, and how that went over time against the deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from bot.messages import BarChart, Button, Chart, LineChart, Message, Section, Text, Token, text
from bot.model import Rollout
from bot.ports import OverTime, RolloutCounts

MOST_DAYS = 60  # in a chart; a longer rollout is shown by every second day, third day, ...


def charts_message(
    rollout: Rollout, steps: Sequence[tuple[Text, int]], counts: RolloutCounts, over_time: OverTime, today: date
) -> Message:
    """Both charts. `steps` are the funnel's."""
    title = text("status.title", enterprise=rollout.name)
    token = Token("status", "show", rollout.id)
    body = (
        Section(text("status.headline", done=counts.done, invited=counts.invited)),
        funnel_chart(steps, counts),
        *progress_chart(rollout, over_time, today),
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
