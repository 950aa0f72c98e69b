import asyncio

import aiohttp
import pytest

from adapters.playground.teams import TeamsEmulator
from adapters.playground.teams.faults import Fault
from tests.playground.teams.small_bot import SmallBot


@pytest.mark.parametrize("status", [412, 429, 500, 502, 503, 504])
async def test_the_next_call_is_refused(teams: TeamsEmulator, bot: SmallBot, status: int) -> None:
    chat = await bot.meets("adele")
    teams.faults.answer("send", status, retry_after=7)
    path = f"conversations/{chat}/activities"
    got, body, headers = await bot.calls_whole("POST", path, {"text": "hello"})
    assert got == status
    assert body["error"]["code"]
    assert headers.get("Retry-After") == ("7" if status == 429 else None)
    assert teams.person("adele").chat == []
    assert (await bot.writes(chat, "hello"))[0] == 201


async def test_a_reset_before_acceptance_loses_the_message(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.faults.reset_before_acceptance("send")
    with pytest.raises(aiohttp.ClientError):
        await bot.writes(chat, "hello")
    assert teams.person("adele").chat == []
    assert teams.log[-1].status is None


async def test_a_reset_after_acceptance_keeps_the_message(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.faults.reset_after_acceptance("send")
    with pytest.raises(aiohttp.ClientError):
        await bot.writes(chat, "hello")
    assert [each.text for each in teams.person("adele").chat] == ["hello"]


async def test_a_call_that_is_never_answered(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.faults.never_answer("any")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bot.writes(chat, "hello"), 0.1)
    assert teams.person("adele").chat == []


async def test_a_gateways_page_instead_of_json(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.faults.answer_without_json("send", times=2)
    assert [await bot.writes(chat, "hello") for _ in range(2)] == [(200, None)] * 2
    assert (await bot.writes(chat, "hello"))[0] == 201


async def test_a_message_is_accepted_after_the_bot_gave_up(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.faults.accept_late("send", 0.15)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bot.writes(chat, "hello"), 0.05)
    assert teams.person("adele").chat == []
    await teams.until(lambda: teams.person("adele").chat)


async def test_what_happens_sometimes_is_the_same_in_every_run(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.faults.sometimes("send", 0.5, Fault("status", 500))
    first = [(await bot.writes(chat, "hello"))[0] for _ in range(12)]
    teams.faults.random.seed(0)
    assert [(await bot.writes(chat, "hello"))[0] for _ in range(12)] == first
    assert set(first) == {201, 500}
    teams.faults.clear()
    assert (await bot.writes(chat, "hello"))[0] == 201
