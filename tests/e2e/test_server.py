"""What the operator's tools see of the running bot."""

from __future__ import annotations

import aiohttp

from adapters.playground.slack import faults
from tests.e2e.office import Office


async def _gets(office: Office, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(office.url + path) as answer:
        return answer.status, await answer.text()


async def test_the_bot_says_that_it_is_alive_and_ready(office: Office):
    assert (await _gets(office, "/healthz"))[0] == 200
    assert (await _gets(office, "/readyz"))[0] == 200


async def test_the_bot_is_not_ready_while_a_platform_is_away(office: Office):
    office.slack.faults.sometimes("*", faults.answers(503), 1.0)
    status, body = await _gets(office, "/readyz")
    assert status == 503
    assert "slack" in body
    assert (await _gets(office, "/healthz"))[0] == 200
    office.slack.faults.clear()
    assert (await _gets(office, "/readyz"))[0] == 200
