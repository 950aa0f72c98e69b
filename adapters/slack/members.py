"""Who is in a user group or a channel, remembered for a while, since Slack allows few of these calls."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.slack.paging import Patience, pages
from adapters.slack.web_api import WebApi
from bot.ports import Clock

# How long the members of a group or channel are remembered: lists that are asked for one after the other cost one
# look-up, and whoever has just changed a group is not told what was true before for long.
MEMBERS_AGE = timedelta(minutes=2)
MOST_REMEMBERED = 100  # groups and channels
MEMBERS_PAGE = 999  # docs.slack.dev/reference/methods/conversations.members


class Members:
    """Who is in a group or a channel, by user id; remembered for MEMBERS_AGE. Raises ApiFailed."""

    def __init__(self, api: WebApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._kept: OrderedDict[str, tuple[datetime, Any]] = OrderedDict()

    async def group_id(self, name: str, patience: Patience) -> str | None:
        """The group's id; `name` is one, or a handle that Slack's client did not turn into one."""
        groups = self._current("groups")
        if groups is None or not _named(name, groups):
            answer = await patience.call(self._api, "usergroups.list")
            groups = self._keep("groups", answer.data.get("usergroups") or [])
        # A group that was disabled meanwhile is not listed; asking for its members says so.
        is_an_id = name[:1] == "S" and name.isupper() and name.isalnum()
        return _named(name, groups) or (name if is_an_id else None)

    async def of_group(self, group_id: str, patience: Patience) -> Sequence[str]:
        """Slack tells all members of a group at once."""
        members = self._current(group_id)
        if members is None:
            answer = await patience.call(self._api, "usergroups.users.list", usergroup=group_id)
            members = self._keep(group_id, answer.data.get("users") or [])
        return list(members)

    async def of_channel(self, channel_id: str, patience: Patience) -> Sequence[str]:
        """Page after page."""
        members = self._current(channel_id)
        if members is None:
            method = "conversations.members"
            found = await pages(self._api, patience, method, "members", channel=channel_id, limit=MEMBERS_PAGE)
            members = self._keep(channel_id, found)
        return list(members)

    def _current(self, key: str) -> Any:
        at, found = self._kept.get(key, (None, None))
        return found if at is not None and self._clock.now() - at < MEMBERS_AGE else None

    def _keep(self, key: str, found: Any) -> Any:
        """Nothing found is not remembered: it is what somebody goes and changes."""
        if found:
            self._kept[key] = (self._clock.now(), found)
            self._kept.move_to_end(key)
        while len(self._kept) > MOST_REMEMBERED:
            self._kept.popitem(last=False)
        return found


def _named(name: str, groups: Sequence[Mapping[str, str]]) -> str | None:
    wanted = name.casefold()
    return next(
        (each["id"] for each in groups if each["id"] == name or each.get("handle", "").casefold() == wanted), None
    )
