"""The door for Microsoft Teams: one HTTP request in, one turn of the bot, one HTTP answer out.

Microsoft's own web adapter answers forged tokens and task invokes with 500 and builds two slow clients in each
turn. Here reading, authenticating and running the turn are three steps, so that each failure has its own answer.
"""

import json
import traceback
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog
from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.core.cloud_adapter_base import CloudAdapterBase
from botbuilder.schema import Activity, InvokeResponse
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from msrest.serialization import Model

from adapters.teams import posted
from adapters.teams.authentication import TeamsAuthentication, TenantRefused, TokenRejected
from adapters.teams.signing_keys import KeysUnavailable

TurnHandler = Callable[[TurnContext], Awaitable[None]]

# Teams sends at most about 100 KB; the rest is room for what a form may hold.
MAX_BODY = 512 * 1024
_ANSWER = "usher.answer"  # of an invoke, in the turn's state

log = structlog.get_logger(__name__)


class TeamsCloudAdapter(CloudAdapterBase):  # type: ignore[misc]  # the SDK ships no types
    """Runs `on_turn` for each activity that the Bot Framework posts.

    `on_turn` gets the SDK's turn context; it answers an invoke with answer_invoke(). Replies and proactive turns
    go through the connector of `authentication`.
    """

    def __init__(
        self, authentication: TeamsAuthentication, on_turn: TurnHandler, *, max_body: int = MAX_BODY
    ) -> None:
        super().__init__(authentication)
        self._authentication = authentication
        self._on_turn = on_turn
        self._max_body = max_body

    async def process(self, request: web.Request) -> web.Response:
        """The answer to `POST /api/messages`; raises nothing.

        200 done (an invoke: the status and JSON that the turn gave), 400 not an activity, 401 not the Bot
        Framework, 403 another tenant or channel, 413 too large, 415 not JSON, 500 the turn failed, 501 an invoke
        that the bot does not know, 503 the token cannot be judged now.
        """
        try:
            activity = await read_activity(request, self._max_body)
            caller = await self._authenticate(request, activity)
        except Refused as refused:
            log.info("teams.request_refused", status=refused.status, reason=str(refused))
            return web.json_response(
                {"error": {"code": refused.code}}, status=refused.status, headers=refused.headers
            )
        return await self._run(caller, activity)

    async def _authenticate(self, request: web.Request, activity: Activity) -> AuthenticateRequestResult:
        try:
            caller = await self._authentication.authenticate_request(activity, request.headers.get("Authorization"))
        except TokenRejected as error:
            raise Refused(401, "Unauthorized", str(error), {"WWW-Authenticate": "Bearer"}) from error
        except TenantRefused as error:
            raise Refused(403, "Forbidden", str(error)) from error
        except KeysUnavailable as error:
            seconds = str(max(1, round(error.retry_after)))
            raise Refused(503, "ServiceUnavailable", str(error), {"Retry-After": seconds}) from error
        # Told to authenticated callers only: to all others the answer is 401, whatever they send.
        if activity.conversation is None or not activity.conversation.id:
            raise Refused(400, "BadArgument", "the activity has no conversation")
        return caller

    async def _run(self, caller: AuthenticateRequestResult, activity: Activity) -> web.Response:
        answer: InvokeResponse | None = None

        async def turn(context: TurnContext) -> None:
            nonlocal answer
            await self._on_turn(context)
            answer = context.turn_state.get(_ANSWER)

        try:
            result = await self.process_activity(caller, activity, turn)
            return _answer(answer or result)
        except Exception as error:  # noqa: BLE001  # whatever a turn does, the request gets an answer
            incident = uuid4().hex
            # Not the exception's text: it may quote what somebody wrote.
            log.error(  # noqa: TRY400
                "teams.turn_failed",
                incident=incident,
                error=type(error).__name__,
                at=_places(error),
                activity_type=activity.type,
                activity_name=activity.name,
                activity_id=activity.id,
            )
            return web.json_response({"error": {"code": "InternalError", "incident": incident}}, status=500)


def answer_invoke(turn_context: TurnContext, body: object, status: int = 200) -> None:
    """Answer the invoke of this turn with JSON; a `body` of None is no body at all.

    By the SDK's way, an activity that is sent, the body would be copied deeply, and a card has hundreds of parts.
    """
    turn_context.turn_state[_ANSWER] = InvokeResponse(status=status, body=body)


class Refused(Exception):
    """A request that does not become a turn: the HTTP status, an error code for the caller, a reason for the log."""

    def __init__(self, status: int, code: str, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.headers = headers or {}


async def read_activity(request: web.Request, max_body: int = MAX_BODY) -> Activity:
    """The activity in the request's body, at most `max_body` bytes. Raises Refused (400, 413, 415)."""
    if request.content_type != "application/json":
        raise Refused(415, "UnsupportedMediaType", "the body is not application/json")
    body = await _read(request, max_body)
    try:
        return posted.read(body)
    except ValueError as error:
        raise Refused(400, "BadSyntax", "the body is not an activity") from error


async def _read(request: web.Request, max_body: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > max_body:
                raise Refused(413, "RequestTooLarge", "the body is too large")
    except web.RequestPayloadError as error:  # cut off, or not in the encoding that it claims
        raise Refused(400, "BadSyntax", "the body cannot be read") from error
    return bytes(body)


def _answer(result: InvokeResponse | None) -> web.Response:
    """The HTTP answer for what a turn left behind. The body is made JSON here and nowhere else."""
    if result is None:
        return web.Response(status=200)
    if result.body is None:
        return web.Response(status=int(result.status))
    return web.Response(
        status=int(result.status),
        text=json.dumps(result.body, default=_plain),
        content_type="application/json",
    )


def _plain(value: object) -> object:
    if isinstance(value, Model):
        return value.serialize()  # type: ignore[no-untyped-call]  # msrest
    raise TypeError(f"{type(value).__name__} is not JSON")


def _places(error: BaseException) -> list[str]:
    """Where it happened, innermost last: files, functions and lines, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
