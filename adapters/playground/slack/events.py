"""The Events API: envelopes, deliveries and redeliveries. Source: docs.slack.dev/apis/events-api."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.playground.slack.bot_connection import NoAnswer
from adapters.playground.slack.methods_people import user_json
from adapters.playground.slack.methods_views import view_json
from adapters.playground.slack.payloads import VERIFICATION_TOKEN
from adapters.playground.slack.world import Json

if TYPE_CHECKING:
    from adapters.playground.slack.emulator import SlackEmulator
    from adapters.playground.slack.world import Channel, Message, User


@dataclass
class SentEvent:
    """An event and how each delivery of it ended: "ok", or an error's name."""

    envelope: Json
    outcomes: list[str] = field(default_factory=list)


class Events:
    """Tells the bot what happens in the workspace. `sent` lists all events, oldest first.

    Slack retries a failed delivery three times (at once, after one minute, after five); here a test says when.
    """

    def __init__(self, slack: SlackEmulator) -> None:
        self.sent: list[SentEvent] = []
        self._slack = slack

    async def send(self, event: Json) -> SentEvent:
        """Wrap this event into an envelope and deliver it once; a failure is noted in `outcomes`."""
        world = self._slack.world
        sent = SentEvent(
            {
                "token": VERIFICATION_TOKEN,
                "team_id": world.team_id,
                "api_app_id": world.app_id,
                "event": event,
                "type": "event_callback",
                "event_id": world.new_id("Ev"),
                "event_time": int(world.now()),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": world.team_id,
                        "user_id": world.bot_user_id,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": False,
            }
        )
        self.sent.append(sent)
        await self._deliver(sent, {})
        return sent

    async def redeliver(self, sent: SentEvent | None = None, *, reason: str = "http_timeout") -> SentEvent:
        """Deliver an event (the last one) again: same event_id, X-Slack-Retry-Num counted on."""
        again = sent or self.sent[-1]
        number = str(len(again.outcomes))
        await self._deliver(again, {"X-Slack-Retry-Num": number, "X-Slack-Retry-Reason": reason})
        return again

    async def _deliver(self, sent: SentEvent, headers: dict[str, str]) -> None:
        try:
            await self._slack.line.event(sent.envelope, headers)
        except NoAnswer as missing:
            sent.outcomes.append(missing.error)
        else:
            sent.outcomes.append("ok")

    async def verify_url(self, challenge: str = "playground-challenge") -> bool:
        """Slack's check when a request URL is entered: whether the bot echoes the challenge. Raises NoAnswer."""
        body = {"token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
        answer = await self._slack.line.event(body, {})
        return answer.text == challenge or (answer.json() or {}).get("challenge") == challenge

    async def message(self, channel: Channel, message: Message) -> SentEvent | None:
        """Somebody wrote: message.im in the direct message, app_mention where the bot is in the channel."""
        kind = _message_kind(self._slack.world.bot_user_id, channel, message)
        if kind is None:
            return None
        event = {"type": kind, "user": message.user, "text": message.text, "ts": message.ts}
        event |= {"channel": channel.id, "event_ts": message.ts, "team": self._slack.world.team_id}
        if kind == "message":
            event |= {"channel_type": "im", "client_msg_id": f"playground-{message.ts}"}
        return await self.send(event)

    async def app_home_opened(self, user_id: str, tab: str) -> SentEvent:
        """Somebody opened the app's Home ("home") or Messages ("messages") tab."""
        world = self._slack.world
        event: Json = {"type": "app_home_opened", "user": user_id, "tab": tab}
        event |= {"channel": world.direct_message(user_id).id, "event_ts": f"{world.now():.6f}"}
        home = world.homes.get(user_id)
        if tab == "home" and home is not None:
            event["view"] = view_json(world, home)
        return await self.send(event)

    async def app_uninstalled(self) -> SentEvent:
        """An admin removes the app: its token is dead from now on."""
        self._slack.credentials.inactive = True
        return await self.send({"type": "app_uninstalled"})

    async def team_join(self, user: User) -> SentEvent:
        """A new member joins."""
        self._slack.world.add_user(user)
        body = user_json(user)
        return await self.send({"type": "team_join", "user": body, "event_ts": f"{self._slack.world.now():.6f}"})


def _message_kind(bot_user_id: str, channel: Channel, message: Message) -> str | None:
    if channel.is_im:
        return "message"
    mentioned = f"<@{bot_user_id}>" in message.text and bot_user_id in channel.members
    return "app_mention" if mentioned else None
