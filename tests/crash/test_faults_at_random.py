"""A fifth of all calls fails in one of the ways in which platforms fail: what can be delivered is, once, and the rest
ends with its reason. On the emulators, over HTTP, with the real clients; the clock is hurried.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

import aiohttp

from adapters.bench.kills.hurried_clock import HurriedClock
from adapters.bench.rows import invite, person, workspace
from adapters.playground.slack import SlackEmulator, faults
from adapters.playground.teams.emulator import APP_ID, APP_PASSWORD, TeamsEmulator
from adapters.playground.teams.faults import Fault
from adapters.slack.platform import SlackPlatform
from adapters.slack.web_api import WebApi
from adapters.teams.connector import Connector
from adapters.teams.credentials import BotCredentials
from adapters.teams.platform import TeamsPlatform
from bot.dispatcher import Dispatcher
from bot.model import Delivery, DeliveryState, Platform
from bot.ports import ChatPlatform, Reason
from storage.database import Database
from tests.rows import stored

PEOPLE, GONE = 80, 4
SPEED = 60.0
TIME_OUT = 0.4  # seconds of real time; the grace of a minute is a whole one
EACH = 0.2 / 7  # of the calls, for each kind of fault
WITHIN = 60.0  # seconds; it takes about ten


@asynccontextmanager
async def sending(store: Database, platform: ChatPlatform, clock: HurriedClock) -> AsyncIterator[None]:
    dispatcher = Dispatcher(store, {platform.platform: platform}, clock)
    running = asyncio.create_task(dispatcher.run())
    try:
        yield
    finally:
        await dispatcher.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(store: Database, done: Callable[[Counter[DeliveryState]], bool]) -> list[Delivery]:
    deadline = monotonic() + WITHIN
    while True:
        deliveries = await stored(store, Delivery)
        states = Counter(each.state for each in deliveries)
        if done(states):
            return deliveries
        assert monotonic() < deadline, states
        await asyncio.sleep(0.1)


def nothing_waits(states: Counter[DeliveryState]) -> bool:
    return not states[DeliveryState.READY] and not states[DeliveryState.SENDING]


async def test_on_slack(store: Database) -> None:
    clock = HurriedClock(SPEED)
    async with SlackEmulator(now=lambda: clock.now().timestamp()).serving() as slack:
        api = WebApi("xoxb-playground", slack.api_url, TIME_OUT)
        here = workspace(Platform.SLACK, clock.now(), slack.world.team_id)
        users = slack.add_people(PEOPLE)
        for user in users[:GONE]:
            user.kind = "deactivated"
        everybody = [person(here, user.id, "", clock.now()) for user in users]
        for fault in (
            faults.rate_limited(2),
            faults.answers(500),
            faults.answers(502, accepted=True),
            faults.answers(503),
            faults.reset_before_acceptance(),
            faults.reset_after_acceptance(),
            faults.not_json(),
        ):
            slack.faults.sometimes("chat.postMessage", fault, EACH)
        slack.faults.sometimes("conversations.history", faults.answers(500), 0.2)
        slack.faults.next("chat.postMessage", faults.never_answers(accepted=True))
        await invite(store, here, everybody, clock.now())

        async with sending(store, SlackPlatform(api), clock):
            deliveries = await until(
                store, lambda states: nothing_waits(states) and not states[DeliveryState.UNKNOWN]
            )
        await api.close()

        dead = [each.reason for each in deliveries if each.state is DeliveryState.DEAD]
        assert dead == [Reason.DISABLED] * GONE
        shown = [each for channel in slack.world.channels.values() for each in channel.messages if each.metadata]
        arrived = Counter(str(each.metadata["event_payload"]["delivery"]) for each in shown)  # type: ignore[index]
        assert arrived == Counter(each.id for each in deliveries if each.state is DeliveryState.SENT)
        calls = Counter(
            str(each.args["metadata"]["event_payload"]["delivery"]) for each in slack.calls("chat.postMessage")
        )
        _no_storm(calls, deliveries)


async def test_on_teams(store: Database) -> None:
    clock = HurriedClock(SPEED)
    teams = TeamsEmulator(now=lambda: clock.now().timestamp())
    async with teams.running(), aiohttp.ClientSession() as session:
        tenant = teams.tenant
        url = teams.token_url
        credentials = BotCredentials(APP_ID, APP_PASSWORD, tenant.id, session, token_url=url)
        timeout = aiohttp.ClientTimeout(total=TIME_OUT)
        connector = Connector(session, credentials, allow_loopback=True, timeout=timeout)
        here = workspace(Platform.TEAMS, clock.now(), tenant.id, teams.service_url)
        accounts = teams.add_people(PEOPLE)
        for account in accounts[:GONE]:
            account.left = True
        everybody = [person(here, account.id, "", clock.now()) for account in accounts]
        for fault in (
            Fault("status", 429, 2),
            Fault("status", 500),
            Fault("status", 502),
            Fault("status", 503),
            Fault("reset_before"),
            Fault("reset_after"),
            Fault("not_json"),
        ):
            teams.faults.sometimes("send", EACH, fault)
            teams.faults.sometimes("create_conversation", EACH, fault)
        teams.faults.never_answer("send")
        await invite(store, here, everybody, clock.now())

        async with sending(store, TeamsPlatform(connector, APP_ID), clock):
            deliveries = await until(store, nothing_waits)

        dead = [each.reason for each in deliveries if each.state is DeliveryState.DEAD]
        assert dead == [Reason.NOT_FOUND] * GONE
        messages = {account.id: len(tenant.personal_chat(account).messages) for account in accounts[GONE:]}
        assert max(messages.values()) == 1
        states = {each.person_id.rsplit(f"{here.id}:", maxsplit=1)[1]: each.state for each in deliveries}
        assert all(messages[who] == 1 for who, state in states.items() if state is DeliveryState.SENT)
        assert all(states[who] in {DeliveryState.SENT, DeliveryState.UNKNOWN} for who in messages)
        assert {each.reason for each in deliveries if each.state is DeliveryState.UNKNOWN} <= {
            Reason.TIMED_OUT,
            Reason.CONNECTION_LOST,
            Reason.SERVER_ERROR,
            Reason.INTERRUPTED,  # a lease is one second of real time here: it ends when the machine is busy
        }
        sends: Counter[str] = Counter(each.path for each in teams.calls.made("send"))
        assert max(sends.values()) <= max(each.attempt for each in deliveries)
        _no_storm(sends, deliveries)


async def test_a_revoked_token_is_the_reason_of_all_that_it_stops(store: Database) -> None:
    clock = HurriedClock(SPEED)
    async with SlackEmulator().serving() as slack:
        slack.credentials.bot_token = "another"
        api = WebApi("xoxb-playground", slack.api_url, TIME_OUT)
        here = workspace(Platform.SLACK, clock.now(), slack.world.team_id)
        users = slack.add_people(5)
        await invite(store, here, [person(here, user.id, "", clock.now()) for user in users], clock.now())
        async with sending(store, SlackPlatform(api), clock):
            deliveries = await until(store, nothing_waits)
        await api.close()
        assert {(each.state, each.reason) for each in deliveries} == {(DeliveryState.DEAD, Reason.TOKEN_REVOKED)}
        assert len(slack.calls("chat.postMessage")) == 5


def _no_storm(calls: Counter[Any], deliveries: list[Delivery]) -> None:
    """Every call was an attempt that the database knows, and few were needed."""
    assert calls.total() <= sum(each.attempt for each in deliveries)
    assert max(calls.values()) <= 8
    assert calls.total() <= PEOPLE * 1.6
    waited = [each for each in deliveries if each.attempt > 1 and each.sent_at is not None]
    assert all(each.sent_at - each.created_at > timedelta(seconds=1) for each in waited if each.sent_at)
