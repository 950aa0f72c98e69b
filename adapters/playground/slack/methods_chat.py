"""chat.*: docs.slack.dev/reference/methods?family=chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.playground.slack.block_kit import MESSAGE_TEXT, check_message_blocks
from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from adapters.playground.slack.world import Channel, Json, Message, World

METADATA_KEYS = {"event_type", "event_payload"}


def message_json(world: World, message: Message, *, with_metadata: bool = True) -> Json:
    """A message as Slack writes it in answers, payloads and history."""
    body: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    body["team"] = world.team_id
    if message.user == world.bot_user_id:
        body |= {"bot_id": world.bot_id, "app_id": world.app_id}
    if message.blocks:
        body["blocks"] = message.blocks
    if message.edited:
        body["edited"] = {"user": world.bot_id, "ts": message.ts}
    if message.thread_ts:
        body["thread_ts"] = message.thread_ts
    if message.metadata is not None and with_metadata:
        body["metadata"] = message.metadata
    return body


def post_message(world: World, args: Json) -> Json:
    """chat.postMessage; `channel` may be a channel's, a direct message's or a person's id."""
    channel = channel_to_post_in(world, str(args.get("channel") or ""))
    content = message_content(args)
    message = world.post(channel, world.bot_user_id, **content, thread_ts=args.get("thread_ts"))
    return {"channel": channel.id, "ts": message.ts, "message": message_json(world, message)}


def post_ephemeral(world: World, args: Json) -> Json:
    """chat.postEphemeral."""
    channel = channel_to_post_in(world, str(args.get("channel") or ""))
    user = str(args.get("user") or "")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    message = world.post(channel, world.bot_user_id, **message_content(args), only_for=user)
    return {"message_ts": message.ts}


def update(world: World, args: Json) -> Json:
    """chat.update: what is left out (blocks, metadata) stays as it was."""
    message = _own_message(world, args, "cant_update_message")
    content = message_content({"blocks": message.blocks, **args}) if "text" not in args else message_content(args)
    message.text = content["text"] or message.text
    message.blocks = content["blocks"] if args.get("blocks") is not None else message.blocks
    if args.get("metadata") is not None:
        message.metadata = content["metadata"] or None
    message.edited = True
    world.changed()
    # Here the message has no ts of its own, unlike in chat.postMessage's answer.
    shown = {name: value for name, value in message_json(world, message).items() if name != "ts"}
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(world: World, args: Json) -> Json:
    """chat.delete."""
    message = _own_message(world, args, "cant_delete_message")
    world.channels[message.channel].messages.remove(message)
    world.changed()
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(world: World, args: Json) -> Json:
    """chat.getPermalink: of anybody's message that the bot can see."""
    channel = world.channels.get(str(args.get("channel") or ""))
    if channel is None or not visible_to_bot(world, channel):
        raise Refused("channel_not_found")
    ts = str(args.get("message_ts") or "")
    if channel.message(ts) is None:
        raise Refused("message_not_found")
    link = f"https://{world.team_domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def _own_message(world: World, args: Json, otherwise: str) -> Message:
    channel = world.channels.get(str(args.get("channel") or ""))
    if channel is None or not visible_to_bot(world, channel):
        raise Refused("channel_not_found")
    message = channel.message(str(args.get("ts") or ""))
    if message is None or message.ephemeral:
        raise Refused("message_not_found")
    if message.user != world.bot_user_id:
        raise Refused(otherwise)
    return message


def message_content(args: Json) -> Json:
    """`{text, blocks, metadata}` out of arguments.

    Raises Refused: no_text, msg_too_long, invalid_metadata_format, and those of check_message_blocks.
    """
    text = str(args.get("text") or "")
    blocks = check_message_blocks(args["blocks"]) if args.get("blocks") else []
    if not text and not blocks and not args.get("attachments"):
        raise Refused("no_text")
    if len(text) > MESSAGE_TEXT:
        raise Refused("msg_too_long")
    return {"text": text, "blocks": blocks, "metadata": _metadata(args.get("metadata"))}


def _metadata(metadata: Any) -> Json | None:
    if not metadata:
        return None if metadata is None else {}
    good = isinstance(metadata, dict) and set(metadata) >= METADATA_KEYS
    if not good or not isinstance(metadata["event_payload"], dict):
        raise Refused("invalid_metadata_format")
    return dict(metadata)


def visible_to_bot(world: World, channel: Channel) -> bool:
    """A private channel or direct message that the bot is not in does not exist for it."""
    return not (channel.is_private or channel.is_im) or world.bot_user_id in channel.members


def channel_to_post_in(world: World, name: str) -> Channel:
    """Raises Refused: channel_not_found, not_in_channel, is_archived, and those of direct_message_with."""
    if name[:1] in {"U", "W"}:
        if name not in world.users:
            raise Refused("channel_not_found")
        return direct_message_with(world, name)
    channel = world.channels.get(name) or _by_name(world, name)
    if channel is None or not visible_to_bot(world, channel):
        raise Refused("channel_not_found")
    if channel.is_archived:
        raise Refused("is_archived")
    if channel.is_im:
        return direct_message_with(world, channel.im_user)
    if world.bot_user_id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _by_name(world: World, name: str) -> Channel | None:
    wanted = name.removeprefix("#")
    return next((each for each in world.channels.values() if wanted and each.name == wanted), None)


def direct_message_with(world: World, user_id: str) -> Channel:
    """Raises Refused: user_disabled, cannot_dm_bot, user_not_visible, messages_tab_disabled, or whatever
    `world.refuses_messages` says for this person.
    """
    user = world.users[user_id]
    by_kind = {"deactivated": "user_disabled", "bot": "cannot_dm_bot", "slackbot": "cannot_dm_bot"}
    by_kind["stranger"] = "user_not_visible"
    error = world.refuses_messages.get(user_id) or by_kind.get(user.kind)
    if error is None and not world.messages_tab_enabled:
        error = "messages_tab_disabled"
    if error is not None:
        raise Refused(error)
    return world.direct_message(user_id)
