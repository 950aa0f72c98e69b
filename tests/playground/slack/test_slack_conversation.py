"""A person, Slack and a bolt app talk to each other over loopback, signed."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.playground.slack import NoAnswer, SlackEmulator


def text(words):
    return {"type": "plain_text", "text": words}


def button(label, action_id, **more):
    return {"type": "button", "text": text(label), "action_id": action_id, **more}


def field(label, element, block_id, **more):
    return {"type": "input", "block_id": block_id, "label": text(label), "element": element, **more}


REGIONS = [{"text": text("EU"), "value": "eu"}, {"text": text("US"), "value": "us"}]
FORM = {
    "type": "modal",
    "callback_id": "setup",
    "title": text("Set up"),
    "submit": text("Next"),
    "private_metadata": "step 1",
    "blocks": [
        field("Enterprise name", {"type": "plain_text_input", "action_id": "v", "max_length": 20}, "name"),
        field("Region", {"type": "static_select", "action_id": "v", "options": REGIONS}, "region"),
        field("Admins", {"type": "multi_users_select", "action_id": "v"}, "admins", optional=True),
        field("Mail", {"type": "email_text_input", "action_id": "v"}, "mail", optional=True),
        field("Checks", {"type": "checkboxes", "action_id": "v", "options": REGIONS}, "checks", optional=True),
        field("Deadline", {"type": "datepicker", "action_id": "v"}, "deadline", optional=True),
        field("At", {"type": "datetimepicker", "action_id": "v"}, "at", optional=True),
        field("Time", {"type": "timepicker", "action_id": "v", "initial_time": "09:30"}, "time", optional=True),
    ],
}
SECOND = {**FORM, "callback_id": "second", "title": text("Second"), "blocks": [FORM["blocks"][0]]}


@pytest.fixture
def setup_command(bot):
    @bot.app.command("/sso")
    async def open_form(ack, body, client):
        bot.heard.append(body)
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)
        await ack()


async def test_a_command_arrives_escaped_and_its_answer_is_whispered(slack, bot):
    @bot.app.command("/sso")
    async def listen(ack, command):
        bot.heard.append(command)
        await ack("Heard.")

    alice = slack.person("alice")
    await alice.types(
        "/sso invite @engineering @Bob Baker @chen #general #leads me@example.com https://a.example/?a&b <x",
        channel="#general",
    )

    group, bob, chen = next(iter(slack.world.groups.values())), slack.person("bob"), slack.person("chen")
    general, leads = slack.channel("general"), slack.channel("leads")
    command = bot.heard[0]
    assert command["text"] == (
        f"invite <!subteam^{group.id}|@engineering> <@{bob.id}|bob> <@{chen.id}|chen> <#{general.id}|general> <#{leads.id}|> "
        "<mailto:me@example.com|me@example.com> <https://a.example/?a&amp;b> &lt;x"
    )
    assert (command["user_id"], command["channel_name"], command["team_id"]) == (
        alice.id,
        "general",
        slack.world.team_id,
    )
    assert alice.whispers[-1].text == "Heard."
    assert bob.whispers == []


async def test_an_answer_in_the_channel_is_seen_by_everybody(slack, bot):
    @bot.app.command("/sso")
    async def listen(ack):
        await ack({"response_type": "in_channel", "text": "For all."})

    await slack.person("alice").types("/sso", channel="#general")
    assert slack.person("bob").sees("#general")[-1].text == "For all."


@pytest.mark.parametrize("spoil", ["secret", "clock"])
async def test_a_wrongly_signed_request_is_refused_by_bolt(slack, bot, setup_command, spoil):
    if spoil == "secret":
        slack.bot.signing_secret = "somebody else's"
    else:
        slack.bot.clock_skew = -301
    alice = slack.person("alice")
    await alice.types("/sso setup")
    assert bot.heard == []
    assert "401" in slack.complaints[-1]
    assert alice.whispers[-1].text == '/sso failed with the error "dispatch_failed"'


async def test_a_slow_answer_is_shown_as_slack_does(slack, bot):
    slack.bot.answer_within = 0.1

    @bot.app.command("/sso")
    async def dawdle(ack):
        await asyncio.sleep(0.3)
        await ack()

    alice = slack.person("alice")
    await alice.types("/sso")
    assert alice.whispers[-1].text == '/sso failed with the error "operation_timeout"'


async def test_an_unknown_command_and_an_absent_bot_are_told_by_slackbot(slack):
    slack.bot.bot_url = "http://127.0.0.1:9"
    alice = slack.person("alice")
    await alice.types("/giphy")
    assert "not a valid command" in alice.whispers[-1].text
    await alice.types("/sso")
    assert "dispatch_failed" in alice.whispers[-1].text


async def test_a_modal_is_filled_in_refused_corrected_and_closed(slack, bot, setup_command):
    @bot.app.view("setup")
    async def submitted(ack, view):
        bot.heard.append(view)
        if view["state"]["values"]["name"]["v"]["value"] == "bad":
            await ack(response_action="errors", errors={"name": "Not this one."})
        else:
            await ack()

    alice, bob = slack.person("alice"), slack.person("bob")
    await alice.types("/sso setup")
    assert alice.modal.title == "Set up"
    assert alice.modal.labels[:2] == ["Enterprise name", "Region"]

    incomplete = await alice.submits({"Enterprise name": "bad"})
    assert incomplete.errors == {"region": "Please complete this required field."}
    assert len(bot.heard) == 1, "Slack's own client refused; the bot heard of the command only"

    refused = await alice.submits(
        {"Region": "EU", "Admins": [bob], "checks": ["us"], "deadline": "2026-03-01", "At": 1767225600}
    )
    assert refused.outcome == "errors"
    assert alice.modal.errors == {"name": "Not this one."}

    await alice.submits({"Enterprise name": "Acme"})
    assert alice.modal is None
    view = bot.heard[-1]
    assert view["private_metadata"] == "step 1"
    values = {block: entry["v"] for block, entry in view["state"]["values"].items()}
    assert values == {
        "name": {"type": "plain_text_input", "value": "Acme"},
        "region": {"type": "static_select", "selected_option": REGIONS[0]},
        "admins": {"type": "multi_users_select", "selected_users": [bob.id]},
        "mail": {"type": "email_text_input", "value": None},
        "checks": {"type": "checkboxes", "selected_options": [REGIONS[1]]},
        "deadline": {"type": "datepicker", "selected_date": "2026-03-01"},
        "at": {"type": "datetimepicker", "selected_date_time": 1767225600},
        "time": {"type": "timepicker", "selected_time": "09:30"},
    }


@pytest.mark.parametrize(
    ("answer", "outcome", "titles"),
    [
        (dict(response_action="update", view=SECOND), "updated", ["Second"]),
        (dict(response_action="push", view=SECOND), "pushed", ["Set up", "Second"]),
        (dict(response_action="clear"), "cleared", []),
    ],
)
@pytest.mark.usefixtures("setup_command")
async def test_a_submission_may_update_push_and_clear(slack, bot, answer, outcome, titles):
    @bot.app.view("setup")
    async def submitted(ack):
        await ack(**answer)

    alice = slack.person("alice")
    await alice.types("/sso setup")
    result = await alice.submits({"Enterprise name": "Acme", "Region": "us"})
    assert result.outcome == outcome
    stack = slack.world.modals[alice.id]
    assert [view.title for view in stack] == titles
    if outcome == "updated":
        assert stack[0].values == {("name", "v"): "Acme"}, "what is typed stays where the ids stay"
    if outcome == "pushed":
        assert stack[1].previous_id == stack[1].root_id == stack[0].id


async def test_errors_that_name_no_field_are_trouble(slack, bot, setup_command):
    @bot.app.view("setup")
    async def submitted(ack):
        await ack(response_action="errors", errors={"nowhere": "?"})

    alice = slack.person("alice")
    await alice.types("/sso setup")
    result = await alice.submits({"Enterprise name": "Acme", "Region": "us"})
    assert (result.outcome, alice.modal.trouble) == ("trouble", "We had some trouble connecting. Try again?")
    assert "nowhere" in slack.complaints[-1]


async def test_closing_a_modal_is_told_only_where_the_view_asks_for_it(slack, bot):
    views = iter([FORM, {**FORM, "notify_on_close": True}])

    @bot.app.command("/sso")
    async def open_form(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=next(views))
        await ack()

    @bot.app.view_closed("setup")
    async def closed(ack, body):
        bot.heard.append(body["is_cleared"])
        await ack()

    alice = slack.person("alice")
    await alice.types("/sso")
    await alice.closes()
    assert bot.heard == []
    await alice.types("/sso")
    await alice.closes(clear=True)
    assert bot.heard == [True]
    assert alice.modal is None


async def test_a_button_in_a_direct_message_updates_it_through_the_response_url(slack, bot):
    @bot.app.action("confirm")
    async def confirmed(ack, body, respond):
        await ack()
        bot.heard.append(body)
        await respond("Thanks!", replace_original=True)

    alice, bob = slack.person("alice"), slack.person("bob")
    blocks = [{"type": "actions", "block_id": "b", "elements": [button("I am in", "confirm", value="7")]}]
    metadata = {"event_type": "delivery", "event_payload": {"id": "d1"}}
    await bot.client.chat_postMessage(channel=alice.id, text="Sign in", blocks=blocks, metadata=metadata)
    dm = alice.direct_messages[-1]
    old_copy = dm.snapshot()
    assert dm.buttons == ["I am in"]

    await alice.presses(dm, "I am in")
    await slack.until(lambda: dm.text == "Thanks!")
    assert dm.buttons == []
    body = bot.heard[0]
    action = body["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"]) == ("confirm", "b", "7")
    assert body["message"]["metadata"] == metadata
    assert body["message"]["blocks"] == blocks
    assert body["container"] == {
        "type": "message", "message_ts": dm.ts, "channel_id": dm.channel, "is_ephemeral": False,
    }  # fmt: skip

    await bob.presses(old_copy, "I am in")
    assert (bot.heard[1]["user"]["id"], bot.heard[1]["actions"][0]["value"]) == (bob.id, "7")
    with pytest.raises(LookupError):
        await alice.presses(dm, "I am in")


async def test_a_button_without_an_answer_shows_a_warning(slack, bot):
    alice = slack.person("alice")
    blocks = [{"type": "section", "text": text("?"), "accessory": button("Go", "go")}]
    await bot.client.chat_postMessage(channel=alice.id, text="Sign in", blocks=blocks)
    with pytest.raises(NoAnswer):
        await alice.presses(alice.direct_messages[-1], "Go")
    assert alice.troubles == ["dispatch_failed"]


async def test_a_press_inside_a_modal_carries_what_is_filled_in(slack, bot):
    extra = {"type": "actions", "block_id": "more", "elements": [button("Suggest", "suggest")]}

    @bot.app.command("/sso")
    async def open_form(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view={**FORM, "blocks": [*FORM["blocks"], extra]})
        await ack()

    @bot.app.action("suggest")
    async def suggest(ack, body, client):
        await ack()
        name = body["view"]["state"]["values"]["name"]["v"]["value"]
        await client.views_update(
            view_id=body["view"]["id"], hash=body["view"]["hash"], view={**SECOND, "title": text(f"For {name}")}
        )

    alice = slack.person("alice")
    await alice.types("/sso")
    alice.fills({"Enterprise name": "Acme"})
    await alice.presses(alice.modal, "Suggest")
    await slack.until(lambda: alice.modal.title == "For Acme")


async def test_the_home_view_is_published_when_opened_and_its_buttons_work(slack, bot):
    @bot.app.event("app_home_opened")
    async def opened(event, client):
        home = {"type": "home", "blocks": [{"type": "actions", "elements": [button("Status", "status")]}]}
        await client.views_publish(user_id=event["user"], view=home)

    @bot.app.action("status")
    async def status(ack, body):
        bot.heard.append(body)
        await ack()

    alice = slack.person("alice")
    await alice.opens_home()
    await slack.until(lambda: alice.home)
    await alice.presses(alice.home, "Status")
    assert bot.heard[0]["view"]["type"] == "home"
    assert bot.heard[0]["container"]["type"] == "view"


async def test_a_message_reaches_the_bot_and_a_redelivery_has_the_same_id(slack, bot):
    @bot.app.event("message")
    async def message(event, body):
        bot.heard.append((event["channel_type"], event["text"], body["event_id"]))

    alice = slack.person("alice")
    await alice.types("hello @bob")
    await slack.events.redeliver()
    await slack.until(lambda: len(bot.heard) == 2)
    assert bot.heard[0] == bot.heard[1]
    assert bot.heard[0][:2] == ("im", f"hello <@{slack.person('bob').id}>")
    assert bot.headers[1]["X-Slack-Retry-Num"] == "1"
    assert bot.headers[1]["X-Slack-Retry-Reason"] == "http_timeout"
    assert slack.events.sent[0].outcomes == ["ok", "ok"]


async def test_joining_uninstalling_and_the_url_check(slack, bot, client):
    @bot.app.event("team_join")
    async def joined(event):
        bot.heard.append(event["user"]["name"])

    @bot.app.event("app_uninstalled")
    async def uninstalled():
        bot.heard.append("uninstalled")

    assert await slack.events.verify_url()
    newcomer = slack.add_people(1)[0]
    await slack.events.team_join(newcomer)
    await slack.events.app_uninstalled()
    await slack.until(lambda: bot.heard == ["person-1", "uninstalled"])
    with pytest.raises(SlackApiError, match="account_inactive"):
        await client.auth_test()


async def test_socket_mode_carries_commands_and_answers(slack, bot):
    @bot.app.command("/sso")
    async def listen(ack, command):
        bot.heard.append(command["text"])
        await ack("Over the socket.")

    slack.bot.bot_url = "http://127.0.0.1:9"
    handler = AsyncSocketModeHandler(bot.app, slack.credentials.app_token, web_client=bot.client)
    await handler.connect_async()
    try:
        await slack.until(lambda: slack.socket_mode.connected)
        alice = slack.person("alice")
        await alice.types("/sso help")
        assert (bot.heard, alice.whispers[-1].text) == (["help"], "Over the socket.")
    finally:
        await handler.close_async()


async def test_a_mention_in_a_channel_and_a_button_in_a_whisper(slack, bot, client):
    @bot.app.event("app_mention")
    async def mentioned(event, client):
        blocks = [{"type": "actions", "elements": [button("Mine", "mine")]}]
        await client.chat_postEphemeral(channel=event["channel"], user=event["user"], text="Yes?", blocks=blocks)

    @bot.app.action("mine")
    async def pressed(ack, body, respond):
        await ack()
        bot.heard.append(body)
        await respond(delete_original=True)

    alice = slack.person("alice")
    await alice.types("@SSO Usher are you there?", channel="#general")
    await slack.until(lambda: alice.whispers)
    await alice.presses(alice.whispers[-1], "Mine")
    await slack.until(lambda: not alice.whispers)
    assert bot.heard[0]["container"]["is_ephemeral"] is True
    assert "message" not in bot.heard[0], "an ephemeral message is not stored, so it cannot be sent along"


async def test_the_emulator_may_live_below_another_application():
    slack = SlackEmulator()
    parent = web.Application()
    parent.add_subapp("/emulated/slack", slack.app)
    runner = web.AppRunner(parent, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}/emulated/slack"
    client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)
    assert (await client.auth_test())["ok"]
    await runner.cleanup()
