"""A problem that was passed on is answered once for all who have it, and they say whether that solved it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.conversations.case import CASE, SOLVED, CaseLoaded, SolvedLoaded
from bot.conversations.case_messages import title_of
from bot.conversations.problems import PAGE, PROBLEMS_LIST, ProblemsLoaded
from bot.messages import Quote, Text, Token
from bot.model import Case, CaseState
from bot.ports import CaseGroup
from bot.transition import AnswerCases, Replace, Transition, UpdateNotices
from tests.builders import (
    ADA,
    GRACE,
    LINUS,
    NOON,
    actions,
    body_keys,
    button,
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

SECRET = "sqp_" + "0123456789abcdef" * 2 + "01234567"
CASE_1 = Case(
    id="c1", group_id="c1", rollout_id="rollout-1", invitation_id="invitation-1", person_id=GRACE.id,
    problem="forbidden", description="It says 403.", opened_at=NOON, version=1,
)  # fmt: skip
ALONE = CaseGroup.of_one(CASE_1, GRACE)
TWO = ALONE.with_one_more(CASE_1.model_copy(update={"id": "c2", "description": "Me too."}), LINUS)


def act(event: Any, group: CaseGroup | None = ALONE) -> Transition:
    return CASE.decide(CaseLoaded(scene(), group=group, admins_told=(ADA.id, LINUS.id)), event, NOON)


def send(answer: str, group: CaseGroup = ALONE, seen: int | None = None) -> Transition:
    token = Token("case", "send", "c1", group.open if seen is None else seen)
    return act(submit(token, ADA, answer=answer), group)


def test_the_answer_form_shows_the_problem_and_leads_back() -> None:
    form = form_of(act(press(Token("case", "answer", "c1", 1))).reply)
    assert Quote("It says 403.") in form.body
    back = act(press(form.cancel))
    assert isinstance(back.reply, Replace)
    assert "answer" in actions(back.reply.message)


def test_the_answer_goes_to_the_one_who_asked_and_every_admin_sees_that_it_did() -> None:
    after = send("Try the link.")
    answered, updated = after.effects
    assert isinstance(answered, AnswerCases)
    assert (answered.group_id, answered.answer, answered.by) == ("c1", "Try the link.", ADA.id)
    quoted = [each for each in answered.message.body if isinstance(each, Quote)]
    assert quoted == [Quote("It says 403."), Quote("Try the link.")]
    assert isinstance(updated, UpdateNotices)
    assert updated.keys == (f"c1:to:{ADA.id}", f"c1:to:{LINUS.id}")
    assert actions(updated.message) == []
    assert keys(after.reply.toast)[0] == "case.sent"
    assert (after.audit, dict(after.details)) == ("case.answered", {"people": 1})


def test_one_answer_goes_to_all_and_quotes_nobody_to_the_others() -> None:
    answered = send("Fixed.", TWO).effects[0]
    assert isinstance(answered, AnswerCases)
    assert "It says 403." not in words(answered.message)
    assert Quote("It says 403.") not in answered.message.body
    assert "403" in words(answered.message)  # which problem it is about


def test_an_admin_who_has_not_read_what_somebody_else_wrote_is_asked_to() -> None:
    again = send("Fixed.", TWO, seen=1)
    form = form_of(again.reply)
    assert form.errors["answer"].key == "case.error.others"
    assert form.fields[0].value == "Fixed."
    assert form.token.version == 2
    assert not again.effects


def test_an_empty_answer_is_asked_again() -> None:
    assert form_of(send(" ").reply).errors["answer"].key == "setup.error.required"


def test_a_token_in_an_answer_is_left_out() -> None:
    assert SECRET not in repr(send(f"Use {SECRET}"))


def test_the_second_admin_sees_what_the_first_answered() -> None:
    late = act(press(Token("case", "answer", "c1", 1), LINUS), ALONE.when_answered("Try the link."))
    assert not late.effects
    assert Quote("Try the link.") in message_of(late.reply).body


def test_a_case_that_is_not_known_here_is_outdated() -> None:
    assert keys(message_of(act(press(Token("case", "answer", "elsewhere")), None).reply))[0] == "answer.outdated"


def solved(case: Case, action: str = "yes") -> Transition:
    group = replace(ALONE.when_answered("Try the link."))
    loaded = SolvedLoaded(scene(), GRACE.id, view(), case, group, (ADA.id,))
    return SOLVED.decide(loaded, press(Token("solved", action, "c1"), GRACE), NOON)


def test_whom_the_answer_helped_says_so_and_the_admins_see_it() -> None:
    answered = CASE_1.model_copy(update={"state": CaseState.ANSWERED, "answer": "Try the link.", "answered_at": NOON})
    after = solved(answered)
    (case,) = after.state
    assert (case.state, case.solved_at, case.version) == (CaseState.SOLVED, NOON, 2)
    (update,) = after.effects
    assert isinstance(update, UpdateNotices)
    assert "1 person says that it is solved." in words(update.message)
    assert not solved(case).state  # pressed twice
    assert form_of(solved(answered, "again").reply).token.action == "chosen"


def test_problems_are_listed_a_page_at_a_time() -> None:
    loaded = ProblemsLoaded(scene(rollout()), groups=(TWO,) * (PAGE + 1))
    first = message_of(PROBLEMS_LIST.decide(loaded, command("problems"), NOON).reply)
    assert actions(first) == ["one"] * PAGE + ["show"]
    assert "2 people" in words(first)
    second = PROBLEMS_LIST.decide(replace(loaded, groups=(TWO,)), press(first.buttons[-1].token), NOON)
    assert "Show 6" in words(message_of(second.reply))
    one = PROBLEMS_LIST.decide(replace(loaded, group=TWO), press(button(first, "one").token), NOON)
    assert actions(message_of(one.reply)) == ["answer", "show"]


def test_exactly_a_page_of_problems_has_no_next_one() -> None:
    loaded = ProblemsLoaded(scene(rollout()), groups=(TWO,) * PAGE)
    assert actions(message_of(PROBLEMS_LIST.decide(loaded, command("problems"), NOON).reply)) == ["one"] * PAGE


@pytest.mark.parametrize(("group", "to_all"), [(ALONE, False), (TWO, True)])
def test_an_admin_who_answers_several_is_told_so(group: CaseGroup, to_all: bool) -> None:
    form = form_of(act(press(Token("case", "answer", "c1")), group).reply)
    assert ("case.to_all" in body_keys(form)) is to_all


@pytest.mark.parametrize(
    ("changes", "name"), [({"name": ""}, GRACE.email), ({"name": "", "email": ""}, GRACE.user_id), ({}, GRACE.name)]
)
def test_whoever_has_no_name_is_called_by_their_address(changes: dict[str, str], name: str) -> None:
    group = CaseGroup.of_one(CASE_1, GRACE.model_copy(update=changes))
    assert title_of(group) == Text("case.title", {"name": name})


def test_who_presses_again_that_it_helped_sees_the_answer_still() -> None:
    over = CASE_1.model_copy(update={"state": CaseState.SOLVED, "answer": "Try the link.", "solved_at": NOON})
    after = solved(over)
    assert after.state == ()
    assert Quote("Try the link.") in message_of(after.reply).body
