"""Our check of the Bot Framework's tokens and the one in Microsoft's own SDK come to the same verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from aiohttp import ClientSession
from botbuilder.schema import Activity
from botframework.connector.auth import ChannelValidation, SimpleCredentialProvider

from adapters.teams.authentication import TeamsAuthentication, TokenRejected
from adapters.teams.connector import Connector
from adapters.teams.signing_keys import SigningKeys
from tests.adapters.teams.microsoft_fake import APP_ID, PASSWORD, SECOND_KEY, TENANT, Microsoft

HOUR = 3600


def headers(microsoft: Microsoft) -> Iterator[str]:
    """Right and wrong in every claim, by the right key and by others, in the right form and in others."""
    now = time.time()
    for issuer, audience, service, (begins, ends) in product(
        ("https://api.botframework.com", "https://sts.windows.net/somebody/", None),
        (APP_ID, "another", None),
        (microsoft.service_url, "https://evil.example/", None),
        ((-HOUR, HOUR), (-HOUR, -200), (-HOUR, -400), (200, HOUR), (400, HOUR)),
    ):
        claims = {"iss": issuer, "aud": audience, "serviceurl": service, "nbf": now + begins, "exp": now + ends}
        yield f"Bearer {microsoft.token(**claims)}"
    yield f"Bearer {microsoft.token(signed_with=SECOND_KEY)}"
    yield f"Bearer {microsoft.token(key='unknown')}"
    yield f"Bearer {microsoft.token(signed_with='s' * 32, algorithm='HS256')}"
    token = microsoft.token()
    yield from (token, f"Basic {token}", f"Bearer {token[:-10]}", "Bearer ", "Bearer a.b.c", "")


async def is_accepted_by_microsofts(header: str, activity: dict[str, Any]) -> bool:
    """In a thread: it asks for the keys without letting go of the event loop."""
    credentials = SimpleCredentialProvider(APP_ID, PASSWORD)
    service, channel = activity["serviceUrl"], activity["channelId"]

    async def accepted() -> bool:
        try:
            await ChannelValidation.authenticate_channel_token_with_service_url(header, credentials, service, channel)
        except Exception:  # noqa: BLE001  # it refuses with any of a dozen, and with an IndexError
            return False
        return True

    return await asyncio.to_thread(asyncio.run, accepted())


async def is_accepted_by_ours(authentication: TeamsAuthentication, header: str, activity: dict[str, Any]) -> bool:
    try:
        await authentication.authenticate_request(Activity().deserialize(activity), header)
    except TokenRejected:
        return False
    return True


async def test_both_accept_and_refuse_the_same(
    microsoft: Microsoft, session: ClientSession, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChannelValidation, "open_id_metadata_endpoint", microsoft.metadata_url)
    ours = TeamsAuthentication(APP_ID, TENANT, SigningKeys(session, microsoft.metadata_url), connector)
    activity = microsoft.activity()
    verdicts = []
    for number, header in enumerate(headers(microsoft)):
        verdict = await is_accepted_by_ours(ours, header, activity)
        assert verdict is await is_accepted_by_microsofts(header, activity), number
        verdicts.append(verdict)
    assert (len(verdicts), verdicts.count(True)) == (144, 3)


async def test_both_refuse_a_key_that_vouches_for_another_channel(
    microsoft: Microsoft, session: ClientSession, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    microsoft.endorsements = ["skype"]
    monkeypatch.setattr(ChannelValidation, "open_id_metadata_endpoint", microsoft.metadata_url)
    ours = TeamsAuthentication(APP_ID, TENANT, SigningKeys(session, microsoft.metadata_url), connector)
    header, activity = f"Bearer {microsoft.token()}", microsoft.activity()
    assert not await is_accepted_by_ours(ours, header, activity)
    assert not await is_accepted_by_microsofts(header, activity)
