"""PostgreSQL is stopped in the middle and started again: people are told so, and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.e2e.office import Chat
from tests.e2e.rollouts import confirms_everything, lists, send_label, sets_up

AWAY = "I cannot reach my database right now"


@pytest.fixture
def database_url(stoppable_postgresql: Any) -> str:
    return str(stoppable_postgresql.get_uri())


async def test_people_are_told_to_try_again_and_nothing_is_lost(chat: Chat, stoppable_postgresql: Any):
    server = stoppable_postgresql
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)

    await asyncio.to_thread(server.stop)
    await chat.admin.types("/sso status")
    await chat.admin.reads(AWAY)
    await chat.admin.presses(send_label(asked), on=asked)
    await chat.admin.reads(AWAY)

    await asyncio.to_thread(server.start)
    await chat.admin.presses(send_label(asked), on=asked)
    await chat.admin.reads("Sending invitations…")
    await asyncio.to_thread(server.stop)  # whatever it is doing with them
    await asyncio.to_thread(server.start)
    await chat.office.waits(minutes=10)  # what could not be noted is tried again, or looked for
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1

    await asyncio.to_thread(server.stop)
    await chat.invitee.presses("I can see my organizations")
    await chat.invitee.reads(AWAY)
    await asyncio.to_thread(server.start)
    await confirms_everything(chat.invitee)
    read = len(chat.invitee.messages)
    for _ in range(12):
        await chat.office.waits(hours=8)
    assert len(chat.invitee.messages) == read
    assert len(chat.colleague.invitations) > 1, "and whoever has not confirmed is reminded"
