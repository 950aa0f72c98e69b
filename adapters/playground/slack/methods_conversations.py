"""conversations.*: docs.slack.dev/reference/methods?family=conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.playground.slack.arguments import flag
from adapters.playground.slack.methods_chat import direct_message_with, message_json, visible_to_bot
from adapters.playground.slack.paging import page
from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from adapters.playground.slack.world import Channel, Json, Message, World


def channel_json(world: World, channel: Channel) -> Json:
    """A conversation object."""
    body: Json = {"id": channel.id, "is_im": channel.is_im, "is_archived": channel.is_archived}
    body |= {"is_mpim": False, "context_team_id": world.team_id}
    if channel.is_im:
        return body | {"is_channel": False, "user": channel.im_user, "is_open": True, "is_private": True}
    return body | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_private": channel.is_private,
        "is_member": world.bot_user_id in channel.members,
        "is_general": channel.name == "general",
        "is_ext_shared": any(world.users[each].kind == "stranger" for each in channel.members),
        "num_members": len(channel.members),
    }


def _visible(world: World, args: Json) -> Channel:
    channel = world.channels.get(str(args.get("channel") or ""))
    if channel is None or not visible_to_bot(world, channel):
        raise Refused("channel_not_found")
    return channel


def info(world: World, args: Json) -> Json:
    """conversations.info."""
    return {"channel": channel_json(world, _visible(world, args))}


def list_(world: World, args: Json) -> Json:
    """conversations.list; `types` as Slack names them, public channels when left out."""
    types = set(str(args.get("types") or "public_channel").split(","))
    if not types <= {"public_channel", "private_channel", "mpim", "im"}:
        raise Refused("invalid_types")
    channels = [each for each in world.channels.values() if visible_to_bot(world, each) and _type(each) in types]
    if flag(args, "exclude_archived"):
        channels = [each for each in channels if not each.is_archived]
    some, cursor = page(channels, args)
    return {
        "channels": [channel_json(world, each) for each in some],
        "response_metadata": {"next_cursor": cursor},
    }


def _type(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def members(world: World, args: Json) -> Json:
    """conversations.members: ids of everybody in it, bots included."""
    some, cursor = page(_visible(world, args).members, args)
    return {"members": some, "response_metadata": {"next_cursor": cursor}}


def open_(world: World, args: Json) -> Json:
    """conversations.open for one person; group direct messages are not emulated."""
    if args.get("channel"):
        channel = _visible(world, args)
        return {"channel": {"id": channel.id}}
    users = args.get("users") or ""
    ids = [each.strip() for each in (users if isinstance(users, list) else str(users).split(",")) if each]
    if not ids:
        raise Refused("users_list_not_supplied")
    if any(each not in world.users for each in ids):
        raise Refused("user_not_found")
    if len(ids) > 1:
        raise Refused("not_enough_users" if len(ids) <= 8 else "too_many_users")
    was_open = ids[0] in world.ims
    channel = direct_message_with(world, ids[0])
    answer: Json = {"no_op": True, "already_open": True} if was_open else {}
    return answer | {"channel": _opened(world, channel) if flag(args, "return_im") else {"id": channel.id}}


def _opened(world: World, channel: Channel) -> Json:
    """Fewer members than elsewhere: @slack/web-api's ConversationsOpenResponse lists them."""
    listed = {"id", "is_im", "is_archived", "context_team_id", "user", "is_open"}
    return {name: value for name, value in channel_json(world, channel).items() if name in listed}


def history(world: World, args: Json) -> Json:
    """conversations.history, newest first; metadata only with include_all_metadata."""
    channel = _visible(world, args)
    if world.bot_user_id not in channel.members:
        raise Refused("not_in_channel")
    within = [each for each in channel.messages if not each.ephemeral and _within(each, args)]
    within.sort(key=lambda each: float(each.ts), reverse=True)
    some, cursor = page(within, args, most=999)
    with_metadata = flag(args, "include_all_metadata")
    return {
        "messages": [message_json(world, each, with_metadata=with_metadata) for each in some],
        "has_more": bool(cursor),
        "pin_count": 0,
        "response_metadata": {"next_cursor": cursor},
    }


def _within(message: Message, args: Json) -> bool:
    ts = float(message.ts)
    try:
        oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    except ValueError:
        raise Refused("invalid_ts_oldest") from None
    if flag(args, "inclusive"):
        return oldest <= ts <= latest
    return oldest < ts < latest
