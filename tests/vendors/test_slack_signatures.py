"""Requests that are signed in another language: the bot takes what Slack signs, and nothing that differs by a byte."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from itertools import product
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from slack_sdk.signature import SignatureVerifier

from adapters.playground.slack.bot_connection import signature
from tests.vendors import node
from tests.vendors.story import Wire, office

# The worked example of docs.slack.dev/authentication/verifying-requests-from-slack.
EXAMPLES_BODY = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
EXAMPLE = {"secret": "8f742231b10e8888abcd99yyyzzz85a5", "now": 1531420618, "bodies": [EXAMPLES_BODY]}
EXAMPLES_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
SIGNED, AT = "X-Slack-Signature", "X-Slack-Request-Timestamp"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    async with office(f"sqlite:///{tmp_path_factory.mktemp('signed') / 'usher.db'}") as wire:
        yield wire


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_takes_what_another_language_signs(wire: Wire):
    bodies = [_command(wire, text) for text in ("help", "stätus 漢字 🙂", "", "a+b&c=d%20")]
    for body, headers in zip(bodies, _signed(wire, bodies), strict=True):
        assert await _status(wire, body.encode(), headers) == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_a_request_in_which_any_byte_has_changed(wire: Wire):
    body = _command(wire, "help")
    (headers,) = _signed(wire, [body])
    for changed in _altered(body.encode()):
        assert await _status(wire, changed, headers) == 401, changed
    for name in (SIGNED, AT):
        for value in _altered(headers[name].encode()):
            changed = headers | {name: value.decode()}
            assert await _status(wire, body.encode(), changed) == 401, changed


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_a_request_without_a_signature_or_its_time(wire: Wire):
    body = _command(wire, "help")
    (headers,) = _signed(wire, [body])
    for kept in ({}, {SIGNED: headers[SIGNED]}, {AT: headers[AT]}, headers | {SIGNED: ""}, headers | {AT: ""}):
        assert await _status(wire, body.encode(), kept) == 401


@pytest.mark.parametrize("minutes", [-6, 6])
@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_a_request_that_was_signed_at_another_time(wire: Wire, minutes: int):
    body = _command(wire, "help")
    (headers,) = _signed(wire, [body], now=int(time.time()) + 60 * minutes)
    assert await _status(wire, body.encode(), headers) == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_a_request_that_was_signed_with_another_secret(wire: Wire):
    body = _command(wire, "help")
    (headers,) = _signed(wire, [body], secret="somebody-elses")
    assert await _status(wire, body.encode(), headers) == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_and_slacks_own_verifier_agree(wire: Wire):
    """A hundred requests, right and wrong in every part; Slack's sdk has signed those that are right."""
    secret, now = wire.overheard.signing_secret, int(time.time())
    ours, others = SignatureVerifier(secret), SignatureVerifier("somebody-elses")
    bodies = [_command(wire, text) for text in ("help", "stätus 漢字 🙂", "a+b&c=d%20", "x" * 3000)]
    verdicts = []
    for body, seconds in product(bodies, (-3600, -310, -290, 0, 290, 310)):
        at = str(now + seconds)
        right = ours.generate_signature(timestamp=at, body=body) or ""
        wrong = others.generate_signature(timestamp=at, body=body) or ""
        for signed in (right, wrong, right.upper(), right.removeprefix("v0="), ""):
            headers = {SIGNED: signed, AT: at}
            allowed = ours.is_valid_request(body, headers)
            assert (await _status(wire, body.encode(), headers) == 200) is allowed, headers
            verdicts.append(allowed)
    assert (len(verdicts), verdicts.count(True)) == (120, 12)


def test_the_documentations_worked_example_is_signed_as_it_says():
    (headers,) = node.run("sign.mjs", EXAMPLE)
    assert headers[SIGNED] == EXAMPLES_SIGNATURE
    assert signature(str(EXAMPLE["secret"]), str(EXAMPLE["now"]), EXAMPLES_BODY) == EXAMPLES_SIGNATURE


def _command(wire: Wire, text: str) -> str:
    user, channel = wire.slack.person("alice").id, wire.slack.channel("general").id
    fields = {"command": "/sso", "text": text, "user_id": user, "channel_id": channel, "trigger_id": "1.2.3"}
    return urlencode(fields | {"team_id": wire.slack.world.team_id})


def _signed(
    wire: Wire, bodies: list[str], *, now: int | None = None, secret: str | None = None
) -> list[dict[str, str]]:
    given = {"secret": secret or wire.overheard.signing_secret, "now": now or int(time.time()), "bodies": bodies}
    signed: list[dict[str, str]] = node.run("sign.mjs", given)
    return signed


def _altered(words: bytes) -> Iterator[bytes]:
    """Each byte in turn is another one, then one too few and one too many."""
    for place, byte in enumerate(words):
        other = b"1" if byte == ord("0") else b"0"
        yield words[:place] + other + words[place + 1 :]
    yield words[:-1]
    yield words + b"0"


async def _status(wire: Wire, body: bytes, headers: dict[str, str]) -> int:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with (
        ClientSession() as session,
        session.post(f"{wire.overheard.bot_url}/slack/events", data=body, headers=form | headers) as answer,
    ):
        return answer.status
