"""From what a person types to what Slack sends: mentions, links and the three escaped characters.

Sources: docs.slack.dev/interactivity/implementing-slash-commands, "Escaping";
docs.slack.dev/messaging/formatting-message-text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.playground.slack.world import Channel, User, UserGroup, World

_SPECIAL = {"here", "channel", "everyone"}
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LINK = r"(?P<link>https?://[^\s<>]+)"
_MAIL = r"(?P<mail>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"


def in_command(world: World, text: str) -> str:
    """Text behind a slash command with `should_escape`: mentions carry a name, `<@U1|alice>`."""
    return _replace(world, text, with_names=True)


def in_message(world: World, text: str) -> str:
    """Text of a message: people and groups are bare ids, `<@U1>`, `<!subteam^S1>`."""
    return _replace(world, text, with_names=False)


def _replace(world: World, text: str, *, with_names: bool) -> str:
    mentions = {typed.lower(): sent for typed, sent in _mentions(world, with_names=with_names)}
    # Longest first, so that "@Ann Lee" is not taken for "@Ann".
    names = "|".join(re.escape(name) for name in sorted(mentions, key=len, reverse=True))
    pattern = rf"{_LINK}|{_MAIL}|(?P<mention>(?<![\w@])(?:{names})(?![\w-]))|(?P<escape>[&<>])"

    def sent(match: re.Match[str]) -> str:
        found = match.group(0)
        if match.lastgroup == "link":
            return f"<{found.replace('&', '&amp;')}>"
        if match.lastgroup == "mail":
            return f"<mailto:{found}|{found}>"
        return _ESCAPED[found] if match.lastgroup == "escape" else mentions[found.lower()]

    return re.sub(pattern, sent, text, flags=re.IGNORECASE)


def _mentions(world: World, *, with_names: bool) -> Iterator[tuple[str, str]]:
    for word in _SPECIAL:
        yield f"@{word}", f"<!{word}>"
    for channel in world.channels.values():
        if not channel.is_im:
            yield f"#{channel.name}", _channel(world, channel)
    for user in world.users.values():
        for name in (user.real_name, user.name):
            yield f"@{name}", _user(user, with_name=with_names)
    for group in world.groups.values():
        yield f"@{group.handle}", _group(group, with_name=with_names)


def _channel(world: World, channel: Channel) -> str:
    """The name of a private channel stays hidden from an app that is not in it."""
    hidden = channel.is_private and world.bot_user_id not in channel.members
    return f"<#{channel.id}|{'' if hidden else channel.name}>"


def _user(user: User, *, with_name: bool) -> str:
    return f"<@{user.id}|{user.name}>" if with_name else f"<@{user.id}>"


def _group(group: UserGroup, *, with_name: bool) -> str:
    return f"<!subteam^{group.id}|@{group.handle}>" if with_name else f"<!subteam^{group.id}>"
