"""`/sso invite`: name people, see who would be written to, confirm, watch it go out."""

from __future__ import annotations

import csv

import pytest
from aiohttp import ClientSession, FormData

from tests.e2e.office import Chat, eventually
from tests.e2e.on_slack import OnSlack
from tests.e2e.on_teams import OnTeams
from tests.e2e.rollouts import confirms_everything, invites, link_in, lists, send_label, sets_up


async def test_people_groups_channels_and_addresses_are_found(chat: Chat):
    """Each way to name somebody leads to them."""
    ways = {
        "slack": ("@alice", "@engineering", "#general", "alice@example.com"),
        "teams": ("@Diego Siciliani", "@build masters", "team", "diego@usher.example"),
    }
    await sets_up(chat.admin)
    for named in ways[chat.name]:
        await chat.admin.types_in_channel(f"/sso invite {named}")
        asked = await chat.admin.reads("Invitation to Acme's move to SSO")
        assert chat.invitee.name in asked.words
        assert "https://sonarcloud.io/login/sso?enterprise_key=acme" in asked.words
        await chat.admin.presses("Cancel", on=asked)
        await chat.admin.reads("Cancelled. Nobody was written to.")
    await chat.office.settles()
    assert await chat.office.rows("invitation") == []
    assert chat.invitee.invitations == []


async def test_whoever_is_named_three_times_gets_one_invitation(chat: Chat):
    await sets_up(chat.admin)
    await chat.admin.types_in_channel(
        f"/sso invite {chat.group} {chat.invitee.mention} {chat.invitee.email} {chat.group}"
    )
    asked = await chat.admin.reads("Invitation to")
    assert asked.words.count(chat.invitee.name) == 1
    await chat.admin.presses(send_label(asked))
    await chat.office.settles()
    assert len(chat.invitee.invitations) == 1


async def test_people_in_several_groups_get_one_invitation(chat: Chat):
    if isinstance(chat.admin, OnSlack):
        world = chat.office.slack.world
        world.add_group("crew", [world.users[each.person.id] for each in (chat.invitee, chat.outsider)])
    await sets_up(chat.admin)
    both = {"slack": "@engineering @crew", "teams": "@build masters @Engineering"}[chat.name]
    await chat.admin.types_in_channel(f"/sso invite {both}")
    asked = await chat.admin.reads("Invitation to")
    await chat.admin.presses(send_label(asked))
    await chat.office.settles()
    assert len(chat.invitee.invitations) == 1
    assert len(chat.outsider.invitations) == 1

    await confirms_everything(chat.invitee)
    await chat.admin.types("/sso status")
    await chat.admin.presses("By group")
    groups = (await chat.admin.reads("Whoever is in several counts in each.")).words
    for named in both.removeprefix("@").split(" @"):
        assert f"{named}: " in groups
    assert groups.count("1 done") == 2, "the invitee is in both"


async def test_somebody_invited_on_one_platform_is_not_invited_again_on_the_other(chat: Chat):
    """The same e-mail address is the same person."""
    elsewhere = chat.other_platform()
    slack = chat if chat.name == "slack" else elsewhere
    teams = chat if chat.name == "teams" else elsewhere
    slack.invitee.has_address(teams.invitee.email)
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee)
    asked = await lists(elsewhere.admin, elsewhere.invitee, elsewhere.colleague)
    assert "1 person is invited already and gets no second message." in asked.words
    assert elsewhere.invitee.name not in asked.words
    await elsewhere.admin.presses(send_label(asked))
    await chat.office.settles()
    assert len(elsewhere.colleague.invitations) == 1
    assert len(chat.invitee.invitations) + len(elsewhere.invitee.invitations) == 1
    assert len(await chat.office.rows("invitation")) == 2


async def test_bots_guests_and_those_who_left_are_left_out_by_name(chat: Chat):
    await sets_up(chat.admin)
    everyone = {"slack": "@engineering #general #partners", "teams": "team"}[chat.name]
    await chat.admin.types_in_channel(f"/sso invite {everyone}")
    asked = await chat.admin.reads("Invitation to")
    left_out = {
        "slack": (
            "Deactivated, left out: Dora Departed",
            "Guests, left out: Gina Guest",
            "From another company, left out: Sam Stranger",
            "Bots, left out: SSO Usher",
        ),
        "teams": ("Deactivated, left out: Nestor Wilke", "Guests, left out: Grady Archie"),
    }[chat.name]
    for sentence in left_out:
        assert sentence in asked.words


UNKNOWN = {
    "slack": {
        "@nosuchgroup": "I know no such group: @nosuchgroup.",
        "@nobody": "Nobody is in @nobody.",
        "#leads": "Add me to the channel, then invite again.",
        "#nowhere": "I cannot find #nowhere.",
        "ghost@example.com": "Nobody has the address ghost@example.com, neither here",
        "everybody": "I do not know who “everybody” is.",
        "": "Whom shall I invite?",
    },
    "teams": {
        "@retired": "Nobody is in retired.",
        "ghost@usher.example": "Nobody has the address ghost@usher.example, neither here",
        "everybody": "I do not know who “everybody” is.",
        "": "Whom shall I invite?",
    },
}


async def test_names_that_lead_nowhere_are_told_with_what_to_do(chat: Chat):
    if isinstance(chat.admin, OnTeams):
        team = chat.office.teams.tenant.teams[0]
        team.tags.append(type(team.tags[0])("retired", "retired", []))
    await sets_up(chat.admin)
    for named, sentence in UNKNOWN[chat.name].items():
        if isinstance(chat.admin, OnSlack) and named == "#leads":
            chat.admin.notices()
            await chat.admin.person.types("/sso invite #leads", channel="#leads")
        else:
            await chat.admin.types_in_channel(f"/sso invite {named}".strip())
        await chat.admin.reads(sentence)
    assert await chat.office.rows("invitation") == []


async def test_the_list_names_those_who_are_found_beside_those_who_are_not(chat: Chat):
    await sets_up(chat.admin)
    await chat.admin.types(f"/sso invite {chat.invitee.email} ghost@example.com")
    asked = await chat.admin.reads("Invitation to")
    assert f"1 person will get a direct message: {chat.invitee.name}" in asked.words
    assert "Nobody has the address ghost@example.com, neither here" in asked.words
    await chat.admin.presses("Send to 1 person")
    await chat.invitee.reads("Acme is moving SonarQube Cloud")


async def test_the_progress_is_updated_in_place_until_all_is_sent(chat: Chat):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.presses(send_label(asked))
    progress = await chat.admin.reads("0 of 2")
    assert progress.key == asked.key
    await chat.office.settles()
    chat.office.shows_progress()
    finished = await chat.admin.reads("Invitations sent")
    assert finished.key == asked.key
    assert "2 of 2" in finished.words
    assert (finished.fact("Sent"), finished.fact("Waiting")) == ("2", "0")
    assert len(await chat.office.audited("invited")) == 1
    await eventually(lambda: _finished(chat))


async def _finished(chat: Chat) -> bool:
    return all(each.finished_at for each in await chat.office.rows("wave"))


@pytest.mark.parametrize("first", ["Send to 1 person", "Cancel"])
async def test_a_list_that_was_decided_on_cannot_be_decided_on_again(chat: Chat, first: str):
    await sets_up(chat.admin)
    asked = await lists(chat.admin, chat.invitee)
    await chat.admin.presses(first, on=asked)
    await chat.office.settles()
    for label in asked.buttons:
        await chat.admin.presses(label, on=asked)
        await chat.admin.reads("no longer does anything. Nothing was changed.")
    await chat.office.settles()
    assert len(chat.invitee.invitations) == (0 if first == "Cancel" else 1)


async def test_of_two_lists_with_the_same_person_the_second_writes_to_nobody_twice(chat: Chat):
    await sets_up(chat.admin)
    first = await lists(chat.admin, chat.invitee)
    second = await lists(chat.admin, chat.invitee, chat.colleague)
    await chat.admin.presses(send_label(first), on=first)
    await chat.admin.presses(send_label(second), on=second)
    await chat.office.settles()
    chat.office.shows_progress()
    assert len(chat.invitee.invitations) == len(chat.colleague.invitations) == 1
    await chat.admin.until(lambda: sum("Invitations sent" in each.words for each in chat.admin.messages) == 2)


async def test_nobody_new_to_invite_is_said_so(chat: Chat):
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee)
    asked = await lists(chat.admin, chat.invitee)
    assert "There is nobody new to invite." in asked.words
    assert asked.buttons == ()


async def test_a_list_asked_for_before_a_restart_still_comes_and_works(chat: Chat):
    await sets_up(chat.admin)
    await chat.admin.types(f"/sso invite {chat.invitee.email}")
    await chat.office.restarts_the_bot()
    asked = await chat.admin.reads("Invitation to")
    await chat.office.restarts_the_bot()
    await chat.admin.presses(send_label(asked))
    await chat.office.settles()
    assert len(chat.invitee.invitations) == 1


async def test_a_list_of_addresses_is_handed_in_as_a_file_and_comes_back_with_who_is_left_out(chat: Chat):
    await sets_up(chat.admin)
    await chat.admin.types("/sso invite csv")
    page = await chat.admin.reads("Hand in a file with one e-mail address a line")
    lines = f"Name;E-mail\nA;{chat.invitee.email}\nB;nobody@acme.example\nC;\nD;{chat.colleague.email.upper()}\n"
    form = FormData()
    form.add_field("list", lines, filename="people.csv", content_type="text/csv")
    async with ClientSession() as http, http.post(link_in(chat, page), data=form) as answer:
        assert "3 addresses" in await answer.text()

    asked = await chat.admin.reads("Invitation to")
    assert "2 people" in asked.words
    assert "3: nobody@acme.example" in asked.words
    assert "4: C" in asked.words
    await chat.admin.presses("Left out, as a file", on=asked)
    offered = await chat.admin.reads("Your file is ready.")
    async with ClientSession() as http, http.post(link_in(chat, offered)) as file:
        rows = list(csv.reader((await file.text("utf-8-sig")).splitlines()))
    assert rows[0] == ["who", "why"]
    assert {row[0] for row in rows[1:]} == {"3: nobody@acme.example", "4: C"}
    await chat.admin.presses("Send to 2 people", on=asked)
    for somebody in (chat.invitee, chat.colleague):
        await somebody.until(lambda somebody=somebody: len(somebody.invitations) == 1)
