"""Charts as Teams draws them itself (learn.microsoft.com, "Charts in Adaptive Cards").

Adaptive Cards 1.5 knows no charts: a client without them, such as those on some phones, shows each one's `fallback`.
"""

from typing import Any, assert_never

from bot.charts import as_text
from bot.messages import BarChart, Chart, LineChart
from bot.texts import Markup, Reader, say

Json = dict[str, Any]
COLOURS = ("neutral", "categoricalBlue")


def chart_block(chart: Chart, reader: Reader, plain: Markup, markdown: Markup) -> Json:
    """The chart; `plain` writes its labels, `markdown` what is shown instead."""
    title, *lines = (say(line, reader, markdown) for line in as_text(chart))
    drawn = {**_drawn(chart, reader, plain), "fallback": _words("\n\n".join((title, *lines)))}
    if isinstance(chart, LineChart) and chart.until is not None:  # Teams marks no day in a chart
        return {"type": "Container", "items": [drawn, _words(lines[-1])]}
    return drawn


def _drawn(chart: Chart, reader: Reader, plain: Markup) -> Json:
    title = say(chart.title, reader, plain)
    match chart:
        case BarChart():
            bars = [{"x": say(what, reader, plain), "y": number} for what, number in chart.bars]
            return {
                "type": "Chart.HorizontalBar",
                "title": title,
                "displayMode": "AbsoluteWithAxis",
                "data": bars,
            }
        case LineChart():
            lines = [
                {
                    "legend": say(what, reader, plain),
                    "color": colour,
                    "values": [
                        {"x": day.isoformat(), "y": number} for day, number in zip(chart.days, values, strict=True)
                    ],
                }
                for (what, values), colour in zip(chart.lines, COLOURS, strict=True)
            ]
            return {"type": "Chart.Line", "title": title, "data": lines}
        case _:
            assert_never(chart)


def _words(markdown: str) -> Json:
    return {"type": "TextBlock", "text": markdown, "wrap": True}
