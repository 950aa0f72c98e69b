"""“I have a problem”: self-help first, then the admins, whose answer comes back."""

from __future__ import annotations

from typing import Any

import pytest

from bot.conversations.invitation import invitation_message
from bot.conversations.problem import CASE, MAX_DESCRIPTION, PROBLEM, PROBLEMS, CaseLoaded, ProblemLoaded
from bot.messages import Form, Quote, Token
from bot.model import Case, CaseState, FormerSignIn, Provisioning, Region
from bot.ports import InvitationView
from bot.transition import Replace, SendMessage, Transition, Whisper
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


def answer(case: Case | None, event: Any) -> Transition:
    return CASE.decide(CaseLoaded(scene(), None, view() if case else None, case), event, NOON)


def test_the_usual_problems_are_offered() -> None:
    form = form_of(step(press(Token("problem", "open", "invitation-1"), GRACE)).reply)
    assert tuple(choice.value for choice in form.fields[0].choices) == PROBLEMS
    assert len(PROBLEMS) <= 10


@pytest.mark.parametrize("problem", PROBLEMS)
def test_each_says_what_to_do_and_offers_the_admins(problem: str) -> None:
    form = chosen(problem)
    assert body_keys(form)[:2] == [f"problem.{problem}.heading", f"problem.{problem}.help"]
    assert [each.name for each in form.fields] == ["description"]
    assert actions(form) == ([] if problem == "other" else ["helped"])


def test_a_choice_that_is_none_is_asked_again() -> None:
    refused = chosen("aliens")
    assert refused.errors is not None
    assert refused.errors["problem"].key == "setup.error.required"
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


def test_the_answer_form_shows_the_problem_and_leads_back() -> None:
    case = opened()
    form = form_of(answer(case, press(Token("case", "answer", case.id, 1))).reply)
    assert Quote("It says 403.") in form.body
    assert form.errors is None
    back = answer(case, press(form.cancel))
    assert isinstance(back.reply, Replace)
    assert "answer" in actions(back.reply.message)


def test_the_answer_reaches_the_invitee_with_a_way_to_ask_again() -> None:
    case = opened()
    after = answer(case, submit(Token("case", "send", case.id, 1), ADA, answer="Try the link."))

    (answered,) = after.state
    assert (answered.state, answered.answer, answered.answered_by, answered.version) == (
        CaseState.ANSWERED,
        "Try the link.",
        ADA.id,
        2,
    )
    (send,) = after.effects
    assert isinstance(send, SendMessage)
    assert send.to == GRACE.id
    assert {Quote("It says 403."), Quote("Try the link.")} <= {
        each for each in send.message.body if isinstance(each, Quote)
    }
    assert button(send.message, "open").token.conversation == "problem"
    assert keys(after.reply.toast)[0] == "case.sent"
    assert after.audit == "case.answered"


def test_an_empty_answer_is_asked_again() -> None:
    case = opened()
    refused = answer(case, submit(Token("case", "send", case.id, 1), ADA, answer=" "))
    assert form_of(refused.reply).errors["answer"].key == "setup.error.required"
    assert answer(case, submit(Token("case", "send", case.id, 1), ADA, answer="Yes.")).state


def test_a_token_in_an_answer_is_left_out() -> None:
    case = opened()
    after = answer(case, submit(Token("case", "send", case.id, 1), ADA, answer=f"Use {SECRET}"))
    assert SECRET not in repr(after)


def test_the_second_admin_sees_what_the_first_answered() -> None:
    case = opened()
    (answered,) = answer(case, submit(Token("case", "send", case.id, 1), ADA, answer="Try the link.")).state
    late = answer(answered, submit(Token("case", "send", case.id, 1), LINUS, answer="No idea."))
    assert not late.state
    assert not late.effects
    assert Quote("Try the link.") in message_of(late.reply).body


def test_a_case_that_is_not_known_here_is_outdated() -> None:
    after = answer(None, press(Token("case", "answer", "elsewhere")))
    assert isinstance(after.reply, Whisper)
    assert keys(after.reply.message)[0] == "answer.outdated"
