"""Sending direct messages on Slack, one request each, and finding them again."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

from adapters.pictures import Pictures
from adapters.slack.charts import with_pictures
from adapters.slack.render import message_content
from adapters.slack.web_api import Answer, ApiFailed, ApiRefused, ApiThrottled, NotSent, Unanswered, WebApi
from bot.messages import Message
from bot.model import Person, Platform, Workspace
from bot.ports import Limits, NeverLeft, Outcome, Reason, Refused, Sent, Throttled, Unclear
from bot.readers import reader_of

EVENT_TYPE = "usher_delivery"
HISTORY_PAGE = 200
MOST_PAGES = 50
# Slack stamps messages with its own clock, which may be behind ours.
CLOCKS_DIFFER_BY = timedelta(minutes=5)

# Slack publishes no number for a workspace, only "several hundred" chat.postMessage a minute
# (docs.slack.dev/apis/web-api/rate-limits). 525 a minute is what a large sender keeps to.
LIMITS = Limits(per_second=525 / 60, burst=8, in_flight=10)

# docs.slack.dev/reference/methods/chat.postMessage, chat.update and conversations.open: errors.
REASONS = {
    "user_disabled": Reason.DISABLED,
    "user_not_found": Reason.NOT_FOUND,
    "user_not_visible": Reason.NOT_FOUND,
    "channel_not_found": Reason.NOT_FOUND,
    "message_not_found": Reason.NOT_FOUND,
    "not_in_channel": Reason.NOT_IN_CHANNEL,
    "cannot_dm_bot": Reason.POLICY,
    "messages_tab_disabled": Reason.POLICY,
    "is_archived": Reason.POLICY,
    "restricted_action": Reason.POLICY,
    "restricted_action_read_only_channel": Reason.POLICY,
    "restricted_action_thread_only_channel": Reason.POLICY,
    "restricted_action_non_threadable_channel": Reason.POLICY,
    "restricted_action_thread_locked": Reason.POLICY,
    "team_access_not_granted": Reason.POLICY,
    "ekm_access_denied": Reason.POLICY,
    "no_permission": Reason.POLICY,
    "access_denied": Reason.POLICY,
    "org_login_required": Reason.POLICY,
    "messages_posting_disabled": Reason.POLICY,
    "as_user_not_supported": Reason.POLICY,
    "token_revoked": Reason.TOKEN_REVOKED,
    "token_expired": Reason.TOKEN_REVOKED,
    "invalid_auth": Reason.TOKEN_REVOKED,
    "not_authed": Reason.TOKEN_REVOKED,
    "account_inactive": Reason.TOKEN_REVOKED,
    "missing_scope": Reason.MISSING_SCOPE,
    "not_allowed_token_type": Reason.MISSING_SCOPE,
}


class SlackPlatform:
    """bot.ports.ChatPlatform for Slack. A message's metadata holds its delivery id, so that it can be found."""

    platform = Platform.SLACK
    can_find = True

    def __init__(self, api: WebApi, limits: Limits = LIMITS, pictures: Pictures | None = None) -> None:
        self._api = api
        self._pictures = pictures
        self.limits = limits

    async def send(self, workspace: Workspace, person: Person, message: Message, delivery_id: str) -> Outcome:  # noqa: ARG002
        """One chat.postMessage to the person, whom Slack takes for their direct message with the bot."""
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"delivery": delivery_id}}
        to = person.channel_id or person.user_id
        return await self._shown(
            message, person, "chat.postMessage", channel=to, metadata=metadata, unfurl_links=False, unfurl_media=False
        )

    async def update(self, workspace: Workspace, person: Person, sent: Sent, message: Message) -> Outcome:  # noqa: ARG002
        """chat.update; what the message's metadata says stays."""
        return await self._shown(message, person, "chat.update", channel=sent.channel_id, ts=sent.message_id)

    async def _shown(self, message: Message, person: Person, method: str, **arguments: Any) -> Outcome:
        async def call(pictures: Pictures | None) -> Answer:
            content = message_content(message, reader_of(person), pictures)
            return await self._api.call(method, **arguments, **content)

        return await _outcome(with_pictures(message, self._pictures, call))

    async def find(
        self,
        workspace: Workspace,  # noqa: ARG002
        person: Person,
        delivery_id: str,
        since: datetime,
    ) -> Sent | Unclear | Throttled | None:
        """Read the direct message's history from `since` on. None only when all of it was read."""
        try:
            channel = person.channel_id or await self._open(person)
            if channel is None:
                return None
            return await self._look_through(channel, delivery_id, since - CLOCKS_DIFFER_BY)
        except ApiThrottled as throttled:
            return Throttled(throttled.retry_after)
        except Unanswered as unanswered:
            return Unclear(unanswered.reason)
        except ApiFailed:
            return Unclear(Reason.SERVER_ERROR)

    async def _open(self, person: Person) -> str | None:
        """None for somebody who has left: sending again will be refused, and that says why."""
        try:
            answer = await self._api.call("conversations.open", users=person.user_id)
        except ApiRefused as refused:
            if REASONS.get(refused.error) in {Reason.DISABLED, Reason.NOT_FOUND}:
                return None
            raise
        return str(answer.data["channel"]["id"])

    async def _look_through(self, channel: str, delivery_id: str, oldest: datetime) -> Sent | Unclear | None:
        cursor = None
        for _ in range(MOST_PAGES):
            answer = await self._api.call(
                "conversations.history",
                channel=channel,
                oldest=f"{oldest.timestamp():.6f}",
                inclusive=True,
                include_all_metadata=True,
                limit=HISTORY_PAGE,
                cursor=cursor,
            )
            for message in answer.data.get("messages") or []:
                if _delivery_of(message) == delivery_id:
                    return Sent(channel, str(message["ts"]))
            cursor = (answer.data.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return None
        return Unclear(Reason.SERVER_ERROR)


def _delivery_of(message: dict[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return str((metadata.get("event_payload") or {}).get("delivery"))


async def _outcome(call: Awaitable[Answer]) -> Outcome:
    """What became of a call that posts or updates."""
    try:
        answer = await call
    except ApiThrottled as throttled:
        return Throttled(throttled.retry_after)
    except NotSent:
        return NeverLeft()
    except Unanswered as unanswered:
        return Unclear(unanswered.reason)
    except ApiRefused as refused:
        return Refused(REASONS.get(refused.error, Reason.MESSAGE_REFUSED))
    if not answer.data.get("ts"):
        return Unclear(Reason.SERVER_ERROR)
    return Sent(str(answer.data["channel"]), str(answer.data["ts"]))
