"""Slack's own client for Node, which the bot does not use, understands the emulated workspace."""

from __future__ import annotations

import asyncio

from adapters.playground.slack import SlackEmulator
from tests.vendors import node


async def test_slacks_client_for_node_posts_finds_pages_and_is_refused():
    async with SlackEmulator().serving() as slack:
        given = {"url": slack.api_url, "token": "xoxb-playground", "user": slack.person("alice").id}
        said = await asyncio.to_thread(node.run, "web_api.mjs", given)
        (message,) = said["messages"]
        assert (message["text"], message["metadata"]["event_payload"]) == ("Bye", {"delivery": "d1"})
        assert said["people"] == list(slack.world.users)
        assert said["refusals"] == [
            "channel_not_found",
            "too_many_blocks",
            "invalid_trigger_id",
            "invalid_cursor",
            "invalid_auth",
        ]
