"""`usher doctor`: one line for each thing that has to work, and what to do where it does not.

It changes nothing: tables that are missing are told of and not made.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters import about, tracing
from adapters.chat import ChatAdapter, PlatformUnavailable
from adapters.outside import address_fault, clock_fault, is_open_to_everybody
from adapters.settings import Settings, problems
from adapters.settings_problems import is_loopback_url
from adapters.sonarqube import SonarQubeApi
from bot.ports import Clock, SonarQubeUnavailable, StoreUnavailable
from bot.roles import TABLE, Subject, allows


@dataclass(frozen=True)
class Finding:
    """One line. A `fault` is to be mended; a `note` is to be known."""

    name: str
    fault: str = ""
    note: str = ""


@dataclass(frozen=True)
class Patient:
    """What is examined. `tables` tells the revision of the database, that of this version, and whether this version
    knows the former; it raises StoreUnavailable.
    """

    settings: Settings
    tables: Callable[[], Awaitable[tuple[str | None, str, bool]]]
    adapters: Callable[[], AbstractAsyncContextManager[Sequence[ChatAdapter]]]
    clock: Clock


async def examine(patient: Patient, console: Console) -> int:
    """Print the findings; returns 0 when everything is well, 1 otherwise. Prints no secret."""
    healthy = True
    async for finding in _findings(patient):
        mark = "[red]✗[/]" if finding.fault else "[yellow]![/]" if finding.note else "[green]✓[/]"
        said = finding.fault or finding.note
        console.print(f"{mark} {finding.name}" + (f": {escape(said)}" if said else ""), soft_wrap=True)
        healthy = healthy and not finding.fault
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


async def _findings(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    wrong = problems(settings, for_serve=True)
    for problem in wrong:
        yield Finding("Settings", problem)
    if wrong:
        return
    yield Finding("Settings")
    for problem in tracing.problems(os.environ):
        yield Finding("Traces", problem)
    yield await _database(patient)
    yield await _clock(patient)
    if settings.public_url:
        async for finding in _address(settings):
            yield finding
    async with patient.adapters() as adapters:
        for adapter in adapters:
            name = adapter.platform.platform.value.capitalize()
            yield await _tried(name, adapter.check())
            yield await _tried(f"Events from {name}", adapter.knock(settings.public_url))
    if settings.sonarqube_token:
        yield await _sonarqube(patient)


async def _database(patient: Patient) -> Finding:
    try:
        there, newest, known = await patient.tables()
    except StoreUnavailable:
        fault = "does not answer. Check USHER_DATABASE_URL, and that the database is running."
        return Finding("Database", fault)
    if there is None:
        return Finding("Database", note="has no tables yet: `usher serve`, or `usher db upgrade`, makes them.")
    if not known:
        return Finding("Database", note=f"is at {there}, which a newer version of SSO Usher has made. Install that.")
    if there != newest:
        return Finding("Database", note=f"is at {there}: `usher serve` brings it to {newest}. Make a backup first.")
    return Finding("Database")


async def _clock(patient: Patient) -> Finding:
    """By the clock of the first platform that tells its own."""
    settings = patient.settings
    urls = [f"{settings.slack_api_url}api.test"] if settings.has_slack else []
    urls += [settings.teams_openid_metadata_url] if settings.has_teams else []
    for url in urls:
        fault = await clock_fault(url, patient.clock.now())
        if fault is not None:
            return Finding("Clock", fault)
    return Finding("Clock", note="nobody told the time, so it was not compared.")


async def _address(settings: Settings) -> AsyncIterator[Finding]:
    fault = await address_fault(settings.public_url, about.PAGE)
    yield Finding("Public address", fault)
    if not fault and not is_loopback_url(settings.public_url) and await is_open_to_everybody(settings.public_url):
        yield Finding("Metrics", "are shown to everybody: let the proxy pass on only what docs/security.md lists.")


async def _tried(name: str, check: Awaitable[None]) -> Finding:
    try:
        await check
    except PlatformUnavailable as failure:
        return Finding(name, str(failure))
    return Finding(name)


async def _sonarqube(patient: Patient) -> Finding:
    settings = patient.settings
    api = SonarQubeApi(settings.sonarqube_token.get_secret_value(), patient.clock, settings.sonarqube_api_url)
    try:
        await api.check()
    except SonarQubeUnavailable as failure:
        return Finding("SonarQube Cloud", str(failure))
    finally:
        await api.close()
    return Finding("SonarQube Cloud")
