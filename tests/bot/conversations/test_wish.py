"""“Don't remind me any more” and “I don't use SonarQube Cloud”: left alone, and one message for the admins."""

from __future__ import annotations

from typing import Any

import pytest

from bot.conversations.wish import EXEMPT_REASON, SHOWN, WISH, WishLoaded
from bot.messages import Token
from bot.model import Invitation, RolloutState, Wish
from bot.transition import ExemptWishing, Replace, SendMessage, Transition, UpdateCopies, UpdateNotices
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    LINUS,
    NOON,
    body_keys,
    button,
    keys,
    message_of,
    press,
    rollout,
    scene,
    view,
    words,
)


def wishes(wish: str, of: Any = None, **loaded: Any) -> Transition:
    event = press(Token("wish", wish, "invitation-1"), GRACE)
    seen = {"rollout": rollout(), "admins_seen": (ADA.id, LINUS.id), **loaded}
    return WISH.decide(
        WishLoaded(scene(), GRACE.id, of or view(due_at=NOON, snoozed_until=NOON + DAY), **seen), event, NOON
    )


def exempts(many: int, read_of: int) -> Transition:
    loaded = WishLoaded(scene(), rollout=rollout(), many=many, people=(GRACE, LINUS)[:many])
    return WISH.decide(loaded, press(Token("wish", "exempt", "rollout-1", read_of), ADA), NOON)


@pytest.mark.parametrize("wish", ["stop", "not_mine"])
def test_the_invitee_is_left_alone_at_once(wish: str) -> None:
    before = view(due_at=NOON, snoozed_until=NOON + DAY)
    after = wishes(wish, before)
    (invitation,) = after.state
    assert isinstance(invitation, Invitation)
    assert (invitation.wish, invitation.wished_at) == (Wish(wish), NOON)
    assert (invitation.due_at, invitation.snoozed_until) == (None, None)
    assert invitation.version == before.invitation.version + 1
    assert UpdateCopies("invitation-1") in after.effects
    assert isinstance(after.reply, Replace)
    assert "invitation.stopped" in body_keys(after.reply.message)
    assert after.reply.toast is not None
    assert keys(after.reply.toast)[0] == f"wish.{wish}.done"
    assert (after.audit, after.subject) == (f"wished.{wish}", "invitation-1")


@pytest.mark.parametrize("wish", ["stop", "not_mine"])
def test_each_admin_has_one_message_that_grows(wish: str) -> None:
    first = wishes(wish)
    sent = [each for each in first.effects if isinstance(each, SendMessage)]
    assert [each.to for each in sent] == [ADA.id, LINUS.id]
    assert all(each.rollout_id == "rollout-1" for each in sent)
    assert "1 person" in words(sent[0].message)
    assert GRACE.name in words(sent[0].message)

    later = wishes(wish, many=SHOWN + 1, people=(LINUS,) * SHOWN)
    (changed,) = (each for each in later.effects if isinstance(each, UpdateNotices))
    assert changed.keys == tuple(each.key for each in sent), "the same messages"
    assert f"{SHOWN + 2} people" in words(changed.message)
    assert "case.more" in body_keys(changed.message)
    assert f"{GRACE.name}, {LINUS.name}," in words(changed.message), "the last to say so comes first"


def test_only_who_does_not_use_it_can_be_exempted_by_a_button() -> None:
    (stop,) = (each for each in wishes("stop").effects if isinstance(each, UpdateNotices))
    assert not stop.message.buttons
    (not_mine,) = (
        each for each in wishes("not_mine", many=4, people=(LINUS,) * 4).effects if isinstance(each, UpdateNotices)
    )
    shown = button(not_mine.message, "exempt")
    assert shown.token == Token("wish", "exempt", "rollout-1", 5)
    assert shown.confirm is not None


@pytest.mark.parametrize(
    "of",
    [view(wish=Wish.STOP), view(done_at=NOON), view(exempt_at=NOON), view(of=rollout(state=RolloutState.FINISHED))],
)
def test_where_there_is_nothing_to_stop_nothing_happens(of: Any) -> None:
    after = wishes("stop", of)
    assert isinstance(after.reply, Replace)
    assert (after.state, after.effects, after.audit) == ((), (), None)


def test_who_wanted_no_more_may_still_say_that_it_is_not_for_them() -> None:
    (invitation,) = wishes("not_mine", view(wish=Wish.STOP)).state
    assert isinstance(invitation, Invitation)
    assert invitation.wish is Wish.NOT_MINE


def test_an_admin_exempts_those_that_they_have_read_of() -> None:
    after = exempts(2, 2)
    assert after.effects == (ExemptWishing("rollout-1", Wish.NOT_MINE, EXEMPT_REASON),)
    assert keys(message_of(after.reply))[0] == "wish.exempted"
    assert (after.audit, after.subject, after.details) == ("exempted.wishing", "rollout-1", (("people", 2),))


def test_an_admin_who_has_not_read_of_all_is_shown_them_first() -> None:
    after = exempts(2, 1)
    assert after.effects == ()
    assert isinstance(after.reply, Replace)
    assert after.reply.toast is not None
    assert keys(after.reply.toast)[0] == "wish.others"
    assert button(after.reply.message, "exempt").token.version == 2


def test_when_nobody_is_left_that_is_said() -> None:
    after = exempts(0, 1)
    assert (after.effects, keys(message_of(after.reply))[0]) == ((), "wish.nobody")


def test_what_is_gone_is_outdated() -> None:
    gone = WISH.decide(WishLoaded(scene()), press(Token("wish", "exempt", "gone", 1), ADA), NOON)
    assert keys(message_of(gone.reply))[0] == "answer.outdated"
    gone = WISH.decide(WishLoaded(scene(), GRACE.id), press(Token("wish", "stop", "gone"), GRACE), NOON)
    assert keys(message_of(gone.reply))[0] == "answer.outdated"
    unknown = wishes("dance")
    assert keys(message_of(unknown.reply))[0] == "answer.outdated"
