"""More than five hundred requests to each platform's door that prove nothing: refused, and no statement reaches the
database.
"""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlalchemy import Engine, event

from adapters import logs
from adapters.assembly import assembled
from adapters.playground.demo import Playground
from adapters.playground.slack.bot_connection import signature
from adapters.server import served
from bot.clock import MovableClock

ENOUGH = 500
SECRETS = ("playground-signing-secret", "xoxb-playground", "a word that only the forged bodies have")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass
class Door:
    """The bot with both adapters started and none of its loops: whatever reaches the database came by a request."""

    url: str
    playground: Playground
    statements: list[str] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)


@asynccontextmanager
async def _opened(file: Path) -> AsyncIterator[Door]:
    playground = Playground(MovableClock())
    async with playground.slack.serving(), playground.teams.running():
        settings = playground.settings(f"sqlite:///{file}")
        async with assembled(settings) as bot, served(bot.application(), "127.0.0.1", 0) as url:
            for adapter in bot.adapters:
                await adapter.start()
            yield Door(url, playground)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with _opened(tmp_path / "door.db") as door:

        def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            door.statements.append(statement)

        logs.set_up("debug", "json", stream=door.log)
        event.listen(Engine, "before_cursor_execute", count)
        try:
            yield door
        finally:
            event.remove(Engine, "before_cursor_execute", count)


def _bodies(chance: random.Random, whole: bytes) -> Iterator[bytes]:
    """The body altered in one place, cut off, doubled, or something else altogether; and, first, as it is."""
    yield whole
    while True:
        at = chance.randrange(len(whole))
        yield whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(7))]) + whole[at + 1 :]
        yield whole[:at]
        yield whole + whole
        yield chance.randbytes(chance.randrange(200))
        yield chance.choice((b"", b"{", b"[]", b"null", b"payload=%7B", b'{"type":7}', b'{"a":' * 3000))


COMMAND = urlencode(
    {
        "command": "/sso",
        "text": f"pause {SECRETS[2]}",
        "team_id": "T0PLAYGND01",
        "user_id": "U0000000001",
        "trigger_id": "1.2.3",
        "channel_id": "D1",
    }
).encode()


def _slack_headers(chance: random.Random, body: bytes, number: int) -> dict[str, str]:
    """Signed with another secret, for another body, too long ago, in the future; or not even of the right form."""
    now = int(time.time())
    text, right = body.decode("latin-1"), "playground-signing-secret"
    at, sign = chance.choice(
        (
            (str(now), signature("another secret", str(now), text)),
            (str(now), signature(right, str(now), text + " ")),
            (str(now), signature(right, str(now - 1), text)),
            (str(now - 301 - number), signature(right, str(now - 301 - number), text)),
            (str(now + 400 + number), signature(right, str(now + 400 + number), text)),
            (str(now), signature(right, str(now), text)[:-1]),
            (str(now), "v0=" + "0" * 64),
            (str(now), ""),
            ("", ""),
            ("soon", signature(right, "soon", text)),
            ("9" * 40, "v1=" + "a" * 64),
        )
    )
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": sign}
    return headers | {"Content-Type": chance.choice((FORM, FORM, JSON, "text/plain", "multipart/form-data"))}


async def test_slacks_door_stays_shut(door: Door):
    chance = random.Random(7)
    bodies = _bodies(chance, COMMAND)
    requests = []
    for number in range(ENOUGH):
        body = next(bodies)
        requests.append((body, _slack_headers(chance, body, number)))
    too_large = b"payload=" + b"a" * (1024 * 1024)
    requests.append((too_large, _slack_headers(chance, too_large, 0)))
    await _all_refused(door, "/slack/events", requests)
    at = str(int(time.time()))
    signed = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature(SECRETS[0], at, COMMAND.decode())}
    await _is_let_in(door, "/slack/events", COMMAND, {**signed, "Content-Type": FORM})


async def test_teams_door_stays_shut(door: Door):
    chance = random.Random(11)
    whole = json.dumps(_activity(door)).encode()
    bodies = _bodies(chance, whole)
    identity, at = door.playground.teams.identity, door.playground.teams.service_url
    now = int(time.time())
    right = identity.token_for_bot(at)
    tokens = [
        *(identity.token_for_bot(at, **{name: wrong}) for name, wrong in _WRONG),
        *(identity.token_for_bot(at, exp=now - 301 - minutes * 60) for minutes in range(20)),
        *(identity.token_for_bot(at, nbf=now + 301 + minutes * 60) for minutes in range(20)),
        *(_altered(chance, right) for _ in range(60)),
        *(right[: chance.randrange(len(right) - 1)] for _ in range(60)),
        right.rsplit(".", 1)[0] + ".",
        "",
        "nonsense",
    ]
    authorizations = [f"Bearer {token}" for token in tokens] + [f"Basic {right}", right, ""]
    requests = []
    for number in range(ENOUGH + 50):
        authorization = authorizations[number % len(authorizations)]
        requests.append((next(bodies), {"Authorization": authorization, "Content-Type": JSON}))
    await _all_refused(door, "/api/messages", requests)
    await _is_let_in(door, "/api/messages", whole, {"Authorization": f"Bearer {right}", "Content-Type": JSON})
    assert right not in door.log.getvalue()


_WRONG = (
    ("aud", "another app"),
    ("aud", ""),
    ("iss", "https://evil.example"),
    ("iss", ""),
    ("serviceurl", "https://evil.example/"),
)


def _activity(door: Door) -> dict[str, Any]:
    tenant = door.playground.teams.tenant.id
    return {
        "type": "message",
        "id": "forged",
        "text": f"/sso pause {SECRETS[2]}",
        "channelId": "msteams",
        "serviceUrl": door.playground.teams.service_url,
        "from": {"id": "29:1forged"},
        "recipient": {"id": "28:bot"},
        "conversation": {"id": "a:forged", "conversationType": "personal", "tenantId": tenant},
        "channelData": {"tenant": {"id": tenant}},
    }


def _altered(chance: random.Random, token: str) -> str:
    """One character of the head, the claims or the signature; not the last, some of whose bits mean nothing."""
    at = chance.choice([place for place in range(len(token) - 1) if token[place] != "."])
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


async def _all_refused(door: Door, path: str, requests: list[tuple[bytes, dict[str, str]]]) -> None:
    assert len(requests) >= ENOUGH
    door.statements.clear()
    async with aiohttp.ClientSession() as session:
        for body, headers in requests:
            async with session.post(door.url + path, data=body, headers=headers) as answer:
                assert 400 <= answer.status < 500, (answer.status, body[:200], headers)
                shown = await answer.text()
                assert not any(secret in shown for secret in SECRETS)
    assert not door.statements
    assert door.log.getvalue()
    assert not any(secret in door.log.getvalue() for secret in SECRETS)


async def _is_let_in(door: Door, path: str, body: bytes, headers: dict[str, str]) -> None:
    """The same with proof: so what was refused was refused for want of it, and statements are counted."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(door.url + path, data=body, headers=headers) as answer,
    ):
        assert answer.status in (200, 202)
    assert door.statements
