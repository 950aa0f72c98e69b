"""The activities that Teams sends to a bot, in Teams' own shape.

Source: learn.microsoft.com, "Conversation events in your Teams bot", "Channel and group chat conversations with a
bot", "Work with Universal Actions for Adaptive Cards", "Use dialogs with bots".
"""

import html
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from adapters.playground.teams.tenant import Account, Conversation, Json, Message, Team, Tenant, timestamp

Trigger = Literal["manual", "automatic"]


@dataclass(frozen=True)
class Mention:
    """An ``@name`` in a text: where it stands, and the mentioned thing as the entity holds it."""

    start: int
    end: int
    mentioned: Json


def find_mentions(tenant: Tenant, team: Team, text: str) -> list[Mention]:
    """The mentions in what somebody typed in a channel of this team: the bot, people, tags, channels, the team."""
    known = _mentionable(tenant, team)
    names = sorted(known, key=len, reverse=True)
    pattern = re.compile("@(" + "|".join(re.escape(each) for each in names) + r")(?!\w)", re.IGNORECASE)
    return [Mention(*each.span(), known[each[1].casefold()]) for each in pattern.finditer(text)]


def _mentionable(tenant: Tenant, team: Team) -> dict[str, Json]:
    known: dict[str, Json] = {}
    for account in [tenant.accounts[key] for key in team.members]:
        entity = {"id": account.id, "name": account.name}
        for name in (account.name, account.name.partition(" ")[0], account.key):
            known.setdefault(name.casefold(), entity)
    for channel in team.channels:
        known[channel.name.casefold()] = {"id": channel.id, "name": channel.name, "type": "channel"}
    for tag in team.tags:
        known[tag.name.casefold()] = {"id": tag.id, "name": tag.name, "type": "tag"}
    known[team.name.casefold()] = {"id": team.id, "name": team.name, "type": "team"}
    known[tenant.bot_name.casefold()] = {"id": tenant.bot_id, "name": tenant.bot_name}
    return known


def with_mentions(text: str, mentions: list[Mention]) -> tuple[str, list[Json]]:
    """The text with ``<at>…</at>`` in it, and the mention entities that go with it."""
    entities: list[Json] = []
    for mention in reversed(mentions):
        tagged = f"<at>{html.escape(mention.mentioned['name'], quote=False)}</at>"
        text = text[: mention.start] + tagged + text[mention.end :]
        entities.insert(0, {"type": "mention", "mentioned": mention.mentioned, "text": tagged})
    return text, entities


class ActivityWriter:
    """Writes activities from people in a tenant; ``service_url`` is where the bot shall answer."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self.service_url = ""

    def message(self, account: Account, conversation: Conversation, message: Message) -> Json:
        """What somebody typed. Mentions are looked for in a channel; a personal chat has none."""
        text, entities = message.text, list[Json]()
        if conversation.team is not None:
            mentions = find_mentions(self._tenant, conversation.team, text)
            text, entities = with_mentions(text, mentions)
        activity = self._activity("message", account, conversation, message.thread)
        activity |= {
            "id": message.id,
            "text": text,
            "textFormat": "plain",
            "attachments": [
                {"contentType": "text/html", "content": f"<p>{html.escape(message.text, quote=False)}</p>"}
            ],
        }
        activity["entities"] = [*entities, *activity["entities"]]
        return activity

    def submit(self, account: Account, conversation: Conversation, message: Message, value: Json) -> Json:
        """A press on Action.Submit: a message without text, with a value, in reply to the card."""
        activity = self._activity("message", account, conversation, message.thread)
        return activity | {"value": value, "replyToId": message.id}

    def execute(
        self, account: Account, conversation: Conversation, message: Message, action: Json, trigger: Trigger
    ) -> Json:
        """A press on Action.Execute, or the card's own refresh (``automatic``); the inputs are in ``action.data``."""
        activity = self._invoke("adaptiveCard/action", account, conversation, message.thread)
        # Neither looks nor fallback are sent: "Universal Actions for Adaptive Cards", section "Invoke request".
        pressed = {name: action[name] for name in ("type", "id", "verb", "data") if name in action}
        return activity | {"value": {"action": pressed, "trigger": trigger}, "replyToId": message.id}

    def task(
        self,
        name: Literal["task/fetch", "task/submit"],
        account: Account,
        conversation: Conversation,
        reply_to: Message,
        data: Json,
    ) -> Json:
        """A dialog (task module) is asked for, or sent in."""
        activity = self._invoke(name, account, conversation, reply_to.thread)
        value = {
            "data": data,
            "context": {"theme": "default"},
            "tabContext": None,
        }
        return activity | {"value": value, "replyToId": reply_to.id}

    def installation(self, account: Account, action: Literal["add", "remove"]) -> list[Json]:
        """Somebody installs or removes the app for themselves."""
        chat = self._tenant.personal_chat(account)
        update = self._activity("installationUpdate", account, chat, None) | {"action": action}
        roster = self._activity("conversationUpdate", account, chat, None)
        field = "membersAdded" if action == "add" else "membersRemoved"
        roster[field] = [{"id": self._tenant.bot_id, "name": self._tenant.bot_name}]
        return [roster, update]

    def team_installation(self, account: Account, team: Team, action: Literal["add", "remove"]) -> list[Json]:
        """Somebody adds the app to a team, or removes it."""
        general = self._tenant.conversations[team.id]
        update = self._activity("installationUpdate", account, general, None) | {"action": action}
        roster = self._activity("conversationUpdate", account, general, None)
        field = "membersAdded" if action == "add" else "membersRemoved"
        roster[field] = [{"id": self._tenant.bot_id}]
        roster["channelData"]["eventType"] = "teamMemberAdded" if action == "add" else "teamMemberRemoved"
        return [roster, update]

    def _invoke(self, name: str, account: Account, conversation: Conversation, thread: str | None) -> Json:
        activity = self._activity("invoke", account, conversation, thread)
        activity["name"] = name
        activity["channelData"]["source"] = {"name": "message"}
        return activity

    def _activity(self, kind: str, account: Account, conversation: Conversation, thread: str | None) -> Json:
        now = self._tenant.now()
        zone = ZoneInfo(account.timezone)
        return {
            "type": kind,
            "id": f"f:{uuid.uuid4()}",
            "timestamp": timestamp(now),
            "localTimestamp": datetime.fromtimestamp(now, zone).isoformat(timespec="milliseconds"),
            "localTimezone": account.timezone,
            "serviceUrl": self.service_url,
            "channelId": "msteams",
            "from": {"id": account.id, "name": account.name, "aadObjectId": account.aad_object_id},
            "conversation": self._conversation(conversation, thread),
            "recipient": {"id": self._tenant.bot_id, "name": self._tenant.bot_name},
            "entities": [
                {
                    "type": "clientInfo",
                    "locale": account.locale,
                    "country": account.country,
                    "platform": "Web",
                    "timezone": account.timezone,
                }
            ],
            "channelData": self._channel_data(conversation),
            "locale": account.locale,
        }

    def _conversation(self, conversation: Conversation, thread: str | None) -> Json:
        described: Json = {"conversationType": conversation.type, "tenantId": self._tenant.id}
        if conversation.team is None:
            return described | {"id": conversation.id}
        suffix = f";messageid={thread}" if thread else ""
        return described | {"isGroup": True, "id": conversation.id + suffix, "name": conversation.name}

    def _channel_data(self, conversation: Conversation) -> Json:
        data: Json = {"tenant": {"id": self._tenant.id}}
        team = conversation.team
        if team is not None:
            data["teamsTeamId"] = team.id
            data["teamsChannelId"] = conversation.id
            data["team"] = {"id": team.id, "name": team.name, "aadGroupId": team.aad_group_id}
            data["channel"] = {"id": conversation.id}
        return data
