"""The end of a rollout, on both platforms."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import aiohttp

from tests.e2e.chatting import Said, Values
from tests.e2e.office import Chat, eventually
from tests.e2e.rollouts import confirms_everything, invited, invites, link_in, sets_up

STEPS: tuple[tuple[str, Values], ...] = (
    ("Administer Enterprise", {"state": "done", "proof": "https://tickets.example/1"}),
    ("Organization admins", {"state": "done", "proof": "acme-web: olivia@github\nacme-core: olivia@github"}),
    ("DevOps account", {"state": "done", "proof": "acme-bot"}),
    ("Remove accounts", {"state": "done"}),
    ("Tell people", {"state": "done"}),
    ("Organization tokens", {"state": "skipped", "reason": "Next quarter"}),
)


async def asks_for_the_steps(chat: Chat) -> Said:
    await chat.admin.types("/sso finish")
    return await chat.admin.reads("Finishing Acme's move to SSO")


async def finishes(chat: Chat, reason: str = "Everybody is through") -> None:
    await chat.admin.presses("Finish the rollout")
    await chat.admin.opens("Finish the rollout")
    await chat.admin.submits({"reason": reason})
    await chat.admin.reads("This rollout was finished on")


async def test_an_admin_goes_through_the_steps_and_finishes(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await asks_for_the_steps(chat)
    for settled, (label, values) in enumerate(STEPS, start=1):
        await chat.admin.presses(label)
        await chat.admin.opens(label)
        await chat.admin.submits(values)
        await chat.admin.reads(f"{settled} of 7 steps settled")
    await chat.admin.presses("Recovery accounts")
    await chat.admin.opens("Recovery accounts")
    await chat.admin.submits({"state": "done", "proof": "my password is hunter2"})
    await chat.admin.until(lambda: chat.admin.form and chat.admin.form.errors)
    await chat.admin.submits({"state": "done", "proof": chat.admin.email})
    await chat.admin.reads("7 of 7 steps settled")
    await chat.admin.presses("Finish the rollout")
    await chat.admin.opens("Finish the rollout")
    await chat.admin.submits()
    await chat.admin.reads("This rollout was finished on")
    assert len(await chat.office.audited("finish.skipped.tokens")) == 1
    assert not any("hunter2" in row for rows in (await chat.office.everything_stored()).values() for row in rows)


async def test_another_admin_takes_the_steps_up_where_they_are(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await chat.admin.presses("Administer Enterprise")
    await chat.admin.opens("Administer Enterprise")
    await chat.admin.submits({"state": "open", "due_on": "2026-03-01"})
    await chat.admin.reads("until Sunday 1 March 2026")
    await chat.office.restarts_the_bot()
    await chat.another_admin.types("/sso finish")
    shown = await chat.another_admin.reads("Finishing Acme's move to SSO")
    assert f"{chat.admin.name}, until Sunday 1 March 2026" in shown.words


async def test_after_the_end_nobody_is_reminded_and_old_buttons_answer_kindly(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await finishes(chat)
    await chat.invitee.until(lambda: chat.invitee.sees("Nothing more is expected of you"))
    before = len(chat.invitee.messages)
    await chat.office.waits(days=20)
    assert len(chat.invitee.messages) == before
    await chat.admin.types("/sso remind")
    await chat.admin.reads("There is no rollout yet.")


async def test_a_reopened_rollout_reminds_again(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await finishes(chat)
    await chat.office.waits(days=10)
    await asks_for_the_steps(chat)
    await chat.admin.presses("Reopen")
    await chat.admin.reads("The rollout is running again.")
    await chat.office.waits(days=5)
    await chat.invitee.until(lambda: len(chat.invitee.invitations) > 1)


async def test_an_archived_rollout_is_out_of_the_way(chat: Chat):
    await invited(chat)
    await asks_for_the_steps(chat)
    await finishes(chat)
    await chat.admin.presses("Archive")
    await chat.admin.reads("The rollout of Acme is archived.")
    await chat.admin.types("/sso finish")
    await chat.admin.reads("There is no rollout yet.")


# old accounts


async def records_admins(chat: Chat) -> None:
    """Each organization keeps an admin without SSO."""
    await chat.admin.presses("Organization admins")
    await chat.admin.opens("Organization admins")
    await chat.admin.submits({"state": "done", "proof": "acme-web: olivia@github\nacme-core: olivia@github"})
    await chat.admin.reads("steps settled")


async def looks_at_old_accounts(chat: Chat) -> Said:
    await asks_for_the_steps(chat)
    await chat.admin.presses("Removal list")
    return await chat.admin.reads("Old accounts of Acme")


async def fetches(chat: Chat, label: str, on: Said | None = None) -> list[dict[str, str]]:
    """Ask for the file, open the link, and read the CSV."""
    await chat.admin.presses(label, on=on)
    offered = await chat.admin.reads("Your file is ready.")
    link = link_in(chat, offered)
    async with aiohttp.ClientSession() as http:
        async with http.get(link) as page:
            assert page.status == 200
        async with http.post(link) as file:
            assert file.status == 200
            lines = (await file.text("utf-8-sig")).splitlines()
        async with http.post(link) as again:
            assert again.status == 404
    return list(csv.DictReader(lines))


async def test_only_whoever_is_through_is_on_the_removal_list(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee, chat.colleague)
    await chat.office.settles()
    await confirms_everything(chat.invitee)
    await chat.invitee.presses("No CI job uses it")
    await chat.invitee.reads("No CI job uses a token of your old account")
    shown = await looks_at_old_accounts(chat)
    assert shown.fact("May be removed") == "0"
    assert "No admin without SSO is recorded for acme-web and acme-core." in shown.words
    await chat.admin.presses("All steps")
    await chat.admin.reads("Finishing Acme's move to SSO")
    await records_admins(chat)
    await chat.admin.presses("Removal list")
    shown = await chat.admin.reads("Old accounts of Acme")
    assert shown.fact("May be removed") == "1"
    assert chat.invitee.name in shown.words
    rows = await fetches(chat, "Get the file", on=shown)
    assert {(row["organization"], row["email"], row["remove"]) for row in rows} == {
        (organization, each.email, remove)
        for organization in ("acme-web", "acme-core")
        for each, remove in ((chat.invitee, "yes"), (chat.colleague, "no"))
    }
    assert {row["reasons"] for row in rows} == {"", "access; tasks; token; ci_unknown"}


async def test_whoever_is_kept_is_not_on_the_list(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await chat.invitee.presses("No CI job uses it")
    await looks_at_old_accounts(chat)
    people = {row.email: row.user_id for row in await chat.office.rows("person")}
    await chat.admin.presses("Keep an account")
    await chat.admin.opens("Keep an account")
    await chat.admin.submits({"person": people[chat.invitee.email], "keep": "yes"})
    await chat.admin.reads(f"The old account of {chat.invitee.name} is kept.")
    shown = await looks_at_old_accounts(chat)
    assert (shown.fact("May be removed"), shown.fact("Marked to be kept")) == ("0", "1")


async def test_people_are_asked_about_ci_and_told_once_that_they_may_delete_their_old_account(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await asks_for_the_steps(chat)
    await records_admins(chat)
    await chat.admin.presses("Removal list")
    await chat.admin.presses("Ask 1 person about CI")
    await chat.admin.reads("The question goes to 1 person.")
    asked = await chat.invitee.reads("One question about your old SonarQube Cloud account")
    await chat.invitee.presses("No CI job uses it", on=asked)
    await chat.invitee.reads("No CI job uses a token of your old account")
    await chat.admin.presses("Removal list")
    shown = await chat.admin.reads("Old accounts of Acme")
    await chat.admin.presses("Tell 1 person", on=shown)
    await chat.admin.reads("The message goes to 1 person.")
    told = await chat.invitee.reads("You may delete your old SonarQube Cloud account")
    assert "with a 403" in told.words
    await chat.admin.presses("Tell 1 person", on=shown)
    await chat.office.settles()
    assert len([each for each in chat.invitee.messages if "You may delete" in each.words]) == 1
    await chat.invitee.presses("A CI job still uses it", on=told)
    await chat.invitee.reads("Please do not delete your old account yet")


async def test_an_admin_gets_everybody_and_the_audit_as_files(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await chat.admin.types("/sso export")
    offered = await chat.admin.reads("Files about Acme's move to SSO")
    (row,) = await fetches(chat, "People (CSV)", on=offered)
    assert (row["email"], row["token_source"]) == (chat.invitee.email, "invitee")
    assert row["access_confirmed_at"].startswith("2026-02-02T09:")
    actions = [row["action"] for row in await fetches(chat, "Audit log (CSV)", on=offered)]
    assert {"rollout.created", "invited", "confirmed.token", "file.fetched.people"} <= set(actions)
    stored = await chat.office.everything_stored()
    assert not any("/files/" in row for rows in stored.values() for row in rows)


# the report, and erasing


async def test_whoever_ran_the_rollout_gets_the_closing_report(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await asks_for_the_steps(chat)
    await finishes(chat)
    posted = await chat.admin.reads("Acme's move to SSO: closing report")
    assert (posted.fact("Invited"), posted.fact("Done")) == ("1", "1")
    await chat.admin.presses("Get the report", on=posted)
    page = await opens_the_link(chat)
    assert "1 · 100 %" in page
    assert "<svg" in page
    assert chat.invitee.email not in page


async def opens_the_link(chat: Chat) -> str:
    offered = await chat.admin.reads("Your file is ready.")
    async with aiohttp.ClientSession() as http, http.post(link_in(chat, offered)) as file:
        assert file.status == 200
        return await file.text("utf-8-sig")


async def test_erasing_leaves_counts_and_no_people(chat: Chat):
    await invited(chat)
    await confirms_everything(chat.invitee)
    await chat.admin.types("/sso erase")
    await chat.admin.reads("The rollout of Acme is running. Finish it first")
    await asks_for_the_steps(chat)
    await finishes(chat)
    posted = await chat.admin.reads("Acme's move to SSO: closing report")
    await chat.admin.types("/sso erase")
    await chat.admin.reads("Erase the people of Acme's rollout")
    await chat.admin.presses("Erase people")
    await chat.admin.opens("Erase people")
    await chat.admin.submits({"key": "no"})
    await chat.admin.until(lambda: chat.admin.form and chat.admin.form.errors)
    await chat.admin.submits({"key": "acme"})
    await chat.admin.reads("The people of Acme's rollout are being erased.")
    await chat.office.settles()
    chat.office.bot.scheduler.modify_job("erasing", next_run_time=datetime.now(UTC))
    await eventually(lambda: _is_erased(chat))
    stored = await chat.office.everything_stored()
    for word in (chat.invitee.email, chat.invitee.name):
        assert not any(word in row for rows in stored.values() for row in rows)
    await chat.admin.presses("Get the report", on=posted)
    assert "1 · 100 %" in await opens_the_link(chat)
    await chat.invitee.types("hello?")
    await chat.invitee.reads("I help your company move SonarQube Cloud to single sign-on.")


async def _is_erased(chat: Chat) -> bool:
    (rollout,) = await chat.office.rows("rollout")
    return rollout.figures is not None and not await chat.office.rows("invitation")
