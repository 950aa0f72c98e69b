"""A policy that is changed while a rollout runs: every open invitation follows the new one, however many there are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.engine import Engine
from bot.messages import Token
from bot.model import Delivery, DeliveryKind, DeliveryState, Interval, Invitation, ReminderPolicy, Rollout
from bot.ports import Store
from bot.reminders import BATCH, next_due, plan_anew, queue_due
from bot.roles import Admins
from storage.database import Database
from tests.builders import DAY, GRACE, LINUS, NOON, button, command, form_of, person, press, submit
from tests.doubles import Crash, StoppedClock, killed_at
from tests.rows import changed, invited_people, settled, stored


async def reached(store: Database, *people: Any, of: Rollout | None = None, **changes: Any) -> None:
    """Invited people whose messages have arrived."""
    await invited_people(store, *(people or (GRACE,)), **({"of": of} if of else {}))
    await changed(store, "delivery", state=DeliveryState.SENT, sent_at=NOON)
    await settled(store, reached_at=NOON, last_contact_at=NOON, **changes)


async def change_policy(store: Database, **changes: Any) -> None:
    """As the setup dialog stores it."""
    (current,) = await stored(store, Rollout)
    policy = current.policy.model_copy(update=changes)
    after = current.model_copy(update={"policy": policy, "planned_up_to": "", "version": current.version + 1})
    async with store.transaction() as tx:
        await tx.save(after)


async def due_at(store: Database) -> list[datetime | None]:
    return [each.due_at for each in await stored(store, Invitation)]


async def test_a_deadline_that_is_moved_later_starts_reminders_again_that_had_ended(store: Database) -> None:
    await reached(store, due_at=None, reminders=1)
    await change_policy(store, deadline=NOON.date() + timedelta(days=30))
    assert await plan_anew(store) == 1
    assert await due_at(store) == [NOON + 3 * DAY]


async def test_a_deadline_that_is_moved_to_earlier_ends_them(store: Database) -> None:
    await reached(store, due_at=NOON + 3 * DAY, reminders=1)
    await change_policy(store, deadline=NOON.date() + timedelta(days=1))
    await plan_anew(store)
    assert await due_at(store) == [None]


@pytest.mark.parametrize(("at_most", "due"), [(5, NOON + 3 * DAY), (4, None), (1, None)])
async def test_more_reminders_than_before_start_again_and_fewer_end(
    store: Database, at_most: int, due: datetime | None
) -> None:
    await reached(store, due_at=NOON + DAY, reminders=4)
    await change_policy(store, at_most=at_most)
    await plan_anew(store)
    assert await due_at(store) == [due]


async def test_whoever_is_done_or_exempt_stays_without(store: Database) -> None:
    await reached(store, due_at=None, done_at=NOON)
    await change_policy(store, at_most=20)
    assert await plan_anew(store) == 0
    assert await due_at(store) == [None]


async def test_where_a_message_is_under_way_its_settling_plans_the_next(store: Database) -> None:
    await reached(store, due_at=NOON + DAY)
    await changed(store, "delivery", state=DeliveryState.READY, sent_at=None)
    await change_policy(store, every_days=9)
    await plan_anew(store)
    assert await due_at(store) == [None]


async def test_a_snooze_is_kept_and_one_after_the_new_deadline_is_void(store: Database) -> None:
    later = NOON + 6 * DAY
    await reached(store, snoozed_until=later, due_at=later)
    await change_policy(store, at_most=20)
    await plan_anew(store)
    assert await due_at(store) == [later]

    await change_policy(store, deadline=NOON.date() + timedelta(days=3), final_notice=True)
    await plan_anew(store)
    (invitation,) = await stored(store, Invitation)
    assert (invitation.snoozed_until, invitation.due_at) == (None, datetime(2026, 3, 5, 9, tzinfo=UTC))
    (copy,) = await stored(store, Delivery)
    assert copy.outdated == 1, "it says that the reminder comes on a day on which none will"


async def test_thousands_are_planned_batch_by_batch(store: Database) -> None:
    await reached(store, *(person(f"p{number}") for number in range(2_000)), due_at=NOON + DAY)
    await change_policy(store, first_after_days=10)
    assert await plan_anew(store) == 2_000
    assert set(await due_at(store)) == {datetime(2026, 3, 13, 12, tzinfo=UTC)}
    assert await plan_anew(store) == 0


@pytest.mark.parametrize("point", ["reminders.after_plan", "reminders.after_plan_commit"])
async def test_planning_that_is_killed_in_the_middle_goes_on(store: Database, point: str) -> None:
    await reached(store, *(person(f"p{number}") for number in range(2 * BATCH + 1)), due_at=NOON)
    await change_policy(store, first_after_days=10)
    with killed_at(point, 2), pytest.raises(Crash):
        await queue_due(store, StoppedClock())
    planned = len([each for each in await due_at(store) if each != NOON])
    assert planned == (BATCH if point == "reminders.after_plan" else 2 * BATCH)

    assert await queue_due(store, StoppedClock()) == 0, "nobody is due by the new policy"
    assert set(await due_at(store)) == {NOON + 10 * DAY}


async def test_a_policy_that_changes_while_it_is_planned_begins_anew(store: Database) -> None:
    await reached(store, *(person(f"p{number}") for number in range(3)), due_at=NOON + DAY)
    await change_policy(store, first_after_days=10)
    async with store.transaction() as tx:
        await tx.rollouts.planned("rollout-1", "zzz")
    await change_policy(store, first_after_days=20)
    assert await plan_anew(store) == 3
    assert set(await due_at(store)) == {NOON + 20 * DAY}


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """What may have become of an invitation so far."""
    contact = NOON - draw(st.integers(0, 30)) * DAY
    return {
        "reminders": draw(st.integers(0, 6)),
        "last_contact_at": draw(st.none() | st.just(contact)),
        "due_at": draw(st.none() | st.just(NOON + draw(st.integers(-3, 9)) * DAY)),
        "snoozed_until": draw(st.none() | st.just(NOON + draw(st.integers(0, 40)) * DAY)),
        "final_notice_at": draw(st.none() | st.just(contact)),
        "done_at": draw(st.none() | st.none() | st.just(NOON)),
    }


changed_policies = st.builds(
    ReminderPolicy,
    first_after_days=st.integers(1, 20),
    every_days=st.integers(1, 20),
    interval=st.sampled_from(Interval),
    at_most=st.integers(0, 8),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda some: tuple(sorted(some))),
    skip_holidays=st.booleans(),
    deadline=st.none() | st.dates(date(2026, 3, 1), date(2026, 5, 1)),
    final_notice=st.booleans(),
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Asia/Kolkata", "Pacific/Chatham")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(policy=changed_policies, past=st.lists(histories(), min_size=6, max_size=6))
async def test_after_planning_every_open_invitation_follows_the_policy(
    store: Database, policy: ReminderPolicy, past: list[dict[str, Any]]
) -> None:
    people = [person(f"p{number}", time_zone=time_zone) for number, time_zone in enumerate(ZONES)]
    if not await stored(store, Rollout):
        await reached(store, *people)
    zones = {each.id: each.time_zone for each in people}
    async with store.transaction() as tx:
        for invitation, history in zip(await stored_in(tx, people), past, strict=True):
            await tx.save(invitation.model_copy(update={**history, "version": invitation.version + 1}))
    await change_policy(store, **dict(policy))

    await plan_anew(store)

    for invitation in await stored(store, Invitation):
        contact = invitation.last_contact_at or invitation.invited_at
        if invitation.is_open:
            assert invitation.due_at == next_due(policy, zones[invitation.person_id], invitation, contact)


async def stored_in(tx: Any, people: list[Any]) -> list[Invitation]:
    views = [await tx.invitations.of_person(each.id, "rollout-1") for each in people]
    return [view.invitation for view in views]


# through the dialog and the engine


async def save_through_setup(engine: Engine, **answers: str) -> None:
    form = form_of(await engine(command("setup")))
    for _ in range(5):
        values = {each.name: each.value for each in form.fields}
        form = form_of(await engine(submit(form.token, **{**values, "groups_exist": ("yes",), **answers})))
    await engine(submit(form.token))


@pytest.fixture
def engine(store: Store) -> Engine:
    return Engine(store, StoppedClock(), Admins.of(""))


async def test_an_admin_who_changes_the_policy_changes_everybodys_plan(store: Database, engine: Engine) -> None:
    await reached(store, GRACE, LINUS, due_at=NOON + DAY)
    await save_through_setup(engine, first_after_days="10")
    await queue_due(store, StoppedClock())
    assert await due_at(store) == [NOON + 10 * DAY] * 2
    assert {each.outdated for each in await stored(store, Delivery)} == {0}, "the messages say nothing of it"


async def test_a_new_deadline_is_shown_by_the_messages_that_were_sent_before(store: Database, engine: Engine) -> None:
    await reached(store, GRACE, LINUS, due_at=NOON + DAY)
    await save_through_setup(engine, deadline="2026-04-01")
    assert {each.outdated for each in await stored(store, Delivery)} == {1}


async def test_whoever_saves_without_a_change_leaves_every_plan_as_it_is(store: Database, engine: Engine) -> None:
    await reached(store, due_at=NOON + DAY)
    await save_through_setup(engine)
    assert [each.planned_up_to for each in await stored(store, Rollout)] == [None]
    assert await due_at(store) == [NOON + DAY]


# reminders that are withdrawn


async def queued_reminder(store: Database, **changes: Any) -> Invitation:
    await reached(store, due_at=NOON, **changes)
    await queue_due(store, StoppedClock())
    (invitation,) = await stored(store, Invitation)
    return invitation


async def test_a_reminder_that_was_about_to_go_does_not_count_and_the_next_is_counted_from_now(
    store: Database, engine: Engine
) -> None:
    invitation = await queued_reminder(store, reminders=3)
    assert invitation.reminders == 4, "the last one"
    assert await engine(press(_confirm(invitation), GRACE)) is not None

    (after,) = await stored(store, Invitation)
    assert (after.reminders, after.due_at) == (3, NOON + 3 * DAY)

    clock = StoppedClock(NOON + 3 * DAY)
    assert await queue_due(store, clock) == 1
    fourth = [each for each in await stored(store, Delivery) if each.kind is DeliveryKind.REMINDER]
    assert [(each.number, each.state) for each in fourth] == [(4, DeliveryState.READY)]


async def test_a_snooze_that_ends_is_no_longer_named_by_earlier_copies(store: Database) -> None:
    await queued_reminder(store, snoozed_until=NOON)
    copies = {each.kind: each.outdated for each in await stored(store, Delivery)}
    assert copies == {DeliveryKind.INVITATION: 1, DeliveryKind.REMINDER: 0}


async def test_reminding_everybody_leaves_whoever_is_snoozed_in_peace(store: Database, engine: Engine) -> None:
    later = NOON + 6 * DAY
    await reached(store, GRACE, LINUS, due_at=None)
    await _snooze_one(store, later)
    asked = await engine(command("remind"))
    await engine(press(button(asked.message, "send").token))
    assert sorted(await due_at(store)) == [NOON, later]


async def _snooze_one(store: Database, until: datetime) -> None:
    async with store.transaction() as tx:
        view = await tx.invitations.of_person(LINUS.id, "rollout-1")
        changes = {"snoozed_until": until, "due_at": until, "version": view.invitation.version + 1}
        await tx.save(view.invitation.model_copy(update=changes))


def _confirm(invitation: Invitation) -> Token:
    return Token("confirm", "access", invitation.id, invitation.version)
