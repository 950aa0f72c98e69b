"""Who did something: as Slack tells it, and what holds while Slack is slow to tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import web

from adapters.playground.slack.faults import accepted_late
from adapters.slack.adapter import SlackAdapter, SlackConfig
from bot.clock import MovableClock
from tests.adapters.slack.slack_under_test import SECRET, TOKEN

SLOW = accepted_late(0.6)


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
async def adapter(slack, engine, store, clock):
    """Waits a quarter of a second to be told who it is."""
    config = SlackConfig(TOKEN, SECRET, api_url=slack.api_url, ask_who_within=0.25)
    adapter = SlackAdapter(config, engine, store, clock)
    await adapter.start()
    application = web.Application()
    adapter.add_routes(application)
    runner = web.AppRunner(application, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.bot.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield adapter
    await runner.cleanup()
    await adapter.stop()


async def test_whoever_slack_has_not_told_about_in_time_is_known_the_next_time(adapter, slack, engine):
    slack.faults.next("users.info", SLOW)
    await slack.person("adam").types("/sso status")
    assert not engine.last.actor_known
    assert not engine.last.actor.is_workspace_admin

    await adapter._background.settled()
    await slack.person("adam").types("/sso status")
    assert engine.last.actor_known
    assert engine.last.actor.is_workspace_admin
    assert len(slack.calls("users.info")) == 1, "the late answer was not thrown away"


async def test_a_right_that_was_told_within_the_hour_holds_while_slack_is_slow(adapter, slack, engine, clock):
    await slack.person("adam").types("/sso status")
    clock.move(timedelta(minutes=50))
    slack.faults.next("users.info", SLOW)
    await slack.person("adam").types("/sso status")
    assert engine.last.actor_known
    assert engine.last.actor.is_workspace_admin


async def test_an_older_right_has_lapsed(adapter, slack, engine, clock):
    await slack.person("adam").types("/sso status")
    clock.move(timedelta(minutes=61))
    slack.faults.next("users.info", SLOW)
    await slack.person("adam").types("/sso status")
    assert not engine.last.actor_known
    assert not engine.last.actor.is_workspace_admin


async def test_a_right_that_was_withdrawn_ends_as_soon_as_slack_tells(adapter, slack, engine, clock):
    await slack.person("adam").types("/sso status")
    slack.person("adam").user.kind = "member"
    clock.move(timedelta(minutes=11))
    await slack.person("adam").types("/sso status")
    assert engine.last.actor_known
    assert not engine.last.actor.is_workspace_admin
