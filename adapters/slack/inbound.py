"""The door for Slack: a signed request or a Socket Mode envelope in, the engine's decision, an acknowledgement out.

The engine commits before anything is acknowledged: a crash in between makes Slack deliver the event again, and the
inbox knows it by its id.
"""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.background import Background
from adapters.slack import payloads
from adapters.slack.install import Install, Installation
from adapters.slack.paging import Patience
from adapters.slack.payloads import Malformed, Place
from adapters.slack.people import People
from adapters.slack.replies import Replies
from adapters.slack.web_api import ApiFailed, WebApi, sdk_log
from bot.events import Event
from bot.model import Person
from bot.ports import Clock, Handle, StoreUnavailable
from bot.readers import reader_of
from bot.secrets import holds_secret
from bot.transition import Reply

log = structlog.get_logger(__name__)

# Bytes. Slack names no limit for its requests; the bot's largest form, filled to the last character, stays far below.
MAX_BODY = 1024 * 1024
# Slack waits for three seconds; the engine may take two of them.
ASK_WHO_WITHIN = 0.8  # seconds
ANYTHING = re.compile(r"[\s\S]*")
_TIMESTAMP = re.compile(r"\d{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Actor:
    """Who did something, and whether Slack has told it."""

    person: Person
    is_known: bool


class Inbound:
    """Bolt's listeners. `app` is bolt's application, `serve` the handler of POST /slack/events."""

    def __init__(
        self,
        *,
        signing_secret: str,
        api: WebApi,
        install: Install,
        people: People,
        replies: Replies,
        background: Background,
        handle: Handle,
        clock: Clock,
        ask_who_within: float = ASK_WHO_WITHIN,
    ) -> None:
        self._api = api
        self._install = install
        self._people = people
        self._replies = replies
        self._background = background
        self._handle = handle
        self._clock = clock
        self._ask_who_within = ask_who_within

        async def authorize() -> AuthorizeResult:
            # From memory, where bolt's own would ask Slack with each request. No method: bolt would pass it `self`.
            return self._authorization()

        self.app = AsyncApp(
            name="sso-usher",
            # Without a secret (Socket Mode) there is no route to forge requests to; bolt's checker wants one anyway.
            signing_secret=signing_secret or "none",
            client=api.client(),
            before_authorize=self._only_this_workspace,
            authorize=authorize,
            process_before_response=True,
            logger=sdk_log,
        )
        self._listen()

    def _listen(self) -> None:
        self.app.command(ANYTHING)(self._on_command)
        self.app.action(ANYTHING)(self._on_action)
        self.app.view(ANYTHING)(self._on_submission)
        self.app.view_closed(ANYTHING)(_acknowledge)
        self.app.event(ANYTHING)(self._on_event)
        self.app.error(_on_error)

    async def serve(self, request: web.Request) -> web.Response:
        """The answer to POST /slack/events: as `read` refuses it, 401 not signed by Slack, 403 another workspace, 503
        the database does not answer (Slack delivers again).
        """
        received = await read(request)
        return received if isinstance(received, web.Response) else await self.answer(received)

    async def answer(self, received: AsyncBoltRequest) -> web.Response:
        """Bolt checks the signature."""
        return await to_aiohttp_response(await self.app.async_dispatch(received))

    async def _only_this_workspace(
        self,
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002  # bolt passes arguments by name
    ) -> BoltResponse:
        here = self._install.current
        if here is None:
            return BoltResponse(status=503, body="")
        if context.team_id is not None and context.team_id != here.team_id:
            return BoltResponse(status=403, body="")
        return await next()

    def _authorization(self) -> AuthorizeResult:
        here = self._here()
        return AuthorizeResult(
            enterprise_id=None,
            team_id=here.team_id,
            bot_token=self._api.token,
            bot_id=here.bot_id,
            bot_user_id=here.bot_user_id,
        )

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        here = self._here()
        place = payloads.command_place(body)
        actor = await self._actor(here, place)
        reply = await self._tell(payloads.command(body, here.workspace_id, place, actor.person), actor)
        await ack(**self._replies.to_command(reply, place, reader_of(actor.person, reply)))

    async def _on_action(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        here = self._here()
        place = payloads.interaction_place(body)
        actor = await self._actor(here, place)
        event = payloads.button(body, here.workspace_id, place, actor.person)
        if event is not None:
            reply = await self._tell(event, actor)
            self._replies.to_button(reply, place, reader_of(actor.person, reply))
        await ack()

    async def _on_submission(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        here = self._here()
        place = payloads.interaction_place(body)
        actor = await self._actor(here, place)
        reply = await self._tell(payloads.submission(body, here.workspace_id, place, actor.person), actor)
        await ack(**self._replies.to_submission(reply, place, reader_of(actor.person, reply)))

    async def _on_event(self, body: dict[str, Any]) -> None:
        match payloads.word(payloads.part(body, "event"), "type"):
            case "message":
                await self._on_message(body)
            case "app_home_opened":
                await self._on_home(body)
            case "app_uninstalled" | "tokens_revoked":
                await self._install.uninstalled()

    async def _on_message(self, body: dict[str, Any]) -> None:
        here = self._here()
        event = payloads.part(body, "event")
        if event.get("subtype") or event.get("bot_id"):
            return
        place = payloads.event_place(event)
        actor = await self._actor(here, place)
        received = payloads.message(body, here.workspace_id, actor.person)
        if received is not None:
            if holds_secret(received.text):
                received = replace(received, link=await self._permalink(event))
            reply = await self._tell(received, actor)
            self._replies.to_message(reply, place, reader_of(actor.person, reply))

    async def _permalink(self, event: Mapping[str, Any]) -> str:
        """Where the message is, so that its writer finds and deletes it; empty when Slack does not tell soon."""
        where = {"channel": payloads.word(event, "channel"), "message_ts": payloads.word(event, "ts")}
        try:
            async with asyncio.timeout(self._ask_who_within):
                return str((await self._api.call("chat.getPermalink", **where)).data.get("permalink") or "")
        except (ApiFailed, TimeoutError):
            return ""

    async def _on_home(self, body: dict[str, Any]) -> None:
        here = self._here()
        place = payloads.event_place(payloads.part(body, "event"))
        actor = await self._actor(here, place)
        opened = payloads.home_opened(body, here.workspace_id, actor.person)
        if opened is not None:
            reply = await self._tell(opened, actor)
            self._replies.to_message(reply, place, reader_of(actor.person, reply))

    def _here(self) -> Installation:
        here = self._install.current
        if here is None:
            raise StoreUnavailable
        return here

    async def _actor(self, here: Installation, place: Place) -> Actor:
        """Who it is. When Slack does not tell in time, what it told within the last hour. Its answer is waited for in
        the background, so that whoever asks again is known.
        """
        if self._people.fresh(place.user_id) is None:
            asking = self._people.ask(here.workspace_id, place.user_id, Patience(self._clock, waits=0))
            await asyncio.wait({self._background.start(asking)}, timeout=self._ask_who_within)
        known = self._people.trusted(place.user_id)
        person = known.person if known is not None else self._unknown(here, place)
        now = {"channel_id": place.direct_channel, "seen_at": self._clock.now()}
        return Actor(person.model_copy(update=now), known is not None)

    async def _tell(self, event: Event, actor: Actor) -> Reply | None:
        return await self._handle(event if actor.is_known else replace(event, actor_known=False))

    def _unknown(self, here: Installation, place: Place) -> Person:
        """Without an e-mail address: nobody takes this for all that there is to be told (storage/people.py)."""
        return Person(
            id=Person.key(here.workspace_id, place.user_id),
            workspace_id=here.workspace_id,
            user_id=place.user_id,
            name=place.name,
            seen_at=self._clock.now(),
        )


async def read(request: web.Request) -> AsyncBoltRequest | web.Response:
    """The request as bolt has it, its signature not checked yet; or a refusal: 400 not Slack's format, 401 not
    signed, 413 too large, 415 not UTF-8.
    """
    if request.charset not in {None, "utf-8", "UTF-8"}:
        return refusal(415, "charset")
    # Bolt's checker fails, rather than refuses, when these are not even of the right form.
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return refusal(401, "signature")
    try:
        bolt_request = await to_bolt_request(request.clone(client_max_size=MAX_BODY))
        payloads.check_shape(bolt_request.body)
    except web.HTTPRequestEntityTooLarge:
        return refusal(413, "size")
    except (
        Malformed,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        RecursionError,
        web.RequestPayloadError,
    ):
        return refusal(400, "format")
    return bolt_request


async def _acknowledge(ack: AsyncAck) -> None:
    await ack()


async def _on_error(error: Exception, context: AsyncBoltContext, request: AsyncBoltRequest) -> BoltResponse:  # noqa: ARG001
    """What a failed request is answered. Never the error's text, to nobody: it may quote what somebody wrote."""
    if isinstance(error, Malformed):
        log.info("slack.request_refused", status=400, why=str(error))
        return BoltResponse(status=400, body="")
    if isinstance(error, StoreUnavailable):
        return BoltResponse(status=503, body="")
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("slack.request_failed", error=type(error).__name__, at=places)
    return BoltResponse(status=500, body="")


def refusal(status: int, what: str) -> web.Response:
    """A no without a reason that would help a forger."""
    log.info("slack.request_refused", status=status, why=what)
    return web.json_response({"ok": False, "error": what}, status=status)
