"""What an operator's Prometheus sees of the running bot."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest

from adapters import backlog
from adapters.playground.slack import faults
from bot.model import DeliveryState
from bot.ports import StoreUnavailable
from tests.e2e.office import Chat, Office, eventually
from tests.e2e.rollouts import invited, invites, lists, send_label, sets_up
from tests.e2e.scrapes import scraped


async def test_events_and_deliveries_are_counted_by_platform_and_kind(chat: Chat) -> None:
    await invited(chat)
    metrics = await scraped(chat.office)

    assert metrics("usher_event_duration_seconds_count", platform=chat.name, kind="CommandIssued") == 2
    assert metrics("usher_event_duration_seconds_count", platform=chat.other, kind="CommandIssued") == 0
    assert metrics("usher_deliveries_total", platform=chat.name, kind="invitation", outcome="sent") == 1
    assert metrics("usher_platform_calls_total", platform=chat.name, operation="send", outcome="sent") == 2
    assert metrics("usher_delivery_attempt_duration_seconds_count", platform=chat.name) == 2
    assert metrics("usher_build_info") == 1
    assert metrics("process_resident_memory_bytes") > 0


async def test_requests_are_timed_by_route_and_status(office: Office) -> None:
    async with aiohttp.ClientSession() as session:
        refused = {}
        for path in ("/slack/events", "/api/messages"):
            async with session.post(office.url + path, json={"forged": True}) as answer:
                refused[path] = str(answer.status)
        async with session.get(f"{office.url}/etc/passwd") as answer:
            assert answer.status == 404
    metrics = await scraped(office)

    for path, status in refused.items():
        assert status.startswith("4")
        assert metrics("usher_http_request_duration_seconds_count", route=path, status=status) == 1
    assert metrics("usher_http_request_duration_seconds_count", route="none", status="404") == 1


async def test_no_label_holds_anything_of_anybody(chat: Chat) -> None:
    await invited(chat)
    values = {each.lower() for each in (await scraped(chat.office)).labels()}
    people = [str(value) for row in await chat.office.rows("person") for value in (row.email, row.user_id, row.name)]
    workspaces = [str(row.external_id) for row in await chat.office.rows("workspace")]

    assert not [value for value in values for word in [*people, *workspaces] if word and word.lower() in value]


async def test_what_waits_is_shown_with_its_age(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "FRESH_FOR", 0.0)
    office = chat.office
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee)
    await office.settles()
    await office.bot.dispatcher.stop()  # from here on nothing is sent
    office.bot.scheduler.pause()
    await chat.admin.types(f"/sso invite {chat.colleague.email}")  # the list comes as a direct message
    await eventually(lambda: _states(office, DeliveryState.READY))
    due = [each.due_at for each in await office.rows("invitation")]
    office.clock.move(max(due) + timedelta(days=2) - office.clock.now())
    metrics = await scraped(office)

    assert metrics("usher_database_up") == 1
    assert metrics("usher_database_connections", state="in_use") + metrics("usher_database_connections") >= 1
    assert metrics("usher_deliveries_ready", platform=chat.name) >= 1
    assert metrics("usher_deliveries_oldest_ready_age_seconds", platform=chat.name) > 24 * 3600
    assert metrics("usher_deliveries_ready", platform=chat.other) == 0
    assert metrics("usher_reminders_due") == 1
    assert metrics("usher_reminders_oldest_due_age_seconds") > 24 * 3600


async def test_a_platform_that_asks_to_wait_is_shown_as_throttled(office: Office) -> None:
    chat = Chat("slack", office)
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    office.slack.faults.next("chat.postMessage", faults.rate_limited(30))
    await chat.admin.presses(send_label(asked), on=asked)
    await eventually(lambda: _throttled(office))
    metrics = await scraped(office)

    assert metrics("usher_platform_throttled_seconds_total", platform="slack") == 30
    assert metrics("usher_platform_throttled_until_timestamp_seconds", platform="slack") > time.time()
    assert metrics("usher_deliveries_total", platform="slack", outcome="ready") == 1


async def test_while_the_database_is_away_metrics_say_so_and_do_not_fail(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "FRESH_FOR", 0.0)

    @asynccontextmanager
    async def away():
        raise StoreUnavailable
        yield

    monkeypatch.setattr(office.bot.store, "transaction", away)
    metrics = await scraped(office)

    assert metrics("usher_database_up") == 0
    assert not [each for each in metrics.families if each.name == "usher_deliveries_ready"]


async def test_several_scrapers_ask_the_database_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = office.bot.backlog._ask

    async def ask() -> None:
        asked.append(1)
        await real()

    monkeypatch.setattr(office.bot.backlog, "_ask", ask)
    for _ in range(3):
        await scraped(office)

    assert len(asked) == 1


async def _states(office: Office, state: DeliveryState) -> bool:
    return any(each.state is state for each in await office.rows("delivery"))


async def _throttled(office: Office) -> bool:
    return bool((await scraped(office))("usher_deliveries_total", outcome="ready"))
