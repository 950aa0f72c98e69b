"""Requests as the platforms send them: signed commands and presses from Slack, messages and card actions with a token
from Teams. Each is a new event, so that the bot's inbox takes none for one that it has seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from itertools import count
from typing import Any
from urllib.parse import urlencode

from adapters.bench.http_load import post
from adapters.bench.loopback import SIGNING_SECRET, TEAM, TENANT, Loopback
from adapters.playground.slack.bot_connection import signature
from adapters.teams.card_data import press_data
from bot.messages import Token

ADMIN = "ADMIN"
_numbers = count(1)


def slack_command(here: Loopback, words: str) -> bytes:
    """`/sso words`, typed by an admin."""
    fields = {
        "team_id": TEAM,
        "channel_id": "D0ADMIN",
        "channel_name": "directmessage",
        "user_id": ADMIN,
        "user_name": "admin",
        "command": "/sso",
        "text": words,
        "response_url": f"{here.url}/respond/1",
        "trigger_id": f"trigger.{next(_numbers)}",
    }
    return _signed(urlencode(fields))


def slack_press(here: Loopback, user_id: str, token: Token) -> bytes:
    """A button of a direct message, pressed by an invitee."""
    payload = {
        "type": "block_actions",
        "user": {"id": user_id, "username": user_id, "name": user_id, "team_id": TEAM},
        "team": {"id": TEAM, "domain": "bench"},
        "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": f"D{user_id}"},
        "channel": {"id": f"D{user_id}", "name": "directmessage"},
        "response_url": f"{here.url}/respond/1",
        "trigger_id": f"trigger.{next(_numbers)}",
        "actions": [{"type": "button", "action_id": "0", "block_id": "b", "value": token.pack(), "action_ts": "1"}],
    }
    return _signed(urlencode({"payload": json.dumps(payload)}))


def _signed(body: str) -> bytes:
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(SIGNING_SECRET, timestamp, body),
    }
    return post("/slack/events", headers, body.encode())


def teams_message(here: Loopback, words: str) -> bytes:
    """Words in an admin's chat with the bot."""
    return _with_token(here, _activity(here, ADMIN, "message") | {"text": words, "textFormat": "plain"})


def teams_press(here: Loopback, user_id: str, token: Token) -> bytes:
    """Action.Execute on a card in an invitee's chat with the bot."""
    action = {"type": "Action.Execute", "verb": "press", "data": press_data(token)}
    pressed = {"name": "adaptiveCard/action", "replyToId": "1", "value": {"action": action, "trigger": "manual"}}
    return _with_token(here, _activity(here, user_id, "invoke") | pressed)


def _activity(here: Loopback, user_id: str, kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "id": f"f:{next(_numbers)}",
        "timestamp": "2026-03-03T12:00:00.000Z",
        "localTimezone": "Europe/Berlin",
        "serviceUrl": here.service_url,
        "channelId": "msteams",
        "from": {"id": user_id, "name": user_id, "aadObjectId": user_id},
        "conversation": {"id": f"a:{user_id}", "conversationType": "personal", "tenantId": TENANT},
        "recipient": {"id": "28:bot", "name": "SSO Usher"},
        "entities": [{"type": "clientInfo", "locale": "en-US", "platform": "Web", "timezone": "Europe/Berlin"}],
        "channelData": {"tenant": {"id": TENANT}},
        "locale": "en-US",
    }


def _with_token(here: Loopback, activity: dict[str, Any]) -> bytes:
    authorization = f"Bearer {here.identity.token_for_bot(here.service_url)}"
    headers = {"Content-Type": "application/json", "Authorization": authorization}
    return post("/api/messages", headers, json.dumps(activity).encode())


def in_turn(*kinds: Sequence[bytes]) -> list[bytes]:
    """One of each kind after the other."""
    return [request for group in zip(*kinds, strict=True) for request in group]
