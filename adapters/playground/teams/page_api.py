"""The JSON API through which the playground page shows and drives the emulated tenant, under ``/ui``.

Every answer is JSON. A refused request is answered with 400 (404 for an unknown person or conversation) and
``{"error": "one sentence for people"}``. ``PERSON`` is a person's key such as ``adele``.

``GET /ui/people`` -> ``{"people": [Person, ...]}``, in the order in which to offer them.

``GET /ui/state?as=PERSON`` -> what this person's Teams shows::

    {"version": 17, "me": Person, "people": [Person, ...],
     "bot": {"id": "28:...", "name": "SSO Usher"},
     "team": {"id": "19:...", "name": "Engineering"},
     "tags": [{"id": "...", "name": "build masters"}],
     "conversations": [{"id": "a:1...", "kind": "personal" | "channel", "name": "SSO Usher" | "General",
                        "team": null | "Engineering", "messages": [Message, ...]}, ...],   # oldest message first
     "toasts": [{"id": 3, "text": "Thank you", "kind": "message" | "error"}, ...],
     "dialog": null | {"title": "...", "width": "medium" | 600, "height": "small" | 400, "card": AdaptiveCard | null,
                       "url": null | "https://...", "message": null | "plain text", "replyTo": "1700000000000"}}

    Person  = {"key": "adele", "id": "29:...", "name": "Adele Vance", "email": "...", "aadObjectId": "...",
               "timezone": "America/New_York", "locale": "en-US", "guest": false, "disabled": false,
               "installed": true, "blocked": false}
    Message = {"id": "1700000000000", "thread": "1700000000000", "from": {"id": "...", "name": "...", "bot": true},
               "at": "2026-01-05T09:00:00.000Z", "text": "markdown or plain", "textFormat": "markdown" | "plain",
               "card": AdaptiveCard | null, "edited": false, "busy": false, "error": null | "Unable to reach app..."}

``card`` is the card as this very person sees it (the answer to their own press, if there was one). ``thread`` is
the id of the channel post a message belongs to (its own id for a post and in a personal chat). A personal chat is
listed even before its first message. An ``Input.ChoiceSet`` with ``choices.data.dataset``
``graph.microsoft.com/users`` is a people picker: offer ``people`` with ``aadObjectId`` as the value.

``GET /ui/events?as=PERSON`` -> Server-Sent Events: ``data: {"version": 18}`` now and whenever something changed
(``event: message``, so ``onmessage`` gets it). Fetch the state again then. While it is open the person counts as
looking: cards with ``refresh`` ask the bot by themselves.

``POST /ui/messages`` ``{"as": PERSON, "conversation": ID, "text": "@SSO Usher sso help", "thread": null | ID}`` ->
``{"version": n}``. ``@Name`` of the bot, a person, a tag, the team or a channel becomes a mention in a channel; as in
Teams a bot hears a channel message only when it is mentioned itself.

``POST /ui/actions`` presses a button of a message's card; the body is what the renderer's ``onExecuteAction`` gives::

    {"as": PERSON, "conversation": ID, "message": ID,
     "action": {"type": "Action.Execute" | "Action.Submit", "id": null | "...", "verb": null | "...", "data": {...}},
     "inputs": {"input id": "value", ...}}

-> ``{"version": n, "status": 200}`` once the bot has answered (the HTTP status, 504 if it never did). ``data`` may
already contain the inputs (the renderer merges them); ``inputs`` wins. A message that is gone can still be pressed.
``Action.OpenUrl`` is the page's own business.

``POST /ui/dialog/submit`` ``{"as": PERSON, "data": {...}, "inputs": {...}}`` -> ``{"version": n, "status": 200}``.
``POST /ui/dialog/close`` ``{"as": PERSON}`` -> ``{"version": n}``.
``POST /ui/toasts/dismiss`` ``{"as": PERSON, "id": 3}`` -> ``{"version": n}``.
``POST /ui/install``, ``/ui/uninstall``, ``/ui/block``, ``/ui/unblock`` ``{"as": PERSON}`` -> ``{"version": n}``.
``POST /ui/refresh`` ``{"as": PERSON, "conversation": ID}`` -> ``{"version": n}``: the person opens the
conversation, so its cards with ``refresh`` ask the bot.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from adapters.playground.teams.client import TeamsClient
from adapters.playground.teams.page_views import everybody, state_of
from adapters.playground.teams.tenant import Conversation, Json, Tenant


class RequestRefused(Exception):
    """The page asked for something that is not there; the text is for people."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class PageApi:
    """Serves the page's routes for a tenant; ``person`` gives the Teams of the person with a key."""

    def __init__(self, tenant: Tenant, person: Callable[[str], TeamsClient], closing: asyncio.Event) -> None:
        self._tenant = tenant
        self._person = person
        self._closing = closing

    def routes(self) -> list[web.RouteDef]:
        """The routes, ``/ui`` included."""
        gets = {"people": self._people, "state": self._state, "events": self._events}
        posts = {
            "messages": self._type,
            "actions": self._press,
            "dialog/submit": self._send_dialog,
            "dialog/close": self._close_dialog,
            "toasts/dismiss": self._dismiss,
            "install": self._install,
            "uninstall": self._uninstall,
            "block": self._block,
            "unblock": self._unblock,
            "refresh": self._refresh,
        }
        return [
            *(web.get(f"/ui/{path}", _answering(handler)) for path, handler in gets.items()),
            *(web.post(f"/ui/{path}", _answering(self._posted(handler))) for path, handler in posts.items()),
        ]

    def _posted(
        self, handler: Callable[[TeamsClient, Json], Awaitable[Json | None]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body = await request.json()
            except ValueError:
                raise RequestRefused("The body is not JSON.") from None
            if not isinstance(body, dict):
                raise RequestRefused("The body is not a JSON object.")
            more = await handler(self._client(body.get("as")), body) or {}
            return web.json_response({"version": self._tenant.version, **more})

        return handle

    def _client(self, key: object) -> TeamsClient:
        if not isinstance(key, str) or key not in self._tenant.accounts:
            raise RequestRefused(f"There is no person {key}.", 404)
        return self._person(key)

    def _conversation(self, client: TeamsClient, body: Json) -> Conversation:
        conversation = self._tenant.conversations.get(str(body.get("conversation")))
        if conversation is None or client.account not in self._tenant.members(conversation):
            raise RequestRefused("This person has no such conversation.", 404)
        return conversation

    async def _people(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.json_response({"people": everybody(self._tenant)})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        client = self._client(request.query.get("as"))
        return web.json_response(state_of(self._tenant, client))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        client = self._client(request.query.get("as"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        client.looking += 1
        try:
            await self._stream(request, response)
        except ConnectionError:
            pass  # the page was closed
        finally:
            client.looking -= 1
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse) -> None:
        """Write the version at every change; a comment now and then finds out whether the page is still there."""
        with self._tenant.watching() as changed:
            while not self._closing.is_set() and request.transport is not None:
                changed.clear()
                await response.write(b'data: {"version": %d}\n\n' % self._tenant.version)
                while not changed.is_set() and not self._closing.is_set() and request.transport is not None:
                    await self._wait(changed, 1.0)

    async def _wait(self, changed: asyncio.Event, seconds: float) -> None:
        waiting = {asyncio.create_task(each.wait()) for each in (changed, self._closing)}
        _, pending = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    async def _type(self, client: TeamsClient, body: Json) -> None:
        conversation = self._conversation(client, body)
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise RequestRefused("There is nothing to send.")
        if conversation.team is None:
            await client.types(text)
        else:
            await client.types_in(conversation.id, text, body.get("thread"))

    async def _press(self, client: TeamsClient, body: Json) -> Json:
        conversation = self._conversation(client, body)
        action = body.get("action")
        if not isinstance(action, dict) or action.get("type") not in ("Action.Execute", "Action.Submit"):
            raise RequestRefused("Only Action.Execute and Action.Submit are sent to the bot.")
        present = {name: value for name, value in action.items() if value is not None}
        inputs = body.get("inputs") or {}
        delivery = await client.acts(conversation.id, str(body.get("message")), present, inputs)
        return {"status": delivery.status}

    async def _send_dialog(self, client: TeamsClient, body: Json) -> Json:
        if client.dialog is None:
            raise RequestRefused("No dialog is open.")
        delivery = await client.sends_dialog(body.get("data") or {}, body.get("inputs") or {})
        return {"status": delivery.status}

    async def _close_dialog(self, client: TeamsClient, body: Json) -> None:
        del body
        client.closes_dialog()

    async def _dismiss(self, client: TeamsClient, body: Json) -> None:
        client.dismisses(int(body.get("id") or 0))

    async def _install(self, client: TeamsClient, body: Json) -> None:
        del body
        await client.installs()

    async def _uninstall(self, client: TeamsClient, body: Json) -> None:
        del body
        await client.uninstalls()

    async def _block(self, client: TeamsClient, body: Json) -> None:
        del body
        client.blocks()

    async def _unblock(self, client: TeamsClient, body: Json) -> None:
        del body
        client.unblocks()

    async def _refresh(self, client: TeamsClient, body: Json) -> None:
        await client.opens(self._conversation(client, body).id)


def _answering(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestRefused as refusal:
            return web.json_response({"error": str(refusal)}, status=refusal.status)

    return handle
