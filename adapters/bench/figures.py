"""What a measurement yields, and how it is shown: a table for people, one JSON object a line for programs."""

from __future__ import annotations

import json
import operator
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

COMPARED = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Figure:
    """One measured value. `reference` is what it is compared with, in the same unit, measured in the same run;
    `ratio` is value / reference. `goal` is for people; `ok` is None where there is none.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    goal: str = ""
    ok: bool | None = None


def figure(name: str, value: float, unit: str, goal: str = "") -> Figure:
    """A value; `goal` is a comparison with a number, as "<= 0", or empty."""
    return Figure(name, value, unit, goal=goal, ok=_holds(value, goal))


def compared(name: str, value: float, unit: str, reference: float, goal: str = "") -> Figure:
    """A value beside its reference; `goal` is about the ratio of the two."""
    ratio = value / reference
    return Figure(name, value, unit, reference, ratio, goal, _holds(ratio, goal))


def _holds(value: float, goal: str) -> bool | None:
    if not goal:
        return None
    comparison, number = goal.split()
    return bool(COMPARED[comparison](value, float(number)))


def as_line(each: Figure) -> str:
    """One JSON object."""
    return json.dumps(asdict(each))


def show(figures: list[Figure], console: Console) -> None:
    """The table."""
    table = Table("Figure", "Value", "Unit", "Reference", "Ratio", "Goal", "", box=None, pad_edge=False)
    for column in table.columns[1::2]:
        column.justify = "right"
    for each in figures:
        verdict = {True: "ok", False: "[bold]missed[/]", None: ""}[each.ok]
        cells = (_short(each.value), each.unit, _short(each.reference), _short(each.ratio), each.goal, verdict)
        table.add_row(each.name, *cells)
    console.print(table)


def _short(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3g}"
