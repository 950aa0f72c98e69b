"""Admins by a group of the chat platform."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.admin_groups import TRUSTED_FOR, AdminGroups
from bot.engine import Engine
from bot.model import HOME_COMPANY, Platform
from bot.ports import DirectoryUnavailable
from bot.roles import Admins
from storage.database import Database
from tests.builders import GRACE, LINUS, NOON, command, keys, message_of, workspace
from tests.doubles import MemoryDirectory, StoppedClock
from tests.rows import installed, rolled_out

GROUP = "slack:s0admins"


@pytest.fixture
def directory() -> MemoryDirectory:
    return MemoryDirectory(groups={GROUP: [GRACE.user_id]})


async def looked(
    groups: AdminGroups, store: Database, directory: MemoryDirectory, at: timedelta = timedelta()
) -> None:
    await groups.refresh(store, {Platform.SLACK: directory}, HOME_COMPANY, NOON + at)


async def may_pause(store: Database, groups: AdminGroups, who=GRACE) -> bool:
    engine = Engine(store, StoppedClock(), Admins(frozenset(), frozenset({"owner@acme.example"})), groups=groups)
    return "answer.admins_only" not in keys(message_of(await engine(command("export", actor=who))))


async def test_whoever_is_in_the_group_is_an_admin_until_they_leave_it(
    store: Database, directory: MemoryDirectory
) -> None:
    await installed(store)
    await rolled_out(store)
    groups = AdminGroups([GROUP])
    assert not await may_pause(store, groups), "nobody has looked yet"
    await looked(groups, store, directory)
    assert await may_pause(store, groups)
    assert not await may_pause(store, groups, LINUS)
    directory.groups = {GROUP: [LINUS.email.upper()]}
    await looked(groups, store, directory)
    assert not await may_pause(store, groups)
    assert await may_pause(store, groups, LINUS), "an address is a name as well"


async def test_what_was_said_last_counts_for_two_hours(store: Database, directory: MemoryDirectory) -> None:
    await installed(store)
    groups = AdminGroups([GROUP])
    await looked(groups, store, directory)
    directory.groups = DirectoryUnavailable()
    await looked(groups, store, directory, TRUSTED_FOR)
    assert groups.names("slack:T1") == {GRACE.user_id.casefold()}
    await looked(groups, store, directory, TRUSTED_FOR + timedelta(seconds=1))
    assert groups.names("slack:T1") == frozenset()


async def test_a_group_counts_in_its_own_workspace_and_in_the_operators_company_only(
    store: Database, directory: MemoryDirectory
) -> None:
    await installed(store)
    foreign = workspace("slack:T9").model_copy(update={"company": "slack:T9"})
    await installed(store, foreign, people=())
    groups = AdminGroups([GROUP])
    await looked(groups, store, directory)
    assert groups.names("slack:T1")
    assert not groups.names("slack:T9")


async def test_without_groups_nobody_is_asked(store: Database) -> None:
    directory = MemoryDirectory(groups=DirectoryUnavailable())
    await looked(AdminGroups(), store, directory)
    assert AdminGroups().names("slack:T1") == frozenset()
