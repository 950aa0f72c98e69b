"""When digests come, and what they tell: one message a day, whatever happens, and nothing while there is no news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bot import faultpoints
from bot.calendar import is_working_day
from bot.conversations import answers
from bot.conversations.digest_messages import Lately, report_digest
from bot.digesting import send_digests, stop_refused
from bot.digests import Digest, Frequency, next_at
from bot.effects import notice
from bot.messages import Message, text
from bot.model import (
    Delivery,
    DeliveryState,
    Invitation,
    Person,
    Platform,
    ReminderPolicy,
    Rollout,
    RolloutState,
    Wish,
    Workspace,
)
from bot.ports import DirectoryUnavailable, Reason, RolloutCounts
from bot.texts import zone
from storage.database import Database
from storage.tables import DELIVERY
from tests.builders import ADA, DAY, GRACE, LINUS, NOON, person, rollout, words
from tests.doubles import Crash, Door, MemoryDirectory, StoppedClock, killed_at
from tests.rows import changed, invited_people, stored

HOUR = timedelta(hours=1)
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Auckland")


@pytest.mark.parametrize(
    ("now", "every", "expected"),
    [
        ("2026-03-03T12:00", Frequency.DAILY, "2026-03-04T09:00"),
        ("2026-03-03T08:59", Frequency.DAILY, "2026-03-03T09:00"),
        ("2026-03-03T09:00", Frequency.DAILY, "2026-03-04T09:00"),
        ("2026-03-06T12:00", Frequency.DAILY, "2026-03-09T09:00"),
        ("2026-03-03T12:00", Frequency.WEEKLY, "2026-03-09T09:00"),
        ("2026-03-09T08:00", Frequency.WEEKLY, "2026-03-09T09:00"),
        ("2026-03-09T09:00", Frequency.WEEKLY, "2026-03-16T09:00"),
    ],
)
def test_the_next_one_comes_as_working_hours_begin(now: str, every: Frequency, expected: str) -> None:
    at = next_at(every, ReminderPolicy(), "UTC", datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_weekly_one_comes_on_tuesday_where_monday_is_a_holiday() -> None:
    policy = ReminderPolicy(skip_holidays=True, holiday_country="DE")
    at = next_at(Frequency.WEEKLY, policy, "Europe/Berlin", datetime(2026, 4, 1, tzinfo=UTC))
    assert at == datetime(2026, 4, 7, 7, tzinfo=UTC), "6 April 2026 is Easter Monday"


def test_without_a_working_day_there_is_none() -> None:
    assert next_at(Frequency.DAILY, ReminderPolicy(weekdays=()), "UTC", NOON) is None
    assert next_at(Frequency.NEVER, ReminderPolicy(), "UTC", NOON) is None


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001  # made aware below
    time_zone=st.sampled_from(ZONES),
    every=st.sampled_from([Frequency.DAILY, Frequency.WEEKLY]),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
def test_it_is_always_later_on_a_working_day_and_at_most_one_a_day(
    now: datetime, time_zone: str, every: Frequency, weekdays: set[int]
) -> None:
    policy = ReminderPolicy(weekdays=tuple(sorted(weekdays)))
    first = next_at(every, policy, time_zone, now.replace(tzinfo=UTC))
    assert first is not None
    second = next_at(every, policy, time_zone, first)
    assert second is not None
    days = [each.astimezone(zone(time_zone)) for each in (first, second)]
    assert now.replace(tzinfo=UTC) < first
    assert all(is_working_day(policy, time_zone, each.date()) and each.hour == policy.hour_from for each in days)
    weeks = [each.date().isocalendar()[:2] for each in days]
    assert days[0].date() < days[1].date()
    told_today = next_at(every, policy, time_zone, now.replace(tzinfo=UTC), now.replace(tzinfo=UTC))
    assert told_today is not None
    assert told_today.astimezone(zone(time_zone)).date() > now.replace(tzinfo=UTC).astimezone(zone(time_zone)).date()
    assert every is Frequency.DAILY or weeks[0] != weeks[1]


async def asked_for(store: Database, digest: Digest, **changes: object) -> Digest:
    """A daily digest to Ada that is due in an hour."""
    known = {"person_id": ADA.id, "every": Frequency.DAILY, "next_at": NOON + HOUR, "version": 1}
    digest = digest.model_copy(update=known | changes)
    async with store.transaction() as tx:
        await tx.save(digest)
    return digest


async def told(store: Database) -> list[Message]:
    """What was queued as a digest, the oldest first."""
    notices = [each for each in await stored(store, Delivery) if each.kind == "notice"]
    ordered = sorted(notices, key=lambda each: each.created_at)
    return [each.content for each in ordered if each.content is not None]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOON)


async def test_a_report_comes_when_it_is_due_and_tells_what_has_changed(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE, LINUS)
    await asked_for(store, Digest.report("rollout-1", ADA.id))
    assert await send_digests(store, clock) == 0
    clock.at = NOON + HOUR
    assert await send_digests(store, clock) == 1
    assert await send_digests(store, clock) == 0
    (first,) = await told(store)
    assert "0 of 2 done" in words(first)

    (grace, _) = await stored(store, Invitation)
    async with store.transaction() as tx:
        await tx.save(grace.model_copy(update={"done_at": clock.at, "due_at": None, "version": grace.version + 1}))
    clock.at = NOON + DAY
    assert await send_digests(store, clock) == 1
    second = (await told(store))[-1]
    assert "1 (1 more than last time)" in words(second)
    assert "1 (1 fewer than last time)" in words(second)


async def test_after_a_long_pause_one_comes_not_one_for_each_day(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    await asked_for(store, Digest.report("rollout-1", ADA.id))
    await changed(store, "rollout", state=RolloutState.PAUSED)
    clock.at = NOON + 10 * DAY
    assert await send_digests(store, clock) == 0
    await changed(store, "rollout", state=RolloutState.ACTIVE)
    assert await send_digests(store, clock) == 1
    assert await send_digests(store, clock) == 0
    (digest,) = await stored(store, Digest)
    assert digest.next_at is not None
    assert digest.next_at.date() == date(2026, 3, 16), "13 March 2026 is a Friday, and it is past nine"


async def test_what_was_kept_back_until_just_before_the_next_is_not_told_twice_that_day(
    store: Database, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    await asked_for(store, Digest.report("rollout-1", ADA.id), time_zone="UTC")
    clock.at = datetime(2026, 3, 5, 8, 59, tzinfo=UTC)
    assert await send_digests(store, clock) == 1
    (digest,) = await stored(store, Digest)
    assert digest.next_at == datetime(2026, 3, 6, 9, tzinfo=UTC)


async def test_what_came_late_and_told_nothing_is_followed_by_that_days(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    await asked_for(store, Digest.escalation("rollout-1"), after=3, time_zone="UTC")
    clock.at = datetime(2026, 3, 5, 3, tzinfo=UTC)
    assert await send_digests(store, clock) == 0
    (digest,) = await stored(store, Digest)
    assert digest.next_at == datetime(2026, 3, 5, 9, tzinfo=UTC)


async def test_a_finished_rollout_reports_no_more(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    await asked_for(store, Digest.report("rollout-1", ADA.id))
    await changed(store, "rollout", state=RolloutState.FINISHED, finished_at=NOON)
    clock.at = NOON + DAY
    assert await send_digests(store, clock) == 0


async def test_before_anybody_is_invited_there_is_nothing_to_report(store: Database, clock: StoppedClock) -> None:
    await invited_people(store)
    await asked_for(store, Digest.report("rollout-1", ADA.id))
    clock.at = NOON + HOUR
    assert await send_digests(store, clock) == 0
    (digest,) = await stored(store, Digest)
    assert digest.next_at is not None
    assert digest.next_at > clock.at


async def has_had(store: Database, invitation: Invitation, **changes: object) -> None:
    async with store.transaction() as tx:
        known = {"reached_at": NOON, "version": invitation.version + 1}
        await tx.save(invitation.model_copy(update=known | changes))


async def test_whoever_does_not_answer_is_named_once_a_day_when_somebody_is_new(
    store: Database, clock: StoppedClock
) -> None:
    ann, bob, cid, dee, eve, fay = (person(name) for name in ("ann", "bob", "cid", "dee", "eve", "fay"))
    await invited_people(store, ann, bob, cid, dee, eve, fay)
    of = {each.person_id: each for each in await stored(store, Invitation)}
    await has_had(store, of[ann.id], reminders=3)
    await has_had(store, of[bob.id], reminders=2)
    await has_had(store, of[cid.id], reminders=5, done_at=NOON, due_at=None)
    await has_had(store, of[dee.id], reminders=5, exempt_at=NOON, due_at=None)
    await has_had(store, of[eve.id], reminders=5, wish=Wish.STOP, wished_at=NOON)
    await has_had(store, of[fay.id], reminders=5, reached_at=None)
    await asked_for(store, Digest.escalation("rollout-1"), after=3)
    clock.at = NOON + HOUR
    assert await send_digests(store, clock) == 1
    (first,) = await told(store)
    said = words(first)
    assert [name for name in ("Ann", "Bob", "Cid", "Dee", "Eve", "Fay") if name in said] == ["Ann"]

    clock.at = NOON + DAY
    assert await send_digests(store, clock) == 0, "nobody is new"
    bobs = next(each for each in await stored(store, Invitation) if each.person_id == bob.id)
    await has_had(store, bobs, reminders=3)
    clock.at = NOON + 2 * DAY
    assert await send_digests(store, clock) == 1
    second = words((await told(store))[-1])
    assert "2 people have not confirmed" in second
    assert "New since my last message: 1" in second
    assert second.index("Bob") < second.index("Ann"), "who is new comes first"


async def test_of_very_many_some_are_named_and_the_others_counted(store: Database, clock: StoppedClock) -> None:
    people = [person(f"p{number:02}") for number in range(25)]
    await invited_people(store, *people)
    for each in await stored(store, Invitation):
        await has_had(store, each, reminders=4)
    await asked_for(store, Digest.escalation("rollout-1"), after=4)
    clock.at = NOON + HOUR
    await send_digests(store, clock)
    (message,) = await told(store)
    assert "25 people" in words(message)
    assert "And 5 people more." in words(message)


async def test_a_rollouts_report_has_its_own_figures_only(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    await invited_people(store, LINUS, of=rollout(id="rollout-2", enterprise_key="other"), wave="wave-2")
    await asked_for(store, Digest.report("rollout-2", ADA.id))
    clock.at = NOON + HOUR
    await send_digests(store, clock)
    (message,) = await told(store)
    assert "0 of 1 done" in words(message)
    assert len(await stored(store, Rollout)) == 2


@pytest.mark.parametrize(
    ("done", "still_open", "deadline", "said"),
    [
        (7, 14, None, "everybody is done on Tuesday 17 March 2026."),
        (7, 14, date(2026, 3, 17), "everybody is done on Tuesday 17 March 2026."),
        (7, 14, date(2026, 3, 16), "on Tuesday 17 March 2026, after the deadline."),
        (3, 10, None, "everybody is done on Friday 27 March 2026."),
    ],
)
def test_a_report_tells_when_everybody_is_done_at_the_pace_of_the_last_week(
    done: int, still_open: int, deadline: date | None, said: str
) -> None:
    of = rollout(policy=ReminderPolicy(deadline=deadline))
    counts = RolloutCounts(invited=100, done=100 - still_open, open=still_open)
    assert said in words(report_digest(of, counts, {}, Lately(done, "UTC", NOON)))


@pytest.mark.parametrize(("done", "still_open"), [(0, 10), (5, 0), (1, 900)])
def test_without_a_pace_there_is_no_forecast(done: int, still_open: int) -> None:
    counts = RolloutCounts(invited=1000, done=100, open=still_open)
    assert "pace" not in words(report_digest(rollout(), counts, {}, Lately(done, "UTC", NOON)))


async def test_the_pace_is_that_of_the_last_seven_days(store: Database, clock: StoppedClock) -> None:
    people = [person(f"p{number}") for number in range(4)]
    await invited_people(store, *people)
    for each, at in zip(await stored(store, Invitation), (NOON, NOON - 6 * DAY, NOON - 8 * DAY), strict=False):
        await has_had(store, each, done_at=at, due_at=None)
    await asked_for(store, Digest.report("rollout-1", ADA.id))
    clock.at = NOON + HOUR
    await send_digests(store, clock)
    (message,) = await told(store)
    assert "2 people finished in the last seven days." in words(message)


async def test_a_place_that_cannot_be_written_to_gets_no_more_and_the_admin_is_told_why(
    store: Database, clock: StoppedClock
) -> None:
    await invited_people(store, GRACE)
    channel = person("C-leads", name="#leads", is_bot=True, channel_id="C-leads")
    async with store.transaction() as tx:
        await tx.people.meet([channel])
        hello = notice("hello", channel, answers.notice(text("digest.hello.daily", name="Ada")), "rollout-1", NOON)
        await tx.deliveries.enqueue([hello])
    digest = await asked_for(store, Digest.report("rollout-1", channel.id), person_id=channel.id, changed_by=ADA.id)
    assert await stop_refused(store, clock) == 0
    await changed(store, "delivery", state=DeliveryState.DEAD, reason=Reason.NOT_IN_CHANNEL.value)
    assert await stop_refused(store, clock) == 1
    assert await stop_refused(store, clock) == 0
    (ended,) = await stored(store, Digest)
    assert (ended.id, ended.every, ended.next_at) == (digest.id, Frequency.NEVER, None)
    told_ada = [each for each in await stored(store, Delivery) if each.person_id == ADA.id]
    (told_her,) = [words(each.content) for each in told_ada if each.content]
    assert "I cannot write to #leads: I am not in that channel. Add me there. I have stopped" in told_her


async def test_what_was_refused_before_a_message_arrived_stops_nothing(store: Database, clock: StoppedClock) -> None:
    await invited_people(store, GRACE)
    channel = person("C-leads", is_bot=True)
    async with store.transaction() as tx:
        await tx.people.meet([channel])
        said = answers.notice(text("digest.hello.daily", name="Ada"))
        for key, at in (("first", NOON), ("second", NOON + HOUR)):
            await tx.deliveries.enqueue([notice(key, channel, said, "rollout-1", at)])
    await asked_for(store, Digest.report("rollout-1", channel.id), person_id=channel.id, changed_by=ADA.id)
    first = next(each for each in await stored(store, Delivery) if each.key == "first")
    async with store._engine.begin() as connection:
        dead = {"state": DeliveryState.DEAD, "reason": "not_in_channel"}
        await connection.execute(update(DELIVERY).where(DELIVERY.c.id == first.id).values(**dead))
    assert await stop_refused(store, clock) == 0


BOSS, OTHER_BOSS = person("boss"), person("other-boss")
SILENT = tuple(person(name) for name in ("ann", "bob", "cid", "dee"))


@pytest.fixture
def directory() -> MemoryDirectory:
    """Ann's and Bob's manager is one, Cid's another; Dee's is not known."""
    return MemoryDirectory(bosses={SILENT[0].id: BOSS, SILENT[1].id: BOSS, SILENT[2].id: OTHER_BOSS})


async def silent_people(store: Database, **changes: object) -> dict[str, Invitation]:
    """Four who have had three reminders, and a digest that tells their managers; the invitations by name."""
    await invited_people(store, *SILENT)
    await asked_for(store, Digest.escalation("rollout-1"), after=3, to_managers=True, **changes)
    invitations = {each.person_id: each for each in await stored(store, Invitation)}
    for each in SILENT:
        await has_had(store, invitations[each.id], reminders=3)
    return {each.name: invitations[each.id] for each in SILENT}


async def who_reads_what(store: Database) -> dict[str, set[str]]:
    """Whom each digest that was queued names, by who gets it."""
    read: dict[str, set[str]] = {}
    for each in await stored(store, Delivery):
        if each.kind == "notice" and each.content is not None:
            names = {person.name for person in SILENT if f"{person.name}:" in words(each.content)}
            read.setdefault(each.person_id, set()).update(names)
    return read


def ask(store: Database, clock: StoppedClock, directory: MemoryDirectory) -> Coroutine[Any, Any, int]:
    return send_digests(store, clock, {Platform.SLACK: directory})


async def test_managers_are_told_of_their_own_people_and_the_named_person_of_the_others(
    store: Database, clock: StoppedClock, directory: MemoryDirectory
) -> None:
    await silent_people(store)
    clock.at = NOON + HOUR
    assert await ask(store, clock, directory) == 3
    assert await who_reads_what(store) == {BOSS.id: {"Ann", "Bob"}, OTHER_BOSS.id: {"Cid"}, ADA.id: {"Dee"}}
    assert await ask(store, clock, directory) == 0
    clock.at = NOON + DAY
    assert await ask(store, clock, directory) == 0, "nobody is new"
    assert len(directory.asked_for_managers) == 1, "nobody is asked about twice"


async def test_only_a_manager_of_somebody_new_gets_another_message(
    store: Database, clock: StoppedClock, directory: MemoryDirectory
) -> None:
    of = await silent_people(store)
    await has_had(store, of["Bob"].model_copy(update={"version": of["Bob"].version + 1}), reminders=2)
    clock.at = NOON + HOUR
    await ask(store, clock, directory)
    bobs = next(each for each in await stored(store, Invitation) if each.person_id == SILENT[1].id)
    await has_had(store, bobs, reminders=3)
    clock.at = NOON + DAY
    assert await ask(store, clock, directory) == 1
    newest = max(await stored(store, Delivery), key=lambda each: each.created_at)
    assert newest.person_id == BOSS.id
    assert newest.content is not None
    assert "2 people of whom the directory names you as the manager" in words(newest.content)


@pytest.mark.parametrize("later", [timedelta(minutes=1), timedelta(hours=12)])
@pytest.mark.parametrize("point", faultpoints.DIGEST_POINTS)
async def test_a_crash_tells_nobody_twice_and_forgets_nobody(
    store: Database, clock: StoppedClock, directory: MemoryDirectory, point: str, later: timedelta
) -> None:
    """Nor when it goes on after midnight."""
    await silent_people(store)
    clock.at = NOON + HOUR
    with killed_at(point), pytest.raises(Crash):
        await ask(store, clock, directory)
    clock.at += later
    await ask(store, clock, directory)
    assert await who_reads_what(store) == {BOSS.id: {"Ann", "Bob"}, OTHER_BOSS.id: {"Cid"}, ADA.id: {"Dee"}}
    notices = [each.person_id for each in await stored(store, Delivery) if each.kind == "notice"]
    assert len(notices) == len(set(notices))


async def test_what_another_replica_is_telling_is_left_to_it(
    store: Database, clock: StoppedClock, directory: MemoryDirectory
) -> None:
    await silent_people(store)
    await asked_for(store, Digest.report("rollout-1", ADA.id))
    clock.at = NOON + HOUR
    assert await send_digests(HeldElsewhere(store), clock, {Platform.SLACK: directory}) == 1, "the report"
    assert directory.asked_for_managers == []
    assert await ask(store, clock, directory) == 3


class HeldElsewhere(Door):
    """Another process holds every lane."""

    @asynccontextmanager
    async def lane(self, lane: str) -> AsyncIterator[bool]:
        yield False


class SlowDirectory(MemoryDirectory):
    """Answers when it is let."""

    def __init__(self, known: MemoryDirectory) -> None:
        super().__init__(bosses=known.bosses)
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def managers(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, Person]:
        self.asked.set()
        await self.may_answer.wait()
        return await super().managers(workspace, people)


@pytest.mark.parametrize("meanwhile", [timedelta(), timedelta(hours=12)])
async def test_of_two_processes_one_tells_and_whoever_was_told_of_is_not_new_the_next_day(
    store: Database, clock: StoppedClock, directory: MemoryDirectory, meanwhile: timedelta
) -> None:
    await silent_people(store)
    slow = SlowDirectory(directory)
    clock.at = NOON + HOUR
    first = asyncio.create_task(ask(store, clock, slow))
    await slow.asked.wait()
    clock.at += meanwhile
    assert await ask(store, clock, directory) == 3
    clock.at += meanwhile
    slow.may_answer.set()
    assert await first == 0, "the other has taken it over"
    clock.at = NOON + 2 * DAY
    assert await ask(store, clock, directory) == 0, "nobody is new"
    assert await who_reads_what(store) == {BOSS.id: {"Ann", "Bob"}, OTHER_BOSS.id: {"Cid"}, ADA.id: {"Dee"}}
    assert len([each for each in await stored(store, Delivery) if each.kind == "notice"]) == 3


async def test_a_directory_that_does_not_answer_is_waited_for_and_other_digests_go_out(
    store: Database, clock: StoppedClock, directory: MemoryDirectory
) -> None:
    await silent_people(store)
    await asked_for(store, Digest.report("rollout-1", ADA.id))
    known, directory.bosses = directory.bosses, DirectoryUnavailable()
    clock.at = NOON + HOUR
    assert await ask(store, clock, directory) == 1, "the report"
    directory.bosses = known
    clock.forward(minutes=1)
    assert await ask(store, clock, directory) == 3


async def test_in_the_end_the_named_person_is_told_of_everybody(
    store: Database, clock: StoppedClock, directory: MemoryDirectory
) -> None:
    await silent_people(store)
    directory.bosses = DirectoryUnavailable()
    clock.at = NOON + HOUR
    assert await ask(store, clock, directory) == 0
    clock.forward(hours=3)
    assert await ask(store, clock, directory) == 1
    assert await who_reads_what(store) == {ADA.id: {"Ann", "Bob", "Cid", "Dee"}}


async def test_where_a_manager_cannot_be_written_to_the_named_person_is_told(
    store: Database, clock: StoppedClock, directory: MemoryDirectory
) -> None:
    await silent_people(store)
    clock.at = NOON + HOUR
    await ask(store, clock, directory)
    async with store.transaction() as tx:
        await tx._connection.execute(  # the platform's refusal
            update(DELIVERY)
            .where(DELIVERY.c.person_id == BOSS.id)
            .values(state=DeliveryState.DEAD, reason=Reason.NOT_INSTALLED.value)
        )
    clock.at = NOON + DAY
    assert await ask(store, clock, directory) == 1
    assert (await who_reads_what(store))[ADA.id] == {"Ann", "Bob", "Dee"}


async def test_whoever_decides_against_managers_hears_of_everybody(
    store: Database, clock: StoppedClock, directory: MemoryDirectory
) -> None:
    await silent_people(store)
    clock.at = NOON + HOUR
    await ask(store, clock, directory)
    (digest,) = await stored(store, Digest)
    async with store.transaction() as tx:
        await tx.save(digest.model_copy(update={"to_managers": False, "version": digest.version + 1}))
    clock.at = NOON + DAY
    assert await ask(store, clock, directory) == 1
    assert (await who_reads_what(store))[ADA.id] == {"Ann", "Bob", "Cid", "Dee"}


async def test_nobody_is_their_own_manager(store: Database, clock: StoppedClock, directory: MemoryDirectory) -> None:
    await silent_people(store)
    directory.bosses = {SILENT[0].id: SILENT[0]}
    clock.at = NOON + HOUR
    assert await ask(store, clock, directory) == 1
    assert await who_reads_what(store) == {ADA.id: {"Ann", "Bob", "Cid", "Dee"}}
