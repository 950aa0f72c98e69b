"""`/sso finish`: the last steps, who does them, and the end of a rollout."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.conversations import CONVERSATIONS
from bot.conversations.confirm import ConfirmLoaded
from bot.conversations.finish import FINISH, FinishLoaded
from bot.conversations.invitation import compose, invitation_message
from bot.finishing import FinishItem, FinishStep, StepState, steps_of
from bot.messages import Form, Message, Token
from bot.model import (
    CheckKind,
    CurrentRollout,
    Delivery,
    DeliveryKind,
    DeliveryState,
    FormerSignIn,
    OldToken,
    Rollout,
    RolloutState,
)
from bot.ports import InvitationView, RolloutCounts
from bot.transition import HoldDeliveries, ReleaseDeliveries, SendMessage, Transition, UpdateAllCopies, UpdateCopies
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    LINUS,
    NOON,
    body_keys,
    button,
    buttons,
    command,
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
from tests.samples_of_finishing import untouched

ACME = rollout(organizations=("acme-web", "acme-core"))


def loaded(of: Rollout = ACME, **changes: Any) -> FinishLoaded:
    given: dict[str, Any] = {"rollout": of, "items": untouched(of), "people": {ADA.id: ADA}}
    return FinishLoaded(scene(of), **(given | changes))


def decide(on: FinishLoaded, event: Any) -> Transition:
    return FINISH.decide(on, event, NOON)


def save(step: FinishStep, on: FinishLoaded | None = None, version: int = 0, **values: Any) -> Transition:
    return decide(on or loaded(), submit(Token("finish", f"save.{step}", ACME.id, version), ADA, **values))


def saved(after: Transition) -> FinishItem:
    (item,) = after.state
    assert isinstance(item, FinishItem)
    return item


def test_the_list_is_a_direct_message_that_stays() -> None:
    after = decide(loaded(), command("finish"))
    (send,) = after.effects
    assert isinstance(send, SendMessage)
    assert (send.to, send.rollout_id) == (ADA.id, None), "a finished rollout's messages are held, this one is not"
    assert [f"{each.token.conversation}.{each.token.action}" for each in buttons(send.message)] == [
        *(f"finish.step.{step}" for step in FinishStep),
        "removal.show",
        "finish.end",
        "finish.show",
    ]


def test_a_rollout_has_only_the_steps_that_concern_it() -> None:
    assert steps_of(ACME) == tuple(FinishStep)
    no_old_accounts = steps_of(rollout(former_sign_in=(), uses_tokens=False))
    assert no_old_accounts == (FinishStep.ADMINISTER, FinishStep.RECOVERY, FinishStep.ORGANIZATIONS)


def test_bitbucket_users_are_warned_where_it_matters() -> None:
    bitbucket = rollout(former_sign_in=(FormerSignIn.BITBUCKET,))
    shown = message_of(decide(loaded(bitbucket), press(Token("finish", "show", ACME.id))).reply)
    assert "finish.bitbucket" in body_keys(shown)
    form = form_of(decide(loaded(bitbucket), press(Token("finish", "step.service", ACME.id))).reply)
    assert "finish.bitbucket" in body_keys(form)
    assert "finish.bitbucket" not in keys(message_of(decide(loaded(), press(Token("finish", "show", ACME.id))).reply))


def test_a_step_has_state_owner_day_and_proof() -> None:
    after = save(FinishStep.ADMINISTER, state="open", due_on="2026-04-01", proof="TICKET-1")
    item = saved(after)
    assert (item.state, item.owner, item.due_on, item.proof) == (
        StepState.OPEN,
        ADA.id,
        date(2026, 4, 1),
        "TICKET-1",
    )
    assert (item.version, item.changed_by, item.changed_at) == (1, ADA.id, NOON)
    assert "☐ An SSO account has Administer Enterprise · Ada, until Wednesday 1 April 2026" in words(
        message_of(after.reply)
    )


def test_what_is_done_says_by_whom_and_when() -> None:
    after = save(FinishStep.ADMINISTER, state="done")
    assert "☑ An SSO account has Administer Enterprise · Ada, 3 March 2026" in words(message_of(after.reply))
    assert "1 of 7 steps settled" in words(message_of(after.reply))
    assert after.audit == "finish.done.administer"


def test_skipping_needs_a_reason_and_is_audited() -> None:
    assert set(form_of(save(FinishStep.TOKENS, state="skipped").reply).errors or {}) == {"reason"}
    after = save(FinishStep.TOKENS, state="skipped", reason="later this year")
    assert after.audit == "finish.skipped.tokens"
    assert saved(after).reason == "later this year"
    assert "skipped: later this year" in words(message_of(after.reply))


def test_an_owner_is_an_admin_whom_the_bot_knows() -> None:
    lin = LINUS.model_copy(update={"is_workspace_admin": True})
    owned = save(FinishStep.ADMINISTER, loaded(chosen=lin), state="open", owner=lin.user_id)
    assert saved(owned).owner == lin.id
    for chosen in (None, GRACE):
        refused = save(FinishStep.ADMINISTER, loaded(chosen=chosen), state="open", owner="U-grace")
        assert "finish.error.owner" in keys(form_of(refused.reply))
        assert refused.state == ()


def test_a_step_keeps_its_owner_when_another_admin_changes_it() -> None:
    lin = LINUS.model_copy(update={"is_workspace_admin": True})
    items = untouched(ACME)
    items[FinishStep.ADMINISTER] = items[FinishStep.ADMINISTER].model_copy(update={"owner": lin.id, "version": 1})
    on = loaded(items=items, people={ADA.id: ADA, lin.id: lin})
    assert saved(save(FinishStep.ADMINISTER, on, 1, state="done")).owner == lin.id


def test_of_two_admins_the_later_one_sees_what_changed() -> None:
    items = untouched(ACME)
    items[FinishStep.ADMINISTER] = items[FinishStep.ADMINISTER].model_copy(update={"proof": "Linus", "version": 1})
    after = save(FinishStep.ADMINISTER, loaded(items=items), 0, state="done", proof="Ada")
    form = form_of(after.reply)
    assert after.state == ()
    assert "finish.overtaken" in body_keys(form)
    assert _value(form, "proof") == "Linus"


def test_a_token_in_a_proof_is_left_out() -> None:
    after = save(FinishStep.ADMINISTER, state="done", proof="see sqp_" + "a" * 40)
    assert saved(after).proof == "see [redacted]"
    assert "finish.secret" in keys(after.reply.toast)  # type: ignore[union-attr,arg-type]


@pytest.mark.parametrize("written", ["correct horse battery staple", "hunter2", "ada@acme.example hunter2"])
def test_a_recovery_password_is_neither_taken_nor_shown_again(written: str) -> None:
    after = save(FinishStep.RECOVERY, state="done", proof=written)
    assert after.state == ()
    assert "hunter2" not in words(form_of(after.reply))
    assert _value(form_of(after.reply), "proof") == ""


def test_recovery_is_done_when_admins_are_named() -> None:
    assert set(form_of(save(FinishStep.RECOVERY, state="done").reply).errors or {}) == {"proof"}
    after = save(FinishStep.RECOVERY, state="done", proof="ada@acme.example, linus@acme.example")
    assert saved(after).proof == "ada@acme.example\nlinus@acme.example"


def test_every_organization_needs_somebody_without_sso() -> None:
    lacking = save(FinishStep.ORGANIZATIONS, state="done", proof="acme-web: olivia@github\nacme-core:")
    assert "Nobody is named for acme-core." in words(form_of(lacking.reply))
    unknown = save(FinishStep.ORGANIZATIONS, state="open", proof="acme-wob: olivia@github")
    assert "finish.error.organization" in keys(form_of(unknown.reply))
    after = save(FinishStep.ORGANIZATIONS, state="done", proof="acme-web: olivia@github\nacme-core: bot@github")
    assert saved(after).admins == {"acme-web": "olivia@github", "acme-core": "bot@github"}


def test_a_rollout_without_named_organizations_needs_one_account() -> None:
    unnamed = loaded(rollout())
    after = decide(
        unnamed,
        submit(Token("finish", "save.organizations", ACME.id), ADA, state="done", proof="olivia@github"),
    )
    assert saved(after).admins == {"": "olivia@github"}


def test_finishing_with_steps_left_needs_a_reason_which_each_of_them_keeps() -> None:
    asked = form_of(decide(loaded(counts=RolloutCounts(open=2)), press(Token("finish", "end", ACME.id, 1))).reply)
    assert {"finish.still_open", "finish.end.left"} <= set(body_keys(asked))
    without = decide(loaded(), submit(Token("finish", "ended", ACME.id, 1)))
    assert set(form_of(without.reply).errors or {}) == {"reason"}
    after = decide(loaded(), submit(Token("finish", "ended", ACME.id, 1), reason="We use another way"))
    rows = {row.step: row for row in after.state if isinstance(row, FinishItem)}
    assert set(rows) == set(FinishStep)
    assert {row.reason for row in rows.values()} == {"We use another way"}
    assert dict(after.details) == {"skipped": 7, "open": 0}


def test_finishing_ends_all_sending() -> None:
    after = decide(loaded(items=_all_done()), submit(Token("finish", "ended", ACME.id, 1)))
    (finished,) = after.state
    assert isinstance(finished, Rollout)
    assert (finished.state, finished.finished_at, finished.version) == (RolloutState.FINISHED, NOON, 2)
    assert after.effects[:2] == (HoldDeliveries(ACME.id), UpdateAllCopies(ACME.id))


def test_the_closing_report_goes_once_to_everybody_who_ran_the_rollout() -> None:
    of = ACME.model_copy(update={"created_by": LINUS.id})
    on = loaded(of, items=_all_done(), admins_seen=(ADA.id, GRACE.id), counts=RolloutCounts(invited=10, done=9))
    after = decide(on, submit(Token("finish", "ended", ACME.id, 1)))
    sent = [each for each in after.effects if isinstance(each, SendMessage)]
    assert [each.to for each in sent] == [ADA.id, LINUS.id, GRACE.id]
    assert len({each.key for each in sent}) == 3
    assert {each.rollout_id for each in sent} == {None}, "a finished rollout's messages are held"
    assert button(sent[0].message, "make.report")


def test_a_finished_rollout_can_be_reopened_unless_another_one_runs() -> None:
    over = ACME.model_copy(update={"state": RolloutState.FINISHED, "finished_at": NOON, "version": 2})
    reopen = press(Token("finish", "reopen", ACME.id, 2))
    refused = decide(_over(over, another=True), reopen)
    assert refused.state == ()
    after = decide(_over(over, another=False), reopen)
    again, current = after.state
    assert isinstance(again, Rollout)
    assert current == CurrentRollout(person_id=ADA.id, rollout_id=ACME.id)
    assert (again.state, again.finished_at, again.planned_up_to) == (RolloutState.ACTIVE, None, "")
    assert ReleaseDeliveries(ACME.id) in after.effects


def test_archiving_takes_the_rollout_out_of_sight() -> None:
    over = ACME.model_copy(update={"state": RolloutState.FINISHED, "finished_at": NOON, "version": 2})
    (archived,) = decide(_over(over, another=False), press(Token("finish", "archive", ACME.id, 2))).state
    assert isinstance(archived, Rollout)
    assert archived.archived_at == NOON


@pytest.mark.parametrize("action", ["ended", "reopen", "archive", "step.nonsense", "save.nonsense", "nonsense"])
def test_old_buttons_change_nothing(action: str) -> None:
    """Pressed with a version that has passed, or in a state that they are not for."""
    for version in (0, 1):
        after = decide(loaded(), submit(Token("finish", action, ACME.id, version)))
        assert after.state == ()
        assert after.effects == ()


# what invitees see


def _done(**changes: Any) -> InvitationView:
    return view(ACME, GRACE, tuple(CheckKind), done_at=NOON, due_at=None, **changes)


def test_after_the_end_old_buttons_answer_kindly_and_change_nothing() -> None:
    over = ACME.model_copy(update={"state": RolloutState.FINISHED})
    on = ConfirmLoaded(scene(over), GRACE.id, view(over))
    after = CONVERSATIONS["confirm"].decide(on, press(Token("confirm", "access", "invitation-1"), GRACE), NOON)
    assert after.state == ()
    assert "invitation.over" in keys(message_of(after.reply))


def test_after_the_end_copies_say_so_and_nothing_waiting_goes_out() -> None:
    over = ACME.model_copy(update={"state": RolloutState.FINISHED})
    for kind in (DeliveryKind.INVITATION, DeliveryKind.REMINDER, DeliveryKind.FINAL_NOTICE):
        waiting = _delivery(kind)
        assert compose(waiting, view(over)) is None
        shown = compose(waiting.model_copy(update={"state": DeliveryState.SENT}), view(over))
        assert shown is not None
        assert "invitation.over" in keys(shown)


def test_whoever_is_done_is_asked_about_ci() -> None:
    shown = invitation_message(_done())
    assert "old_token.question" in body_keys(shown)
    assert [each.token.action for each in buttons(shown)] == ["unused", "in_use"]


@pytest.mark.parametrize(
    "of", [rollout(former_sign_in=()), rollout(uses_tokens=False)], ids=["no old account", "no tokens"]
)
def test_nobody_else_is_asked_about_ci(of: Rollout) -> None:
    shown = invitation_message(view(of, GRACE, of.needs, done_at=NOON))
    assert buttons(shown) == []
    assert buttons(invitation_message(view(ACME)))[0].token.action == "access", "not before everything is confirmed"


def test_an_answer_about_ci_is_kept_and_can_be_changed() -> None:
    first = _answer("unused", _done())
    invitation = first.state[0]
    assert invitation.old_token is OldToken.UNUSED  # type: ignore[union-attr]
    assert first.effects == (UpdateCopies("invitation-1"),)
    changed = button(message_of(first.reply), "in_use")
    again = _answer(changed.token.action, _done(old_token=OldToken.UNUSED))
    assert again.state[0].old_token is OldToken.IN_USE  # type: ignore[union-attr]
    assert _answer("in_use", _done(old_token=OldToken.IN_USE)).state == ()


def test_a_farewell_names_what_dies_with_the_account() -> None:
    shown = compose(_delivery(DeliveryKind.FAREWELL), _done(old_token=OldToken.UNUSED))
    assert shown is not None
    said = words(shown)
    for consequence in ("tokens", "403", "issues", "comments", "favourites", "notifications", "connected mode"):
        assert consequence in said


@pytest.mark.parametrize("changed", [{"old_token": OldToken.IN_USE}, {"is_keeper": True}])
def test_a_farewell_is_taken_back_in_place_when_the_account_is_needed(changed: dict[str, Any]) -> None:
    shown = compose(_delivery(DeliveryKind.FAREWELL), _done(**{"old_token": OldToken.UNUSED, **changed}))
    assert shown is not None
    assert "Please do not delete your old account" in words(shown)


def _answer(action: str, on: InvitationView) -> Transition:
    event = press(Token("old_token", action, "invitation-1"), GRACE)
    return CONVERSATIONS["old_token"].decide(ConfirmLoaded(scene(ACME), GRACE.id, on), event, NOON)


def _delivery(kind: DeliveryKind) -> Delivery:
    return Delivery(
        id="d", key="k", kind=kind, lane="slack:T1", person_id=GRACE.id, not_before=NOON - DAY, created_at=NOON - DAY
    )


def _all_done() -> dict[FinishStep, FinishItem]:
    done = {"state": StepState.DONE, "changed_at": NOON}
    return {step: item.model_copy(update=done) for step, item in untouched(ACME).items()}


def _over(of: Rollout, *, another: bool) -> FinishLoaded:
    return replace(loaded(of), scene=scene(), instead=rollout(id="another") if another else None)


def _value(shown: Form | Message, name: str) -> object:
    assert isinstance(shown, Form)
    return next(each.value for each in shown.fields if each.name == name)


def test_a_state_that_is_none_is_asked_again() -> None:
    after = save(FinishStep.ADMINISTER, state="perhaps")
    errors = form_of(after.reply).errors or {}
    assert errors["state"].key == "setup.error.required"
    assert after.state == ()
