"""The emulated workspace as JSON, for a page that shows it in a browser.

Everything lives below the emulator's own URL (`http://127.0.0.1:PORT/<where it is mounted>`). Bodies and answers
are JSON. A refused request is answered 400 `{"ok": false, "error": "<why, in plain words>"}`. Nothing here is
part of Slack's own API: these are the hands and eyes of a person in front of a Slack client.

`GET /ui/people` -> `{"people": [PERSON], "groups": [GROUP]}`; whom the page can act as: those with `can_act`.

`GET /ui/state?as=USER_ID[&after=VERSION&wait=SECONDS]` -> STATE, what that person sees now. With `after`,
    waits (at most 25 s) until `version` is greater than VERSION, then answers; the answer is the same state
    when nothing happened.

`GET /ui/events` -> Server-Sent Events. Each change in the workspace sends one message `data: {"version": 12}` (one
    at once on connecting). Fetch `/ui/state` then. Several changes may share one message.

`POST /ui/type`   `{"as": USER_ID, "in": CHANNEL_ID, "text": "/sso invite @engineering"}`
    -> `{"ok": true, "kind": "command" | "message"}`. The text is what the person typed: `@name`, `@group`,
    `#channel`, addresses and links are escaped here as Slack's client does. A command's immediate answer
    appears among the messages (`ephemeral: true` when only this person sees it). `in` is a channel the person
    is in, or their direct message with the bot.

`POST /ui/press`  an interactive element (button, select, checkboxes, ... in a message, Home view or modal):
    `{"as": USER_ID, "where": WHERE, "action_id": ID, "block_id": ID, "value": VALUE}`, block_id being needed
    only when action_id is not unique. WHERE is `{"channel": CHANNEL_ID, "ts": TS}` (a message, ephemeral ones too),
    `{"view": VIEW_ID}` (a modal) or `{"home": true}`. `value` is left out for buttons. In a modal, send
    `"values": VALUES` along, so that the bot sees what is filled in. Do not press elements of input blocks, unless
    the block has `dispatch_action`: those belong to /ui/fill and /ui/submit.
    -> `{"ok": true}` or `{"ok": false, "error": "operation_timeout" | "dispatch_failed"}`: show Slack's
    warning sign.

`POST /ui/fill`   `{"as": USER_ID, "view": VIEW_ID, "values": VALUES}` -> `{"ok": true}`: keeps what is typed in a
    modal, sends nothing to the bot.

`POST /ui/submit` `{"as": USER_ID, "view": VIEW_ID, "values": VALUES}`
    -> `{"ok": true, "outcome": "closed" | "updated" | "pushed" | "cleared"}`, or
       `{"ok": false, "outcome": "errors", "errors": {BLOCK_ID: TEXT}}` (also when a required field is empty;
       show each under its field), or
       `{"ok": false, "outcome": "trouble", "error": TEXT}` (no answer in 3 s: show on top of the modal,
       keep it open).

`POST /ui/close`  `{"as": USER_ID, "view": VIEW_ID, "clear": false}` -> `{"ok": true}`: the Cancel button;
    `clear: true` is the X (closes all views of the stack).

`POST /ui/home`   `{"as": USER_ID, "tab": "home" | "messages"}` -> `{"ok": true}`: opens the app's Home or
    Messages tab (tells the bot).

VALUES  `{BLOCK_ID: {ACTION_ID: VALUE}}`; leave out what was not touched, send null for a field that was emptied.
VALUE   by element type:
    plain_text_input, email_text_input, url_text_input, number_input          "text"
    static_select, radio_buttons, overflow                                    "option value"
    multi_static_select, checkboxes                                           ["option value", ...]
    users_select, channels_select, conversations_select                       "ID"
    multi_users_select, multi_channels_select, multi_conversations_select     ["ID", ...]
    datepicker "2026-01-31", timepicker "09:30", datetimepicker 1767225600 (seconds)
    button                                                                    absent

STATE   `{"version": 12, "team": {"id", "name", "domain"}, "bot": {"user_id", "name", "app_id"}, "me": PERSON,
    "people": [PERSON], "groups": [GROUP], "channels": [CHANNEL], "direct_message": CHANNEL (with the bot),
    "modal": VIEW | null, "modal_depth": 0..3, "modal_errors": {BLOCK_ID: TEXT}, "modal_trouble": TEXT | null,
    "home": VIEW | null, "troubles": [TEXT], "commands": ["/sso"]}`
PERSON  `{"id", "name" (handle), "real_name", "email" | null, "title", "tz", "kind", "can_act"}`, kind being one of
    "owner", "admin", "member", "guest", "stranger" (Slack Connect), "deactivated", "bot", "slackbot"
GROUP   `{"id", "handle" (without @), "name", "members": [USER_ID]}`
CHANNEL `{"id", "name", "is_private", "is_im", "bot_is_in": true, "members": [USER_ID], "messages":
    [MESSAGE]}`; only channels that this person is in; messages oldest first, ephemeral ones for this person in
    their place.
MESSAGE `{"ts", "channel", "user" (USER_ID), "text" (mrkdwn), "blocks": [Block Kit blocks], "ephemeral", "edited",
    "values": VALUES}`. Every block has a block_id, every interactive element an action_id, also where the bot gave
    none. `values` is what was picked in the message's own selects. Mentions are `<@U1>`, `<!subteam^S1>`,
    `<#C1|name>`, links `<https://...|text>`.
VIEW    a Slack view object: `{"id", "type": "modal" | "home", "callback_id", "title", "submit", "close",
    "blocks", "hash", "state": {"values": ...}, ...}`. `state.values` holds what is filled in now, in the shape
    that Slack documents for view_submission; `hash` changes with every update by the bot.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial, wraps
from typing import TYPE_CHECKING

from aiohttp import web

from adapters.playground.slack import client
from adapters.playground.slack.bot_connection import NoAnswer
from adapters.playground.slack.methods_views import view_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.playground.slack.client import Values
    from adapters.playground.slack.emulator import SlackEmulator
    from adapters.playground.slack.world import Channel, Json, Message, User, UserGroup, View, World

    Answer = Callable[[SlackEmulator, Json], Awaitable[Json]]

LONGEST_WAIT = 25.0


def ui_routes(slack: SlackEmulator) -> list[web.RouteDef]:
    """The routes of this module's docstring."""
    posts: dict[str, Answer] = {
        "type": _type, "press": _press, "fill": _fill, "submit": _submit, "close": _close, "home": _home,
    }  # fmt: skip
    return [
        web.get("/ui/people", partial(_people, slack)),
        web.get("/ui/state", partial(_state, slack)),
        web.get("/ui/events", partial(_events, slack)),
        *(web.post(f"/ui/{name}", _post(slack, answer)) for name, answer in posts.items()),
    ]


async def _people(slack: SlackEmulator, _request: web.Request) -> web.Response:
    return web.json_response(_everybody(slack.world))


async def _state(slack: SlackEmulator, request: web.Request) -> web.Response:
    try:
        user = _acting(slack.world, request.query.get("as"))
        after, wait = request.query.get("after"), float(request.query.get("wait") or 0)
        if after is not None and not slack.web_api.closing.is_set():
            await slack.world.change_after(int(after), min(wait, LONGEST_WAIT))
    except ValueError as error:
        return _refusal(error)
    return web.json_response(_what_is_seen(slack, user))


async def _events(slack: SlackEmulator, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    version = -1
    while not slack.web_api.closing.is_set():
        await slack.world.change_after(version, LONGEST_WAIT)
        version = slack.world.version
        try:
            await response.write(f'data: {{"version": {version}}}\n\n'.encode())
        except (ConnectionError, asyncio.CancelledError):
            break  # the page was closed
    return response


def _post(slack: SlackEmulator, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    @wraps(answer)
    async def handle(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
            if not isinstance(body, dict):
                return _refusal(ValueError("the body must be a JSON object"))
            _acting(slack.world, body.get("as"))
            return web.json_response(await answer(slack, body))
        except (ValueError, LookupError, TypeError) as error:
            return _refusal(error)

    return handle


def _refusal(error: Exception) -> web.Response:
    reason = f"missing: {error.args[0]}" if isinstance(error, KeyError) else str(error)
    return web.json_response({"ok": False, "error": reason}, status=400)


def _acting(world: World, user_id: object) -> User:
    user = world.users.get(str(user_id))
    if user is None or not user.can_act:
        raise ValueError(f"nobody can act as {user_id}")
    return user


async def _type(slack: SlackEmulator, body: Json) -> Json:
    kind = await client.type_text(slack, body["as"], str(body["in"]), str(body["text"]))
    return {"ok": True, "kind": kind}


async def _press(slack: SlackEmulator, body: Json) -> Json:
    place = _place(slack.world, body["as"], body["where"])
    if body.get("values") and not hasattr(place, "ts"):
        client.fill(slack, _modal(slack.world, body["as"], body["where"]["view"]), _values(body))
    block_id, value = body.get("block_id"), body.get("value")
    try:
        await client.press(slack, body["as"], place, str(body["action_id"]), block_id=block_id, value=value)
    except NoAnswer as missing:
        return {"ok": False, "error": missing.error}
    return {"ok": True}


def _place(world: World, user_id: str, where: Json) -> Message | View:
    if where.get("home"):
        return world.homes[user_id]
    if "view" in where:
        return _modal(world, user_id, where["view"])
    channel = world.channels.get(str(where.get("channel")))
    message = channel.message(str(where.get("ts"))) if channel and user_id in channel.members else None
    if message is None or message.only_for not in {None, user_id}:
        raise LookupError(f"no such message: {where}")
    return message


def _modal(world: World, user_id: str, view_id: str) -> View:
    view = world.modal(user_id)
    if view is None or view.id != view_id:
        raise LookupError(f"not the view on top: {view_id}")
    return view


def _values(body: Json) -> Values:
    given = body.get("values") or {}
    return {(block, action): value for block, fields in given.items() for action, value in fields.items()}


async def _fill(slack: SlackEmulator, body: Json) -> Json:
    client.fill(slack, _modal(slack.world, body["as"], body["view"]), _values(body))
    return {"ok": True}


async def _submit(slack: SlackEmulator, body: Json) -> Json:
    view = _modal(slack.world, body["as"], body["view"])
    client.fill(slack, view, _values(body))
    outcome = await client.submit(slack, body["as"], view)
    answer: Json = {"ok": outcome.ok, "outcome": outcome.outcome}
    if outcome.errors:
        answer["errors"] = outcome.errors
    return answer | ({"error": outcome.error} if outcome.error else {})


async def _close(slack: SlackEmulator, body: Json) -> Json:
    view = _modal(slack.world, body["as"], body["view"])
    await client.close_view(slack, body["as"], view, clear=bool(body.get("clear")))
    return {"ok": True}


async def _home(slack: SlackEmulator, body: Json) -> Json:
    tab = "messages" if body.get("tab") == "messages" else "home"
    await slack.events.app_home_opened(body["as"], tab)
    return {"ok": True}


def _everybody(world: World) -> Json:
    people = [_person(user) for user in world.users.values()]
    return {"people": people, "groups": [_group(group) for group in world.groups.values()]}


def _what_is_seen(slack: SlackEmulator, user: User) -> Json:
    world = slack.world
    modal, home = world.modal(user.id), world.homes.get(user.id)
    direct_message = world.direct_message(user.id)
    mine = [each for each in world.channels.values() if user.id in each.members and not each.is_im]
    bot = world.users[world.bot_user_id]
    return {
        "version": world.version,
        "team": {"id": world.team_id, "name": world.team_name, "domain": world.team_domain},
        "bot": {"user_id": bot.id, "name": bot.real_name, "app_id": world.app_id},
        "me": _person(user),
        **_everybody(world),
        "channels": [_channel(world, each, user) for each in mine],
        "direct_message": _channel(world, direct_message, user),
        "modal": view_json(world, modal) if modal else None,
        "modal_depth": len(world.modals.get(user.id, [])),
        "modal_errors": modal.errors if modal else {},
        "modal_trouble": modal.trouble if modal else None,
        "home": view_json(world, home) if home else None,
        "troubles": world.troubles.get(user.id, []),
        "commands": sorted(slack.commands),
    }


def _person(user: User) -> Json:
    fields = ("id", "name", "real_name", "email", "title", "tz", "kind", "can_act")
    return {name: getattr(user, name) for name in fields}


def _group(group: UserGroup) -> Json:
    return {"id": group.id, "handle": group.handle, "name": group.name, "members": group.members}


def _channel(world: World, channel: Channel, user: User) -> Json:
    fields = ("id", "name", "is_private", "is_im", "members")
    body: Json = {name: getattr(channel, name) for name in fields}
    body["bot_is_in"] = world.bot_user_id in channel.members
    body["messages"] = [_message(each) for each in channel.messages if each.only_for in {None, user.id}]
    return body


def _message(message: Message) -> Json:
    fields = ("ts", "channel", "user", "text", "blocks", "ephemeral", "edited")
    values: Json = {}
    for (block_id, action_id), value in message.values.items():
        values.setdefault(block_id, {})[action_id] = value
    return {name: getattr(message, name) for name in fields} | {"values": values}
