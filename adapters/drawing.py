"""Drawing charts with matplotlib. Every value is written beside its mark, so that no colour has to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from babel.numbers import format_decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.4  # inches
DPI = 200
INK, SOFT, LINE, ALL, DONE = "#1d2733", "#5b6b7c", "#d9e0e7", "#a9b8c6", "#126ed3"
COLOURS = (ALL, DONE)
MOST_TICKS = 6
LABEL = 30  # characters beside a bar


@dataclass(frozen=True)
class Bars:
    """A bar for each label, longest where it is `whole`. Numbers and dates are written as `locale` does."""

    bars: tuple[tuple[str, int], ...]
    whole: int
    locale: str


@dataclass(frozen=True)
class Lines:
    """Lines over `days`, two at most. `until` is a day that is marked, with its name."""

    days: tuple[date, ...]
    lines: tuple[tuple[str, tuple[int, ...]], ...]
    until: tuple[str, date] | None
    locale: str


Drawing: TypeAlias = Bars | Lines


def draw(drawing: Drawing) -> bytes:
    """The picture as PNG. Takes some 100 ms of a processor, and a second the first time."""
    # Here, because it takes a second to import, and most processes never draw.
    from matplotlib.figure import Figure  # noqa: PLC0415

    match drawing:
        case Bars():
            figure = Figure(figsize=(WIDTH, 0.3 + 0.34 * len(drawing.bars)), dpi=DPI)
            _draw_bars(figure, drawing)
        case Lines():
            figure = Figure(figsize=(WIDTH, 2.6), dpi=DPI)
            _draw_lines(figure, drawing)
        case _:
            assert_never(drawing)
    written = BytesIO()
    # Nothing of when or with what it was made, so that the same chart is the same file.
    figure.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()


def _draw_bars(figure: Figure, drawing: Bars) -> None:
    axes = _axes(figure, (0.47, 0.02, 0.51, 0.96))
    rows = range(len(drawing.bars))
    longest = max(drawing.whole, *(number for _, number in drawing.bars), 1)
    axes.barh(rows, [longest] * len(drawing.bars), height=0.6, color=LINE)
    axes.barh(rows, [number for _, number in drawing.bars], height=0.6, color=DONE)
    beside: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "ha": "right",
        "va": "center",
        "size": 9.5,
        "color": INK,
    }
    for row, (label, number) in enumerate(drawing.bars):
        axes.text(-0.2, row, _short(label), parse_math=False, **beside)
        axes.text(-0.03, row, _number(number, drawing.locale), weight="bold", **beside)
    axes.set_xlim(0, longest)
    axes.set_ylim(len(drawing.bars) - 0.4, -0.6)
    axes.set_xticks([])


def _draw_lines(figure: Figure, drawing: Lines) -> None:
    axes = _axes(figure, (0.055, 0.12, 0.89, 0.74))
    at = [day.toordinal() for day in drawing.days]
    most = max(1, *(max(values) for _, values in drawing.lines))
    for (what, values), colour in zip(drawing.lines, COLOURS, strict=True):
        label = f"{what}: {_number(values[-1], drawing.locale)}"
        axes.plot(at, values, color=colour, linewidth=2.4, solid_capstyle="round", label=label)
        axes.plot(at[-1], values[-1], "o", color=colour, markersize=5, clip_on=False)
    last = at[-1]
    if drawing.until is not None:
        what, day = drawing.until
        last = max(last, day.toordinal())
        label = f"{what}: {_day(day, drawing.locale)}"
        axes.axvline(day.toordinal(), color=SOFT, linewidth=1.2, linestyle=(0, (3, 2)), label=label, clip_on=False)
    axes.axhline(0, color=LINE, linewidth=2.4, zorder=0)
    axes.set_xlim(at[0], last)
    axes.set_ylim(0, most * 1.04)
    ticks = _ticks(at[0], last)
    axes.set_xticks(ticks, [_day(date.fromordinal(each), drawing.locale) for each in ticks])
    legend = axes.legend(loc="lower left", bbox_to_anchor=(-0.04, 1.0), ncols=3, frameon=False, fontsize=9.5)
    for entry in legend.get_texts():
        entry.set(color=INK, parse_math=False)


def _ticks(first: int, last: int) -> list[int]:
    """The first and the last day, and some between them, as far from each other as their dates are wide."""
    step = max(1, -(-(last - first) // MOST_TICKS))
    return [first, *sorted(range(last, first + step // 2, -step))]


def _axes(figure: Figure, where: tuple[float, float, float, float]) -> Axes:
    """Left, bottom, width and height are parts of the picture's."""
    axes = figure.add_axes(where)
    axes.spines[:].set_visible(False)
    axes.set_yticks([])
    axes.tick_params(length=0, labelsize=9, labelcolor=SOFT)
    return axes


def _short(label: str) -> str:
    return label if len(label) <= LABEL else f"{label[: LABEL - 1]}…"


def _number(number: int, locale: str) -> str:
    return format_decimal(number, locale=_babel(locale))


def _day(day: date, locale: str) -> str:
    return format_skeleton("MMMd", day, locale=_babel(locale))


def _babel(locale: str) -> Locale:
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale.parse("en")
