"""A direct message is queued once, claimed by one worker at a time, and settled by who holds it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model import DeliveryKind, DeliveryState, RolloutState, derived_id
from bot.ports import WaveCounts
from tests.storage.stored_things import (
    HOUR,
    LANE,
    MINUTE,
    NOW,
    begin,
    change,
    claim,
    claim_one,
    delivery_now,
    due_for,
    invite,
    notice,
    reminder,
    rollout,
    workspace,
)


async def enqueue(store, *deliveries):
    async with store.transaction() as tx:
        return await tx.deliveries.enqueue(deliveries)


async def settle(store, how, delivery, *words):
    async with store.transaction() as tx:
        return await getattr(tx.deliveries, how)(delivery, *words)


async def test_a_message_comes_back_as_it_was_queued(store):
    await enqueue(store, notice("k1"))

    (claimed,) = await claim(store)

    expected = notice("k1", state=DeliveryState.SENDING, claimed_at=NOW, lease_until=NOW + MINUTE, attempt=1)
    assert claimed == expected
    assert claimed.content == notice("k1").content


async def test_the_same_message_is_queued_once(store):
    assert await enqueue(store, notice("k1"), notice("k1"), notice("k2")) == 2
    assert await enqueue(store, notice("k1"), notice("k3")) == 1
    assert await enqueue(store) == 0

    assert len(await claim(store)) == 3


async def test_messages_are_claimed_by_priority_then_time_then_id(store):
    await enqueue(
        store,
        notice("reminder", priority=2, not_before=NOW - 3 * HOUR),
        notice("invitation", priority=1, not_before=NOW - 2 * HOUR),
        notice("reply", priority=0, not_before=NOW),
        notice("older reply", priority=0, not_before=NOW - HOUR),
        *(notice(f"same {number}", priority=1) for number in range(4)),
    )
    same = sorted(f"same {number}" for number in range(4))
    same.sort(key=derived_id)

    keys = [delivery.key for limit in (3, 2, 9) for delivery in await claim(store, limit)]

    assert keys == ["older reply", "reply", "invitation", *same, "reminder"]


async def test_a_message_is_not_claimed_before_its_time_nor_in_another_lane(store):
    await enqueue(store, notice("later", not_before=NOW + HOUR), notice("elsewhere", lane="teams:tenant"))

    assert await claim(store) == []
    assert [one.key for one in await claim(store, lane="teams:tenant")] == ["elsewhere"]
    assert [one.key for one in await claim(store, at=NOW + HOUR)] == ["later"]


async def test_a_claimed_message_is_not_claimed_again(store):
    claimed = await claim_one(store)

    assert await claim(store, at=NOW + HOUR) == []
    async with store.transaction() as tx:
        assert await tx.deliveries.claim_again(claimed.id, NOW, NOW + MINUTE) is None


async def test_one_message_can_be_claimed_if_it_is_ready_now(store):
    await enqueue(store, notice("k1", not_before=NOW + HOUR))
    async with store.transaction() as tx:
        assert await tx.deliveries.claim_again(derived_id("k1"), NOW, NOW + MINUTE) is None
        assert (await tx.deliveries.claim_again(derived_id("k1"), NOW + HOUR, NOW + 2 * HOUR)).attempt == 1


async def test_a_sent_message_is_known_by_where_it_is(store):
    claimed = await claim_one(store)

    assert await settle(store, "sent", claimed, NOW, "D1", "17.5")

    after = await delivery_now(store, claimed)
    assert (after.state, after.sent_at, after.channel_id, after.message_id) == (DeliveryState.SENT, NOW, "D1", "17.5")
    assert after.lease_until is None


async def test_a_message_that_was_put_off_is_tried_again_later(store):
    claimed = await claim_one(store)

    assert await settle(store, "put_off", claimed, NOW + HOUR, "throttled")

    assert await claim(store, at=NOW + HOUR - MINUTE) == []
    (again,) = await claim(store, at=NOW + HOUR)
    assert (again.attempt, again.reason) == (2, "throttled")


@pytest.mark.parametrize(
    ("how", "state"),
    [("unclear", DeliveryState.UNKNOWN), ("gave_up", DeliveryState.DEAD), ("withdrawn", DeliveryState.WITHDRAWN)],
)
async def test_a_message_can_end_without_having_been_sent(store, how, state):
    claimed = await claim_one(store)

    assert await settle(store, how, claimed, "timed_out")

    after = await delivery_now(store, claimed)
    assert (after.state, after.reason, after.lease_until) == (state, "timed_out", None)
    assert await claim(store, at=NOW + HOUR) == []


async def test_a_message_that_is_not_needed_is_withdrawn_before_it_is_claimed(store):
    await enqueue(store, notice("k1"))

    assert await settle(store, "withdrawn", notice("k1"), "not_needed")

    assert await claim(store) == []


SETTLING = [
    ("sent", (NOW, "D9", "late")),
    ("put_off", (NOW, "throttled")),
    ("unclear", ("timed_out",)),
    ("gave_up", ("blocked",)),
    ("withdrawn", ("not_needed",)),
    ("settle_unknown_absent", (NOW,)),
]


@pytest.mark.parametrize(("how", "words"), SETTLING)
async def test_a_late_worker_changes_nothing_of_a_later_attempt(store, how, words):
    late = await claim_one(store)
    await settle(store, "put_off", late, NOW, "throttled")
    (again,) = await claim(store, at=NOW + MINUTE)

    assert not await settle(store, how, late, *words)

    assert await delivery_now(store, again) == again


@pytest.mark.parametrize(("how", "words"), SETTLING)
async def test_a_settled_message_stays_settled(store, how, words):
    claimed = await claim_one(store)
    await settle(store, "sent", claimed, NOW, "D1", "17.5")

    assert not await settle(store, how, claimed, *words)

    assert (await delivery_now(store, claimed)).message_id == "17.5"


@pytest.mark.parametrize(("how", "words"), SETTLING)
async def test_a_late_worker_changes_nothing_after_an_admin_has_sent_again(store, how, words):
    await invite(store, ["ada"])
    (late,) = await claim(store)
    await settle(store, "gave_up", late, "blocked")
    async with store.transaction() as tx:
        assert await tx.deliveries.send_again("r1", NOW + HOUR) == 1
    (again,) = await claim(store, at=NOW + HOUR)
    assert again.attempt == late.attempt

    assert not await settle(store, how, late, *words)

    assert await delivery_now(store, again) == again


async def test_what_a_dead_process_was_sending_becomes_unknown(store):
    claimed = await claim_one(store)
    async with store.transaction() as tx:
        assert await tx.deliveries.expired(NOW + MINUTE / 2, 10) == []
        (interrupted,) = await tx.deliveries.expired(NOW + MINUTE, 10)
        assert await tx.deliveries.unclear(interrupted, "interrupted")
        assert await tx.deliveries.expired(NOW + MINUTE, 10) == []

    after = await delivery_now(store, claimed)
    assert (after.state, after.reason) == (DeliveryState.UNKNOWN, "interrupted")


async def test_a_worker_whose_lease_ran_out_may_still_tell_that_it_was_sent(store):
    claimed = await claim_one(store)
    async with store.transaction() as tx:
        assert await tx.deliveries.unclear(claimed, "interrupted")

    assert await settle(store, "sent", claimed, NOW + MINUTE, "D1", "17.5")

    assert (await delivery_now(store, claimed)).state is DeliveryState.SENT


async def test_unknown_ones_are_reconciled_when_they_must_have_arrived_oldest_first(store):
    for number in range(3):
        await settle(store, "unclear", await claim_one(store, f"k{number}", NOW + number * HOUR), "timed_out")
    async with store.transaction() as tx:
        due = await tx.deliveries.unknown(LANE, NOW + HOUR, 9)
        assert [one.key for one in due] == ["k0", "k1"]
        assert [one.key for one in await tx.deliveries.unknown(LANE, NOW + HOUR, 1)] == ["k0"]
        assert await tx.deliveries.unknown("teams:tenant", NOW + HOUR, 9) == []


async def test_an_unknown_message_that_the_platform_does_not_have_is_sent_again(store):
    claimed = await claim_one(store)
    await settle(store, "unclear", claimed, "timed_out")

    assert await settle(store, "settle_unknown_absent", claimed, NOW + HOUR)

    (again,) = await claim(store, at=NOW + HOUR)
    assert (again.id, again.attempt) == (claimed.id, 2)


async def test_a_dead_message_is_sent_again_with_a_fresh_count(store):
    await invite(store, ["ada", "ben"])
    blocked, arrived = await claim(store)
    await settle(store, "gave_up", blocked, "blocked")
    await settle(store, "sent", arrived, NOW, "D1", "1")
    async with store.transaction() as tx:
        assert (await tx.invitations.counts("r1")).failed == 1
        assert await tx.deliveries.send_again("r1", NOW + HOUR) == 1

    (again,) = await claim(store, at=NOW + HOUR)
    assert (again.id, again.attempt, again.reason) == (blocked.id, 1, "")


async def test_of_several_messages_to_one_person_only_the_last_is_sent_again(store):
    (ada,) = await invite(store, ["ada"])
    (invitation,) = await claim(store)
    await settle(store, "gave_up", invitation, "blocked")
    await enqueue(store, reminder(ada, 1))
    (nudge,) = await claim(store)
    await settle(store, "gave_up", nudge, "blocked")
    async with store.transaction() as tx:
        assert (await tx.invitations.counts("r1")).failed == 1
        assert await tx.deliveries.send_again("r1", NOW + HOUR) == 1

    assert [one.id for one in await claim(store, at=NOW + HOUR)] == [nudge.id]


async def test_whoever_was_reached_since_or_is_done_is_not_written_to_again(store):
    ada, ben = await invite(store, ["ada", "ben"])
    for one in await claim(store):
        await settle(store, "gave_up", one, "blocked")
    await enqueue(store, reminder(ada, 1))
    (nudge,) = await claim(store)
    await settle(store, "sent", nudge, NOW, "D1", "1")
    await change(store, ben, done_at=NOW)
    async with store.transaction() as tx:
        counts = await tx.invitations.counts("r1")
        assert (counts.failed, counts.reasons) == (0, {})
        assert await tx.deliveries.send_again("r1", NOW + HOUR) == 0


async def test_what_is_unknown_on_slack_is_looked_up_not_sent_again(store):
    await invite(store, ["ada"])
    (unclear,) = await claim(store)
    await settle(store, "unclear", unclear, "timed_out")
    async with store.transaction() as tx:
        counts = await tx.invitations.counts("r1")
        assert (counts.failed, counts.reasons) == (0, {"timed_out": 1})
        assert await tx.deliveries.send_again("r1", NOW + HOUR) == 0


async def test_a_lane_is_listed_while_there_is_something_to_do_in_it(store):
    async def lanes(at=NOW):
        async with store.transaction() as tx:
            return await tx.deliveries.lanes(at)

    ada, _ = await invite(store, ["ada", "ben"])
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace("T2"))
    await enqueue(store, notice("later", lane="slack:T2", not_before=NOW + HOUR))
    assert await lanes() == ["slack:T1"]
    assert await lanes(NOW + HOUR) == ["slack:T1", "slack:T2"]

    first, second = await claim(store)
    assert await lanes() == []
    await settle(store, "unclear", first, "timed_out")
    assert await lanes() == ["slack:T1"]
    for delivery in (first, second):
        await settle(store, "sent", delivery, NOW, "D1", "1")
    assert await lanes() == []
    async with store.transaction() as tx:
        await tx.deliveries.outdate([ada.id])
    assert await lanes() == ["slack:T1"]


async def test_every_copy_of_an_invitations_messages_is_brought_up_to_date(store):
    ada, ben = await invite(store, ["ada", "ben"])
    deliveries = {one.invitation_id: one for one in await claim(store)}
    await settle(store, "sent", deliveries[ada.id], NOW, "D1", "1")
    await settle(store, "sent", deliveries[ben.id], NOW, "D2", "2")
    await enqueue(store, reminder(ada), reminder(ben))
    async with store.transaction() as tx:
        assert await tx.deliveries.outdate_one(ada.id) == [DeliveryKind.REMINDER]
        assert await tx.deliveries.outdate_one(ada.id) == [], "it is withdrawn already"
        outdated = await tx.deliveries.outdated(LANE, 9)

    assert [(one.message_id, one.outdated) for one in outdated] == [("1", 2)]
    assert [one.invitation_id for one in await claim(store)] == [ben.id]
    assert (await delivery_now(store, reminder(ada))).state is DeliveryState.WITHDRAWN

    async with store.transaction() as tx:
        await tx.deliveries.updated(outdated[0])
        assert await tx.deliveries.outdated(LANE, 9) == []


async def test_a_change_that_all_show_outdates_the_copies_of_whoever_is_open(store):
    ada, ben = await invite(store, ["ada", "ben"])
    for delivery in await claim(store):
        await settle(store, "sent", delivery, NOW, "D1", delivery.id)
    await change(store, ben, done_at=NOW)
    async with store.transaction() as tx:
        assert await tx.deliveries.outdate_rollout("r1") == 1
        assert [one.invitation_id for one in await tx.deliveries.outdated(LANE, 9)] == [ada.id]


async def test_a_withdrawn_reminder_that_is_queued_again_is_ready_again_as_what_it_is_now(store):
    ada, ben, cleo = await invite(store)
    await claim(store)
    due = [due_for(ada), due_for(ben, reminders=2), due_for(cleo)]
    async with store.transaction() as tx:
        assert await tx.deliveries.remind(DeliveryKind.REMINDER, due, NOW) == 3
        assert await tx.deliveries.remind(DeliveryKind.REMINDER, due, NOW) == 0, "they wait already"
        await tx.deliveries.outdate_one(ada.id)
        assert await tx.deliveries.under_way([ada.id]) == {ada.id}, "the invitation is being sent"

    async with store.transaction() as tx:
        assert await tx.deliveries.remind(DeliveryKind.FINAL_NOTICE, due, NOW + HOUR) == 1
        assert await tx.deliveries.remind(DeliveryKind.FINAL_NOTICE, due, NOW) == 0

    assert await delivery_now(store, reminder(ben, 3)) == reminder(ben, 3), "it was not withdrawn"
    again = await delivery_now(store, reminder(ada))
    assert (again.state, again.kind, again.not_before) == (
        DeliveryState.READY,
        DeliveryKind.FINAL_NOTICE,
        NOW + HOUR,
    )


async def test_a_change_while_a_copy_is_being_updated_is_not_lost(store):
    (ada,) = await invite(store, ["ada"])
    (delivery,) = await claim(store)
    await settle(store, "sent", delivery, NOW, "D1", "1")
    async with store.transaction() as tx:
        await tx.deliveries.outdate([ada.id])
        (shown,) = await tx.deliveries.outdated(LANE, 9)
    async with store.transaction() as tx:
        await tx.deliveries.outdate([ada.id])
    async with store.transaction() as tx:
        await tx.deliveries.updated(shown)
        (again,) = await tx.deliveries.outdated(LANE, 9)
        await tx.deliveries.updated(again)
        assert await tx.deliveries.outdated(LANE, 9) == []


@pytest.mark.parametrize("unclear_first", [False, True])
async def test_a_change_while_a_message_is_being_sent_is_not_lost(store, unclear_first):
    (ada,) = await invite(store, ["ada"])
    (delivery,) = await claim(store)
    if unclear_first:
        await settle(store, "unclear", delivery, "timed_out")
    async with store.transaction() as tx:
        assert await tx.deliveries.outdate([ada.id]) == 1
        assert await tx.deliveries.outdated(LANE, 9) == []

    await settle(store, "sent", delivery, NOW, "D1", "1")

    async with store.transaction() as tx:
        assert [one.id for one in await tx.deliveries.outdated(LANE, 9)] == [delivery.id]


async def test_a_message_that_is_sent_anew_shows_what_is_true_then(store):
    (ada,) = await invite(store, ["ada"])
    (delivery,) = await claim(store)
    async with store.transaction() as tx:
        await tx.deliveries.outdate([ada.id])
    await settle(store, "put_off", delivery, NOW, "throttled")
    (delivery,) = await claim(store)
    await settle(store, "sent", delivery, NOW, "D1", "1")

    async with store.transaction() as tx:
        assert await tx.deliveries.outdated(LANE, 9) == []


async def test_a_held_rollout_sends_nothing_until_it_is_released(store):
    await invite(store, ["ada", "ben"])
    await enqueue(store, notice("other"))
    async with store.transaction() as tx:
        assert await tx.deliveries.hold("r1") == 2
        assert await tx.deliveries.hold("r1") == 0

    assert [one.key for one in await claim(store, at=NOW + timedelta(days=999))] == ["other"]
    async with store.transaction() as tx:
        assert await tx.deliveries.lanes(NOW + timedelta(days=999)) == []
        assert await tx.deliveries.release("r1", NOW + HOUR) == 2
        assert await tx.deliveries.release("r1", NOW + HOUR) == 0
    assert await claim(store) == []
    assert len(await claim(store, at=NOW + HOUR)) == 2


async def test_what_was_under_way_when_the_rollout_was_paused_waits_as_well(store):
    await invite(store, ["ada", "ben", "cleo"])
    first, second, third = await claim(store)
    await settle(store, "unclear", second, "timed_out")
    await settle(store, "gave_up", third, "blocked")
    async with store.transaction() as tx:
        await tx.save(rollout(state=RolloutState.PAUSED, version=2))
        await tx.deliveries.hold("r1")

    await settle(store, "put_off", first, NOW, "throttled")
    await settle(store, "settle_unknown_absent", second, NOW)
    async with store.transaction() as tx:
        await tx.deliveries.send_again("r1", NOW)
    assert await claim(store, at=NOW + HOUR) == []

    async with store.transaction() as tx:
        await tx.save(rollout(version=3))
        assert await tx.deliveries.release("r1", NOW) == 3
    assert len(await claim(store)) == 3


async def test_a_notice_about_a_finished_rollout_goes_out_though_it_was_throttled(store):
    await begin(store, [], rollout(state=RolloutState.FINISHED))
    await enqueue(store, notice("k1", rollout_id="r1"))
    (claimed,) = await claim(store)

    await settle(store, "put_off", claimed, NOW + HOUR, "throttled")

    assert len(await claim(store, at=NOW + HOUR)) == 1


async def test_a_waves_progress_is_counted_by_state(store):
    await invite(store, ["ada", "ben", "cleo"])
    first, _ = await claim(store, limit=2)
    await settle(store, "sent", first, NOW, "D1", "1")
    async with store.transaction() as tx:
        assert await tx.deliveries.of_wave("w1") == WaveCounts(
            {DeliveryState.SENT: 1, DeliveryState.SENDING: 1, DeliveryState.READY: 1}
        )
        assert await tx.deliveries.of_wave("w2") == WaveCounts()


async def test_settling_a_message_does_not_undo_a_click(store):
    (ada,) = await invite(store, ["ada"])
    (delivery,) = await claim(store)
    await change(store, ada, done_at=NOW)

    assert await settle(store, "sent", delivery, NOW, "D1", "1")

    async with store.transaction() as tx:
        assert (await tx.invitations.view(ada.id)).invitation.done_at == NOW
