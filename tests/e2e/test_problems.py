"""I have a problem: the usual ones with what to do, and the way to the admins and back."""

from __future__ import annotations

from tests.e2e.chatting import Somebody
from tests.e2e.office import Chat
from tests.e2e.rollouts import invited, invites

SELF_HELP = {
    "no_organization": "group changes count from the next sign-in",
    "unknown_key": "If you are asked for the enterprise key, it is acme.",
    "email_code": "That is expected the first time",
    "tile": "a tile only works as a bookmark of this link",
    "forbidden": "If your company restricts GitHub to certain network addresses",
    "old_account": "Your old account and your SSO account are two different accounts",
    "missing_permissions": "your SSO account has those of your groups",
    "token_fails": "Generate a new one with your SSO account at https://sonarcloud.io/account/security",
    "ide": "edit the connection and generate a new token",
    "other": "Describe it below, and I pass it on to the admins.",
}


async def chooses(invitee: Somebody, problem: str) -> None:
    await invitee.presses("I have a problem")
    await invitee.until(lambda: invitee.form if invitee.form and "problem" in invitee.form.values else None)
    await invitee.submits({"problem": problem})
    await invitee.until(lambda: invitee.form if invitee.form and "description" in invitee.form.values else None)


async def reports(invitee: Somebody, words: str) -> None:
    await chooses(invitee, "unknown_key")
    await invitee.submits({"description": words})
    await invitee.reads("I have passed this on to the admins.")


async def test_each_usual_problem_has_its_help(chat: Chat):
    invitation = await invited(chat)
    for problem, help_text in SELF_HELP.items():
        await chat.invitee.presses("I have a problem", on=invitation)
        await chat.invitee.until(lambda: "problem" in chat.invitee.form.values if chat.invitee.form else None)
        await chat.invitee.submits({"problem": problem})
        form = await chat.invitee.until(
            lambda: chat.invitee.form if chat.invitee.form and "description" in chat.invitee.form.values else None
        )
        assert help_text in form.words
        assert ("That helped" in form.buttons) == (problem != "other")


async def test_with_scim_the_help_names_the_directory(chat: Chat):
    await invited(chat, provisioning="scim")
    await chooses(chat.invitee, "no_organization")
    assert chat.invitee.form is not None
    assert "which can take about 40 minutes after a change" in chat.invitee.form.words


async def test_what_helped_goes_to_nobody(chat: Chat):
    await invited(chat)
    await chooses(chat.invitee, "email_code")
    await chat.invitee.presses("That helped")
    await chat.invitee.reads("Good to hear!")
    await chat.office.settles()
    assert await chat.office.rows("problem_case") == []
    assert not chat.admin.sees("has a problem with signing in")


async def test_a_described_problem_is_answered_by_an_admin_and_the_answer_arrives(chat: Chat):
    await invited(chat)
    await reports(chat.invitee, "It says <unknown> & stops.")
    case = await chat.admin.reads(f"{chat.invitee.name} has a problem with signing in")
    assert "What they chose: The enterprise key is unknown or the link fails" in case.words
    assert "It says <unknown> & stops." in case.words
    await chat.admin.presses("Answer", on=case)
    form = await chat.admin.opens("Answer")
    assert "It says <unknown> & stops." in form.words
    await chat.admin.submits({"answer": "Please try the new link."})
    await chat.admin.reads("Answered")
    answer = await chat.invitee.reads("Please try the new link.")
    assert "An answer to your problem" in answer.words
    assert "It says <unknown> & stops." in answer.words
    assert "I have a problem" in answer.buttons


async def test_a_second_admin_sees_that_it_is_answered(chat: Chat):
    """Whoever set the rollout up hears of a problem, and the admins by name on either platform."""
    teams = chat if chat.name == "teams" else chat.other_platform()
    await teams.another_admin.types("/sso help")
    await invited(chat)
    await reports(chat.invitee, "The page stays white.")
    mine = await chat.admin.reads("has a problem with signing in")
    theirs = await teams.another_admin.reads("has a problem with signing in")
    await chat.admin.presses("Answer", on=mine)
    await chat.admin.opens("Answer")
    await chat.admin.submits({"answer": "Try another browser."})
    await chat.invitee.reads("Try another browser.")
    await teams.another_admin.reads("Try another browser.")  # their message is brought up to date by itself
    await teams.another_admin.presses("Answer", on=theirs)
    assert teams.another_admin.form is None
    await chat.office.settles()
    assert sum("Try another browser." in each.words for each in chat.invitee.messages) == 1


async def test_a_problem_needs_a_few_words(chat: Chat):
    await invited(chat)
    await chooses(chat.invitee, "other")
    await chat.invitee.submits({"description": "   "})
    form = await chat.invitee.until(lambda: chat.invitee.form if chat.invitee.form.errors else None)
    assert "Say in a sentence or two what happened" in form.errors["description"]


async def test_however_often_somebody_writes_the_admins_have_few_messages(chat: Chat):
    await invited(chat)
    for number in range(1, 8):
        await chooses(chat.invitee, "other")
        await chat.invitee.submits({"description": f"Number {number} fails."})
        await chat.invitee.reads("I have passed this on to the admins.")
        await chat.office.settles()
    problems = [said.words for said in chat.admin.messages if "has a problem with signing in" in said.words]
    assert len(problems) == 5
    assert "Number 4 fails." not in problems[-1]
    for number in (5, 6, 7):
        assert f"Number {number} fails." in problems[-1]
    assert len(await chat.office.rows("problem_case")) == 5


async def test_open_problems_stand_in_the_status(chat: Chat):
    await invited(chat)
    await reports(chat.invitee, "The page stays white.")
    await chat.admin.types("/sso status")
    status = await chat.admin.reads("Acme's move to SSO")
    assert status.fact("Problems waiting for an answer") == "1"


async def test_only_admins_answer(chat: Chat):
    await invited(chat)
    await invites(chat.admin, chat.colleague)
    await reports(chat.invitee, "The page stays white.")
    case = await chat.admin.reads("has a problem with signing in")
    await chat.colleague.presses("Answer", on=case)
    await chat.colleague.reads("Only admins of this rollout can do that.")
    assert chat.colleague.form is None


async def test_a_problem_survives_a_restart(chat: Chat):
    await invited(chat)
    await reports(chat.invitee, "The page stays white.")
    await chat.office.restarts_the_bot()
    await chat.admin.presses("Answer")
    await chat.admin.opens("Answer")
    await chat.office.restarts_the_bot()
    await chat.admin.submits({"answer": "Try another browser."})
    await chat.invitee.reads("Try another browser.")
