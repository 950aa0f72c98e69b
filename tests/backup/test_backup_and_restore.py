"""A backup is made in the middle of a rollout, and the bot goes on with it on another database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.assembly import assembled
from adapters.playground.demo import Playground
from adapters.playground.slack.faults import accepted_late, rate_limited
from adapters.server import Bot, served
from bot.clock import MovableClock
from bot.model import Delivery, DeliveryKind, DeliveryState, Workspace
from storage.database import Database
from tests.backup.tools import another_database, back_up, restore
from tests.rows import stored
from tests.serve.usher import environment, run
from tests.vendors.story import sets_up

PATIENCE = 60.0
A_WHILE = timedelta(minutes=11)
WAITS = 600  # seconds for which the platforms take nothing more
READY, SENDING, SENT, UNKNOWN = (DeliveryState(each) for each in ("ready", "sending", "sent", "unknown"))


class ImpatientClock(MovableClock):
    """Whoever waits looks at the time again and again: it may have been moved."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.05))


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    playground = Playground(ImpatientClock())
    async with playground.slack.serving(), playground.teams.running():
        yield playground


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def restored_url(database_url: str) -> Iterator[str]:
    with another_database(database_url) as url:
        yield url


@asynccontextmanager
async def bot_on(playground: Playground, url: str) -> AsyncIterator[Bot]:
    """The bot, running, with that database."""
    async with (
        assembled(playground.settings(url), playground.clock) as bot,
        served(bot.application(), "127.0.0.1", 0) as address,
    ):
        playground.point_at(address)
        async with bot.running():
            await bot.ready.wait()
            yield bot


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110  # a database calls nobody
            await asyncio.sleep(0.03)


async def invitations(bot: Bot) -> dict[str, list[DeliveryState]]:
    """The states by platform of all invitations' messages that were not refused."""
    assert isinstance(bot.store, Database)
    platforms = {each.id: each.platform.value for each in await stored(bot.store, Workspace)}
    found: dict[str, list[DeliveryState]] = {"slack": [], "teams": []}
    for each in await stored(bot.store, Delivery):
        if each.kind is DeliveryKind.INVITATION and each.state is not DeliveryState.DEAD:
            found[platforms[each.lane]].append(each.state)
    return found


async def invites_until_the_platforms_are_busy(playground: Playground, bot: Bot) -> None:
    """On both platforms, some get their invitation, and the others wait."""
    slack, teams = playground.slack, playground.teams
    await teams.announce_installations()
    await sets_up(slack)
    olivia, adele = slack.person("olivia"), teams.person("adele")
    await olivia.types("/sso invite @engineering")
    asked = (await slack.until(lambda: [m for m in olivia.direct_messages if _send(m.buttons)], within=PATIENCE))[-1]
    slack.faults.next("chat.postMessage", accepted_late(0), times=2)
    slack.faults.next("chat.postMessage", rate_limited(WAITS), times=100)
    await olivia.presses(asked, _send(asked.buttons))
    await adele.types_in("Builds", "@SSO Usher sso invite @build masters")
    await teams.until(lambda: [m for m in adele.chat if _send(m.buttons)], PATIENCE)
    teams.faults.accept_late("send", 0)
    teams.faults.answer("send", 429, retry_after=WAITS, times=100)
    await adele.presses([m for m in adele.chat if _send(m.buttons)][-1], "Yes, go ahead")

    async def busy() -> bool:
        return all({*states} == {READY, SENT} for states in (await invitations(bot)).values())

    await until(busy)


def _send(labels: object) -> str:
    assert isinstance(labels, list | tuple | dict)
    return next((each for each in labels if each.startswith("Send to ")), "")


def _again(labels: object) -> str:
    assert isinstance(labels, list | tuple | dict)
    return next((each for each in labels if each.startswith("Send ") and each.endswith(" again")), "")


async def goes_on(playground: Playground, bot: Bot) -> None:
    """The platforms take messages again, and everything is sent or asked for that can be."""
    playground.slack.faults.clear()
    playground.teams.faults.clear()
    playground.clock.move(A_WHILE)

    async def settled() -> bool:
        states = await invitations(bot)
        return {*states["slack"]} == {SENT} and {*states["teams"]} <= {SENT, UNKNOWN}

    await until(settled)


async def restored(playground: Playground, backup: Path, url: str, cwd: Path) -> str:
    """As docs/operations.md says; returns what `usher db restored` says."""
    restore(backup, url)
    ended = await run("db", "restored", env=environment(playground.settings(url)), cwd=cwd)
    assert ended.code == 0, ended.err
    return ended.out


def invited_on_slack(playground: Playground) -> Counter[str]:
    """How many invitations each delivery has become."""
    messages = [each for channel in playground.slack.world.channels.values() for each in channel.messages]
    return Counter(
        each.metadata["event_payload"]["delivery"]
        for each in messages
        if each.metadata and "I have a problem" in str(each.blocks)
    )


def invited_on_teams(playground: Playground) -> Counter[str]:
    """How many invitations each person has."""
    people = [playground.teams.person(key) for key in playground.teams.tenant.accounts]
    return Counter(
        person.account.key for person in people for each in person.chat if "I have a problem" in each.buttons
    )


async def test_the_bot_goes_on_with_a_backup_from_the_middle_of_a_rollout(
    playground: Playground, database_url: str, restored_url: str, backup: Path, tmp_path: Path
) -> None:
    """Nothing was sent since. Slack says so and gets the rest; in Teams the admin sends the rest again."""
    async with bot_on(playground, database_url) as bot:
        await invites_until_the_platforms_are_busy(playground, bot)
        back_up(database_url, backup)
    on_slack, on_teams = invited_on_slack(playground), invited_on_teams(playground)

    said = await restored(playground, backup, restored_url, tmp_path)
    async with bot_on(playground, restored_url) as bot:
        await goes_on(playground, bot)
        states = await invitations(bot)
        waiting = len(states["slack"]) - len(on_slack) + states["teams"].count(UNKNOWN)
        assert f"{waiting} messages" in said
        assert set(invited_on_slack(playground).values()) == {1}
        assert len(invited_on_slack(playground)) == len(states["slack"]) > len(on_slack)
        assert invited_on_teams(playground) == on_teams

        adele = playground.teams.person("adele")
        await adele.types("sso status")
        await playground.teams.until(lambda: _again(adele.chat[-1].buttons), PATIENCE)
        await adele.presses(adele.chat[-1], "Yes, go ahead")
        await goes_on(playground, bot)

        async def everybody_has_it() -> bool:
            return {*(await invitations(bot))["teams"]} == {SENT}

        await until(everybody_has_it)
        assert set(invited_on_teams(playground).values()) == {1}


async def test_nobody_is_written_to_twice_after_an_older_backup_was_restored(
    playground: Playground, database_url: str, restored_url: str, backup: Path, tmp_path: Path
) -> None:
    async with bot_on(playground, database_url) as bot:
        await invites_until_the_platforms_are_busy(playground, bot)
        back_up(database_url, backup)
        await goes_on(playground, bot)
    on_slack, on_teams = invited_on_slack(playground), invited_on_teams(playground)
    assert {*on_slack.values(), *on_teams.values()} == {1}

    await restored(playground, backup, restored_url, tmp_path)
    async with bot_on(playground, restored_url) as bot:
        await goes_on(playground, bot)
        assert (invited_on_slack(playground), invited_on_teams(playground)) == (on_slack, on_teams)
        states = await invitations(bot)
        assert {*states["slack"]} == {SENT}
        assert UNKNOWN in states["teams"]
        alice = playground.slack.person("alice")
        await alice.presses(alice.direct_messages[-1], "I can see my organizations")
        await playground.slack.until(lambda: "I can see my organizations" not in alice.direct_messages[-1].buttons)
