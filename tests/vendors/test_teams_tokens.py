"""Tokens that another library has made: the bot takes the Bot Framework's, and refuses each that differs in one thing."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from adapters.assembly import assembled
from adapters.playground.demo import Playground
from adapters.playground.teams.emulator import APP_ID
from adapters.server import served
from bot.clock import MovableClock
from tests.vendors.node import HERE

SERVICE = "http://127.0.0.1:1/connector/"  # nobody is there: whatever the bot wants to answer, it cannot


def wanted(*, key: str = "good", header: dict[str, Any] | None = None, **claims: Any) -> dict[str, Any]:
    """A token as Microsoft's page describes it, but for what is given here; None leaves a claim out.

    Times are in seconds from when it is made.

    learn.microsoft.com, "Authentication with the Bot Connector API", section "Connector to Bot: example JWT components".
    """
    usual = {"iss": "https://api.botframework.com", "aud": APP_ID, "serviceurl": SERVICE}
    usual |= {"nbf": -60, "exp": 3600}
    all_claims = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    return {"claims": all_claims, "key": key, "header": {"alg": "RS256", "typ": "JWT", "kid": key, **(header or {})}}


ACCEPTED = {
    "as documented": wanted(),
    "of a clock that is four minutes fast": wanted(nbf=240),
    "of a clock that is four minutes slow": wanted(exp=-240),
    "with more claims": wanted(iat=0, azp="someone", jti="1"),
}
REFUSED = {
    "for another bot": wanted(aud="another"),
    "for several": wanted(aud=[APP_ID, "another"]),
    "for nobody": wanted(aud=None),
    "from somebody else": wanted(iss="https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"),
    "from nobody": wanted(iss=None),
    "that has expired": wanted(exp=-600),
    "that never expires": wanted(exp=None),
    "that is not valid yet": wanted(nbf=600),
    "for another service": wanted(serviceurl="http://127.0.0.1:2/connector/"),
    "for no service": wanted(serviceurl=None),
    "by an unknown key": wanted(key="secret"),
    "by another key than it names": wanted(key="secret", header={"kid": "good"}),
    "that names no key": wanted(header={"kid": None}),
    "by a key that vouches for another channel": wanted(key="unvouched"),
    "by a key that vouches for no channel": wanted(key="silent"),
    "by an elliptic key": wanted(key="elliptic", header={"alg": "ES256"}),
    "with RS512": wanted(header={"alg": "RS512"}),
    "with PS256": wanted(header={"alg": "PS256"}),
    "with the public key as a shared secret": wanted(header={"alg": "HS256"}),
    "without a signature": wanted(header={"alg": "none"}),
}


@dataclass(frozen=True)
class Door:
    """The bot's /api/messages, the tokens by name, and something to say."""

    playground: Playground
    tokens: dict[str, str]
    activity: dict[str, Any]

    async def status(self, authorization: str | None, **changes: Any) -> int:
        """What the bot answers to the activity under this header."""
        headers = {} if authorization is None else {"Authorization": authorization}
        activity = {**self.activity, "id": f"f:{uuid.uuid4()}", **changes}
        return (await self.playground.teams.link.deliver_with(activity, headers)).status


@asynccontextmanager
async def identity() -> AsyncIterator[dict[str, Any]]:
    """Tokens and the address of their keys, for as long as the script runs."""
    given = json.dumps({"now": int(time.time()), "wanted": ACCEPTED | REFUSED})
    process = await asyncio.create_subprocess_exec(
        "node", HERE / "tokens.mjs", given, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    playground = Playground(MovableClock())
    database_url = f"sqlite:///{tmp_path_factory.mktemp('tokens') / 'usher.db'}"
    async with identity() as made, playground.slack.serving(), playground.teams.running():
        settings = playground.settings(database_url)
        settings = settings.model_copy(update={"teams_openid_metadata_url": made["metadata"]})
        async with assembled(settings, playground.clock) as bot, served(bot.application(), "127.0.0.1", 0) as url:
            playground.point_at(url)
            async with bot.running():
                await bot.ready.wait()
                said = await playground.teams.person("adele").types("sso help")
                assert said.status == 401, "the emulator's own tokens are nothing here"
                yield Door(playground, made["tokens"], said.activity | {"serviceUrl": SERVICE})


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_takes_a_token(door: Door, name: str):
    assert await door.status(f"Bearer {door.tokens[name]}") == 200


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_a_token(door: Door, name: str):
    assert await door.status(f"Bearer {door.tokens[name]}") == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_a_token_of_which_any_part_has_changed(door: Door):
    token = door.tokens["as documented"]
    for part, words in enumerate(token.split(".")):
        for place in {0, len(words) // 2, len(words) - 8}:
            changed = token.split(".")
            changed[part] = words[:place] + ("A" if words[place] != "A" else "B") + words[place + 1 :]
            assert await door.status(f"Bearer {'.'.join(changed)}") == 401


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic {}", "{}", "Bearer {}.", "Bearer {} {}"])
@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_a_header_that_is_not_one_bearer_token(door: Door, header: str | None):
    good = door.tokens["as documented"]
    assert await door.status(header and header.replace("{}", good)) == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_the_bot_refuses_another_tenant_and_another_channel(door: Door):
    authorization = f"Bearer {door.tokens['as documented']}"
    other = {"tenant": {"id": "00000000-0000-0000-0000-000000000000"}}
    conversation = door.activity["conversation"]
    assert await door.status(authorization, channelData=other) == 403
    assert await door.status(authorization, conversation=conversation | {"tenantId": other["tenant"]["id"]}) == 403
    # the key vouches for it, but there people name their tenant themselves
    assert await door.status(authorization, channelId="webchat") == 403
    assert await door.status(authorization, channelId="skype") == 401
    assert await door.status(authorization, serviceUrl="https://evil.example/") == 401
