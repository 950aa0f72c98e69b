"""From what Slack sends to the bot's events.

Shapes: docs.slack.dev/interactivity/implementing-slash-commands, docs.slack.dev/reference/interaction-payloads,
docs.slack.dev/reference/events. What does not have them raises Malformed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.command_text import plain_text, words_of
from adapters.slack.forms import Opener, filled_in, remembered
from bot.events import (
    ButtonPressed,
    CommandIssued,
    FormSubmitted,
    HomeOpened,
    MessageReceived,
    MessageRef,
    Target,
    TargetKind,
)
from bot.messages import Token
from bot.model import Person

_NAMES = ("type", "subtype", "command", "action_id", "block_id", "callback_id")
_ACTION = {"type", "action_id", "block_id"}
_OBJECTS = ("user", "view", "event", "container", "channel", "message")


class Malformed(Exception):
    """A body that is not what Slack sends."""


@dataclass(frozen=True)
class Place:
    """Where somebody clicked or typed, and what Slack gave to answer them with.

    `view_id` and `opener` are set in a modal, `home` on the Home tab, `message` on a message.
    """

    user_id: str
    name: str = ""
    trigger_id: str = ""
    response_url: str = ""
    channel_id: str = ""
    message: MessageRef | None = None
    ephemeral: bool = False
    view_id: str = ""
    home: bool = False
    form: Token | None = None
    opener: Opener = field(default_factory=Opener)

    @property
    def direct_channel(self) -> str:
        """The direct message with the bot, if this is in it. Other direct messages show the bot's whispers only."""
        return self.channel_id if self.channel_id.startswith("D") and self.message and not self.ephemeral else ""


def check_shape(body: object) -> dict[str, Any]:
    """The outermost shape of any of Slack's bodies, which bolt takes for granted. Raises Malformed."""
    if not isinstance(body, dict):
        raise Malformed("not an object")
    for name in _OBJECTS:
        if name in body and not isinstance(body[name], dict):
            raise Malformed(f"{name} is not an object")
    if not isinstance(body.get("team"), dict | None):  # none in an organization-wide installation
        raise Malformed("team is not an object")
    actions = _objects(body, "actions")
    _objects(body, "authorizations")
    if body.get("type") == "block_actions" and not all(set(action) >= _ACTION for action in actions or [{}]):
        raise Malformed("no action")
    _check_names(body, body.get("event") or {}, body.get("view") or {}, *actions)
    _check_text(body)
    return body


def _objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    items = body.get(name)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed(f"{name} is not a list of objects")
    return items


def _check_names(*things: Mapping[str, Any]) -> None:
    for thing in things:
        if any(not isinstance(thing.get(name, ""), str) for name in _NAMES):
            raise Malformed("a name is not a string")


def _check_text(body: dict[str, Any]) -> None:
    # JSON can write half a character (a lone surrogate), which no database and no request can hold.
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise Malformed("not text") from error


def part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object inside an object; empty when it is not there. Raises Malformed."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not an object")
    return value


def word(body: Mapping[str, Any], name: str) -> str:
    """A string inside an object; empty when it is not there. Raises Malformed."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{name} is not a string")
    return value.replace("\x00", "")


def needed(body: Mapping[str, Any], name: str) -> str:
    """A string that must be there. Raises Malformed."""
    value = word(body, name)
    if not value:
        raise Malformed(f"{name} is missing")
    return value


def command_place(body: Mapping[str, Any]) -> Place:
    """Where a slash command was typed."""
    return Place(
        user_id=needed(body, "user_id"),
        name=word(body, "user_name"),
        trigger_id=word(body, "trigger_id"),
        response_url=word(body, "response_url"),
        channel_id=word(body, "channel_id"),
    )


def interaction_place(body: Mapping[str, Any]) -> Place:
    """Where something was pressed or submitted."""
    user, view, container = part(body, "user"), part(body, "view"), part(body, "container")
    channel = word(container, "channel_id") or word(part(body, "channel"), "id")
    ts = word(container, "message_ts")
    form, opener = _form_of(view)
    return Place(
        user_id=needed(user, "id"),
        name=word(user, "name") or word(user, "username"),
        trigger_id=word(body, "trigger_id"),
        response_url=word(body, "response_url"),
        channel_id=channel,
        message=MessageRef(channel, ts) if channel and ts else None,
        ephemeral=bool(container.get("is_ephemeral")),
        view_id=word(view, "id"),
        home=word(view, "type") == "home",
        form=form,
        opener=opener,
    )


def _form_of(view: Mapping[str, Any]) -> tuple[Token | None, Opener]:
    memory = word(view, "private_metadata")
    if not memory:
        return None, Opener()
    try:
        return remembered(memory)
    except ValueError as error:
        raise Malformed("the view is not this bot's") from error


def event_place(event: Mapping[str, Any]) -> Place:
    """Where a message was written or the Home tab was opened: the direct message with the bot."""
    channel, ts = word(event, "channel"), word(event, "ts") or word(event, "event_ts")
    message = MessageRef(channel, ts) if channel and ts else None
    return Place(user_id=needed(event, "user"), channel_id=channel, message=message)


def command(body: Mapping[str, Any], workspace_id: str, place: Place, actor: Person) -> CommandIssued:
    """A slash command. Only its person sees the answer, so it is always private."""
    here = None
    if place.channel_id[:1] in {"C", "G"}:
        here = Target(TargetKind.CHANNEL, place.channel_id, f"#{word(body, 'channel_name')}")
    return CommandIssued(
        id=f"{workspace_id}:{place.trigger_id or _digest(body)}",
        workspace_id=workspace_id,
        actor=actor,
        words=words_of(word(body, "text"), here),
        here=here,
    )


def button(body: Mapping[str, Any], workspace_id: str, place: Place, actor: Person) -> ButtonPressed | None:
    """A pressed button. None for an element whose pressing means nothing, a link for one."""
    action = body["actions"][0]
    try:
        token = Token.unpack(word(action, "value"))
    except ValueError:
        return None
    return ButtonPressed(
        id=f"{workspace_id}:{place.trigger_id or _digest(body)}",
        workspace_id=workspace_id,
        actor=actor,
        token=token,
        # An ephemeral message cannot be changed later, so nobody should remember where it is.
        message=None if place.ephemeral else place.message,
        values=_values(part(body, "view")),
        in_private=place.ephemeral or not place.channel_id or place.channel_id.startswith("D"),
    )


def submission(body: Mapping[str, Any], workspace_id: str, place: Place, actor: Person) -> FormSubmitted:
    """A submitted modal. Its trigger id is new each time that somebody presses the button; its hash is not."""
    if place.form is None:
        raise Malformed("the view is not this bot's")
    return FormSubmitted(
        id=f"{workspace_id}:{place.trigger_id or _digest(body)}",
        workspace_id=workspace_id,
        actor=actor,
        token=place.form,
        message=_message_of(place.opener),
        values=_values(part(body, "view")),
    )


def _message_of(opener: Opener) -> MessageRef | None:
    """The message that a modal was opened from, where it can be changed later."""
    if opener.ephemeral or not opener.message_id:
        return None
    return MessageRef(opener.channel_id, opener.message_id)


def message(body: Mapping[str, Any], workspace_id: str, actor: Person) -> MessageReceived | None:
    """Words written to the bot in their direct message. None for all other messages: edits, joins, bots', files'."""
    event = part(body, "event")
    if word(event, "channel_type") != "im" or event.get("subtype") or event.get("bot_id"):
        return None
    return MessageReceived(
        id=f"{workspace_id}:{needed(body, 'event_id')}",
        workspace_id=workspace_id,
        actor=actor,
        text=plain_text(word(event, "text")),
        words=words_of(word(event, "text")),
    )


def home_opened(body: Mapping[str, Any], workspace_id: str, actor: Person) -> HomeOpened | None:
    """The Home tab was opened; None for the other tabs."""
    if word(part(body, "event"), "tab") != "home":
        return None
    return HomeOpened(id=f"{workspace_id}:{needed(body, 'event_id')}", workspace_id=workspace_id, actor=actor)


def _values(view: Mapping[str, Any]) -> Any:
    try:
        return filled_in(part(part(view, "state"), "values"))
    except (AttributeError, TypeError, KeyError) as error:
        raise Malformed("the view's state is not Slack's") from error


def _digest(body: Mapping[str, Any]) -> str:
    """Stands in for a trigger id: the same for the same request, resent."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
