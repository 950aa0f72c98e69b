"""Which scope each method wants: docs.slack.dev/reference/methods, section "Scopes" of each method's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from adapters.playground.slack.world import Channel, Json, World

# `{kind}` is that of the conversation: channels (public), groups (private), im. What is not listed wants none.
NEEDED: Mapping[str, str] = {
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": "{kind}:history",
    "conversations.info": "{kind}:read",
    "conversations.list": "channels:read",
    "conversations.members": "{kind}:read",
    "conversations.open": "im:write",
    "team.profile.get": "users.profile:read",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "users.info": "users:read",
    "users.list": "users:read",
    "users.lookupByEmail": "users:read.email",
    "users.profile.get": "users.profile:read",
}


def check_scope(world: World, granted: str, method: str, args: Json) -> None:
    """Raises Refused("missing_scope"), with the scope that is missing and those that are granted."""
    channel = world.channels.get(str(args.get("channel") or ""))
    kind = (
        "channels" if channel is None else "im" if channel.is_im else "groups" if channel.is_private else "channels"
    )
    needed = NEEDED.get(method, "").format(kind=kind)
    if needed and needed not in granted.split(","):
        raise Refused("missing_scope", needed=needed, provided=granted)


def _kind(channel: Channel | None) -> str:
    if channel is not None and channel.is_im:
        return "im"
    return "groups" if channel is not None and channel.is_private else "channels"
