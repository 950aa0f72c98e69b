"""`/sso remind`, `pause`, `resume`, `exempt`."""

from __future__ import annotations

from typing import Any

import pytest

from bot.approvals import ApprovalKind, Needed
from bot.conversations.manage import EXEMPT, PAUSE, REMIND, RemindLoaded
from bot.events import Target, TargetKind
from bot.messages import Style, Text, Token, text
from bot.model import Invitation, ReminderPolicy, Rollout, RolloutState
from bot.ports import InvitationView, RolloutCounts
from bot.transition import HoldDeliveries, MakeDue, ReleaseDeliveries, Replace, Transition, UpdateCopies, Whisper
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    LINUS,
    NOON,
    body_keys,
    button,
    command,
    keys,
    mention,
    message_of,
    press,
    rollout,
    scene,
    view,
    words,
)

PAUSED = rollout(state=RolloutState.PAUSED)
OPEN = RolloutCounts(invited=10, open=7)
DONE = view(done_at=NOON)


def remind(event: Any, of: Rollout | None = None, **loaded: Any) -> Transition:
    return REMIND.decide(RemindLoaded(scene(of or rollout()), **loaded), event, NOON)


def pause(event: Any, of: Rollout | None) -> Transition:
    return PAUSE.decide(RemindLoaded(scene(of)), event, NOON)


def exempt(event: Any, *named: tuple[Any, InvitationView | None]) -> Transition:
    return EXEMPT.decide(RemindLoaded(scene(rollout()), named=named), event, NOON)


def said(after: Transition) -> str:
    assert isinstance(after.reply, Whisper)
    assert not after.effects
    assert not after.state
    return after.reply.message.summary.key


@pytest.mark.parametrize("conversation", [REMIND, PAUSE, EXEMPT])
def test_without_a_rollout_there_is_nothing_to_manage(conversation: Any) -> None:
    after = conversation.decide(RemindLoaded(scene()), command(conversation.name), NOON)
    assert said(after) == "answer.no_rollout"


# remind


def test_reminding_everybody_is_asked_first_with_a_count() -> None:
    asked = remind(command("remind"), counts=OPEN)
    assert not asked.effects
    send = button(message_of(asked.reply), "send")
    assert send.label == Text("remind.send", {"count": 7})
    assert send.style is Style.PRIMARY

    after = remind(press(send.token), counts=OPEN)
    assert after.effects == (MakeDue("rollout-1"),)
    assert isinstance(after.reply, Replace)
    assert after.audit == "reminded"


def test_the_button_in_status_asks_too() -> None:
    asked = remind(press(Token("remind", "ask", "rollout-1", 1)), counts=OPEN)
    assert "send" in [each.token.action for each in message_of(asked.reply).buttons]


@pytest.mark.parametrize("token", [Token("remind", "send", "rollout-1", 0), Token("remind", "send", "rollout-9", 1)])
def test_an_old_question_reminds_nobody(token: Token) -> None:
    assert said(remind(press(token), counts=OPEN)) == "answer.outdated"


def test_when_nothing_is_open_nobody_is_reminded() -> None:
    assert said(remind(command("remind"), counts=RolloutCounts(invited=3, done=3))) == "remind.nobody"


def test_named_people_are_reminded_without_asking() -> None:
    after = remind(
        command("remind", mention(GRACE), mention(LINUS), mention(ADA)),
        named=((mention(GRACE), view()), (mention(LINUS), DONE), (mention(ADA), None)),
    )
    assert after.effects == (MakeDue("rollout-1", ("invitation-1",)),)
    assert body_keys(message_of(after.reply)) == ["remind.queued", "remind.none_open"]
    assert "@Linus and @Ada" in words(message_of(after.reply))


def test_named_people_with_nothing_open_are_left_alone() -> None:
    assert said(remind(command("remind", mention(LINUS)), named=((mention(LINUS), DONE),))) == "remind.none_open"


def test_a_paused_rollout_reminds_nobody() -> None:
    assert said(remind(command("remind"), PAUSED, counts=OPEN)) == "invite.paused"


def test_after_the_deadline_nobody_is_reminded() -> None:
    over = rollout(policy=ReminderPolicy(deadline=(NOON - 2 * DAY).date()))
    assert said(remind(command("remind"), over, counts=OPEN)) == "remind.deadline"


def test_a_word_that_names_nobody_reminds_nobody() -> None:
    assert said(remind(command("remind all"), counts=OPEN)) == "remind.usage"


def test_whoever_asked_to_be_reminded_later_is_left_alone_unless_named() -> None:
    some = RolloutCounts(invited=5, open=5, snoozed=2)
    asked = remind(command("remind"), counts=some)
    assert keys(message_of(asked.reply))[0] == "remind.sure"
    assert "Remind 3 people" in words(message_of(asked.reply))
    assert "2 people asked to be reminded later" in words(message_of(asked.reply))

    asleep = remind(command("remind"), counts=RolloutCounts(invited=5, open=2, snoozed=2))
    assert said(asleep) == "remind.nobody_now"
    assert "remind.snoozed" in body_keys(message_of(asleep.reply))
    named = ((mention(GRACE), view(snoozed_until=NOON + DAY)),)
    assert remind(command("remind", mention(GRACE)), named=named).effects == (
        MakeDue("rollout-1", ("invitation-1",)),
    )


def test_whoever_is_named_where_the_deadline_is_over_is_not_reminded() -> None:
    over = rollout(policy=ReminderPolicy(deadline=(NOON - DAY).date()))
    named = ((mention(GRACE), view(over)),)
    assert said(remind(command("remind", mention(GRACE)), over, named=named)) == "remind.deadline"


# pause and resume


def test_pause_holds_what_is_waiting() -> None:
    after = pause(command("pause"), rollout())
    (stored,) = after.state
    assert (stored.state, stored.version) == (RolloutState.PAUSED, 2)
    assert after.effects == (HoldDeliveries("rollout-1"),)
    assert after.audit == "paused"
    assert keys(message_of(after.reply))[0] == "pause.done"


@pytest.mark.parametrize("word", ["resume", "Resume", "RESUME"])
def test_resume_lets_it_go_however_it_is_written(word: str) -> None:
    after = pause(command(word), PAUSED)
    (stored,) = after.state
    assert stored.state is RolloutState.ACTIVE
    assert after.effects == (ReleaseDeliveries("rollout-1"),)
    assert after.audit == "resumed"


def test_doing_it_again_changes_nothing() -> None:
    assert said(pause(command("pause"), PAUSED)) == "pause.already"
    assert said(pause(command("resume"), rollout())) == "resume.already"


# exempt


def test_exempt_takes_somebody_out_with_a_reason() -> None:
    before = view(snoozed_until=NOON)
    after = exempt(command("exempt is on leave", mention(GRACE)), (mention(GRACE), before))
    (stored,) = after.state
    assert isinstance(stored, Invitation)
    assert (stored.exempt_at, stored.exempt_reason, stored.due_at, stored.snoozed_until, stored.version) == (
        NOON,
        "is on leave",
        None,
        None,
        1,
    )
    assert after.effects == (UpdateCopies("invitation-1"),)
    assert after.audit == "exempted"
    assert message_of(after.reply).summary == Text("exempt.done", {"name": "Grace"})


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (command("exempt"), ()),
        (command("exempt somebody"), ()),
        (command("exempt", mention(GRACE)), ((mention(GRACE), view()),)),
        (
            command("exempt both leave", mention(GRACE), mention(LINUS)),
            ((mention(GRACE), view()), (mention(LINUS), None)),
        ),
        (press(Token("exempt", "exempt", "invitation-1")), ()),
    ],
)
def test_exempt_needs_one_person_and_a_reason(event: Any, named: Any) -> None:
    assert said(exempt(event, *named)) == "exempt.usage"


def test_exempt_of_somebody_who_is_not_invited() -> None:
    assert said(exempt(command("exempt leaves", mention(LINUS)), (mention(LINUS), None))) == "status.not_invited"


def test_exempt_of_somebody_who_is_done() -> None:
    assert said(exempt(command("exempt leaves", mention(LINUS)), (mention(LINUS), DONE))) == "exempt.not_open"


def test_a_long_reason_is_cut_and_a_token_in_it_left_out() -> None:
    secret = "sqp_" + "a" * 40
    after = exempt(command(f"exempt {secret} {'x' * 900}", mention(GRACE)), (mention(GRACE), view()))
    assert after.state[0].exempt_reason.startswith("[redacted] xxx")
    assert len(after.state[0].exempt_reason) == 500


def test_only_people_can_be_reminded_by_name() -> None:
    group = Target(TargetKind.GROUP, "S1", "@engineering")
    assert said(remind(command("remind", group), named=((group, None),))) == "remind.usage"


HOUR = DAY / 24


def test_when_the_deadline_is_over_where_they_are_nobody_is_reminded_by_name() -> None:
    ends_tonight = rollout(policy=ReminderPolicy(deadline=(NOON - DAY).date()))
    here = GRACE.model_copy(update={"time_zone": "Pacific/Pago_Pago"})  # where it is still the day before
    for who, is_over in ((GRACE, True), (here, False)):
        loaded = RemindLoaded(scene(ends_tonight), named=((mention(who), view(ends_tonight, who)),))
        after = REMIND.decide(loaded, command("remind", mention(who)), NOON - 2 * HOUR)
        assert (bool(after.effects), keys(message_of(after.reply))[0] == "remind.deadline") == (not is_over, is_over)


def test_reminding_everybody_says_how_many_where_that_has_to_be_approved() -> None:
    send = button(message_of(remind(command("remind"), counts=OPEN).reply), "send")
    needed = remind(press(send.token), counts=OPEN).needed
    assert needed == Needed(ApprovalKind.SEND, text("approval.remind", count=7, enterprise="Acme"), 7)
