import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from botbuilder.core import MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Activity, Attachment, ConversationReference, InvokeResponse
from botbuilder.schema.teams import (
    TaskModuleContinueResponse,
    TaskModuleMessageResponse,
    TaskModuleRequest,
    TaskModuleResponse,
    TaskModuleTaskInfo,
)

from adapters.teams.authentication import TeamsAuthentication
from adapters.teams.cloud_adapter import TeamsCloudAdapter, answer_invoke
from adapters.teams.connector import Connector
from adapters.teams.signing_keys import SigningKeys
from tests.adapters.teams.microsoft_fake import APP_ID, SECOND_KEY, TENANT, Microsoft

CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Schön"}]}
CARD_ANSWER = {"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": CARD}


class Bot(TeamsActivityHandler):  # type: ignore[misc]
    """A bot on the SDK's own handler: it echoes, and answers the invokes that Teams sends."""

    def __init__(self) -> None:
        self.turns: list[Activity] = []

    async def on_turn(self, turn_context: TurnContext) -> None:
        self.turns.append(turn_context.activity)
        await super().on_turn(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        text = turn_context.activity.text
        if text == "fail":
            raise RuntimeError("ana@example.com wrote something private")
        if text == "forbidden":
            raise PermissionError("no token for this")
        if text == "echo":
            sent = await turn_context.send_activity("you said echo")
            assert sent.id == "activity-1"
        if text == "slow echo":
            await turn_context.send_activity("you said slow echo")

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse | None:
        if turn_context.activity.name == "adaptiveCard/action":
            answer_invoke(turn_context, CARD_ANSWER)
            return None
        if turn_context.activity.name == "not/json":
            return InvokeResponse(status=200, body={"value": object()})
        if turn_context.activity.name == "model/body":
            return InvokeResponse(status=200, body=TaskModuleResponse(task=TaskModuleMessageResponse(value="done")))
        return await super().on_invoke_activity(turn_context)

    async def on_teams_task_module_fetch(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        card = Attachment(content_type="application/vnd.microsoft.card.adaptive", content=CARD)
        return TaskModuleResponse(
            task=TaskModuleContinueResponse(value=TaskModuleTaskInfo(title="Set up", card=card))
        )

    async def on_teams_task_module_submit(
        self, turn_context: TurnContext, task_module_request: TaskModuleRequest
    ) -> TaskModuleResponse:
        return TaskModuleResponse(task=TaskModuleMessageResponse(value="Thank you"))


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
def adapter(microsoft: Microsoft, session: ClientSession, connector: Connector, bot: Bot) -> TeamsCloudAdapter:
    keys = SigningKeys(session, microsoft.metadata_url, min_refresh=0)
    return TeamsCloudAdapter(TeamsAuthentication(APP_ID, TENANT, keys, connector), bot.on_turn)


@pytest.fixture
async def door(adapter: TeamsCloudAdapter) -> AsyncIterator[TestClient[Any, Any]]:
    app = web.Application()
    app.router.add_post("/api/messages", adapter.process)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def post(door: TestClient[Any, Any], microsoft: Microsoft) -> Callable[..., Any]:
    async def post_activity(activity: Any = None, *, token: str | None = None, **changes: Any) -> ClientResponse:
        document = activity if activity is not None else microsoft.activity(**changes)
        headers = {"Authorization": f"Bearer {token or microsoft.token()}"}
        return await door.post("/api/messages", json=document, headers=headers)

    return post_activity


# Who gets in


async def test_a_message_from_teams_becomes_a_turn(post: Callable[..., Any], bot: Bot) -> None:
    response = await post()

    assert response.status == 200
    assert await response.read() == b""
    [turn] = bot.turns
    assert turn.text == "sso status"
    assert turn.conversation.tenant_id == TENANT  # which the SDK's own parser drops
    assert turn.from_property.aad_object_id == "ana-object-id"


async def test_a_request_without_a_token_is_unauthorized(
    door: TestClient[Any, Any], microsoft: Microsoft, bot: Bot
) -> None:
    response = await door.post("/api/messages", json=microsoft.activity())

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert await response.json() == {"error": {"code": "Unauthorized"}}
    assert bot.turns == []


def nested(depth: int) -> str:
    deep = base64.urlsafe_b64encode(b'{"x":' + b"[" * depth).decode().rstrip("=")
    return f"{deep}.e30.x"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda _: "rubbish", id="not a JWT"),
        pytest.param(lambda _: nested(4000), id="a header nested too deep"),
        pytest.param(lambda m: m.token(signed_with=SECOND_KEY), id="forged"),
        pytest.param(lambda m: m.token(key="unheard-of", signed_with=SECOND_KEY), id="unknown key"),
        pytest.param(lambda m: m.token(exp=1), id="expired"),
        pytest.param(lambda m: m.token(aud="another"), id="for another bot"),
        pytest.param(lambda m: m.token(iss="another"), id="another issuer"),
        pytest.param(lambda m: m.token(serviceurl="https://another/"), id="another service address"),
        pytest.param(lambda m: m.token(algorithm="none", signed_with=""), id="no signature"),
        pytest.param(lambda m: m.token(algorithm="HS256", signed_with="x" * 32), id="HS256"),
    ],
)
async def test_a_bad_token_is_unauthorized_and_no_turn_runs(
    post: Callable[..., Any], microsoft: Microsoft, bot: Bot, token: Callable[[Microsoft], str]
) -> None:
    assert (await post(token=token(microsoft))).status == 401
    assert bot.turns == []


async def test_a_channel_that_the_key_does_not_vouch_for_is_unauthorized(
    post: Callable[..., Any], microsoft: Microsoft
) -> None:
    microsoft.endorsements = []

    assert (await post()).status == 401


async def test_a_rotated_key_is_found(post: Callable[..., Any], microsoft: Microsoft) -> None:
    assert (await post()).status == 200
    microsoft.keys = {"second": SECOND_KEY}

    assert (await post(token=microsoft.token(key="second"))).status == 200


async def test_another_tenant_is_forbidden(post: Callable[..., Any], bot: Bot) -> None:
    assert (await post(channelData={"tenant": {"id": "another"}})).status == 403
    assert bot.turns == []


async def test_while_the_keys_cannot_be_read_the_caller_is_asked_to_come_back(
    post: Callable[..., Any], microsoft: Microsoft, bot: Bot
) -> None:
    microsoft.metadata_status = 500

    response = await post()

    assert response.status == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert bot.turns == []


def test_an_empty_app_id_stops_the_start(microsoft: Microsoft, connector: Connector, bot: Bot) -> None:
    with pytest.raises(ValueError, match="USHER_TEAMS_APP_ID is empty"):
        TeamsCloudAdapter(TeamsAuthentication("", TENANT, keys=None, connector=connector), bot.on_turn)  # type: ignore[arg-type]


# What is not an activity


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"message"',
        b"{}",
        b'{"type": 5}',
        b'{"type": ""}',
        b'{"type": "message", "conversation": "a:1"}',
        b'{"type": "message", "timestamp": "yesterday"}',
        b'{"type": "message", "entities": 5}',
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_not_an_activity_is_a_bad_request_whoever_sends_it(
    door: TestClient[Any, Any], bot: Bot, body: bytes
) -> None:
    response = await door.post("/api/messages", data=body, headers={"Content-Type": "application/json"})

    assert response.status == 400
    assert bot.turns == []


@pytest.mark.parametrize("depth", [300, 600, 900, 1500])
async def test_a_value_nested_deep_is_served_or_refused_and_never_our_fault(
    door: TestClient[Any, Any], microsoft: Microsoft, depth: int
) -> None:
    body = json.dumps(microsoft.activity(value="here")).replace('"here"', "[" * depth + "]" * depth)
    headers = {"Authorization": f"Bearer {microsoft.token()}", "Content-Type": "application/json"}

    assert (await door.post("/api/messages", data=body, headers=headers)).status in {200, 400}


async def test_an_activity_without_a_conversation_is_a_bad_request(post: Callable[..., Any], bot: Bot) -> None:
    assert (await post(conversation=None)).status == 400
    assert bot.turns == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_another_media_type_is_unsupported(door: TestClient[Any, Any], content_type: str) -> None:
    response = await door.post("/api/messages", data=b"{}", headers={"Content-Type": content_type})

    assert response.status == 415


async def test_a_body_that_is_too_large_is_refused(door: TestClient[Any, Any], microsoft: Microsoft) -> None:
    headers = {"Authorization": f"Bearer {microsoft.token()}"}
    large = microsoft.activity(text="x" * 600_000)

    assert (await door.post("/api/messages", json=large, headers=headers)).status == 413


async def test_a_body_that_is_not_in_its_encoding_is_a_bad_request(door: TestClient[Any, Any]) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    assert (await door.post("/api/messages", data=b"not gzip", headers=headers)).status == 400


# Invokes


async def test_a_card_action_is_answered_with_its_card(post: Callable[..., Any]) -> None:
    action = {"action": {"type": "Action.Execute", "verb": "confirm", "data": {}}}

    response = await post(type="invoke", name="adaptiveCard/action", value=action)

    assert response.status == 200
    assert response.content_type == "application/json"
    assert await response.json() == CARD_ANSWER


async def test_a_dialog_is_opened(post: Callable[..., Any]) -> None:
    response = await post(type="invoke", name="task/fetch", value={"data": {"step": "name"}})

    assert response.status == 200
    task = (await response.json())["task"]
    assert task["type"] == "continue"
    assert task["value"]["card"]["content"] == CARD


async def test_a_dialog_is_submitted(post: Callable[..., Any]) -> None:
    response = await post(type="invoke", name="task/submit", value={"data": {"name": "ACME"}})

    assert response.status == 200
    assert await response.json() == {"task": {"type": "message", "value": "Thank you"}}


async def test_a_body_of_the_sdks_own_types_becomes_json(post: Callable[..., Any]) -> None:
    response = await post(type="invoke", name="model/body")

    assert await response.json() == {"task": {"type": "message", "value": "done"}}


async def test_an_unknown_invoke_is_not_implemented(post: Callable[..., Any]) -> None:
    response = await post(type="invoke", name="composeExtension/unheardOf", value={})

    assert response.status == 501
    assert await response.read() == b""


# When a turn fails


@pytest.mark.parametrize("text", ["fail", "forbidden"])
async def test_a_failing_turn_is_our_fault_and_its_words_stay_out_of_the_log(
    post: Callable[..., Any], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logged, caplog.at_level(logging.DEBUG):
        response = await post(text=text)

    assert response.status == 500
    [entry] = [entry for entry in logged if entry["event"] == "teams.turn_failed"]
    assert (await response.json())["error"]["incident"] == entry["incident"]
    assert entry["activity_id"] == "1700000000001"
    assert any("on_message_activity" in place for place in entry["at"])
    everything = json.dumps(logged) + caplog.text
    assert "private" not in everything
    assert "no token for this" not in everything


async def test_an_answer_that_is_not_json_is_our_fault(post: Callable[..., Any]) -> None:
    assert (await post(type="invoke", name="not/json")).status == 500


async def test_a_service_that_is_down_makes_the_turn_fail_after_one_attempt(
    post: Callable[..., Any], microsoft: Microsoft
) -> None:
    async def down(request: web.Request) -> web.Response:
        return web.Response(status=503)

    microsoft.connector = down

    assert (await post(text="echo")).status == 500
    assert len(microsoft.calls) == 1


# What a turn sends


async def test_a_reply_goes_to_the_conversation_once(post: Callable[..., Any], microsoft: Microsoft) -> None:
    assert (await post(text="echo")).status == 200

    [call] = microsoft.calls
    assert call.path == "/v3/conversations/a%3Aana/activities/1700000000001"
    assert call.body["text"] == "you said echo"
    assert call.body["replyToId"] == "1700000000001"
    assert call.authorization == "Bearer token-1"


async def test_a_conversation_is_continued_without_a_request_from_teams(
    adapter: TeamsCloudAdapter, microsoft: Microsoft
) -> None:
    async def remind(turn_context: TurnContext) -> None:
        message = MessageFactory.attachment(
            Attachment(content_type="application/vnd.microsoft.card.adaptive", content=CARD)
        )
        message.reply_to_id = None
        await turn_context.send_activity(message)

    reference = TurnContext.get_conversation_reference(Activity().deserialize(microsoft.activity()))
    assert isinstance(reference, ConversationReference)

    await adapter.continue_conversation(reference, remind, APP_ID)

    [call] = microsoft.calls
    assert call.method == "POST"
    assert call.body["attachments"][0]["content"] == CARD


async def test_a_message_is_updated_and_deleted_in_a_turn(
    adapter: TeamsCloudAdapter, microsoft: Microsoft, post: Callable[..., Any]
) -> None:
    async def tidy(turn_context: TurnContext) -> None:
        await turn_context.update_activity(Activity(id="1699", type="message", text="done"))
        await turn_context.delete_activity("1698")

    reference = TurnContext.get_conversation_reference(Activity().deserialize(microsoft.activity()))
    await adapter.continue_conversation(reference, tidy, APP_ID)

    assert [(call.method, call.path.rsplit("/", 1)[-1]) for call in microsoft.calls] == [
        ("PUT", "1699"),
        ("DELETE", "1698"),
    ]


async def test_requests_with_slow_replies_are_served_side_by_side_with_one_token_and_one_key_request(
    post: Callable[..., Any], microsoft: Microsoft
) -> None:
    microsoft.delay = 0.2

    async def status_of(number: int) -> int:
        response = await post(text="slow echo", id=str(number))
        return int(response.status)

    assert set(await asyncio.gather(*(status_of(n) for n in range(20)))) == {200}
    assert microsoft.most_in_flight == 20
    assert microsoft.metadata_reads == 1
    assert len(microsoft.token_requests) == 1
