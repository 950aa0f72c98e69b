"""response_url: five answers within thirty minutes.

Source: docs.slack.dev/interactivity/handling-user-interaction, "Message responses".
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from adapters.playground.slack.arguments import flag
from adapters.playground.slack.methods_chat import message_content
from adapters.playground.slack.pictures import fetch_pictures
from adapters.playground.slack.refusal import Refused
from adapters.playground.slack.world import Message

if TYPE_CHECKING:
    from adapters.playground.slack.world import Json, World


@dataclass
class _Grant:
    channel: str
    user: str
    message: Message | None
    expires_at: float
    uses_left: int = 5


class ResponseUrls:
    """Hands out response URLs and does what the bot sends to them. `lives_for` is in seconds of real time."""

    def __init__(self, world: World) -> None:
        self.lives_for = 1800.0
        self._world = world
        self._grants: dict[str, _Grant] = {}

    def give(self, channel: str, user: str, message: Message | None = None) -> str:
        """The secret last part of a new URL; `message` is the one that was interacted with."""
        token = secrets.token_urlsafe(16)
        self._grants[token] = _Grant(channel, user, message, time.monotonic() + self.lives_for)
        return token

    async def handle(self, request: web.Request) -> web.Response:
        """POST from the bot: text/blocks, response_type, replace_original, delete_original."""
        grant = self._grants.get(request.match_info["token"])
        try:
            args = _payload(await request.text())
            await fetch_pictures(args)
            self._respond(_usable(grant), args)
        except Refused as refused:
            gone = refused.error in {"used_url", "expired_url"}
            return _refusal(404 if gone else 400, refused)
        return web.Response(text="ok")

    def _respond(self, grant: _Grant, args: Json) -> None:
        if flag(args, "delete_original"):
            self._delete(grant)
        elif flag(args, "replace_original") and grant.message is not None:
            self._replace(grant.message, message_content(args))
        else:
            grant.message = self.say(grant.channel, grant.user, args)
        grant.uses_left -= 1

    def say(self, channel: str, user: str, args: Json) -> Message:
        """A new message from the bot, seen by this person only unless response_type is in_channel."""
        only_for = None if args.get("response_type") == "in_channel" else user
        content = message_content(args)
        place = self._world.channels[channel]
        return self._world.post(place, self._world.bot_user_id, **content, only_for=only_for)

    def _delete(self, grant: _Grant) -> None:
        messages = self._world.channels[grant.channel].messages
        if grant.message in messages:
            messages.remove(grant.message)
            self._world.changed()

    def _replace(self, message: Message, content: Json) -> None:
        message.text, message.blocks, message.edited = content["text"], content["blocks"], True
        if content["metadata"] is not None:
            message.metadata = content["metadata"] or None
        self._world.changed()


def _payload(text: str) -> Json:
    try:
        args = json.loads(text)
    except ValueError:
        args = None
    if not isinstance(args, dict):
        raise Refused("invalid_payload")
    return args


def _usable(grant: _Grant | None) -> _Grant:
    if grant is None or time.monotonic() > grant.expires_at:
        raise Refused("expired_url")
    if grant.uses_left < 1:
        raise Refused("used_url")
    return grant


def _refusal(status: int, refused: Refused) -> web.Response:
    return web.json_response(refused.body(), status=status)
