import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import unused_port

from adapters.teams.connector import Connector
from adapters.teams.connector_error import ConnectorError, Outcome
from adapters.teams.credentials import BotCredentials
from adapters.teams.service_url import SERVICE_HOSTS, ServiceUrlRefused, check_service_url
from adapters.teams.turn_connector import TurnConnectorFactory
from tests.adapters.teams.microsoft_fake import APP_ID, TENANT, Handler, Microsoft

CHANNEL = "19:abc@thread.tacv2;messageid=1"
HELLO = {"type": "message", "text": "hello"}


def answering(status: int, body: object = None, headers: dict[str, str] | None = None) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    return handler


async def reset(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def failure(call: Awaitable[object]) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        await call
    return raised.value


# What goes over the wire


async def test_a_personal_conversation_is_created_for_one_member_of_the_tenant(
    connector: Connector, microsoft: Microsoft
) -> None:
    microsoft.connector = answering(201, {"id": "a:new", "activityId": "x"})

    created = await connector.create_personal_conversation(microsoft.service_url, TENANT, APP_ID, "29:ana")

    assert created == "a:new"
    [call] = microsoft.calls
    assert (call.method, call.path) == ("POST", "/v3/conversations")
    assert call.authorization == "Bearer token-1"
    assert call.body == {
        "bot": {"id": f"28:{APP_ID}"},
        "members": [{"id": "29:ana"}],
        "isGroup": False,
        "tenantId": TENANT,
        "channelData": {"tenant": {"id": TENANT}},
    }


async def test_a_message_is_sent_answered_updated_and_deleted(connector: Connector, microsoft: Microsoft) -> None:
    url = microsoft.service_url
    assert await connector.send(url, CHANNEL, HELLO) == "activity-1"
    assert await connector.reply(url, CHANNEL, "a/1", HELLO) == "activity-2"
    assert await connector.update(url, CHANNEL, "1700", HELLO) == "activity-3"
    await connector.delete(url, CHANNEL, "1700")

    quoted = "19%3Aabc%40thread.tacv2%3Bmessageid%3D1"
    assert [(call.method, call.path) for call in microsoft.calls] == [
        ("POST", f"/v3/conversations/{quoted}/activities"),
        ("POST", f"/v3/conversations/{quoted}/activities/a%2F1"),
        ("PUT", f"/v3/conversations/{quoted}/activities/1700"),
        ("DELETE", f"/v3/conversations/{quoted}/activities/1700"),
    ]
    assert microsoft.calls[2].body == {**HELLO, "id": "1700"}


async def test_all_members_are_read_page_after_page(connector: Connector, microsoft: Microsoft) -> None:
    async def pages(request: web.Request) -> web.Response:
        page = int(request.query.get("continuationToken", "p0")[1:])
        token = {"continuationToken": f"p{page + 1}"} if page < 2 else {}
        return web.json_response({"members": [{"id": f"29:{page}"}], **token})

    microsoft.connector = pages

    members = [member["id"] async for member in connector.members(microsoft.service_url, "19:team", page_size=50)]

    assert members == ["29:0", "29:1", "29:2"]
    assert [call.query for call in microsoft.calls] == [
        {"pageSize": "50"},
        {"pageSize": "50", "continuationToken": "p1"},
        {"pageSize": "50", "continuationToken": "p2"},
    ]


async def test_a_continuation_token_that_repeats_ends_the_reading(connector: Connector, microsoft: Microsoft) -> None:
    microsoft.connector = answering(200, {"members": [{"id": "29:ana"}], "continuationToken": "again"})

    assert len([member async for member in connector.members(microsoft.service_url, "19:team")]) == 2


async def test_a_member_a_team_and_its_channels_are_read(connector: Connector, microsoft: Microsoft) -> None:
    microsoft.connector = answering(200, {"id": "29:ana", "conversations": [{"id": "19:general"}]})
    url = microsoft.service_url

    assert (await connector.member(url, "a:1", "29:ana"))["id"] == "29:ana"
    assert await connector.team(url, "19:team")
    assert await connector.channels(url, "19:team") == [{"id": "19:general"}]
    assert [call.path for call in microsoft.calls] == [
        "/v3/conversations/a%3A1/members/29%3Aana",
        "/v3/teams/19%3Ateam",
        "/v3/teams/19%3Ateam/conversations",
    ]


# What a failure may have done


async def test_a_reset_after_acceptance_is_one_post_and_an_unknown_outcome(
    connector: Connector, microsoft: Microsoft
) -> None:
    await connector.send(microsoft.service_url, "a:1", HELLO)  # so that the connection is a kept one
    microsoft.connector = reset

    failed = await failure(connector.send(microsoft.service_url, "a:1", HELLO))

    assert failed.outcome is Outcome.UNKNOWN
    assert failed.status is None
    assert len(microsoft.calls) == 2


async def test_a_time_out_after_sending_is_one_post_and_an_unknown_outcome(
    session: ClientSession, credentials: BotCredentials, microsoft: Microsoft
) -> None:
    hasty = Connector(session, credentials, allow_loopback=True, timeout=ClientTimeout(total=0.1))
    microsoft.delay = 30

    failed = await failure(hasty.send(microsoft.service_url, "a:1", HELLO))

    assert failed.outcome is Outcome.UNKNOWN
    assert len(microsoft.calls) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_an_answer_that_leaves_it_open_is_unknown(
    connector: Connector, microsoft: Microsoft, status: int
) -> None:
    microsoft.connector = answering(status)

    failed = await failure(connector.send(microsoft.service_url, "a:1", HELLO))

    assert (failed.outcome, failed.status) == (Outcome.UNKNOWN, status)
    assert len(microsoft.calls) == 1


@pytest.mark.parametrize("status", [302, 400, 403, 404, 412, 413])
async def test_a_no_is_a_refusal_with_its_code(connector: Connector, microsoft: Microsoft, status: int) -> None:
    error = {"error": {"code": "ConversationBlockedByUser", "message": "Ana blocked it"}}
    microsoft.connector = answering(status, error, {"Location": microsoft.url})

    failed = await failure(connector.send(microsoft.service_url, "a:1", HELLO))

    assert (failed.outcome, failed.status) == (Outcome.REFUSED, status)
    assert (failed.code, failed.detail) == ("ConversationBlockedByUser", "Ana blocked it")
    assert "Ana" not in str(failed)
    assert len(microsoft.calls) == 1


IN_AN_HOUR = "in an hour, as a date"


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("-3", 0, 0),
        (IN_AN_HOUR, 3500, 3601),
        ("soon", None, None),
        ("inf", None, None),
        (None, None, None),
    ],
    ids=["seconds", "negative", "date", "word", "infinite", "absent"],
)
async def test_the_wait_that_the_service_asks_for_is_passed_on(
    connector: Connector, microsoft: Microsoft, header: str | None, least: float | None, most: float | None
) -> None:
    if header == IN_AN_HOUR:
        header = formatdate(time.time() + 3600, usegmt=True)
    microsoft.connector = answering(429, {}, {"Retry-After": header} if header else None)

    failed = await failure(connector.send(microsoft.service_url, "a:1", HELLO))

    assert (failed.outcome, failed.status) == (Outcome.REFUSED, 429)
    if least is None or most is None:
        assert failed.retry_after is None
    else:
        assert failed.retry_after is not None
        assert least <= failed.retry_after <= most


async def test_what_never_reached_the_service_says_so(connector: Connector, microsoft: Microsoft) -> None:
    nobody = f"http://127.0.0.1:{unused_port()}/"

    refused = await failure(connector.send(nobody, "a:1", HELLO))
    without_tls = await failure(connector.send(microsoft.service_url.replace("http:", "https:"), "a:1", HELLO))

    assert refused.outcome is Outcome.NEVER_LEFT
    assert without_tls.outcome is Outcome.NEVER_LEFT
    assert microsoft.calls == []


async def test_without_a_token_nothing_leaves(connector: Connector, microsoft: Microsoft) -> None:
    microsoft.token_answer = (401, {"error": "invalid_client"})

    failed = await failure(connector.send(microsoft.service_url, "a:1", HELLO))

    assert (failed.outcome, failed.code) == (Outcome.NEVER_LEFT, "invalid_client")
    assert microsoft.calls == []


async def test_a_token_that_the_service_rejects_is_not_used_again(connector: Connector, microsoft: Microsoft) -> None:
    microsoft.connector = answering(401, {})
    assert (await failure(connector.send(microsoft.service_url, "a:1", HELLO))).status == 401

    microsoft.connector = None
    await connector.send(microsoft.service_url, "a:1", HELLO)

    assert [call.authorization for call in microsoft.calls] == ["Bearer token-1", "Bearer token-2"]


async def test_an_accepted_message_counts_as_sent_even_without_a_readable_answer(
    connector: Connector, microsoft: Microsoft
) -> None:
    async def cut_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"id"')
        assert request.transport is not None
        request.transport.close()
        return response

    for handler in (answering(201), answering(202, {}), cut_off):
        microsoft.connector = handler
        assert await connector.send(microsoft.service_url, "a:1", HELLO) == ""


@pytest.mark.parametrize(
    "call",
    [
        lambda connector, url: connector.member(url, "a:1", "29:ana"),
        lambda connector, url: connector.create_personal_conversation(url, TENANT, APP_ID, "29:ana"),
    ],
)
async def test_a_missing_answer_is_an_error_where_one_is_needed(
    connector: Connector, microsoft: Microsoft, call: Callable[[Connector, str], Awaitable[object]]
) -> None:
    microsoft.connector = answering(200)

    assert (await failure(call(connector, microsoft.service_url))).code == "MalformedAnswer"


# Where the bot's token may go


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net:443/teams",
        "https://webchat.botframework.com/",
        "https://smba.infra.gcc.teams.microsoft.com/teams",
    ],
)
def test_microsofts_hosts_may_have_it(url: str) -> None:
    assert str(check_service_url(url, SERVICE_HOSTS, allow_loopback=False)) == url.rstrip("/").replace(":443", "")


@pytest.mark.parametrize(
    "url",
    [
        "http://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net:8443/",
        "https://stranger.trafficmanager.net/",
        "https://smba.trafficmanager.net.stranger.example/",
        "https://smba.trafficmanager.net@stranger.example/",
        "https://botframework.com.stranger.example/",
        "https://stranger.example/?x=.botframework.com",
        "https://smba.trafficmanager.net/#x",
        "http://127.0.0.1:3978/",
        "https://localhost/",
        "ftp://smba.trafficmanager.net/",
        "https://",
        "",
        "//smba.trafficmanager.net/",
        "https://[::1/",
    ],
)
def test_a_strangers_host_may_not(url: str) -> None:
    with pytest.raises(ServiceUrlRefused):
        check_service_url(url, SERVICE_HOSTS, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3978/teams", "http://localhost:1/x", "http://[::1]:1/x"])
def test_loopback_may_when_it_is_allowed(url: str) -> None:
    assert str(check_service_url(url, (), allow_loopback=True)) == url


async def test_a_strangers_host_gets_no_request(
    session: ClientSession, credentials: BotCredentials, microsoft: Microsoft
) -> None:
    strict = Connector(session, credentials)

    failed = await failure(strict.send(microsoft.service_url, "a:1", HELLO))

    assert (failed.outcome, failed.code) == (Outcome.NEVER_LEFT, "ServiceUrlRefused")
    assert microsoft.calls == microsoft.token_requests == []


@pytest.mark.parametrize("identifier", ["", ".", ".."])
async def test_an_id_cannot_lead_to_another_path(connector: Connector, microsoft: Microsoft, identifier: str) -> None:
    assert (await failure(connector.send(microsoft.service_url, identifier, HELLO))).code == "MalformedId"
    assert microsoft.calls == []


# Many at once


async def test_sends_to_a_slow_service_run_side_by_side(connector: Connector, microsoft: Microsoft) -> None:
    microsoft.delay = 0.2

    started = time.monotonic()
    await asyncio.gather(*(connector.send(microsoft.service_url, f"a:{n}", HELLO) for n in range(60)))

    assert microsoft.most_in_flight == 60
    assert time.monotonic() - started < 6  # one after another takes 12 s
    assert len(microsoft.token_requests) == 1


async def test_the_event_loop_goes_on_while_the_service_is_slow(connector: Connector, microsoft: Microsoft) -> None:
    microsoft.delay = 0.3
    beats = 0
    sending = asyncio.create_task(connector.send(microsoft.service_url, "a:1", HELLO))
    while not sending.done():
        await asyncio.sleep(0.01)
        beats += 1

    assert await sending
    assert beats > 5


async def test_the_sdk_gets_one_client_for_each_service_url(connector: Connector) -> None:
    factory = TurnConnectorFactory(connector)

    first = await factory.create("https://smba.trafficmanager.net/emea/", "audience")

    assert await factory.create("https://smba.trafficmanager.net/emea/", "audience") is first
    assert await factory.create("https://smba.trafficmanager.net/amer/", "audience") is not first
