"""The database does not answer for five seconds: people are told so in time, and lose nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from time import monotonic

from sqlalchemy import func, select, text

from adapters.assembly import assembled
from adapters.bench.kills.colleagues import OnTeams
from adapters.playground.demo import Playground, playing
from storage.database import create_engine
from storage.tables import DIALOG, INBOX

HELD_UP, IN_TIME = 5.0, 3.0  # seconds
TRY_AGAIN = "try again in a moment"


@asynccontextmanager
async def held_up(database_url: str) -> AsyncIterator[None]:
    """Somebody else holds what every event needs, for five seconds at least."""
    engine = create_engine(database_url)
    async with engine.begin() as connection:  # on SQLite this alone keeps every other writer out
        if engine.dialect.name == "postgresql":
            await connection.execute(text(f"LOCK TABLE {INBOX.name} IN ACCESS EXCLUSIVE MODE"))
        begun = monotonic()
        yield
        await asyncio.sleep(HELD_UP - (monotonic() - begun))
    await engine.dispose()


async def stored(database_url: str) -> tuple[int, ...]:
    """How many events are known, and where every dialog stands."""
    engine = create_engine(database_url)
    async with engine.connect() as connection:
        events = await connection.scalar(select(func.count()).select_from(INBOX)) or 0
        versions = await connection.scalars(select(DIALOG.c.version).order_by(DIALOG.c.id))
        found = (events, *versions)
    await engine.dispose()
    return found


async def took(work: Awaitable[object]) -> float:
    begun = monotonic()
    await work
    return monotonic() - begun


async def test_commands_and_cards_are_answered_in_time_and_the_next_click_works(database_url: str) -> None:
    async with playing(assembled, database_url) as (playground, _):
        olivia, adele = playground.slack.person("olivia"), playground.teams.person("adele")
        await OnTeams(adele).says("setup")
        await playground.teams.until(OnTeams(adele).has_form)
        form = adele.chat[-1]
        answers = {"name": "Acme Corp", "enterprise_key": "acme"}
        before = await stored(database_url)

        async with held_up(database_url):
            command = took(olivia.types("/sso setup"))
            invoke = took(adele.presses(form, "Next", answers))
            assert max(await asyncio.gather(command, invoke)) < IN_TIME
            await playground.slack.until(lambda: olivia.whispers)
            assert TRY_AGAIN in olivia.whispers[-1].visible
            assert olivia.modal is None
            assert TRY_AGAIN in told_in_teams(playground)
            assert not adele.errors

        assert await stored(database_url) == before
        await olivia.types("/sso setup")
        await playground.slack.until(lambda: olivia.modal)
        await adele.presses(form, "Next", answers)
        assert "login_url" in adele.chat[-1].inputs


def told_in_teams(playground: Playground) -> str:
    adele = playground.teams.person("adele")
    return "\n".join([*adele.toasts, *(each.words for each in adele.chat[-2:])])
