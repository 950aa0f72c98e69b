"""The invitee's own message: confirming, putting off, and what an old copy of it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.conversations.confirm import CONFIRM, ConfirmLoaded
from bot.conversations.invitation import compose, final_notice, invitation_message, reminder_message
from bot.events import CheckSeen
from bot.messages import LinkButton, Message, Section, Text, Token, When
from bot.model import (
    Check,
    CheckKind,
    CheckSource,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Invitation,
    Region,
    ReminderPolicy,
    RolloutState,
    Wish,
)
from bot.ports import InvitationView
from bot.transition import Replace, Transition, UpdateCopies, Whisper
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    NOON,
    actions,
    body_keys,
    event_id,
    form_of,
    keys,
    message_of,
    press,
    rollout,
    scene,
    submit,
    view,
    words,
)

ACCESS, TASKS, TOKEN = CheckKind.ACCESS, CheckKind.TASKS, CheckKind.TOKEN
DONE = view(confirmed=(ACCESS, TASKS, TOKEN), done_at=NOON, due_at=None)
EXEMPT = view(exempt_at=NOON, due_at=None)


def step(of: InvitationView | None, event: Any, now: datetime = NOON) -> Transition:
    return CONFIRM.decide(ConfirmLoaded(scene(), owner=GRACE.id if of else None, view=of), event, now)


def act(of: InvitationView, action: str, version: int = 0) -> Transition:
    return step(of, press(Token("confirm", action, of.invitation.id, version), GRACE))


def snooze(of: InvitationView, now: datetime = NOON, **values: str) -> Transition:
    return step(of, submit(Token("confirm", "snooze", of.invitation.id), GRACE, **values), now)


def stored(after: Transition, before: InvitationView) -> InvitationView:
    """The invitation as it is read the next time."""
    checks = tuple(row for row in after.state if isinstance(row, Check))
    (invitation,) = [row for row in after.state if isinstance(row, Invitation)]
    assert invitation.version == before.invitation.version + 1
    return replace(before, invitation=invitation, checks=(*before.checks, *checks))


def toast(after: Transition) -> str:
    assert isinstance(after.reply, Replace)
    assert after.reply.toast is not None
    return after.reply.toast.summary.key


def test_the_invitation_has_the_login_url_and_a_button_for_each_check() -> None:
    message = invitation_message(view())
    link = message.buttons[0]
    assert isinstance(link, LinkButton)
    assert link.url == rollout().login_url
    assert actions(message) == ["access", "tasks", "token", "no_token", "later", "open"]


def test_only_what_the_rollout_needs_is_asked() -> None:
    simple = view(rollout(former_sign_in=(), uses_tokens=False))
    assert actions(invitation_message(simple)) == ["access", "later", "open"]
    assert "invitation.changes" not in body_keys(invitation_message(simple))


def test_people_are_told_of_the_e_mail_code_unless_the_domain_is_verified() -> None:
    assert "invitation.verify_email" in body_keys(invitation_message(view()))
    verified = rollout(domain_verified=True)
    assert "invitation.verify_email" not in body_keys(invitation_message(view(verified)))


def test_the_organizations_are_named() -> None:
    named = rollout(organizations=("acme-a", "acme-b"))
    assert "acme-a and acme-b" in words(invitation_message(view(named)))


def test_a_reminder_names_only_what_is_open() -> None:
    message = reminder_message(view(confirmed=(ACCESS,)), 1)
    assert "Still open for you: tasks and token" in words(message).replace("**", "")
    assert actions(message) == ["tasks", "token", "no_token", "later", "open"]
    assert "reminder.last" not in body_keys(message)
    assert "reminder.last" in body_keys(reminder_message(view(), 4))


@pytest.mark.parametrize("action", ["access", "tasks", "token", "no_token"])
def test_a_check_is_confirmed_with_time_and_person(action: str) -> None:
    before = view()
    after = act(before, action)

    (check,) = [row for row in after.state if isinstance(row, Check)]
    assert check.kind == ("token" if action == "no_token" else action)
    assert check.not_needed == (action == "no_token")
    assert (check.confirmed_at, check.confirmed_by, check.source) == (NOON, GRACE.id, CheckSource.INVITEE)
    assert after.effects == (UpdateCopies(before.invitation.id),)
    assert after.audit == f"confirmed.{action}"
    assert message_of(after.reply) == invitation_message(stored(after, before))


def test_a_confirmed_check_loses_its_button_and_shows_its_day() -> None:
    message = message_of(act(view(), "token").reply)
    assert "token" not in actions(message)
    assert "no_token" not in actions(message)
    (ticked,) = [
        part.text for part in message.body if isinstance(part, Section) and part.text.key == "check.confirmed"
    ]
    assert ticked.params == {"what": Text("check.token"), "at": When(NOON, "date")}


def test_no_token_is_shown_as_not_needed() -> None:
    assert "check.not_needed" in keys(message_of(act(view(), "no_token").reply))


def test_the_last_check_completes_the_invitation() -> None:
    before = view(confirmed=(ACCESS, TOKEN), snoozed_until=NOON + DAY)
    after = act(before, "tasks")
    invitation = stored(after, before).invitation
    assert (invitation.done_at, invitation.due_at, invitation.snoozed_until) == (NOON, None, None)
    assert actions(message_of(after.reply)) == ["unused", "in_use"], "what is left is the question about CI"
    assert body_keys(message_of(after.reply))[0] == "invitation.done"


def test_pressing_twice_confirms_once() -> None:
    before = view()
    once = stored(act(before, "access"), before)
    twice = act(once, "access")
    assert not twice.state
    assert not twice.effects
    assert toast(twice) == "confirm.already"


@pytest.mark.parametrize("version", [0, 99])
def test_an_open_check_is_confirmed_from_any_copy_however_old(version: int) -> None:
    before = view(confirmed=(ACCESS,), version=5)
    assert [row.kind for row in act(before, "tasks", version).state if isinstance(row, Check)] == [TASKS]


@pytest.mark.parametrize("closed", [DONE, EXEMPT])
@pytest.mark.parametrize("action", ["access", "no_token", "later", "snooze", "show"])
def test_when_nothing_is_expected_an_old_copy_is_brought_up_to_date_and_no_more(
    closed: InvitationView, action: str
) -> None:
    after = act(closed, action)
    assert after == Transition(reply=Replace(invitation_message(closed)))


def test_opening_the_link_needs_no_answer_and_is_noted_once() -> None:
    after = act(view(), "opened")
    (noted,) = after.state
    assert isinstance(noted, Invitation)
    assert (noted.login_opened_at, noted.version) == (NOON, view().invitation.version + 1)
    assert after == Transition(state=(noted,))
    assert act(view(login_opened_at=NOON), "opened") == Transition()


def test_an_invitation_that_is_not_known_here_is_outdated() -> None:
    after = step(None, press(Token("confirm", "access", "elsewhere"), GRACE))
    assert isinstance(after.reply, Whisper)
    assert keys(after.reply.message)[0] == "answer.outdated"


def test_an_action_that_no_button_has_is_outdated() -> None:
    assert keys(message_of(act(view(), "everything").reply))[0] == "answer.outdated"


def test_a_check_that_this_rollout_does_not_need_is_not_stored() -> None:
    assert not act(view(rollout(uses_tokens=False)), "token").state


def test_part_of_the_checks_keeps_the_plan_for_the_next_reminder() -> None:
    before = view(due_at=NOON + DAY)
    assert stored(act(before, "access"), before).invitation.due_at == NOON + DAY


def test_after_the_last_reminder_a_confirmation_plans_no_other() -> None:
    before = view(due_at=None, reminders=4)
    assert stored(act(before, "access"), before).invitation.due_at is None


# later


def test_later_asks_when() -> None:
    form = form_of(act(view(), "later").reply)
    assert [each.name for each in form.fields] == ["delay", "day"]
    assert form.cancel == Token("confirm", "show", "invitation-1", 0)
    assert message_of(step(view(), press(form.cancel, GRACE)).reply) == invitation_message(view())


@pytest.mark.parametrize(
    ("delay", "at"),
    [
        ("3_hours", NOON + timedelta(hours=3)),
        ("1_day", NOON + DAY),
        ("3_days", NOON + 3 * DAY),  # a Friday
        ("1_week", NOON + 7 * DAY),
        ("", NOON + DAY),
        ("whenever", NOON + DAY),
    ],
)
def test_a_delay_is_counted_from_now(delay: str, at: datetime) -> None:
    before = view()
    after = snooze(before, delay=delay)
    invitation = stored(after, before).invitation
    assert (invitation.snoozed_until, invitation.due_at) == (at, at)
    assert after.effects == (UpdateCopies(before.invitation.id),)
    assert after.audit == "snoozed"
    assert toast(after) == "later.set"
    assert "invitation.snoozed" in body_keys(message_of(after.reply))


def test_a_day_begins_with_the_first_working_hour_where_the_invitee_is() -> None:
    in_tokyo = view(invitee=GRACE.model_copy(update={"time_zone": "Asia/Tokyo"}))
    invitation = stored(snooze(in_tokyo, day="2026-03-05", delay="3_hours"), in_tokyo).invitation
    assert invitation.due_at == datetime(2026, 3, 5, 0, tzinfo=UTC)


def test_outside_working_hours_the_next_ones_are_taken() -> None:
    before = view()
    evening = snooze(before, NOON.replace(hour=16), delay="3_hours")
    assert stored(evening, before).invitation.due_at == datetime(2026, 3, 4, 9, tzinfo=UTC)
    saturday = snooze(before, day="2026-03-07")
    assert stored(saturday, before).invitation.due_at == datetime(2026, 3, 9, 9, tzinfo=UTC)


@pytest.mark.parametrize("day", ["2026-03-03", "2026-03-02", "31.12.2026", "tomorrow"])
def test_a_day_that_is_not_in_the_future_is_refused_and_another_taken(day: str) -> None:
    refused = snooze(view(), day=day)
    form = form_of(refused.reply)
    assert {name: each.key for name, each in (form.errors or {}).items()} == {"day": "later.error.day"}
    assert form.fields[1].value == day
    assert not refused.state
    assert snooze(view(), day="2026-03-04").state


def test_after_the_deadline_is_too_late_and_an_earlier_day_is_taken() -> None:
    soon = view(rollout(policy=ReminderPolicy(deadline=(NOON + 2 * DAY).date())))
    refused = snooze(soon, delay="1_week")
    assert {name: each.key for name, each in (form_of(refused.reply).errors or {}).items()} == {
        "day": "later.error.deadline"
    }
    assert snooze(soon, delay="1_day").state


# another source


def seen(of: InvitationView, check: CheckKind) -> Transition:
    event = CheckSeen(id=event_id(), workspace_id="slack:T1", actor=ADA, invitation_id=of.invitation.id, check=check)
    return step(of, event)


def test_sonarqube_cloud_can_confirm_a_check() -> None:
    before = view()
    after = seen(before, ACCESS)
    (check,) = [row for row in after.state if isinstance(row, Check)]
    assert (check.kind, check.source, check.confirmed_by) == (ACCESS, CheckSource.SONARQUBE, "")
    assert after.audit == "seen.access"
    assert after.reply is None
    assert after.effects == (UpdateCopies(before.invitation.id),)


def test_it_completes_the_invitation_like_the_invitee_does() -> None:
    before = view(confirmed=(TASKS, TOKEN))
    assert stored(seen(before, ACCESS), before).invitation.done_at == NOON


@pytest.mark.parametrize("of", [view(confirmed=(ACCESS,)), DONE, EXEMPT])
def test_it_changes_nothing_that_is_settled(of: InvitationView) -> None:
    assert seen(of, ACCESS) == Transition()


# composing


def delivery(kind: DeliveryKind, state: DeliveryState = DeliveryState.SENDING, **changes: Any) -> Delivery:
    given: dict[str, Any] = {
        "id": "d",
        "key": "k",
        "kind": kind,
        "lane": "slack:T1",
        "person_id": GRACE.id,
        "state": state,
        "number": 2,
        "not_before": NOON,
        "created_at": NOON,
    }
    return Delivery(**given | changes)


def test_a_delivery_says_how_things_stand_when_it_is_sent() -> None:
    half = view(confirmed=(ACCESS,))
    assert compose(delivery(DeliveryKind.INVITATION), half) == invitation_message(half)
    assert compose(delivery(DeliveryKind.REMINDER), half) == reminder_message(half, 2)


@pytest.mark.parametrize("kind", [DeliveryKind.INVITATION, DeliveryKind.REMINDER])
@pytest.mark.parametrize("of", [DONE, EXEMPT, view(rollout(state=RolloutState.FINISHED))])
def test_what_is_no_longer_needed_is_not_sent(kind: DeliveryKind, of: InvitationView) -> None:
    assert compose(delivery(kind), of) is None


@pytest.mark.parametrize("kind", [DeliveryKind.INVITATION, DeliveryKind.REMINDER])
def test_a_copy_that_was_sent_shows_that_all_is_done(kind: DeliveryKind) -> None:
    assert compose(delivery(kind, DeliveryState.SENT), DONE) == invitation_message(DONE)


def test_a_notice_says_what_was_written() -> None:
    content = Message(Text("confirm.noted"))
    assert compose(delivery(DeliveryKind.NOTICE, content=content), None) == content


def test_what_another_source_shows_is_audited_for_the_invitation() -> None:
    after = seen(view(), ACCESS)
    assert (after.audit, after.subject) == ("seen.access", "invitation-1")


def test_the_final_notice_names_the_deadline() -> None:
    of = view(rollout(policy=ReminderPolicy(deadline=date(2026, 4, 2), final_notice=True)))
    message = compose(delivery(DeliveryKind.FINAL_NOTICE), of)
    assert message is not None
    assert "2 April 2026" in words(message)
    assert message == final_notice(of, date(2026, 4, 2))
    assert message != reminder_message(of, 2)


def test_five_organizations_are_named_in_a_check() -> None:
    of = view(rollout(organizations=tuple(f"org-{number}" for number in range(1, 8))))
    said = words(invitation_message(of))
    assert "org-5" in said
    assert "org-6" not in said


def test_without_its_invitation_nothing_is_sent() -> None:
    assert compose(delivery(DeliveryKind.REMINDER), None) is None


def test_the_regions_have_their_own_hosts() -> None:
    us = rollout(region=Region.US)
    assert us.one_click_link == "https://sonarqube.us/login/sso?enterprise_key=acme"


@pytest.mark.parametrize("wish", [Wish.STOP, Wish.NOT_MINE])
def test_whoever_chooses_a_day_wants_reminders_again(wish: Wish) -> None:
    after = stored(snooze(view(wish=wish, wished_at=NOON), delay="1_day"), view())
    assert (after.invitation.wish, after.invitation.wished_at) == (Wish.NONE, None)


def test_the_form_is_of_the_invitation_as_it_is_now() -> None:
    form = form_of(act(view(version=7), "later").reply)
    assert form.token.version == 7
    assert form.cancel is not None
    assert form.cancel.version == 7
