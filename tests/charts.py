"""Two charts, as a large rollout has them."""

from __future__ import annotations

from datetime import date, timedelta

from bot.messages import BarChart, LineChart, text

FUNNEL = BarChart(
    text("report.funnel"),
    (
        (text("status.invited"), 4820),
        (text("status.reached"), 4790),
        (text("status.opened"), 3900),
        (text("status.confirmed.access"), 3320),
        (text("status.done"), 2040),
        (text("status.cases"), 12),
    ),
    4820,
)
OVER_TIME = LineChart(
    text("report.over_time"),
    tuple(date(2026, 3, 1) + timedelta(days=day) for day in range(40)),
    (
        (text("status.invited"), tuple(50 if day < 5 else 1550 if day < 14 else 4820 for day in range(40))),
        (text("status.done"), tuple(min(2040, 2 * day * day) for day in range(40))),
    ),
    (text("chart.deadline"), date(2026, 4, 24)),
)
