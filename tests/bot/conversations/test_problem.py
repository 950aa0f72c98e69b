"""“I have a problem”: self-help first, then the admins, whose answer comes back."""

from __future__ import annotations

from typing import Any

import pytest

from bot.conversations.invitation import invitation_message
from bot.conversations.problem import MAX_DESCRIPTION, PROBLEM, ProblemLoaded
from bot.conversations.problem_tree import KINDS, NEIGHBOURS, PROBLEMS
from bot.messages import Form, Quote, TextField, Token
from bot.model import Case, CaseState, FormerSignIn, Provisioning, Region
from bot.ports import CaseGroup, InvitationView
from bot.transition import Replace, Transition, UpdateNotices
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NOON,
    actions,
    body_keys,
    button,
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

SECRET = "sqp_" + "0123456789abcdef" * 2 + "01234567"


def step(event: Any, of: InvitationView | None = None) -> Transition:
    loaded = ProblemLoaded(scene(), GRACE.id, of or view(), admins_seen=(ADA.id, LINUS.id))
    return PROBLEM.decide(loaded, event, NOON)


def chosen(problem: str, of: InvitationView | None = None) -> Form:
    return form_of(step(submit(Token("problem", "chosen", "invitation-1"), GRACE, problem=problem), of).reply)


def described(problem: str, description: str) -> Transition:
    return step(submit(chosen(problem).token, GRACE, description=description))


def opened(description: str = "It says 403.") -> Case:
    (case,) = described("forbidden", description).state
    assert isinstance(case, Case)
    return case


def test_the_usual_problems_are_offered() -> None:
    form = form_of(step(press(Token("problem", "open", "invitation-1"), GRACE)).reply)
    assert tuple(choice.value for choice in form.fields[0].choices) == PROBLEMS
    assert len(PROBLEMS) <= 10


def test_nobody_is_led_to_a_problem_that_is_none_nor_to_the_same_one() -> None:
    assert set(NEIGHBOURS) == set(KINDS)
    assert all(set(near) <= set(KINDS) - {kind} for kind, near in NEIGHBOURS.items())
    reached = {near for some in NEIGHBOURS.values() for near in some}
    assert set(KINDS) == set(PROBLEMS) | reached


def test_a_problem_leads_to_what_is_easily_taken_for_it() -> None:
    form = chosen("no_organization")
    near = button(form, "rather.group_lost")
    assert body_keys(form_of(step(press(near.token, GRACE)).reply))[0] == "problem.group_lost.heading"


def test_the_same_problem_of_somebody_else_joins_the_first_and_writes_to_no_admin_again() -> None:
    first = opened()
    loaded = ProblemLoaded(scene(), GRACE.id, view(), admins_seen=(ADA.id,), group=CaseGroup.of_one(first, LINUS))
    after = PROBLEM.decide(loaded, submit(chosen("forbidden").token, GRACE, description="Me too."), NOON)
    (case,) = after.state
    assert (case.group_id, case.state) == (first.id, CaseState.OPEN)
    (update,) = after.effects
    assert isinstance(update, UpdateNotices)
    assert update.keys == (f"{first.id}:to:{ADA.id}",)
    assert {"2 people have the same problem with signing in", "Answer all 2"} <= set(
        words(update.message).splitlines()
    )


@pytest.mark.parametrize("problem", KINDS)
def test_each_says_what_to_do_and_offers_the_admins(problem: str) -> None:
    form = chosen(problem)
    asked = [f"problem.{problem}.question"] if NEIGHBOURS[problem] else []
    assert body_keys(form)[: 2 + len(asked)] == [f"problem.{problem}.heading", *asked, f"problem.{problem}.help"]
    assert [each.name for each in form.fields] == ["description"]
    near = [f"rather.{kind}" for kind in NEIGHBOURS[problem]]
    assert actions(form) == ([] if problem == "other" else ["helped", *near])


def test_a_choice_that_is_none_is_asked_again() -> None:
    refused = chosen("aliens")
    assert refused.errors is not None
    assert refused.errors["problem"].key == "problem.error.which"
    assert chosen("tile").errors is None


def test_advice_fits_the_rollout() -> None:
    jit, scim = view(), view(rollout(provisioning=Provisioning.SCIM))
    assert "problem.no_organization.jit" in body_keys(chosen("no_organization", jit))
    assert "problem.no_organization.scim" in body_keys(chosen("no_organization", scim))
    assert "problem.forbidden.github" in body_keys(chosen("forbidden", jit))
    gitlab = view(rollout(former_sign_in=(FormerSignIn.GITLAB,)))
    assert "problem.forbidden.github" not in body_keys(chosen("forbidden", gitlab))
    us = view(rollout(region=Region.US))
    assert "https://sonarqube.us/account/security" in words(chosen("token_fails", us))


def test_what_helped_is_noted_and_the_message_comes_back() -> None:
    after = step(press(button(chosen("tile"), "helped").token, GRACE))
    assert isinstance(after.reply, Replace)
    assert after.reply.message == invitation_message(view())
    assert keys(after.reply.toast)[0] == "problem.glad"
    assert after.audit == "problem.helped"
    assert not after.state


def test_a_described_problem_reaches_every_admin_once() -> None:
    after = described("forbidden", "It says 403.")
    (case,) = after.state
    assert (case.problem, case.description, case.state, case.person_id) == (
        "forbidden",
        "It says 403.",
        CaseState.OPEN,
        GRACE.id,
    )
    assert [effect.to for effect in after.effects] == [ADA.id, LINUS.id]
    assert len({effect.key for effect in after.effects}) == 2
    message = after.effects[0].message
    assert Quote("It says 403.") in message.body
    assert "Grace" in words(message)
    assert button(message, "answer").token == Token("case", "answer", case.id, 1)
    assert keys(after.reply.toast)[0] == "problem.passed_on"
    assert after.audit == "problem.forbidden"


def test_whoever_says_more_of_the_same_problem_is_still_one_person() -> None:
    first = opened("It says 403.")
    group = CaseGroup.of_one(first, GRACE)
    loaded = ProblemLoaded(scene(), GRACE.id, view(), (ADA.id,), group, first)
    again = submit(chosen("forbidden").token, GRACE, description="It says 403.")
    assert PROBLEM.decide(loaded, again, NOON).state == ()
    more = PROBLEM.decide(loaded, submit(chosen("forbidden").token, GRACE, description="In the IDE too."), NOON)
    (case,) = more.state
    assert isinstance(case, Case)
    assert (case.id, case.version, case.description) == (first.id, 2, "It says 403.\nIn the IDE too.")
    (told,) = more.effects
    assert isinstance(told, UpdateNotices)
    (quoted,) = (each.words for each in told.message.body if isinstance(each, Quote))
    assert quoted == case.description
    assert "has a problem with signing in" in words(told.message)


def test_a_problem_needs_a_description_and_can_be_given_one() -> None:
    refused = described("tile", "   ")
    form = form_of(refused.reply)
    assert form.errors["description"].key == "problem.error.describe"
    assert not refused.state
    assert step(submit(form.token, GRACE, description="It is grey.")).state


def test_a_forged_problem_is_treated_as_something_else() -> None:
    form = form_of(step(submit(Token("problem", "describe.aliens", "invitation-1"), GRACE, description="!")).reply)
    assert body_keys(form)[0] == "problem.other.heading"


def test_an_endless_description_is_cut() -> None:
    assert len(opened("x" * 5000).description) == MAX_DESCRIPTION


def test_a_token_in_a_description_is_left_out_before_anything_is_stored() -> None:
    after = described("token_fails", f"My token {SECRET} fails")
    assert SECRET not in repr(after)
    assert after.state[0].description == "My token [redacted] fails"
    assert keys(after.reply.toast)[0] == "secret.left_out"


def test_a_problem_with_an_invitation_that_is_gone_is_outdated() -> None:
    loaded = ProblemLoaded(scene())
    after = PROBLEM.decide(loaded, press(Token("problem", "open", "gone"), GRACE), NOON)
    assert keys(message_of(after.reply))[0] == "answer.outdated"


def test_what_was_said_before_is_answered_as_if_it_was_new() -> None:
    own = opened("It says 403.")
    event = submit(Token("problem", "describe.forbidden", "invitation-1", 0), GRACE, description="It says 403.")
    after = PROBLEM.decide(ProblemLoaded(scene(), GRACE.id, view(), admins_seen=(ADA.id,), own=own), event, NOON)
    assert not after.state
    assert not after.effects
    assert isinstance(after.reply, Replace)
    assert "invitation.title" in keys(after.reply.message)
    assert after.reply.toast is not None
    assert "problem.passed_on" in keys(after.reply.toast)


def test_what_becomes_too_long_is_to_be_shortened_and_is_still_there() -> None:
    own = opened("x" * (MAX_DESCRIPTION - 10))
    group = CaseGroup.of_one(own, GRACE)
    loaded = ProblemLoaded(scene(), GRACE.id, view(), admins_seen=(ADA.id,), group=group, own=own)
    token = Token("problem", "describe.forbidden", "invitation-1", 0)
    after = PROBLEM.decide(loaded, submit(token, GRACE, description=f"{SECRET} does not work"), NOON)
    assert (after.state, after.effects) == ((), ())
    form = form_of(after.reply)
    assert form.errors is not None
    assert form.errors["description"].key == "problem.enough"
    (field,) = form.fields
    assert isinstance(field, TextField)
    assert field.value == "[redacted] does not work"
    (case,) = PROBLEM.decide(loaded, submit(token, GRACE, description="123456789"), NOON).state
    assert isinstance(case, Case)
    assert len(case.description) == MAX_DESCRIPTION


def test_the_forms_are_of_the_invitation_as_it_is_now() -> None:
    of = view(version=7)
    which = form_of(step(press(Token("problem", "open", of.invitation.id), GRACE), of).reply)
    shown = chosen("forbidden", of)
    for form in (which, shown):
        assert form.token.version == 7
        assert form.cancel is not None
        assert form.cancel.version == 7
    again = form_of(step(submit(Token("problem", "describe.forbidden", "invitation-1", 7), GRACE), of).reply)
    assert again.token.action == "describe.forbidden", "the same problem, to be described"
