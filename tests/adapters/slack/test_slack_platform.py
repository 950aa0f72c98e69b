"""Sending: every way in which a call can end, told apart, with one request each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from adapters.pictures import Pictures
from adapters.playground.slack import faults
from adapters.slack.adapter import SlackAdapter, SlackConfig
from adapters.slack.platform import SlackPlatform
from adapters.slack.web_api import WebApi
from bot.clock import SystemClock
from bot.ports import NeverLeft, Reason, Refused, Sent, Throttled, Unclear
from tests.adapters.slack.slack_things import AFTER, CARD, SAID
from tests.adapters.slack.slack_under_test import SECRET, TOKEN, Engine

POST = "chat.postMessage"


@pytest.fixture
async def adapter(slack, store):
    """One that gives up soon."""
    config = SlackConfig(TOKEN, SECRET, api_url=slack.api_url, time_out=0.4)
    adapter = SlackAdapter(config, Engine(), store, SystemClock())
    await adapter.start()
    yield adapter
    await adapter.stop()


@pytest.fixture
def send(adapter, workspace, person_of):
    async def send(handle="alice", delivery="d-1", message=CARD):
        return await adapter.platform.send(workspace, person_of(handle), message, delivery)

    return send


async def test_a_message_arrives_in_the_direct_message_with_its_delivery_id(send, slack):
    outcome = await send()
    message = slack.person("alice").direct_messages[0]
    assert outcome == Sent(message.channel, message.ts)
    assert message.metadata == {"event_type": "usher_delivery", "event_payload": {"delivery": "d-1"}}
    assert "A paragraph" in message.visible
    assert message.text == "A summary"
    call = slack.calls(POST)[0].args
    assert (call["unfurl_links"], call["unfurl_media"]) == (False, False)


async def test_a_known_channel_is_used(adapter, workspace, slack, person_of):
    channel = slack.world.direct_message(slack.person("alice").id).id
    person = person_of("alice").model_copy(update={"channel_id": channel})
    assert isinstance(await adapter.platform.send(workspace, person, SAID, "d-1"), Sent)
    assert slack.calls(POST)[0].args["channel"] == channel


@pytest.mark.parametrize(
    ("fault", "outcome", "arrived"),
    [
        (faults.rate_limited(7), Throttled(7.0), 0),
        (faults.answers(500), Unclear(Reason.SERVER_ERROR), 0),
        (faults.answers(503, accepted=True), Unclear(Reason.SERVER_ERROR), 1),
        (faults.not_json(accepted=True), Unclear(Reason.SERVER_ERROR), 1),
        (faults.reset_before_acceptance(), Unclear(Reason.CONNECTION_LOST), 0),
        (faults.reset_after_acceptance(), Unclear(Reason.CONNECTION_LOST), 1),
        (faults.never_answers(accepted=True), Unclear(Reason.TIMED_OUT), 1),
        (faults.never_answers(), Unclear(Reason.TIMED_OUT), 0),
    ],
)
async def test_a_fault_is_told_and_not_tried_again(send, slack, fault, outcome, arrived):
    slack.faults.next(POST, fault)
    assert await send() == outcome
    assert len(slack.calls(POST)) == 1
    assert len(slack.person("alice").direct_messages) == arrived


async def test_without_a_connection_nothing_has_left(workspace, person_of):
    for url in ("http://127.0.0.1:9/api/", "http://no-such-host.invalid/api/"):
        api = WebApi(TOKEN, url, 2.0)
        assert await SlackPlatform(api).send(workspace, person_of("alice"), SAID, "d-1") == NeverLeft()
        await api.close()


async def test_tls_with_somebody_else_never_gets_to_send(slack, workspace, person_of):
    api = WebApi(TOKEN, slack.api_url.replace("http:", "https:"), 2.0)
    assert await SlackPlatform(api).send(workspace, person_of("alice"), SAID, "d-1") == NeverLeft()
    assert slack.calls(POST) == []
    await api.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("cannot_dm_bot", Reason.POLICY),
        ("restricted_action", Reason.POLICY),
        ("team_access_not_granted", Reason.POLICY),
        ("is_archived", Reason.POLICY),
        ("channel_not_found", Reason.NOT_FOUND),
        ("not_in_channel", Reason.NOT_IN_CHANNEL),
        ("missing_scope", Reason.MISSING_SCOPE),
        ("msg_too_long", Reason.MESSAGE_REFUSED),
        ("an_error_of_next_year", Reason.MESSAGE_REFUSED),
    ],
)
async def test_a_refusal_has_its_reason(send, slack, error, reason):
    slack.world.refuses_messages[slack.person("alice").id] = error
    assert await send() == Refused(reason)


@pytest.mark.parametrize("error", ["fatal_error", "internal_error", "service_unavailable"])
async def test_slacks_own_faults_are_unclear(send, slack, error):
    slack.world.refuses_messages[slack.person("alice").id] = error
    assert await send() == Unclear(Reason.SERVER_ERROR)


async def test_a_rate_limit_without_a_status_is_one_too(send, slack):
    slack.world.refuses_messages[slack.person("alice").id] = "rate_limited"
    assert isinstance(await send(), Throttled)


async def test_deactivated_people_and_closed_message_tabs_are_refusals(send, slack):
    assert await send("dora") == Refused(Reason.DISABLED)
    slack.world.messages_tab_enabled = False
    assert await send() == Refused(Reason.POLICY)


async def test_a_withdrawn_token_is_told(send, slack):
    slack.credentials.revoked = True
    assert await send() == Refused(Reason.TOKEN_REVOKED)
    slack.credentials.revoked, slack.credentials.inactive = False, True
    assert await send() == Refused(Reason.TOKEN_REVOKED)


# --- updating


async def test_a_message_is_updated_in_place(adapter, workspace, slack, send, person_of):
    sent = await send()
    assert await adapter.platform.update(workspace, person_of("alice"), sent, AFTER) == sent
    assert "What comes after" in slack.person("alice").direct_messages[0].visible
    gone = Sent(sent.channel_id, "1.000001")
    assert await adapter.platform.update(workspace, person_of("alice"), gone, AFTER) == Refused(Reason.NOT_FOUND)


# --- finding


@pytest.fixture
def find(adapter, workspace, person_of):
    async def find(delivery, *, channel=""):
        person = person_of("alice").model_copy(update={"channel_id": channel})
        return await adapter.platform.find(workspace, person, delivery, workspace.installed_at)

    return find


async def test_what_arrived_without_an_answer_is_found(send, find, slack):
    slack.faults.next(POST, faults.reset_after_acceptance())
    await send(delivery="d-lost")
    message = slack.person("alice").direct_messages[0]
    assert await find("d-lost") == Sent(message.channel, message.ts)
    assert await find("d-lost", channel=message.channel) == Sent(message.channel, message.ts)


async def test_what_never_arrived_is_not_found(send, find, slack):
    slack.faults.next(POST, faults.reset_before_acceptance())
    await send(delivery="d-lost")
    await send(delivery="d-other")
    assert await find("d-lost") is None


async def test_all_pages_are_read_before_something_is_declared_lost(send, find, slack):
    first = await send(delivery="d-first")
    alice = slack.person("alice")
    channel = slack.world.direct_message(alice.id)
    for number in range(450):
        slack.world.post(channel, alice.id, f"words {number}")
    assert await find("d-first") == first
    assert len(slack.calls("conversations.history")) == 3
    slack.faults.clear()
    assert await find("d-none") is None


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (faults.rate_limited(3), Throttled(3.0)),
        (faults.answers(500), Unclear(Reason.SERVER_ERROR)),
        (faults.never_answers(), Unclear(Reason.TIMED_OUT)),
    ],
)
@pytest.mark.parametrize("method", ["conversations.open", "conversations.history"])
async def test_a_history_that_cannot_be_read_is_not_an_empty_one(send, find, slack, method, fault, outcome):  # noqa: PLR0917
    await send(delivery="d-1")
    slack.faults.next(method, fault)
    assert await find("d-1") == outcome


async def test_older_messages_are_not_looked_through(send, adapter, workspace, person_of):
    await send(delivery="d-1")
    later = workspace.installed_at + timedelta(hours=1)
    assert await adapter.platform.find(workspace, person_of("alice"), "d-1", later) is None


@pytest.fixture
async def pictures():
    port = unused_port()
    pictures, app = Pictures(f"http://127.0.0.1:{port}", ["k" * 32]), web.Application()
    pictures.add_routes(app)
    async with TestServer(app, port=port):
        yield pictures


async def shows(pictures, slack, workspace, person):
    """What the person sees when a card with charts is sent, and then shown in its place."""
    api = WebApi(TOKEN, slack.api_url)
    platform = SlackPlatform(api, pictures=pictures)
    sent = await platform.send(workspace, person, CARD, "d-1")
    assert await platform.update(workspace, person, sent, CARD) == sent
    await api.close()
    (message,) = slack.person("alice").direct_messages
    return message


async def test_charts_are_pictures_that_slack_fetches(pictures, slack, workspace, person_of):
    message = await shows(pictures, slack, workspace, person_of("alice"))
    assert [block["type"] for block in message.blocks].count("image") == 2
    assert [call.method for call in slack.log if call.method.startswith("chat.")] == [POST, "chat.update"]


async def test_where_slack_cannot_fetch_them_charts_are_words(slack, workspace, person_of):
    nowhere = Pictures(f"http://127.0.0.1:{unused_port()}", ["k" * 32])
    message = await shows(nowhere, slack, workspace, person_of("alice"))
    assert "image" not in [block["type"] for block in message.blocks]
    assert "*2,040* Done" in message.visible
    refused = [call.answer["error"] for call in slack.log if not call.accepted]
    assert refused == ["invalid_blocks", "invalid_blocks"]


async def test_what_is_refused_for_another_reason_is_refused_with_words_too(pictures, slack, workspace, person_of):
    slack.world.refuses_messages[slack.person("alice").id] = "user_disabled"
    platform = SlackPlatform(WebApi(TOKEN, slack.api_url), pictures=pictures)
    assert await platform.send(workspace, person_of("alice"), CARD, "d-1") == Refused(Reason.DISABLED)
