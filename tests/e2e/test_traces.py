"""A click can be followed to the database, and a delivery to the platform, where the operator wants it."""

from __future__ import annotations

import aiohttp
import pytest

from tests.adapters.trace_receiver import Receiver, attributes, receiving
from tests.e2e.office import Chat, Office
from tests.e2e.rollouts import LOGIN_URL, invited


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch):
    """Asked for before `chat`, so that the bot starts with it."""
    async with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield receiver


async def test_a_command_is_followed_from_the_request_to_the_commit(receiver: Receiver, chat: Chat) -> None:
    await invited(chat)
    await chat.admin.types("/sso status")
    await chat.office.stops_the_bot()

    requests = [span for span in receiver.spans if span.name.startswith("POST /")]
    decided = [each for span in requests for each in receiver.below(span) if each.name == "event CommandIssued"]
    assert len(decided) >= 2
    below = receiver.below(decided[-1])
    asked = [
        attributes(span)["db.operation.name"] for span in sorted(below, key=lambda span: span.end_time_unix_nano)
    ]
    assert (asked[0], asked[-1]) == ("BEGIN", "COMMIT")
    assert set(asked) >= {"SELECT", "INSERT"}
    assert attributes(decided[-1])["usher.platform"] == chat.name
    assert receiver.resource["service.name"] == "sso-usher"


async def test_a_delivery_is_followed_to_the_platform_and_its_settlement(receiver: Receiver, chat: Chat) -> None:
    await invited(chat)
    await chat.office.stops_the_bot()

    delivery = await receiver.until("delivery invitation")
    below = receiver.below(delivery)
    (call,) = (span for span in below if span.name == f"{chat.name} send")
    assert attributes(call)["usher.outcome"] == "Sent"
    assert attributes(delivery)["usher.delivery.state"] == "sent"
    (row,) = [each for each in await chat.office.rows("delivery") if each.kind.value == "invitation"]
    assert attributes(delivery)["usher.delivery.id"] == row.id


async def test_what_the_bot_does_every_second_makes_no_traces(receiver: Receiver, chat: Chat) -> None:
    await invited(chat)
    await chat.office.stops_the_bot()

    roots = {span.name.split()[0] for span in receiver.spans if not span.parent_span_id}
    assert roots <= {"POST", "event", "delivery", chat.name}


async def test_no_trace_holds_a_text_an_address_or_a_name(receiver: Receiver, chat: Chat) -> None:
    await invited(chat)
    people = await chat.office.rows("person")
    await chat.office.stops_the_bot()

    forbidden = {LOGIN_URL, *(each.email for each in people), *(each.name for each in people)} - {""}
    assert receiver.spans
    assert not [words for words in forbidden if words.encode() in receiver.bodies]


async def test_below_a_trace_of_the_proxy(receiver: Receiver, office: Office) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with aiohttp.ClientSession() as session:
        headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        async with session.get(f"{office.url}/about?code=hidden", headers=headers) as answer:
            assert answer.status == 200

    span = await receiver.until("GET /about")
    assert span.trace_id.hex() == trace_id
    assert b"hidden" not in receiver.bodies
