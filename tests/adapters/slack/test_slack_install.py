"""Whether the bot's credentials are any good, said in words that an operator can act on."""

from __future__ import annotations

import pytest

from adapters.chat import PlatformUnavailable
from adapters.playground.slack.faults import not_json, rate_limited
from adapters.slack.adapter import SlackAdapter, SlackConfig
from adapters.slack.install import SCOPES
from bot.clock import SystemClock
from tests.adapters.slack.slack_under_test import SECRET, TOKEN, Engine


@pytest.fixture
def adapter_for(store):
    def adapter_for(url: str, token: str = TOKEN, **more: str) -> SlackAdapter:
        config = SlackConfig(token, SECRET, api_url=url, time_out=1.0, **more)
        return SlackAdapter(config, Engine(), store, SystemClock())

    return adapter_for


async def said_of(adapter: SlackAdapter, step: str = "start") -> str:
    with pytest.raises(PlatformUnavailable) as caught:
        await getattr(adapter, step)()
    await adapter.stop()
    return str(caught.value)


async def test_good_credentials_pass(adapter_for, slack):
    adapter = adapter_for(slack.api_url)
    await adapter.check()
    await adapter.stop()
    await adapter.stop()


async def test_a_wrong_token_is_named(adapter_for, slack):
    assert "USHER_SLACK_BOT_TOKEN" in await said_of(adapter_for(slack.api_url, "xoxb-wrong"))


async def test_a_missing_scope_is_named(adapter_for, slack):
    slack.credentials.scopes = ",".join(set(SCOPES) - {"usergroups:read"})
    assert "usergroups:read" in await said_of(adapter_for(slack.api_url), "check")


async def test_slack_that_cannot_be_reached_is_named(adapter_for):
    assert "USHER_SLACK_API_URL" in await said_of(adapter_for("http://127.0.0.1:9/api/"))


async def test_something_else_than_slack_is_named(adapter_for, slack):
    slack.faults.next("auth.test", not_json())
    assert "USHER_SLACK_API_URL" in await said_of(adapter_for(slack.api_url))


async def test_too_many_calls_are_named(adapter_for, slack):
    slack.faults.next("auth.test", rate_limited())
    assert "minute" in await said_of(adapter_for(slack.api_url), "check")


async def test_a_wrong_app_token_is_named(adapter_for, slack):
    assert "USHER_SLACK_APP_TOKEN" in await said_of(adapter_for(slack.api_url, app_token="xapp-wrong"))


def test_contradictory_settings_are_refused_and_secrets_are_not_shown():
    with pytest.raises(ValueError, match="bot token"):
        SlackConfig("", SECRET)
    with pytest.raises(ValueError, match="signing secret"):
        SlackConfig(TOKEN)
    assert TOKEN not in repr(SlackConfig(TOKEN, SECRET, "xapp-1"))
    assert "xapp-1" not in repr(SlackConfig(TOKEN, SECRET, "xapp-1"))
