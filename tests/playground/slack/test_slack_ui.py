"""The JSON API that the playground's page uses."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest


class Page:
    def __init__(self, slack, session):
        self.slack, self.session = slack, session

    async def get(self, path, **query):
        async with self.session.get(f"{self.slack.url}/ui/{path}", params=query) as response:
            return await response.json()

    async def post(self, path, **body):
        if "who" in body:
            body["as"] = body.pop("who")
        async with self.session.post(f"{self.slack.url}/ui/{path}", json=body) as response:
            return response.status, await response.json()


@pytest.fixture
async def page(slack):
    async with aiohttp.ClientSession() as session:
        yield Page(slack, session)


def text(words):
    return {"type": "plain_text", "text": words}


NAME = {
    "type": "input",
    "block_id": "name",
    "label": text("Name"),
    "element": {"type": "plain_text_input", "action_id": "v"},
}
FORM = {"type": "modal", "callback_id": "f", "title": text("Form"), "submit": text("OK"), "blocks": [NAME]}


async def test_the_page_lists_people_and_shows_what_one_of_them_sees(slack, page):
    everybody = await page.get("people")
    assert {each["name"] for each in everybody["people"] if each["can_act"]} >= {"alice", "olivia", "gina"}
    alice = slack.person("alice")
    slack.world.post(slack.channel("general"), slack.world.bot_user_id, "for bob", only_for=slack.person("bob").id)
    state = await page.get("state", **{"as": alice.id})
    assert [each["name"] for each in state["channels"]] == ["general", "random", "partners"]
    assert state["channels"][0]["messages"] == []
    assert state["direct_message"]["is_im"] is True
    assert (state["modal"], state["home"], state["modal_depth"]) == (None, None, 0)


async def test_a_command_a_form_and_a_button_through_the_page(slack, page, bot):
    @bot.app.command("/sso")
    async def open_form(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)
        await ack()

    @bot.app.view("f")
    async def submitted(ack, view, body, client):
        value = view["state"]["values"]["name"]["v"]["value"]
        if value == "bad":
            return await ack(response_action="errors", errors={"name": "No."})
        await ack()
        button = {"type": "button", "text": text("Done"), "action_id": "done"}
        await client.chat_postMessage(
            channel=body["user"]["id"], text=value, blocks=[{"type": "actions", "elements": [button]}]
        )
        return None

    @bot.app.action("done")
    async def done(ack, body):
        bot.heard.append(body["user"]["id"])
        await ack()

    alice = slack.person("alice")
    state = await page.get("state", **{"as": alice.id})
    dm = state["direct_message"]["id"]
    assert await page.post("type", who=alice.id, text="/sso setup", **{"in": dm}) == (
        200,
        {"ok": True, "kind": "command"},
    )
    view = (await page.get("state", **{"as": alice.id}))["modal"]
    assert view["blocks"][0]["block_id"] == "name"

    form = dict(who=alice.id, view=view["id"])
    empty = await page.post("submit", **form, values={})
    assert empty[1]["errors"] == {"name": "Please complete this required field."}
    bad = await page.post("submit", **form, values={"name": {"v": "bad"}})
    assert bad == (200, {"ok": False, "outcome": "errors", "errors": {"name": "No."}})
    assert (await page.get("state", **{"as": alice.id}))["modal_errors"] == {"name": "No."}
    good = await page.post("submit", **form, values={"name": {"v": "good"}})
    assert good == (200, {"ok": True, "outcome": "closed"})

    await slack.until(lambda: alice.direct_messages)
    message = (await page.get("state", **{"as": alice.id}))["direct_message"]["messages"][-1]
    where = {"channel": dm, "ts": message["ts"]}
    pressed = await page.post("press", who=alice.id, where=where, action_id="done")
    assert (pressed, bot.heard) == ((200, {"ok": True}), [alice.id])


async def test_who_presses_while_the_message_is_updated_means_the_button_that_they_saw(slack, page, bot, client):
    @bot.app.action("done")
    async def done(ack, body):
        bot.heard.append(body["message"]["text"])
        await ack()

    alice = slack.person("alice")
    blocks = [{"type": "actions", "elements": [{"type": "button", "text": text("Done"), "action_id": "done"}]}]
    sent = await client.chat_postMessage(channel=alice.id, text="before", blocks=blocks)
    seen = alice.direct_messages[-1].blocks[0]["block_id"]
    await client.chat_update(channel=sent["channel"], ts=sent["ts"], text="after", blocks=blocks)
    assert alice.direct_messages[-1].blocks[0]["block_id"] != seen

    where = {"channel": sent["channel"], "ts": sent["ts"]}
    pressed = await page.post("press", who=alice.id, where=where, action_id="done", block_id=seen)
    assert (pressed, bot.heard) == ((200, {"ok": True}), ["after"])


async def test_closing_and_home_through_the_page(slack, page, bot, client):
    @bot.app.event("app_home_opened")
    async def opened(event, client):
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})

    alice = slack.person("alice")
    await client.views_open(trigger_id=slack.triggers.give(alice.id), view=FORM)
    assert (await page.post("close", who=alice.id, view=alice.modal.id))[1] == {"ok": True}
    assert alice.modal is None
    await page.post("home", who=alice.id, tab="home")
    await slack.until(lambda: alice.home)
    assert (await page.get("state", **{"as": alice.id}))["home"]["type"] == "home"


async def test_the_page_hears_of_changes(slack, page):
    alice = slack.person("alice")
    state = await page.get("state", **{"as": alice.id})
    later = asyncio.create_task(page.get("state", **{"as": alice.id, "after": str(state["version"]), "wait": "5"}))
    async with page.session.get(f"{slack.url}/ui/events") as stream:
        assert (await stream.content.readline()).startswith(b'data: {"version": ')
        await stream.content.readline()
        slack.world.post(slack.channel("general"), alice.id, "news")
        line = await asyncio.wait_for(stream.content.readline(), 1)
    assert line.decode().strip() == f'data: {{"version": {slack.world.version}}}'
    assert (await asyncio.wait_for(later, 1))["version"] > state["version"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("type", {"who": "U404", "in": "C1", "text": "x"}),
        ("type", {"who": "alice", "in": "C404", "text": "x"}),
        ("type", {"who": "alice"}),
        ("press", {"who": "alice", "where": {"channel": "C1", "ts": "1"}, "action_id": "x"}),
        ("press", {"who": "alice", "where": {"home": True}, "action_id": "x"}),
        ("submit", {"who": "alice", "view": "V404", "values": {}}),
    ],
)
async def test_what_cannot_be_done_is_said(slack, page, path, body):
    who = slack.person("alice").id if body["who"] == "alice" else body["who"]
    status, answer = await page.post(path, **{**body, "who": who})
    assert (status, answer["ok"]) == (400, False)
    assert answer["error"]
