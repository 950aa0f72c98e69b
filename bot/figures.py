"""A rollout in figures, without anybody's name: what the closing report shows, and what stays when its people are
erased.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from bot.messages import Text, text


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Figures:
    """Counts, by the values of the enums of bot.model where there are kinds of something. Days are UTC's."""

    invited: int = 0
    reached: int = 0
    done: int = 0
    exempt: int = 0
    still_open: int = 0
    reminders: int = 0
    confirmed: dict[str, int] = field(default_factory=dict)  # by kind of check
    invited_on: dict[date, int] = field(default_factory=dict)
    done_on: dict[date, int] = field(default_factory=dict)
    median_hours: float | None = None  # from invitation to everything confirmed, of those who are done
    slowest_tenth_hours: float | None = None  # nine in ten were faster
    problems: dict[str, int] = field(default_factory=dict)  # cases, by problem
    unreachable: dict[str, int] = field(default_factory=dict)  # people who are still open, by reason
    may_go: int = 0  # old accounts
    keepers: int = 0
    farewells: int = 0
    steps: dict[str, str] = field(default_factory=dict)  # the state of each step of finishing


def duration(hours: float) -> Text:
    """Hours as people say them: in hours up to two days, then in days."""
    return text("report.hours", count=round(hours)) if hours < 48 else text("report.days", count=round(hours / 24))
