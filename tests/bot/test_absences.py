"""Reminders wait for people who are away, but not for ever, and not beyond the deadline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import pytest

from bot.absences import AGAIN_AFTER, AT_LONGEST, Absences
from bot.model import Delivery, Invitation, Platform, ReminderPolicy
from bot.ports import DirectoryUnavailable, Due
from bot.reminders import queue_due
from storage.database import Database
from tests.builders import DAY, GRACE, LINUS, NOON, person, rollout
from tests.doubles import Door, MemoryDirectory, StoppedClock
from tests.rows import changed, invited_people, stored

FRIDAY = datetime(2026, 3, 6, 15, tzinfo=UTC)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOON)


@pytest.fixture
def directory() -> MemoryDirectory:
    return MemoryDirectory()


@pytest.fixture
def absences(store: Database, directory: MemoryDirectory, clock: StoppedClock) -> Absences:
    return Absences(store, {Platform.SLACK: directory}, clock)


async def both_are_due(store: Database, **changes: object) -> None:
    await invited_people(store, GRACE, LINUS)
    await changed(store, "invitation", due_at=NOON - timedelta(minutes=1), last_contact_at=NOON - 2 * DAY, **changes)


async def reminded(store: Database) -> set[str]:
    return {each.person_id for each in await stored(store, Delivery) if each.kind.is_reminder}


async def due_of(store: Database, person_id: str) -> datetime | None:
    (one,) = [each for each in await stored(store, Invitation) if each.person_id == person_id]
    return one.due_at


async def test_whoever_is_away_is_reminded_when_they_are_back(
    store: Database, absences: Absences, directory: MemoryDirectory, clock: StoppedClock
) -> None:
    await both_are_due(store)
    directory.absent = {GRACE.id: FRIDAY + timedelta(hours=6)}
    assert await queue_due(store, clock, absences.put_off) == 1
    assert await reminded(store) == {LINUS.id}
    monday = datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert await due_of(store, GRACE.id) == monday, "Friday evening is no working time"
    directory.absent = {}
    clock.at = monday
    assert await queue_due(store, clock, absences.put_off) == 1
    assert await reminded(store) == {GRACE.id, LINUS.id}


async def test_who_has_not_said_until_when_is_looked_at_again_the_next_day_and_not_for_ever(
    store: Database, absences: Absences, directory: MemoryDirectory, clock: StoppedClock
) -> None:
    await both_are_due(store)
    directory.absent = {GRACE.id: None, LINUS.id: None}
    assert await queue_due(store, clock, absences.put_off) == 0
    assert await due_of(store, GRACE.id) == NOON + AGAIN_AFTER
    await changed(store, "invitation", due_at=NOON, last_contact_at=NOON - AT_LONGEST - timedelta(seconds=1))
    assert await queue_due(store, clock, absences.put_off) == 2, "a status that was forgotten"


async def test_a_reminder_that_could_not_come_before_the_deadline_does_not_wait(
    store: Database, absences: Absences, directory: MemoryDirectory, clock: StoppedClock
) -> None:
    await both_are_due(store)
    await changed(store, "rollout", policy=ReminderPolicy(deadline=date(2026, 3, 5)))
    directory.absent = {GRACE.id: FRIDAY, LINUS.id: NOON + DAY}
    assert await queue_due(store, clock, absences.put_off) == 1
    assert await reminded(store) == {GRACE.id}
    assert await due_of(store, LINUS.id) == NOON + DAY


async def test_where_the_platform_does_not_tell_nobody_is_away(
    store: Database, absences: Absences, directory: MemoryDirectory, clock: StoppedClock
) -> None:
    await both_are_due(store)
    directory.absent = DirectoryUnavailable()
    assert await queue_due(store, clock, absences.put_off) == 2


async def test_a_platform_without_a_directory_here_has_nobody_away(store: Database, clock: StoppedClock) -> None:
    await both_are_due(store)
    assert await queue_due(store, clock, Absences(store, {}, clock).put_off) == 2


async def test_who_has_chosen_another_day_in_the_meantime_keeps_it(
    store: Database, absences: Absences, directory: MemoryDirectory, clock: StoppedClock
) -> None:
    await both_are_due(store)
    async with store.transaction() as tx:
        due = await tx.invitations.due(NOON, 10)
    await changed(store, "invitation", due_at=NOON + 7 * DAY)
    directory.absent = {GRACE.id: FRIDAY, LINUS.id: None}
    await absences.put_off(due)
    assert await due_of(store, GRACE.id) == await due_of(store, LINUS.id) == NOON + 7 * DAY


async def test_of_very_many_each_is_looked_at(
    store: Database, absences: Absences, directory: MemoryDirectory, clock: StoppedClock
) -> None:
    people = [person(f"p{number:03}") for number in range(450)]
    await invited_people(store, *people, of=rollout())
    await changed(store, "invitation", due_at=NOON, last_contact_at=NOON - 2 * DAY)
    away = people[::3]
    directory.absent = {each.id: FRIDAY for each in away}
    assert await queue_due(store, clock, absences.put_off) == 300
    assert (await reminded(store)).isdisjoint({each.id for each in away})


@pytest.mark.parametrize("people", [3, 4, 5])
async def test_of_many_each_batch_is_asked_about_and_everybody_is_reminded_once(
    store: Database, monkeypatch: pytest.MonkeyPatch, people: int
) -> None:
    monkeypatch.setattr("bot.reminders.DUE_AT_ONCE", 2)
    colleagues = [person(f"p{number}") for number in range(people)]
    await invited_people(store, *colleagues)
    await changed(store, "invitation", due_at=NOON - timedelta(minutes=1), last_contact_at=NOON - 2 * DAY)
    asked: list[list[str]] = []

    async def put_off(due: Sequence[Due]) -> int:
        asked.append(sorted(each.person_id for each in due))
        return 0

    counted = Door(store)
    assert await queue_due(counted, StoppedClock(NOON), put_off) == people
    assert sorted(chain(*asked)) == sorted(each.id for each in colleagues)
    assert [len(some) for some in asked] == [2] * (people // 2) + [1] * (people % 2)
    assert counted.entered == 2 * len(asked), "a batch is looked at, and then queued"
    reminders = [each.person_id for each in await stored(store, Delivery) if each.kind.is_reminder]
    assert sorted(reminders) == sorted(each.id for each in colleagues)

    counted = Door(store)
    assert await queue_due(counted, StoppedClock(NOON), put_off) == 0
    assert counted.entered == 1, "to find nothing takes one"
