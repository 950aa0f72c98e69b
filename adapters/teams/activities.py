"""What an activity tells beside its content: where it happened and who did it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from botbuilder.schema import Activity

from adapters.teams.install import Installation
from adapters.teams.profiles import Profiles
from adapters.teams.roster import email_of
from adapters.teams.words import Place
from bot.model import Person
from bot.ports import Clock

Json = Mapping[str, Any]


def event_id(workspace_id: str, activity: Activity) -> str:
    """The same for an activity that is posted again. Teams' message ids are unique in a conversation only."""
    return f"{workspace_id}:{conversation_of(activity)}:{activity.id or uuid4().hex}"


def is_private(activity: Activity) -> bool:
    """Whether it happened in somebody's chat with the bot."""
    return bool(activity.conversation.conversation_type == "personal")


def conversation_of(activity: Activity) -> str:
    """The conversation's id without the thread that Teams hangs on it in channels."""
    return str(activity.conversation.id).partition(";")[0]


def place_of(activity: Activity) -> Place | None:
    """The channel that it happened in; None in a chat."""
    data = activity.channel_data if isinstance(activity.channel_data, dict) else {}
    team, channel = _object(data.get("team")), _object(data.get("channel"))
    team_id = str(team.get("id") or data.get("teamsTeamId") or "")
    if not team_id or activity.conversation.conversation_type != "channel":
        return None
    channel_id = str(channel.get("id") or data.get("teamsChannelId") or conversation_of(activity))
    channel_name = str(channel.get("name") or activity.conversation.name or "")
    return Place(team_id, str(team.get("name") or ""), channel_id, channel_name)


def mentions_of(activity: Activity) -> list[Json]:
    """The entities of type "mention"."""
    return _entities(activity, "mention")


def _client(activity: Activity) -> Json:
    return next(iter(_entities(activity, "clientInfo")), {})


def _entities(activity: Activity, kind: str) -> list[Json]:
    return [each for each in activity.entities or () if _object(each).get("type") == kind]


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


class Actors:
    """The people who act, as their activities and a roster tell of them."""

    def __init__(self, installation: Installation, profiles: Profiles, clock: Clock) -> None:
        self._installation = installation
        self._profiles = profiles
        self._clock = clock

    async def of(self, activity: Activity) -> Person:
        """Who did it. E-mail and role are empty when Teams does not tell them within a second."""
        sender, client, workspace_id = activity.from_property, _client(activity), self._installation.workspace_id
        profile = await self._profiles.of(activity.service_url, conversation_of(activity), sender.id)
        return Person(
            id=Person.key(workspace_id, sender.id),
            workspace_id=workspace_id,
            user_id=sender.id,
            name=str(sender.name or profile.get("name") or ""),
            email=email_of(profile),
            time_zone=str(activity.local_timezone or client.get("timezone") or "UTC"),
            locale=str(activity.locale or client.get("locale") or "en"),
            is_bot=sender.id.startswith("28:"),  # people are "29:…" (botframework-schema, ChannelAccount)
            is_guest=str(profile.get("userRole") or "").casefold() == "guest",
            channel_id=conversation_of(activity) if is_private(activity) else "",
            seen_at=self._clock.now(),
        )
