"""Deliveries a second, all that a delivery takes included, beside the bare client that sends the same messages.

Both send to the same emulator, in a process of its own and without limits, with the same number of calls in flight;
in rounds, one after the other, so that both meet the same machine. The bare loop's messages are made beforehand and
nothing is stored. Everybody has a chat with the bot already: a message is one call.

Between the two stands a loop that writes each message for its reader, as the bot does, and stores nothing: what is
left when a database costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from statistics import median
from time import monotonic
from typing import Any

import aiohttp

from adapters.bench.databases import databases
from adapters.bench.emulated import Emulated, emulated
from adapters.bench.figures import Figure, compared
from adapters.bench.rows import invite, person, workspace
from adapters.bench.size import Size
from adapters.playground.teams.emulator import APP_ID, APP_PASSWORD
from adapters.slack.platform import LIMITS as SLACK
from adapters.slack.platform import SlackPlatform
from adapters.slack.render import message_content
from adapters.slack.web_api import WebApi
from adapters.teams.connector import Connector
from adapters.teams.credentials import BotCredentials
from adapters.teams.platform import LIMITS as TEAMS
from adapters.teams.platform import TeamsPlatform
from adapters.teams.render import message_activity
from bot.clock import SystemClock
from bot.conversations.invitation import invitation_message
from bot.dispatcher import Dispatcher
from bot.model import Delivery, DeliveryState, Platform, Workspace, derived_id
from bot.observer import Unobserved
from bot.ports import ChatPlatform, InvitationView
from bot.settling import Settlement
from bot.texts import Reader
from storage import migrate
from storage.database import Database

MESSAGES = 1500  # in one round
ROUNDS = 3
UNLIMITED: dict[str, Any] = {"per_second": 1e6, "burst": 1000}
SendBare = Callable[[str, str], Awaitable[object]]  # one message to a user id, in a chat


class _Counting(Unobserved):
    """Knows when everything has been settled."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self.done = asyncio.Event()

    def settled(self, delivery: Delivery, settlement: Settlement) -> None:  # noqa: ARG002
        self._left -= 1
        if not self._left:
            self.done.set()


@asynccontextmanager
async def _clients(there: Emulated, sample: InvitationView) -> AsyncIterator[tuple[ChatPlatform, SendBare]]:
    """The platform as the bot uses it, without limits, and the client below it."""
    message = invitation_message(sample)
    if there.platform is Platform.SLACK:
        api = WebApi("xoxb-playground", there.url)
        content = message_content(message, Reader())
        async with aiohttp.ClientSession() as session:
            bare = api.client(session)

            async def post(_user: str, chat: str) -> object:
                metadata = {"event_type": "usher_delivery", "event_payload": {"delivery": chat}}
                given: dict[str, Any] = {"channel": chat, "metadata": metadata, "unfurl_links": False, **content}
                return await bare.api_call("chat.postMessage", json=given)

            yield SlackPlatform(api, replace(SLACK, **UNLIMITED)), post
            await api.close()
        return
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=40)) as session:
        token_url = f"{there.url}/identity/{there.workspace}/oauth2/v2.0/token"
        credentials = BotCredentials(APP_ID, APP_PASSWORD, there.workspace, session, token_url=token_url)
        connector = Connector(session, credentials, allow_loopback=True)
        activity = message_activity(message, Reader())

        async def send(_user: str, chat: str) -> object:
            return await connector.send(f"{there.url}/connector/", chat, activity)

        yield TeamsPlatform(connector, APP_ID, replace(TEAMS, **UNLIMITED)), send


async def _bare(send: SendBare, people: Sequence[tuple[str, str]], in_flight: int) -> float:
    """Messages a second."""
    waiting = iter(people)

    async def work() -> None:
        for user, chat in waiting:
            await send(user, chat)

    begun = monotonic()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return len(people) / (monotonic() - begun)


async def _delivered(store: Database, platform: ChatPlatform, messages: int) -> float:
    """Messages a second; all of them are waiting in the database."""
    counting = _Counting(messages)
    dispatcher = Dispatcher(store, {platform.platform: platform}, SystemClock(), observer=counting)
    begun = monotonic()
    running = asyncio.create_task(dispatcher.run())
    await counting.done.wait()
    seconds = monotonic() - begun
    await dispatcher.stop()
    await running
    return messages / seconds


@dataclass
class _Rates:
    """Messages a second, of each round."""

    bot: list[float] = field(default_factory=list)
    unstored: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


async def _rates(there: Emulated, here: Workspace, store: Database, messages: int) -> _Rates:
    now = datetime.now(UTC)
    people = [person(here, user, chat, now) for user, chat in there.people]
    rates = _Rates()
    for number in range(ROUNDS):
        some = slice(number * messages, (number + 1) * messages)
        rollout = await invite(store, here, people[some], now, number)
        views = await _views(store, rollout.id, messages)
        async with _clients(there, next(iter(views.values()))) as (platform, send):
            in_flight, to = platform.limits.in_flight, there.people[some]
            rates.bare.append(await _bare(send, to, in_flight))
            rates.unstored.append(await _bare(_unstored(platform, here, views), to, in_flight))
            rates.bot.append(await _delivered(store, platform, messages))
        async with store.transaction() as tx:
            counts = await tx.invitations.counts(rollout.id)
        assert counts.deliveries == {DeliveryState.SENT: messages}, "to fail costs less"
    return rates


def _unstored(platform: ChatPlatform, here: Workspace, views: Mapping[str, InvitationView]) -> SendBare:
    async def send(user: str, _chat: str) -> object:
        view = views[user]
        return await platform.send(here, view.person, invitation_message(view), derived_id("unstored", user))

    return send


async def _views(store: Database, rollout_id: str, number: int) -> Mapping[str, InvitationView]:
    """By user id."""
    async with store.transaction() as tx:
        views = await tx.invitations.open_views(rollout_id, number)
    return {view.person.user_id: view for view in views}


async def measured(size: Size) -> AsyncIterator[Figure]:
    """Both platforms, both databases."""
    messages = size.of(MESSAGES, at_least=50)
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(databases(size.database_url))
        for platform in Platform:
            there = await stack.enter_async_context(emulated(platform, messages * ROUNDS))
            for kind, url in urls.items():
                here = workspace(platform, datetime.now(UTC), there.workspace, f"{there.url}/connector/")
                await migrate.upgrade(url)
                store = Database(url)
                stack.push_async_callback(store.close)
                rates = await _rates(there, here, store, messages)
                name, bare = f"outbound, {platform.value}, {kind}", median(rates.bare)
                yield compared(name, median(rates.bot), "messages/s", bare, ">= 0.7")
                yield compared(f"{name}: written for each, not stored", median(rates.unstored), "messages/s", bare)
