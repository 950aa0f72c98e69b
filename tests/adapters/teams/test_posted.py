"""An activity is read as the SDK reads it, as far as the bot asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botbuilder.schema import Activity

from adapters.teams.posted import read

WHOLE: dict[str, Any] = {
    "type": "invoke",
    "id": "f:1",
    "name": "adaptiveCard/action",
    "action": "add",
    "text": "status «ä» \U0001f600",
    "timestamp": "2026-03-03T12:00:00.000Z",
    "localTimezone": "Europe/Berlin",
    "locale": "de-DE",
    "serviceUrl": "https://smba.trafficmanager.net/emea/",
    "channelId": "msteams",
    "from": {"id": "29:1", "name": "Ada", "aadObjectId": "a1", "role": "user"},
    "recipient": {"id": "28:bot", "name": "SSO Usher"},
    "conversation": {
        "id": "a:1",
        "name": "General",
        "conversationType": "channel",
        "isGroup": True,
        "tenantId": "t1",
    },
    "membersRemoved": [{"id": "28:bot"}],
    "entities": [{"type": "clientInfo", "timezone": "Europe/Berlin"}],
    "channelData": {"tenant": {"id": "t1"}, "team": {"id": "19:1"}},
    "value": {"action": {"type": "Action.Execute", "data": {"deep": [1, 2.5, None, True]}}},
    "replyToId": "1",
    "deliveryMode": "normal",
    "attachments": [{"contentType": "text/html", "content": "<p>hello</p>"}],
}


def test_whatever_the_bot_asks_for_is_what_the_sdk_reads() -> None:
    ours, sdks = read(json.dumps(WHOLE).encode()), Activity.deserialize(WHOLE)
    for name in ("type", "id", "name", "action", "text", "value", "reply_to_id", "delivery_mode", "channel_id"):
        assert getattr(ours, name) == getattr(sdks, name), name
    for name in ("service_url", "channel_data", "locale", "local_timezone"):
        assert getattr(ours, name) == getattr(sdks, name), name
    for name in ("from_property", "recipient"):
        assert getattr(ours, name).as_dict() == getattr(sdks, name).as_dict(), name
    assert [each.id for each in ours.members_removed] == [each.id for each in sdks.members_removed]
    assert ours.entities == WHOLE["entities"]
    there = ours.conversation
    assert (there.id, there.name, there.conversation_type, there.is_group) == ("a:1", "General", "channel", True)
    assert there.tenant_id == "t1"  # which the SDK looks for under another name


def test_what_is_left_out_is_none() -> None:
    activity = read(b'{"type": "message"}')
    assert activity.type == "message"
    assert (activity.text, activity.value, activity.conversation, activity.from_property) == (None, None, None, None)
    assert activity.members_removed == []


def test_a_number_that_should_be_text_is_read_as_text() -> None:
    assert read(b'{"type": "message", "id": 5, "from": {"id": 7}}').from_property.id == "7"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"type": ""}', b'{"type": 5}', b'{"type": "message", "from": "Ada"}', b'{"type": "m"', b"\xff"],
)
def test_what_is_no_activity_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="Activity"):
        read(body)
