"""What Slack sends about a command or an interaction.

Shapes: docs.slack.dev/interactivity/implementing-slash-commands and docs.slack.dev/reference/interaction-payloads.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from adapters.playground.slack.form_state import field_value, is_stateful, state_values
from adapters.playground.slack.methods_chat import message_json
from adapters.playground.slack.methods_views import view_json
from adapters.playground.slack.world import Message

if TYPE_CHECKING:
    from adapters.playground.slack.emulator import SlackEmulator
    from adapters.playground.slack.world import Channel, Json, View

# Long deprecated in favour of the signature, still sent, and worth nothing.
VERIFICATION_TOKEN = "playground-verification-token"  # noqa: S105


def channel_name(channel: Channel) -> str:
    """The name that Slack writes beside a channel's id."""
    if channel.is_im:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


def command_fields(slack: SlackEmulator, user_id: str, channel: Channel, command: str, text: str) -> dict[str, str]:
    """The form of a slash command."""
    world = slack.world
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": world.team_id,
        "team_domain": world.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user_id,
        "user_name": world.users[user_id].name,
        "command": command,
        "text": text,
        "api_app_id": world.app_id,
        "is_enterprise_install": "false",
        "response_url": slack.response_url(channel.id, user_id),
        "trigger_id": slack.triggers.give(user_id),
    }


def _interaction(slack: SlackEmulator, kind: str, user_id: str) -> Json:
    world = slack.world
    user = world.users[user_id]
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": world.app_id,
        "token": VERIFICATION_TOKEN,
        "team": {"id": world.team_id, "domain": world.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def block_actions(
    slack: SlackEmulator, user_id: str, place: Message | View, used: tuple[Json, Json], value: Any
) -> Json:
    """Somebody used an interactive element of a message, a modal or a Home view; `used` is (block, element)."""
    payload = _interaction(slack, "block_actions", user_id)
    payload["trigger_id"] = slack.triggers.give(user_id)
    payload |= _in_message(slack, user_id, place) if isinstance(place, Message) else _in_view(slack, place)
    payload["actions"] = [_action(*used, value)]
    return payload


def _in_message(slack: SlackEmulator, user_id: str, message: Message) -> Json:
    channel = slack.world.channels[message.channel]
    live = channel.message(message.ts) or message
    container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    body: Json = {
        "container": container | {"is_ephemeral": message.ephemeral},
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": state_values(message.blocks, message.values)},
        "response_url": slack.response_url(channel.id, user_id, live),
    }
    # An ephemeral message is not stored, so Slack cannot send it along.
    return body if message.ephemeral else body | {"message": message_json(slack.world, message)}


def _in_view(slack: SlackEmulator, view: View) -> Json:
    shown = view_json(slack.world, view)
    return {"container": {"type": "view", "view_id": view.id}, "view": shown}


def _action(block: Json, element: Json, value: Any) -> Json:
    action: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    if element["type"] == "button":
        action |= {name: element[name] for name in ("text", "value", "style", "url") if name in element}
    elif is_stateful(element) or element["type"] == "overflow":
        action |= field_value(element, value)
    return action | {"action_ts": f"{time.time():.6f}"}


def view_submission(slack: SlackEmulator, user_id: str, view: View) -> Json:
    """Somebody pressed a modal's submit button."""
    payload = _interaction(slack, "view_submission", user_id)
    payload |= {"trigger_id": slack.triggers.give(user_id), "view": view_json(slack.world, view)}
    return payload | {"response_urls": []}


def view_closed(slack: SlackEmulator, user_id: str, view: View, *, is_cleared: bool) -> Json:
    """Somebody closed a modal that has notify_on_close."""
    payload = _interaction(slack, "view_closed", user_id)
    return payload | {"view": view_json(slack.world, view), "is_cleared": is_cleared}
