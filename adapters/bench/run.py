"""`usher bench`: run one measurement, or all of them."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Callable
from importlib import import_module

from rich.console import Console

from adapters.bench import MEASUREMENTS
from adapters.bench.figures import Figure, as_line, show
from adapters.bench.size import Size

DONE, FAILED = 0, 1


Measured = Callable[[Size], AsyncIterator[Figure]]


async def bench(arguments: argparse.Namespace, console: Console) -> int:
    """Print the figures, with --json each as soon as it is known; 1 when a goal is missed."""
    size = Size(arguments.scale, arguments.minutes, arguments.database_url)
    figures: list[Figure] = []
    for name in (arguments.measurement,) if arguments.measurement else MEASUREMENTS:
        measured: Measured = import_module(f"adapters.bench.{name}").measured
        async for each in measured(size):
            figures.append(each)
            if arguments.json:
                console.print(as_line(each), soft_wrap=True, highlight=False, markup=False)
    if not arguments.json:
        show(figures, console)
    return FAILED if any(each.ok is False for each in figures) else DONE
