"""What Teams posts, as events: each activity becomes at most one, which is handled, committed and then answered.

Activities: learn.microsoft.com, "Conversation events in your Teams bot" and "Work with Universal Actions for
Adaptive Cards".
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from adapters.teams.activities import (
    Actors,
    conversation_of,
    event_id,
    is_private,
    mentions_of,
    place_of,
)
from adapters.teams.card_data import Pressed, read_press
from adapters.teams.cloud_adapter import answer_invoke
from adapters.teams.directory import TeamsDirectory
from adapters.teams.install import Installation
from adapters.teams.replies import Asked, Replies, outdated
from adapters.teams.words import Place, command_words, is_command, plain_text, words_of
from bot.conversations import answers
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
from bot.model import Workspace
from bot.ports import DirectoryUnavailable, Handle, StoreUnavailable
from bot.transition import Whisper

Json = dict[str, Any]

# Seconds that a submitted form waits for Teams to tell the ids of the people chosen in it.
PEOPLE_WITHIN = 1.0


class Inbound:
    """Runs one turn for each activity. `on_turn` raises StoreUnavailable when nothing could be stored."""

    def __init__(
        self,
        handle: Handle,
        installation: Installation,
        actors: Actors,
        directory: TeamsDirectory,
        replies: Replies,
    ) -> None:
        self._handle = handle
        self._installation = installation
        self._actors = actors
        self._directory = directory
        self._replies = replies

    async def on_turn(self, turn: TurnContext) -> None:
        """Handle one activity; kinds that the bot has no use for pass by."""
        activity = turn.activity
        match activity.type:
            case "message":
                await self._message(activity)
            case "invoke":
                body = await self._invoke(activity)
                if body is not None:
                    answer_invoke(turn, body)
            case "installationUpdate":
                await self._installed(activity)
            case "conversationUpdate":
                self._hears_from(activity)
            case _:
                pass

    async def _message(self, activity: Activity) -> None:
        """Words, or a press of Action.Submit, which comes as a message with a value."""
        asked, place = await self._asked(activity), place_of(activity)
        pressed = read_press(activity.value)
        if pressed is not None:
            asked = replace(asked, message_id=activity.reply_to_id or "")
            self._replies.to_submit(asked, await self._handle(await self._press(activity, asked, pressed)))
        elif activity.value is None:
            try:
                reply = await self._handle(_spoken(activity, asked, place))
            except StoreUnavailable:  # Teams delivers a message once, and whoever wrote it waits
                reply = Whisper(answers.try_again())
            self._replies.to_words(asked, reply)

    async def _invoke(self, activity: Activity) -> Json | None:
        """The answer's body; None for an invoke that the bot does not know."""
        value = activity.value if isinstance(activity.value, dict) else {}
        if activity.name == "adaptiveCard/action":
            action = value.get("action")
            data = action.get("data") if isinstance(action, dict) else None
        elif activity.name == "task/submit":
            data = value.get("data")
        else:
            return None
        automatic = value.get("trigger") == "automatic"
        asked = replace(await self._asked(activity), message_id=activity.reply_to_id or "", automatic=automatic)
        pressed = read_press(data)
        if pressed is None:
            return outdated(asked.reader)
        reply = await self._handle(await self._press(activity, asked, pressed))
        if activity.name == "task/submit":  # an empty answer closes the dialog
            self._replies.to_submit(asked, reply)
            return {}
        return self._replies.to_press(asked, reply)

    async def _press(self, activity: Activity, asked: Asked, pressed: Pressed) -> ButtonPressed | FormSubmitted:
        made = FormSubmitted if pressed.submitted else ButtonPressed
        return made(
            id=event_id(asked.workspace.id, activity),
            workspace_id=asked.workspace.id,
            actor=asked.person,
            in_private=asked.private,
            token=pressed.token,
            values=await self._with_teams_ids(asked.workspace, pressed),
            message=MessageRef(asked.conversation_id, asked.message_id) if asked.message_id else None,
        )

    async def _with_teams_ids(self, workspace: Workspace, pressed: Pressed) -> Mapping[str, str | tuple[str, ...]]:
        """The values, with people as Teams knows them; the people picker gives Entra object ids."""
        values = dict(pressed.values)
        for name in pressed.people:
            object_id = values.get(name)
            if not isinstance(object_id, str) or not object_id:
                continue
            try:
                async with asyncio.timeout(PEOPLE_WITHIN):
                    values[name] = await self._directory.teams_id(workspace, object_id)
            except (TimeoutError, DirectoryUnavailable):
                continue  # messages can be sent to the object id as well
        return values

    async def _installed(self, activity: Activity) -> None:
        """The app was added or removed, by somebody for themselves or in a team."""
        self._hears_from(activity)
        if not is_private(activity):
            return
        if activity.action == "add":
            asked = await self._asked(activity)
            event = HomeOpened(
                id=event_id(asked.workspace.id, activity),
                workspace_id=asked.workspace.id,
                actor=asked.person,
                installed=True,
            )
            self._replies.to_words(asked, await self._handle(event))
        elif activity.action == "remove":
            await self._installation.uninstalled(activity.from_property.id)

    def _hears_from(self, activity: Activity) -> None:
        place = place_of(activity)
        if place is None:
            return
        removed = {each.id for each in activity.members_removed or ()}
        if activity.action == "remove" or activity.recipient.id in removed:
            self._installation.left(place.team_id)
        else:
            self._installation.hears_from(place.team_id)

    async def _asked(self, activity: Activity) -> Asked:
        self._hears_from(activity)
        workspace = await self._installation.known(activity.service_url)
        person = await self._actors.of(activity)
        private = is_private(activity)
        # In a channel an answer belongs into the thread that Teams names behind the id.
        conversation_id = conversation_of(activity) if private else str(activity.conversation.id)
        return Asked(workspace, person, conversation_id, private)


def _spoken(activity: Activity, asked: Asked, place: Place | None) -> CommandIssued | MessageReceived:
    """A command, or in the personal chat words that the engine makes sense of."""
    text = str(activity.text or "")
    words = words_of(text, mentions_of(activity), activity.recipient.id, place)
    event, workspace_id = event_id(asked.workspace.id, activity), asked.workspace.id
    named = any(isinstance(word, Target) and word.kind is not TargetKind.EMAIL for word in words)
    if asked.private and not is_command(words) and not named:
        return MessageReceived(id=event, workspace_id=workspace_id, actor=asked.person, text=plain_text(text))
    return CommandIssued(
        id=event,
        workspace_id=workspace_id,
        actor=asked.person,
        in_private=asked.private,
        words=command_words(words),
        here=_here(words, place),
    )


def _here(words: tuple[str | Target, ...], place: Place | None) -> Target | None:
    """The channel when it is asked for by that word, else the team."""
    if place is None:
        return None
    plain = {word.casefold().lstrip("@#") for word in words if isinstance(word, str)}
    return place.channel if "channel" in plain else place.team
