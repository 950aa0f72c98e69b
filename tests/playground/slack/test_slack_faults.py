"""Each way in which the emulated Web API can fail, as slack_sdk's client meets it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError, SlackClientError

from adapters.playground.slack import faults


@pytest.fixture
def send(slack, client):
    async def _send():
        return await client.chat_postMessage(channel=slack.person("alice").id, text="Hello")

    return _send


def arrived(slack):
    return len(slack.person("alice").direct_messages)


async def test_a_rate_limited_call_did_nothing_and_says_when_to_come_back(slack, send):
    slack.faults.next("chat.postMessage", faults.rate_limited(7), times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await send()
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "7"
    await send()
    assert arrived(slack) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("accepted", [False, True])
async def test_a_server_error_may_or_may_not_have_done_it(slack, send, status, accepted):
    slack.faults.next("chat.postMessage", faults.answers(status, accepted=accepted))
    with pytest.raises(SlackClientError):
        await send()
    assert arrived(slack) == accepted
    assert slack.log[-1].status == status


async def test_a_reset_before_acceptance_leaves_nothing(slack, send):
    slack.faults.next("chat.postMessage", faults.reset_before_acceptance())
    with pytest.raises(aiohttp.ClientError):
        await send()
    assert arrived(slack) == 0


async def test_a_reset_after_acceptance_leaves_the_message(slack, send):
    slack.faults.next("chat.postMessage", faults.reset_after_acceptance())
    with pytest.raises(aiohttp.ClientError):
        await send()
    assert arrived(slack) == 1
    assert slack.log[-1].accepted


async def test_silence_lasts_until_the_caller_gives_up(slack, client, send):
    client.timeout = 0.2
    slack.faults.next("chat.postMessage", faults.never_answers())
    with pytest.raises(TimeoutError):
        await send()
    slack.faults.next("chat.postMessage", faults.never_answers(accepted=True))
    with pytest.raises(TimeoutError):
        await send()
    assert arrived(slack) == 1


async def test_a_body_that_is_not_json(slack, send):
    slack.faults.next("*", faults.not_json())
    with pytest.raises(SlackClientError):
        await send()
    assert arrived(slack) == 1


async def test_a_call_is_accepted_after_the_caller_has_gone(slack, client, send):
    client.timeout = 0.1
    slack.faults.next("chat.postMessage", faults.accepted_late(0.3))
    with pytest.raises(TimeoutError):
        await send()
    assert arrived(slack) == 0
    await slack.until(lambda: arrived(slack) == 1)


async def test_chances_are_the_same_with_the_same_seed(slack, send):
    slack.faults.sometimes("chat.postMessage", faults.answers(503), 0.5)
    runs = []
    for _ in range(2):
        slack.faults.seed(7)
        results = await asyncio.gather(*(_worked(send) for _ in range(30)))
        runs.append(sum(results))
    assert runs[0] == runs[1]
    assert 5 < runs[0] < 25
    slack.faults.clear()
    await send()


async def _worked(send):
    try:
        await send()
    except SlackClientError:
        return False
    return True


async def test_stopping_ends_a_silent_call_at_once(slack, send):
    slack.faults.next("chat.postMessage", faults.never_answers())
    waiting = asyncio.create_task(send())
    await slack.until(lambda: slack.log)
    await slack.stop()
    with pytest.raises(aiohttp.ClientError):
        await waiting
