"""Whose old account may go, as an admin sees it; keepers; and messages to many, which go out once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.approvals import ApprovalKind, Needed
from bot.conversations.finish_removal import AT_ONCE, REMOVAL, RemovalLoaded
from bot.messages import Notice, Token, text
from bot.model import DeliveryKind, Rollout, RolloutState
from bot.ports import RemovalCounts
from bot.transition import Transition, UpdateCopies, WriteToAll
from tests.builders import (
    GRACE,
    NOON,
    button,
    buttons,
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

ACME = rollout(organizations=("acme-web", "acme-core"))
ALL = {"acme-web": "olivia@github", "acme-core": "olivia@github"}
COUNTS = RemovalCounts(invited=9, may_go=3, to_tell=2, ci_unknown=4, to_ask=4)


def loaded(of: Rollout = ACME, **changes: Any) -> RemovalLoaded:
    given: dict[str, Any] = {"counts": COUNTS, "first": [view(of)] * 3, "admins": ALL}
    return RemovalLoaded(scene(of), None, of, **(given | changes))


def decide(action: str, on: RemovalLoaded | None = None, version: int = 0, **values: Any) -> Transition:
    return REMOVAL.decide(on or loaded(), submit(Token("removal", action, ACME.id, version), **values), NOON)


def offered(on: RemovalLoaded) -> set[str]:
    return {each.token.action for each in buttons(message_of(decide("show", on).reply))}


def test_the_list_names_people_and_where_to_remove_them() -> None:
    said = words(message_of(decide("show").reply))
    assert "Remove from acme-web and acme-core, where they are members:" in said
    assert "Grace, Grace, and Grace" in said


def test_an_organization_without_another_admin_is_left_out_and_named() -> None:
    said = words(message_of(decide("show", loaded(admins={"acme-web": "olivia"})).reply))
    assert "Remove from acme-web, where they are members:" in said
    assert "No admin without SSO is recorded for acme-core." in said


def test_nobody_is_named_or_told_before_any_organization_keeps_an_admin() -> None:
    on = loaded(admins={})
    assert "removal.names" not in keys(message_of(decide("show", on).reply))
    assert "tell" not in offered(on)
    assert decide("tell", on, 2).effects == ()


def test_a_person_may_be_a_member_anywhere_so_all_organizations_must_keep_an_admin_before_telling() -> None:
    assert "tell" not in offered(loaded(admins={"acme-web": "olivia"}))
    assert "tell" in offered(loaded())


@pytest.mark.parametrize("state", [RolloutState.PAUSED, RolloutState.FINISHED])
def test_a_rollout_that_does_not_run_writes_to_nobody(state: RolloutState) -> None:
    resting = loaded(ACME.model_copy(update={"state": state}))
    assert not offered(resting) & {"tell", "ask"}
    assert decide("tell", resting, 2).effects == ()
    assert decide("ask", resting, 4).effects == ()


@pytest.mark.parametrize(
    ("action", "count", "kind"), [("tell", 2, DeliveryKind.FAREWELL), ("ask", 4, DeliveryKind.OLD_TOKEN)]
)
def test_as_many_are_written_to_as_the_button_says(action: str, count: int, kind: DeliveryKind) -> None:
    shown = button(message_of(decide("show").reply), action)
    assert shown.token.version == count
    assert shown.confirm is not None
    assert shown.confirm.params["count"] == count
    after = REMOVAL.decide(loaded(), press(shown.token), NOON)
    assert after.effects == (WriteToAll(ACME.id, kind, count),)
    assert (after.audit, after.details) == (f"{kind}.queued", (("people", count),))
    asked = text(f"approval.{kind}", count=count, enterprise=ACME.name)
    assert after.needed == Needed(ApprovalKind.SEND, asked, count)


@pytest.mark.parametrize("shown", [0, 1, 3])
def test_nobody_is_written_to_when_the_number_has_changed(shown: int) -> None:
    after = decide("tell", version=shown)
    assert after.effects == ()
    assert "finish.overtaken" in keys(after.reply.toast)  # type: ignore[union-attr,arg-type]


def test_very_many_are_written_to_in_parts() -> None:
    on = loaded(counts=RemovalCounts(may_go=50_000, to_tell=50_000))
    assert button(message_of(decide("show", on).reply), "tell").token.version == AT_ONCE
    assert decide("tell", on, AT_ONCE).effects == (WriteToAll(ACME.id, DeliveryKind.FAREWELL, AT_ONCE),)


def test_somebody_is_kept_and_released() -> None:
    assert [each.name for each in form_of(decide("keep").reply).fields] == ["person", "keep"]
    kept = decide("kept", loaded(named=view(ACME)), person=GRACE.user_id, keep="yes")
    assert kept.state[0].is_keeper is True  # type: ignore[union-attr]
    assert kept.effects == (UpdateCopies("invitation-1"),)
    assert kept.audit == "keeper.marked"
    released = decide("kept", loaded(named=view(ACME, is_keeper=True)), person=GRACE.user_id, keep="no")
    assert released.state[0].is_keeper is False  # type: ignore[union-attr]
    assert released.audit == "keeper.unmarked"
    assert decide("kept", loaded(named=view(ACME, is_keeper=True)), keep="yes").state == ()


def test_only_invitees_can_be_kept() -> None:
    assert "removal.keep.unknown" in keys(form_of(decide("kept", person="U-linus").reply))


@pytest.mark.parametrize(("many", "named"), [(10, 10), (11, 10), (13, 10)])
def test_of_many_organizations_ten_are_named_and_the_others_counted(many: int, named: int) -> None:
    of = ACME.model_copy(update={"organizations": tuple(f"org-{number:02}" for number in range(many))})
    shown = message_of(decide("show", loaded(of, admins={})).reply)
    (lacking,) = (each.text for each in shown.body if isinstance(each, Notice) and each.text.key == "removal.lacking")
    organizations = lacking.params["organizations"]
    assert isinstance(organizations, tuple)
    more = [each for each in organizations if each.key == "invite.more"]
    assert len(organizations) - len(more) == named
    assert [each.params["count"] for each in more] == ([many - named] if many > named else [])
