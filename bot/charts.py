"""Charts as text: what is said where nothing can be drawn."""

from __future__ import annotations

from typing import assert_never

from bot.conversations.bars import bar
from bot.messages import BarChart, Chart, Day, LineChart, Text, text

DAYS_SAID = 8  # of a chart over time


def as_text(chart: Chart) -> tuple[Text, ...]:
    """The chart's figures in lines, the title first. Of many days some are left out, never the last one."""
    match chart:
        case BarChart():
            lines = [
                text("status.step", bar=bar(number, chart.whole), n=number, what=what) for what, number in chart.bars
            ]
        case LineChart():
            lines = [_day(chart, number) for number in _some(len(chart.days))]
            lines += [text("chart.until", what=chart.until[0], on=Day(chart.until[1]))] if chart.until else []
        case _:
            assert_never(chart)
    return (text("chart.title", title=chart.title), *lines)


def _day(chart: LineChart, number: int) -> Text:
    figures = tuple(text("chart.figure", n=values[number], what=what) for what, values in chart.lines)
    return text("chart.day", on=Day(chart.days[number]), figures=figures)


def _some(count: int) -> list[int]:
    step = -(-count // DAYS_SAID)
    return sorted(range(count - 1, -1, -step))
