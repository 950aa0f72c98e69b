"""The admin's progress message follows what goes out, in place."""

from __future__ import annotations

import pytest

from bot.dispatcher import Dispatcher
from bot.model import Platform, Wave
from bot.ports import NeverLeft, Reason, Refused, Throttled, Unclear
from bot.progress import show_progress
from storage.database import Database
from tests.builders import ADA, GRACE, LINUS, NOON, keys, rollout, words
from tests.doubles import MemoryPlatform, StoppedClock
from tests.rows import changed, invited_people, stored


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def slack(clock: StoppedClock) -> MemoryPlatform:
    return MemoryPlatform(clock=clock)


async def the_wave(store: Database) -> Wave:
    (wave,) = await stored(store, Wave)
    return wave


async def test_it_is_updated_when_something_has_changed_and_ends_with_the_last_message(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE, LINUS)
    platforms = {Platform.SLACK: slack}
    assert await show_progress(store, platforms, clock) == 1
    assert await show_progress(store, platforms, clock) == 0
    assert "progress.title.sending" in keys(slack.shown["list"])

    await Dispatcher(store, platforms, clock).run_once()
    assert await show_progress(store, platforms, clock) == 1
    assert "2 of 2" in words(slack.shown["list"])
    assert (await the_wave(store)).finished_at == NOON
    assert await show_progress(store, platforms, clock) == 0


async def test_what_is_unclear_keeps_it_open_where_the_platform_can_be_asked(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    platforms = {Platform.SLACK: slack}
    slack.script, slack.late = [Unclear(Reason.TIMED_OUT)], True
    dispatcher = Dispatcher(store, platforms, clock)
    await dispatcher.run_once()
    await show_progress(store, platforms, clock)
    assert "progress.unknown" in keys(slack.shown["list"])
    assert (await the_wave(store)).finished_at is None

    clock.forward(minutes=2)
    await dispatcher.run_once()
    await show_progress(store, platforms, clock)
    assert "progress.unknown" not in keys(slack.shown["list"])
    assert (await the_wave(store)).finished_at is not None


async def test_where_nobody_can_tell_it_ends_with_what_is_unclear(store: Database, clock: StoppedClock) -> None:
    slack = MemoryPlatform(clock=clock, can_find=False, script=[Unclear(Reason.TIMED_OUT)])
    await invited_people(store, GRACE)
    await Dispatcher(store, {Platform.SLACK: slack}, clock).run_once()
    await show_progress(store, {Platform.SLACK: slack}, clock)
    assert "progress.unknown" in keys(slack.shown["list"])
    assert (await the_wave(store)).finished_at is not None


async def test_an_update_that_did_not_get_through_is_repeated(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    slack.update_script = [Throttled(1), NeverLeft(), Unclear(Reason.TIMED_OUT)]
    for _ in range(3):
        assert await show_progress(store, {Platform.SLACK: slack}, clock) == 0
    assert await show_progress(store, {Platform.SLACK: slack}, clock) == 1


async def test_a_message_that_is_gone_is_not_updated_for_ever(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    slack.update_script = [Refused(Reason.NOT_FOUND)]
    assert await show_progress(store, {Platform.SLACK: slack}, clock) == 1
    assert await show_progress(store, {Platform.SLACK: slack}, clock) == 0


async def test_without_a_message_or_a_platform_it_only_counts(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    assert await show_progress(store, {}, clock) == 1
    await changed(store, "wave", message_id="", shown="")
    assert await show_progress(store, {Platform.SLACK: slack}, clock) == 1
    assert slack.shown == {}


async def test_a_list_whose_people_were_invited_meanwhile_ends_at_once(
    store: Database, slack: MemoryPlatform, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    async with store.transaction() as tx:
        empty = Wave(
            id="wave-2",
            rollout_id=rollout().id,
            workspace_id=ADA.workspace_id,
            created_by=ADA.id,
            created_at=NOON,
            channel_id="D1",
            message_id="list-2",
            version=1,
        )
        await tx.save(empty)
    platforms = {Platform.SLACK: slack}
    await show_progress(store, platforms, clock)
    assert "progress.title.finished" in keys(slack.shown["list-2"])
    (finished,) = [wave for wave in await stored(store, Wave) if wave.id == "wave-2"]
    assert finished.finished_at == NOON
