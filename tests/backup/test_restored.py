"""`usher db restored`: what may have been sent since the backup is asked for, or shown, but not sent again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.dispatcher import Dispatcher
from bot.model import Delivery, DeliveryState, Invitation, Platform
from bot.reminders import queue_due
from storage.database import Database
from storage.restored import doubt
from tests.builders import DAY, GRACE, LINUS, NOON, person
from tests.doubles import MemoryPlatform, StoppedClock
from tests.rows import changed, invited_people, settled, stored

MEI = person("mei", workspace_id="teams:t1")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def slack(clock: StoppedClock) -> MemoryPlatform:
    return MemoryPlatform(clock=clock)


@pytest.fixture
def teams(clock: StoppedClock) -> MemoryPlatform:
    return MemoryPlatform(platform=Platform.TEAMS, can_find=False, clock=clock)


@pytest.fixture
def dispatcher(store: Database, slack: MemoryPlatform, teams: MemoryPlatform, clock: StoppedClock) -> Dispatcher:
    return Dispatcher(store, {Platform.SLACK: slack, Platform.TEAMS: teams}, clock)


async def as_before(store: Database, rows: Sequence[Delivery]) -> None:
    """The backup's deliveries come back: none of them was sent then."""
    for row in rows:
        assert row.state is DeliveryState.READY
    await changed(
        store,
        "delivery",
        **{name: getattr(rows[0], name) for name in ("state", "attempt", "claimed_at", "sent_at", "lease_until")},
    )
    await settled(store, reached_at=None, due_at=None)


async def states(store: Database) -> dict[str, DeliveryState]:
    return {each.person_id: each.state for each in await stored(store, Delivery)}


async def until_done(dispatcher: Dispatcher, clock: StoppedClock) -> None:
    """As long as something is done; who is throttled waits."""
    for _ in range(5):
        await dispatcher.run_once()
        clock.forward(minutes=2)


async def test_what_slack_has_is_not_sent_again(
    store: Database, database_url: str, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE, LINUS)
    backup = await stored(store, Delivery)
    clock.forward(hours=3)
    await dispatcher.run_once()
    slack.log = [arrived for arrived in slack.log if arrived.person_id == GRACE.id]  # the crash came before Linus
    await as_before(store, backup)

    clock.forward(hours=1)
    assert await doubt(database_url, clock) == 2
    await until_done(dispatcher, clock)

    assert await states(store) == {GRACE.id: DeliveryState.SENT, LINUS.id: DeliveryState.SENT}
    assert (len(slack.to(GRACE)), len(slack.to(LINUS))) == (1, 1)


async def test_what_teams_cannot_tell_is_shown_and_its_next_reminder_is_planned(
    store: Database, database_url: str, teams: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, MEI)
    clock.forward(hours=3)
    await doubt(database_url, clock)
    await until_done(dispatcher, clock)

    assert await states(store) == {MEI.id: DeliveryState.UNKNOWN}
    assert teams.log == []
    (invitation,) = await stored(store, Invitation)
    assert invitation.due_at is not None
    assert invitation.due_at > NOON + DAY


async def test_a_reminder_that_was_due_since_the_backup_is_not_queued_again(
    store: Database, database_url: str, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    await dispatcher.run_once()
    await settled(store, due_at=NOON + DAY, snoozed_until=NOON + DAY)
    clock.forward(days=1, hours=12)  # long after working hours
    assert await doubt(database_url, clock) == 0
    assert await queue_due(store, clock) == 0

    (invitation,) = await stored(store, Invitation)
    assert invitation.due_at is not None
    assert invitation.due_at > clock.now() + DAY


async def test_it_may_be_said_twice(store: Database, database_url: str, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    assert await doubt(database_url, clock) == 1
    once = await stored(store, Delivery)
    assert await doubt(database_url, clock) == 0
    assert await stored(store, Delivery) == once


async def test_what_was_just_being_sent_is_asked_for_at_once(
    store: Database, database_url: str, slack: MemoryPlatform, dispatcher: Dispatcher, clock: StoppedClock
) -> None:
    """The backup may have been made in that very moment."""
    await invited_people(store, GRACE)
    async with store.transaction() as tx:
        await tx.deliveries.claim(GRACE.workspace_id, NOON, NOON + DAY, 1)
    clock.forward(minutes=5)
    assert await doubt(database_url, clock) == 0
    await until_done(dispatcher, clock)
    assert (await states(store), len(slack.searched)) == ({GRACE.id: DeliveryState.SENT}, 1)
