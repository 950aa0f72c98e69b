"""Who is invited, who is done, and who is to be reminded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot.model import (
    CaseState,
    Check,
    CheckKind,
    DeliveryKind,
    DeliveryState,
    Platform,
    ReminderPolicy,
    RolloutState,
    Wish,
    derived_id,
    joined,
)
from bot.ports import CaseCounts, Missing, OverTime, RolloutCounts, Standing
from tests.storage.stored_things import (
    HOUR,
    NOW,
    begin,
    case_of,
    change,
    check,
    claim,
    invite,
    person,
    rollout,
    wave,
    workspace,
)


async def view_of(store, invitation):
    async with store.transaction() as tx:
        return await tx.invitations.view(invitation.id)


async def test_an_invitee_has_an_invitation_and_a_message_on_its_way(store):
    (ada,) = await begin(store, ["ada"])
    async with store.transaction() as tx:
        assert await tx.invitations.invite(rollout(), wave(), [ada], NOW) == 1

    async with store.transaction() as tx:
        view = await tx.invitations.of_person(ada.id, "r1")
    (delivery,) = await claim(store)
    invitation_id = derived_id("r1", "ada@acme.example")
    key = f"{invitation_id}:invitation:0"
    assert (view.invitation.id, view.invitation.identity, view.invitation.wave_id) == (
        invitation_id,
        "ada@acme.example",
        "w1",
    )
    assert (view.person, view.rollout, view.checks) == (ada, rollout(), ())
    assert view.open_checks == (CheckKind.ACCESS, CheckKind.TASKS)
    assert (delivery.id, delivery.key, delivery.kind) == (derived_id(key), key, DeliveryKind.INVITATION)
    assert (delivery.priority, delivery.lane, delivery.person_id) == (1, "slack:T1", ada.id)
    assert (delivery.rollout_id, delivery.invitation_id, delivery.wave_id) == ("r1", invitation_id, "w1")
    assert (delivery.not_before, delivery.created_at, delivery.content) == (NOW, NOW, None)


async def test_nobody_is_invited_twice(store):
    ada, ben, _ = await begin(store)
    async with store.transaction() as tx:
        assert await tx.invitations.invite(rollout(), wave(), [ada, ada], NOW) == 1
        assert await tx.invitations.invite(rollout(), wave(), [ada, ben], NOW + HOUR) == 1
        assert await tx.invitations.invite(rollout(), wave(), [], NOW) == 0

    assert sorted(delivery.person_id for delivery in await claim(store, at=NOW + HOUR)) == [ada.id, ben.id]


async def test_somebody_on_both_platforms_is_invited_once(store):
    (ada,) = await begin(store, ["ada"])
    on_teams = person("a-1", "teams:tenant", email="ada@acme.example")
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace("tenant", platform=Platform.TEAMS))
        await tx.people.meet([on_teams])
        assert await tx.invitations.invite(rollout(), wave(), [ada, on_teams], NOW) == 1

        assert (await tx.invitations.of_person(on_teams.id, "r1")).person == ada
        assert (await tx.invitations.newest_of_person(on_teams)).person == ada


async def test_people_without_an_address_are_different_people(store):
    ada, ben = person("ada", email=""), person("ben", email="")
    await begin(store, [])
    async with store.transaction() as tx:
        await tx.people.meet([ada, ben])
        assert await tx.invitations.invite(rollout(), wave(), [ada, ben], NOW) == 2
        assert (await tx.invitations.of_person(ben.id, "r1")).person == ben


async def test_who_is_invited_into_a_paused_rollout_waits_for_it(store):
    paused = rollout(state=RolloutState.PAUSED)
    await invite(store, ["ada"], of=paused)
    assert await claim(store) == []

    async with store.transaction() as tx:
        assert await tx.deliveries.release("r1", NOW) == 1
    assert len(await claim(store)) == 1


async def test_which_of_some_people_are_invited_can_be_asked(store):
    await invite(store, ["ada", "ben"])
    async with store.transaction() as tx:
        asked = [f"{name}@acme.example" for name in ("ada", "cleo", "ada")]
        assert await tx.invitations.invited_identities("r1", asked) == {"ada@acme.example"}
        assert await tx.invitations.invited_identities("r2", asked) == frozenset()
        assert await tx.invitations.invited_identities("r1", []) == frozenset()


async def test_invitations_are_seen_with_their_checks_in_the_order_confirmed(store):
    ada, ben, _ = await invite(store)
    async with store.transaction() as tx:
        await tx.save(check(ada, CheckKind.TASKS, confirmed_at=NOW + HOUR))
        await tx.save(check(ada, CheckKind.ACCESS))
        views = await tx.invitations.views([ada.id, "nothing", ben.id, ada.id])

    assert set(views) == {ada.id, ben.id}
    assert [one.kind for one in views[ada.id].checks] == [CheckKind.ACCESS, CheckKind.TASKS]
    assert views[ada.id].open_checks == ()
    assert views[ben.id].checks == ()


async def test_an_invitation_that_does_not_exist_is_not_found(store):
    (ada,) = await begin(store, ["ada"])
    async with store.transaction() as tx:
        assert await tx.invitations.view("nothing") is None
        assert await tx.invitations.views([]) == {}
        assert await tx.invitations.of_person(ada.id, "r1") is None
        assert await tx.invitations.newest_of_person(ada) is None


async def test_the_newest_invitation_is_one_of_an_unfinished_rollout(store):
    people = await begin(store, ["ada"])
    async with store.transaction() as tx:
        for name, state, days in (
            ("r2", RolloutState.PAUSED, 2),
            ("r3", RolloutState.ACTIVE, 1),
            ("r4", RolloutState.FINISHED, 3),
        ):
            made = rollout(name, state=state)
            await tx.save(made)
            await tx.save(wave(f"w-{name}", name))
            await tx.invitations.invite(made, wave(f"w-{name}", name), people, NOW + timedelta(days=days))

        newest = await tx.invitations.newest_of_person(people[0])
        assert newest.rollout.id == "r2"
        done = newest.invitation.model_copy(update={"done_at": NOW, "version": newest.invitation.version + 1})
        await tx.save(done)
        assert (await tx.invitations.newest_of_person(people[0])).rollout.id == "r3", "what is open comes first"


async def test_a_reminder_is_due_when_its_time_has_come_oldest_first(store):
    ada, ben, cleo = await invite(store)
    async with store.transaction() as tx:
        await tx.invitations.set_due({ada.id: NOW, ben.id: NOW - HOUR, cleo.id: NOW + HOUR})

    async with store.transaction() as tx:
        assert [each.invitation_id for each in await tx.invitations.due(NOW, 9)] == [ben.id, ada.id]
        assert [each.invitation_id for each in await tx.invitations.due(NOW, 1)] == [ben.id]
        assert [each.invitation_id for each in await tx.invitations.due(NOW - HOUR * 2, 9)] == []


async def test_only_open_invitations_of_active_rollouts_are_due(store):
    ada, ben, cleo = await invite(store)
    async with store.transaction() as tx:
        await tx.invitations.make_due("r1", None, NOW)
    await change(store, ada, due_at=NOW, done_at=NOW)
    await change(store, ben, due_at=NOW, exempt_at=NOW, exempt_reason="on leave")

    async with store.transaction() as tx:
        assert [each.invitation_id for each in await tx.invitations.due(NOW, 9)] == [cleo.id]
        await tx.save(rollout(state=RolloutState.PAUSED, version=2))
        assert await tx.invitations.due(NOW, 9) == []


async def test_a_reminder_can_be_made_due_for_some_or_for_all_who_are_open(store):
    ada, ben, cleo = await invite(store)
    await change(store, cleo, done_at=NOW)
    async with store.transaction() as tx:
        assert await tx.invitations.make_due("r1", [ada.id, cleo.id], NOW) == 1
        assert await tx.invitations.make_due("r1", None, NOW + HOUR) == 2
        assert await tx.invitations.make_due("r1", [], NOW) == 0
        assert await tx.invitations.make_due("r2", [ada.id], NOW) == 0

    assert (await view_of(store, ben)).invitation.due_at == NOW + HOUR
    assert (await view_of(store, cleo)).invitation.due_at is None


async def test_a_queued_reminder_is_counted_and_the_next_one_waits_for_it(store):
    (ada,) = await invite(store, ["ada"])
    ada = await change(store, ada, due_at=NOW, snoozed_until=NOW)
    async with store.transaction() as tx:
        await tx.invitations.reminded([ada.id])

    after = (await view_of(store, ada)).invitation
    assert after.reminders == 1
    assert (after.due_at, after.snoozed_until, after.version) == (None, None, ada.version)


async def test_a_reminder_that_is_withdrawn_does_not_count(store):
    (ada,) = await invite(store, ["ada"])
    async with store.transaction() as tx:
        await tx.invitations.reminded([ada.id])
        await tx.invitations.gave_final_notice([ada.id], NOW)
        await tx.invitations.not_reminded(ada.id, DeliveryKind.FINAL_NOTICE)

    after = (await view_of(store, ada)).invitation
    assert (after.reminders, after.final_notice_at) == (0, None)


async def test_everybody_is_made_due_except_who_asked_to_be_reminded_later(store):
    ada, ben, _ = await invite(store)
    await change(store, ben, snoozed_until=NOW + HOUR, due_at=NOW + HOUR)
    async with store.transaction() as tx:
        assert await tx.invitations.make_due("r1", None, NOW) == 2
        assert (await tx.invitations.counts("r1")).snoozed == 1
    assert (await view_of(store, ben)).invitation.due_at == NOW + HOUR

    async with store.transaction() as tx:
        assert await tx.invitations.make_due("r1", [ada.id, ben.id], NOW) == 2
    assert (await view_of(store, ben)).invitation.due_at == NOW


async def test_nobody_is_due_while_the_rollout_is_planned_anew(store):
    (ada,) = await invite(store, ["ada"], of=rollout(planned_up_to=""))
    await change(store, ada, due_at=NOW)
    async with store.transaction() as tx:
        assert await tx.invitations.due(NOW, 9) == []
        assert (await tx.rollouts.to_plan_anew()).id == "r1"
        await tx.rollouts.planned("r1", None)
        assert await tx.rollouts.to_plan_anew() is None
        assert [each.invitation_id for each in await tx.invitations.due(NOW, 9)] == [ada.id]


async def test_due_times_are_set_for_open_invitations_only(store):
    ada, ben, _ = await invite(store)
    await change(store, ben, done_at=NOW)
    async with store.transaction() as tx:
        await tx.invitations.set_due({ada.id: NOW, ben.id: NOW})
        await tx.invitations.set_due({})
    assert (await view_of(store, ada)).invitation.due_at == NOW
    assert (await view_of(store, ben)).invitation.due_at is None

    async with store.transaction() as tx:
        await tx.invitations.set_due({ada.id: None})
    assert (await view_of(store, ada)).invitation.due_at is None


async def test_a_message_that_arrived_is_remembered_without_making_a_click_stale(store):
    (ada,) = await invite(store, ["ada"])
    async with store.transaction() as tx:
        await tx.invitations.set_after_delivery(ada.id, at=NOW, reached_at=NOW, due_at=NOW + HOUR, unreachable="")
        await tx.invitations.set_after_delivery(
            ada.id, at=NOW + HOUR, reached_at=NOW + HOUR, due_at=NOW + HOUR, unreachable=""
        )
        await tx.invitations.set_after_delivery(ada.id, at=NOW, reached_at=None, due_at=None, unreachable="blocked")

    after = (await view_of(store, ada)).invitation
    assert (after.reached_at, after.due_at, after.unreachable, after.version) == (NOW, None, "blocked", 0)


async def test_a_message_that_arrives_after_the_invitee_is_done_makes_no_reminder_due(store):
    (ada,) = await invite(store, ["ada"])
    await change(store, ada, done_at=NOW)
    async with store.transaction() as tx:
        await tx.invitations.set_after_delivery(ada.id, at=NOW, reached_at=NOW, due_at=NOW + HOUR, unreachable="")

    after = (await view_of(store, ada)).invitation
    assert (after.reached_at, after.due_at) == (NOW, None)


async def test_who_is_missing_is_listed_by_name_and_by_page(store):
    people = await invite(store, ["dan", "cleo", "Ben", "ada"])
    await change(store, people[3], done_at=NOW)
    async with store.transaction() as tx:
        assert [view.person.name for view in await tx.invitations.open_views("r1", 2)] == ["Ben", "Cleo"]
        assert [view.person.name for view in await tx.invitations.open_views("r1", 2, offset=2)] == ["Dan"]


async def test_missing_people_are_found_by_the_way_in_which_they_are_missing(store):
    ada, ben, cleo, dan = await invite(store, ["ada", "ben", "cleo", "dan"])
    async with store.transaction() as tx:
        for kind in (CheckKind.ACCESS, CheckKind.TASKS):
            await tx.save(Check(invitation_id=ada.id, kind=kind, confirmed_at=NOW))
    await change(store, ada, login_opened_at=NOW, escalated_at=NOW)
    await change(store, ben, unreachable="blocked", needs=(CheckKind.ACCESS, CheckKind.TOKEN))
    await change(store, cleo, wish=Wish.STOP, wished_at=NOW, snoozed_until=NOW + HOUR)
    await change(store, dan, done_at=NOW)

    async def those(way):
        async with store.transaction() as tx:
            return [view.person.name for view in await tx.invitations.open_views("r1", 9, missing=way)]

    found = {way: await those(way) for way in (None, *Missing)}
    assert found == {
        None: ["Ada", "Ben", "Cleo"],
        Missing.ACCESS: ["Ben", "Cleo"],
        Missing.TASKS: ["Cleo"],
        Missing.TOKEN: ["Ben"],
        Missing.NOT_OPENED: ["Ben", "Cleo"],
        Missing.UNREACHABLE: ["Ben"],
        Missing.STOPPED: ["Cleo"],
        Missing.SNOOZED: ["Cleo"],
        Missing.ESCALATED: ["Ada"],
    }
    async with store.transaction() as tx:
        counts = await tx.invitations.counts("r1")
    assert (counts.opened, counts.unreachable) == (1, 1)


async def test_a_rollout_nobody_is_invited_to_counts_zero(store):
    await begin(store)
    async with store.transaction() as tx:
        assert await tx.invitations.counts("r1") == RolloutCounts(confirmed={}, deliveries={}, reasons={})


async def test_the_counts_say_where_everyone_stands(store):
    ada, ben, cleo, dan = await invite(store, ["ada", "ben", "cleo", "dan"])
    await change(store, ada, done_at=NOW, reached_at=NOW)
    await change(store, ben, exempt_at=NOW, exempt_reason="on leave", reached_at=NOW)
    deliveries = {one.invitation_id: one for one in await claim(store)}
    async with store.transaction() as tx:
        await tx.save(check(ada))
        await tx.save(check(ada, CheckKind.TASKS))
        await tx.save(check(cleo))
        await tx.save(case_of(dan))
        await tx.invitations.reminded([cleo.id, dan.id])
        await tx.invitations.reminded([dan.id])
        await tx.deliveries.sent(deliveries[ada.id], NOW, "D1", "1")
        await tx.deliveries.unclear(deliveries[cleo.id], "timed_out")
        await tx.deliveries.gave_up(deliveries[dan.id], "blocked")
        counts = await tx.invitations.counts("r1")

    assert counts == RolloutCounts(
        invited=4,
        reached=2,
        confirmed={CheckKind.ACCESS: 2, CheckKind.TASKS: 1},
        done=1,
        exempt=1,
        open=2,
        open_cases=1,
        problems={"login_fails": CaseCounts(open=1)},
        reminders=3,
        deliveries={
            DeliveryState.SENT: 1,
            DeliveryState.UNKNOWN: 1,
            DeliveryState.DEAD: 1,
            DeliveryState.SENDING: 1,
        },
        reasons={"timed_out": 1, "blocked": 1},
        failed=1,
    )


async def test_counts_are_of_one_rollout_only(store):
    await invite(store, ["ada"])
    async with store.transaction() as tx:
        other = rollout("r2", policy=ReminderPolicy())
        await tx.save(other)
        await tx.save(wave("w2", "r2"))
        await tx.invitations.invite(other, wave("w2", "r2"), [person("ada"), person("ben")], NOW)
        await tx.people.meet([person("ben")])

        assert (await tx.invitations.counts("r1")).invited == 1
        assert (await tx.invitations.counts("r2")).invited == 2


async def test_wishes_are_counted_and_whoever_does_not_use_it_is_exempted_at_once(store):
    ada, ben, cleo = await invite(store, ["ada", "ben", "cleo"])
    before = await change(store, ada, wish=Wish.NOT_MINE, wished_at=NOW, due_at=None)
    await change(store, ben, wish=Wish.NOT_MINE, wished_at=NOW + HOUR)
    await change(store, cleo, wish=Wish.STOP, wished_at=NOW)
    async with store.transaction() as tx:
        many, people = await tx.invitations.wishing("r1", Wish.NOT_MINE, 1)
        assert (many, [each.id for each in people]) == (2, [ben.person_id]), "the last to say so first"
        assert (await tx.invitations.counts("r1")).stopped == 3
        assert await tx.invitations.make_due("r1", None, NOW) == 0, "everybody wants none"
        exempt = await tx.invitations.exempt("r1", Wish.NOT_MINE, "not for them", NOW)
    assert sorted(exempt) == sorted([ada.id, ben.id])
    async with store.transaction() as tx:
        counts = await tx.invitations.counts("r1")
        assert (counts.exempt, counts.open, counts.stopped) == (2, 1, 1)
        assert await tx.invitations.exempt("r1", Wish.NOT_MINE, "again", NOW) == []
        view = await tx.invitations.view(ada.id)
    assert (view.invitation.exempt_reason, view.invitation.version) == ("not for them", before.version + 1)


async def test_the_standing_of_each_wave_is_counted_by_its_people(store):
    first = await begin(store, ["ada", "ben", "cleo", "dan"])
    later = [person(name) for name in ("eve", "finn")]
    async with store.transaction() as tx:
        await tx.people.meet(later)
        newer = wave("w2", "r1").model_copy(update={"created_at": NOW + timedelta(days=1)})
        nobody = wave("w3", "r1").model_copy(update={"created_at": NOW + timedelta(days=2)})
        for each in (newer, nobody):
            await tx.save(each)
        await tx.invitations.invite(rollout("r1"), wave("w1", "r1"), first, NOW)
        assert not (await tx.invitations.counts("r1")).several_waves
        await tx.invitations.invite(rollout("r1"), newer, later, NOW)
        ids = (derived_id("r1", each.identity) for each in (*first[:3], later[0]))
        ada, ben, cleo, eve = [(await tx.invitations.view(each)).invitation for each in ids]
        for changed in (
            ada.model_copy(update={"reached_at": NOW, "done_at": NOW, "version": 1}),
            ben.model_copy(update={"reached_at": NOW, "version": 1}),
            cleo.model_copy(update={"exempt_at": NOW, "version": 1}),
            eve.model_copy(update={"reached_at": NOW, "version": 1}),
        ):
            await tx.save(changed)
        await tx.save(case_of(ben, "c1"))
        await tx.save(case_of(ben, "c2", state=CaseState.ANSWERED, answered_at=NOW))
        await tx.save(case_of(ada, "c3", state=CaseState.SOLVED, solved_at=NOW))

        assert (await tx.invitations.counts("r1")).several_waves
        newest, oldest = await tx.invitations.by_wave("r1", 5)
        assert await tx.invitations.by_wave("r1", 1) == [newest]
        assert await tx.invitations.by_wave("r1", 1, 1) == [oldest]
    assert newest == Standing(newer.created_at, invited=2, reached=1, done=0)
    assert oldest == Standing(NOW, invited=4, reached=2, done=1, exempt=1, reported=1)


async def test_what_happened_on_each_day_is_counted_by_utc_s_days(store):
    before_midnight = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    people = await begin(store, ["ada", "ben", "cleo"])
    async with store.transaction() as tx:
        assert await tx.invitations.over_time("r1") == OverTime()
        await tx.invitations.invite(rollout("r1"), wave("w1", "r1"), people[:2], before_midnight)
        await tx.invitations.invite(
            rollout("r1"), wave("w1", "r1"), people[2:], before_midnight + timedelta(seconds=1)
        )
        ada = (await tx.invitations.view(derived_id("r1", people[0].identity))).invitation
        await tx.save(ada.model_copy(update={"done_at": before_midnight + timedelta(days=1), "version": 1}))
        assert await tx.invitations.over_time("r1") == OverTime(
            {date(2026, 3, 1): 2, date(2026, 3, 2): 1}, {date(2026, 3, 2): 1}
        )


async def test_whoever_is_in_several_groups_counts_in_each(store):
    people = await begin(store, ["ada", "ben", "cleo", "dan"])
    async with store.transaction() as tx:
        await tx.invitations.invite(rollout("r1"), wave("w1", "r1"), people[:1], NOW, found_in={people[0].id: "@a"})
        assert not (await tx.invitations.counts("r1")).several_groups
        found_in = {people[1].id: joined(["@a", "@b"]), people[2].id: "@b"}
        await tx.invitations.invite(rollout("r1"), wave("w1", "r1"), people[1:], NOW + HOUR, found_in=found_in)
        assert (await tx.invitations.counts("r1")).several_groups
        ben = (await tx.invitations.view(derived_id("r1", people[1].identity))).invitation
        await tx.save(ben.model_copy(update={"reached_at": NOW, "done_at": NOW, "version": 1}))
        await tx.save(case_of(ben, "c1"))
        assert await tx.invitations.by_group("r1") == [
            Standing(NOW, 2, 1, 1, reported=1, label="@a"),
            Standing(NOW + HOUR, 2, 1, 1, reported=1, label="@b"),
            Standing(NOW + HOUR, 1, 0, 0),
        ]


async def test_one_invitation_that_is_in_two_groups_is_several_groups(store):
    (ada,) = await begin(store, ["ada"])
    async with store.transaction() as tx:
        await tx.invitations.invite(rollout("r1"), wave("w1", "r1"), [ada], NOW, found_in={ada.id: joined("ab")})
        assert (await tx.invitations.counts("r1")).several_groups
