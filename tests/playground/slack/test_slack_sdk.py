"""Slack's other clients speak to the emulated workspace: the blocking one, and the one for response_urls."""

from __future__ import annotations

import asyncio

import pytest
from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient


async def test_the_blocking_client_posts_finds_and_pages(slack):
    client = WebClient("xoxb-playground", base_url=slack.api_url)
    alice = slack.person("alice")

    def talk():
        posted = client.chat_postMessage(channel=alice.id, text="Hello", blocks=[{"type": "divider"}])
        client.chat_update(channel=posted["channel"], ts=posted["ts"], text="Bye")
        history = client.conversations_history(channel=posted["channel"])
        pages = [page["members"] for page in client.users_list(limit=4)]
        with pytest.raises(SlackApiError, match="channel_not_found"):
            client.chat_postMessage(channel="C0NOWHERE", text="Hello")
        return history["messages"], pages

    messages, pages = await asyncio.to_thread(talk)
    assert [each["text"] for each in messages] == ["Bye"]
    assert [user["id"] for page in pages for user in page] == list(slack.world.users)


async def test_both_webhook_clients_answer_by_a_response_url(slack):
    alice = slack.person("alice")
    url = slack.response_url(slack.channel("general").id, alice.id)
    answers = [
        await asyncio.to_thread(WebhookClient(url).send, text="one"),
        await AsyncWebhookClient(url).send(text="two", replace_original=True),
    ]
    assert [(each.status_code, each.body) for each in answers] == [(200, "ok")] * 2
    assert [each.text for each in alice.whispers] == ["two"]
