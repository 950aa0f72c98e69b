"""The same problem of several people: one message for the admin, one answer for all of them, and who says it helped."""

from __future__ import annotations

from tests.e2e.office import Chat
from tests.e2e.rollouts import invited, invites
from tests.e2e.test_problems import chooses, reports


async def test_one_answer_reaches_everybody_who_has_the_problem(chat: Chat):
    await invited(chat)
    await invites(chat.admin, chat.colleague)
    await reports(chat.invitee, "The link is dead.")
    await chat.admin.reads(f"{chat.invitee.name} has a problem with signing in")
    await reports(chat.colleague, "Same here.")
    case = await chat.admin.reads("2 people have the same problem with signing in")
    assert "The link is dead." in case.words
    assert "Same here." in case.words
    await chat.office.settles()
    assert sum("problem with signing in" in each.words for each in chat.admin.messages) == 1

    await chat.admin.types("/sso problems")
    listed = await chat.admin.reads("The enterprise key is unknown or the link fails: 2 people")
    await chat.admin.presses("Show 1", on=listed)
    await chat.admin.presses("Answer all 2")
    await chat.admin.opens("Answer")
    await chat.admin.submits({"answer": "It works again."})
    for each in (chat.invitee, chat.colleague):
        answer = await each.reads("It works again.")
        assert "An answer to your problem" in answer.words
        assert "Same here." not in answer.words

    await chat.colleague.presses("That solved it")
    await chat.colleague.reads("Good to hear!")
    await chat.admin.until(lambda: chat.admin.sees("1 person says that it is solved."))
    await chat.admin.types("/sso status")
    await chat.admin.reads("The enterprise key is unknown or the link fails”: 0 waiting, 1 answered, 1 solved")
    await chat.admin.types("/sso problems")
    await chat.admin.reads("Nobody waits for an answer.")


async def test_whoever_reports_it_twice_is_one_person(chat: Chat):
    await invited(chat)
    for words in ("The link is dead.", "The link is dead.", "Still dead."):
        await reports(chat.invitee, words)
    await chat.admin.until(lambda: chat.admin.sees("Still dead."))
    await chat.admin.types("/sso problems")
    await chat.admin.reads("The enterprise key is unknown or the link fails: 1 person")


async def test_a_question_leads_to_what_it_rather_is(chat: Chat):
    await invited(chat)
    await chooses(chat.invitee, "no_organization")
    assert "Did you come in through the SSO link just now" in chat.invitee.form.words
    await chat.invitee.presses("I saw it before, now it is gone")
    form = await chat.invitee.until(
        lambda: chat.invitee.form if chat.invitee.form and "there and is gone" in chat.invitee.form.words else None
    )
    assert "your groups are set to what your company's identity provider says" in form.words
    await chat.invitee.submits({"description": "It was there on Monday."})
    case = await chat.admin.reads("has a problem with signing in")
    assert "What they chose: My organization was there and is gone" in case.words
