"""`usher doctor`: one line for each thing that has to work, and what to do where it does not."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters import tracing
from adapters.chat import ChatAdapter, PlatformUnavailable
from adapters.server import Bot
from adapters.settings import Settings, problems
from bot.ports import StoreUnavailable
from bot.roles import TABLE, Subject, allows

Assemble = Callable[[Settings], AbstractAsyncContextManager[Bot]]


async def examine(settings: Settings, assembled: Assemble, console: Console) -> int:
    """Print the findings; returns 0 when everything is well, 1 otherwise. Prints no secret."""
    healthy = True
    async for name, fault in _findings(settings, assembled):
        mark = "[red]✗[/]" if fault else "[green]✓[/]"
        console.print(f"{mark} {name}" + (f": {escape(fault)}" if fault else ""), soft_wrap=True)
        healthy = healthy and not fault
    return 0 if healthy else 1


def show_roles(console: Console) -> None:
    """Who may do what. A conversation's row is for whatever of it has no row of its own."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("Action")
    for subject in Subject:
        shown.add_column(subject.value, justify="center")
    for key in sorted(TABLE):
        shown.add_row(key, *("yes" if allows(subject, key) else "-" for subject in Subject))
    console.print(shown)


async def _findings(settings: Settings, assembled: Assemble) -> AsyncIterator[tuple[str, str]]:
    wrong = problems(settings, for_serve=True)
    for problem in wrong:
        yield "Settings", problem
    if wrong:
        return
    yield "Settings", ""
    for problem in tracing.problems(os.environ):
        yield "Traces", problem
    try:
        async with assembled(settings) as bot:
            await bot.store.ping()
            yield "Database", ""
            for adapter in bot.adapters:
                yield await _platform(adapter)
    except StoreUnavailable:
        yield "Database", "does not answer. Check USHER_DATABASE_URL, and that the database is running."


async def _platform(adapter: ChatAdapter) -> tuple[str, str]:
    name = adapter.platform.platform.value.capitalize()
    try:
        await adapter.check()
    except PlatformUnavailable as failure:
        return name, str(failure)
    return name, ""
