import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from adapters.playground.teams import TeamsEmulator
from tests.playground.teams.small_bot import CARD, SmallBot, card, execute, says, shows, text, with_card


async def post(teams: TeamsEmulator, bot: SmallBot, path: str, **body: Any) -> tuple[int, Any]:
    async with bot.session.post(f"{teams.public_url}/ui/{path}", json=body) as response:
        return response.status, await response.json()


async def state(teams: TeamsEmulator, bot: SmallBot, key: str) -> Any:
    async with bot.session.get(f"{teams.public_url}/ui/state", params={"as": key}) as response:
        return await response.json()


async def versions(response: aiohttp.ClientResponse) -> AsyncIterator[int]:
    async for line in response.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])["version"]


async def test_the_page_types_and_presses(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    assert (await post(teams, bot, "messages", **{"as": "adele", "conversation": chat, "text": "sso help"}))[0] == 200
    assert bot.heard[0]["text"] == "sso help"
    _, sent = await bot.writes(chat, with_card(card(actions=[execute("Done", "done", a=1)])))
    bot.answer = lambda _: (200, says("Thank you"))
    action = {"type": "Action.Execute", "id": None, "verb": "done", "data": {"a": 1}}
    press = {"as": "adele", "conversation": chat, "message": sent["id"], "action": action, "inputs": {"b": "2"}}
    status, answer = await post(teams, bot, "actions", **press)
    assert (status, answer["status"]) == (200, 200)
    assert bot.heard[1]["value"]["action"]["data"] == {"a": 1, "b": "2"}
    seen = await state(teams, bot, "adele")
    assert seen["version"] == answer["version"]
    assert [each["kind"] for each in seen["conversations"]] == ["personal", "channel", "channel"]
    assert [each["text"] for each in seen["conversations"][0]["messages"]] == ["sso help", ""]
    assert [(each["text"], each["kind"]) for each in seen["toasts"]] == [("Thank you", "message")]
    await post(teams, bot, "toasts/dismiss", **{"as": "adele", "id": seen["toasts"][0]["id"]})
    assert (await state(teams, bot, "adele"))["toasts"] == []


async def test_the_page_shows_a_dialog(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    _, sent = await bot.writes(chat, "hello")
    form = {"contentType": CARD, "content": card(text("Form"))}
    bot.answer = lambda _: (200, {"task": {"type": "continue", "value": {"title": "Setup", "card": form}}})
    action = {"type": "Action.Submit", "data": {"msteams": {"type": "task/fetch"}}}
    await post(
        teams, bot, "actions", **{"as": "adele", "conversation": chat, "message": sent["id"], "action": action}
    )
    assert (await state(teams, bot, "adele"))["dialog"]["title"] == "Setup"
    bot.answer = lambda _: (200, None)
    assert (await post(teams, bot, "dialog/submit", **{"as": "adele", "data": {"a": 1}}))[1]["status"] == 200
    assert bot.heard[-1]["value"]["data"] == {"a": 1}
    assert (await state(teams, bot, "adele"))["dialog"] is None


async def test_the_page_is_told_of_changes_and_its_cards_refresh(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    bot.answer = lambda _: (200, shows(card(text("Fresh"))))
    async with bot.session.get(f"{teams.public_url}/ui/events", params={"as": "adele"}) as response:
        heard = versions(response)
        first = await anext(heard)
        await bot.writes(chat, with_card(card(text("Stale"), refresh={"action": execute("", "refresh")})))
        assert await anext(heard) > first
        await teams.settle()
    assert teams.person("adele").chat[-1].words == "Fresh"


async def test_the_page_installs_and_blocks(teams: TeamsEmulator, bot: SmallBot) -> None:
    for path in ("install", "block"):
        assert (await post(teams, bot, path, **{"as": "isaiah"}))[0] == 200
    me = (await state(teams, bot, "isaiah"))["me"]
    assert (me["installed"], me["blocked"]) == (True, True)
    for path in ("uninstall", "unblock"):
        await post(teams, bot, path, **{"as": "isaiah"})
    me = (await state(teams, bot, "isaiah"))["me"]
    assert (me["installed"], me["blocked"]) == (False, False)


async def test_the_pages_mistakes_are_named(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    assert (await post(teams, bot, "messages", **{"as": "nobody"}))[0] == 404
    assert (await post(teams, bot, "messages", **{"as": "alex", "conversation": chat, "text": "a"}))[0] == 404
    assert (await post(teams, bot, "messages", **{"as": "adele", "conversation": chat, "text": " "}))[0] == 400
    assert (await post(teams, bot, "dialog/submit", **{"as": "adele"}))[0] == 400
    assert (await post(teams, bot, "actions", **{"as": "adele", "conversation": chat, "action": {}}))[0] == 400
