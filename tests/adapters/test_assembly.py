"""What the settings say reaches the parts that go by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.assembly import assembled
from adapters.settings import Settings
from bot.events import PeopleFound, Target, TargetKind
from bot.model import Delivery, Dialog
from storage.database import Database
from tests.builders import ADA, command, event_id, person, words
from tests.rows import installed, listed, rolled_out, stored


@pytest.mark.parametrize(("per_minute", "minutes"), [(525, "2 minutes"), (100, "10 minutes")])
async def test_how_long_inviting_takes_is_told_by_the_rate_that_is_set(
    tmp_path: Path, per_minute: int, minutes: str
) -> None:
    settings = Settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path / 'usher.db'}",
        slack_messages_per_minute=per_minute,
    )
    async with assembled(settings) as bot:
        assert isinstance(bot.store, Database)
        await installed(bot.store)
        await rolled_out(bot.store)
        await bot.handle(command("invite", Target(TargetKind.GROUP, "S1", "@engineering")))
        (dialog,) = await stored(bot.store, Dialog)
        await listed(bot.store, "list", *(person(f"p{number}") for number in range(1000)))
        await bot.handle(
            PeopleFound(id=event_id(), workspace_id=ADA.workspace_id, actor=ADA, dialog_id=dialog.id, list_id="list")
        )
        (told,) = await stored(bot.store, Delivery)
        assert told.content is not None
        assert minutes in words(told.content)
