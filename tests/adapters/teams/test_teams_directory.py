"""Who is behind a mention, a team, a tag and an address, and who is left out."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from adapters.playground.teams.identity import GRAPH_SCOPE
from adapters.playground.teams.refusal import Refused as MicrosoftRefused
from adapters.playground.teams.tenant import Tag
from adapters.teams.roster import email_of, person_of
from bot.events import NotFound, Problem, Target, TargetKind
from bot.model import Workspace
from bot.ports import DirectoryUnavailable
from tests.adapters.teams.teams_tenant import Bot, HandClock, running_bot

WRITABLE = ["adele", "alex", "diego", "isaiah", "lidia", "megan", "mei", "pradeep"]


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with running_bot(tmp_path) as running:
        yield running


def graph_forbids(bot: Bot) -> None:
    """The tenant's administrator has granted the app nothing in Graph."""
    allowed = bot.teams.identity.accepts

    def accepts(authorization: str | None, scope: str) -> bool:
        if scope == GRAPH_SCOPE:
            raise MicrosoftRefused(403, "Authorization_RequestDenied", "Insufficient privileges.")
        return allowed(authorization, scope)

    bot.teams.identity.accepts = accepts  # type: ignore[method-assign]


def person(bot: Bot, key: str) -> Target:
    account = bot.teams.tenant.accounts[key]
    return Target(TargetKind.PERSON, account.id, account.name)


def team(bot: Bot) -> Target:
    found = bot.teams.tenant.teams[0]
    return Target(TargetKind.TEAM, found.id, found.name)


def tag(bot: Bot, number: int = 0) -> Target:
    found = bot.teams.tenant.teams[0]
    return Target(TargetKind.TAG, f"{found.id}/{found.tags[number].id}", found.tags[number].name)


def email(address: str) -> Target:
    return Target(TargetKind.EMAIL, address.casefold(), address)


async def resolve(bot: Bot, *targets: Target) -> tuple[list[str], list[NotFound]]:
    people, left_out = await bot.adapter.directory.resolve(bot.workspace, targets)
    keys = {each.id: each.key for each in bot.teams.tenant.accounts.values()}
    keys |= {each.aad_object_id: f"{each.key} by object id" for each in bot.teams.tenant.accounts.values()}
    for each in people:
        assert each.id == f"{bot.workspace_id}:{each.user_id}"
    return [keys[each.user_id] for each in people], list(left_out)


async def test_a_team_is_everybody_in_it_but_guests_and_disabled_accounts(bot: Bot):
    people, left_out = await resolve(bot, team(bot))
    assert sorted(people) == WRITABLE
    assert set(left_out) == {NotFound("Grady Archie", Problem.GUEST), NotFound("Nestor Wilke", Problem.DEACTIVATED)}


async def test_people_come_with_their_address(bot: Bot):
    people, _ = await bot.adapter.directory.resolve(bot.workspace, [team(bot)])
    assert {each.email for each in people} == {f"{key}@usher.example" for key in WRITABLE}


async def test_without_graph_a_team_is_its_roster(bot: Bot):
    graph_forbids(bot)
    people, left_out = await resolve(bot, team(bot))
    assert sorted(people) == sorted([*WRITABLE, "nestor"])
    assert [each.problem for each in left_out] == [Problem.GUEST]


async def test_a_large_team_is_read_page_by_page(bot: Bot):
    bot.teams.add_people(430)
    people, _ = await bot.adapter.directory.resolve(bot.workspace, [team(bot)])
    assert len(people) == 438
    assert bot.calls("paged_members") == 3


async def test_a_channel_is_its_members(bot: Bot):
    builds = bot.teams.tenant.teams[0].channels[1]
    people, left_out = await resolve(bot, Target(TargetKind.CHANNEL, builds.id, "Builds"))
    assert sorted(people) == WRITABLE
    assert NotFound("Nestor Wilke", Problem.DEACTIVATED) in left_out


async def test_a_team_that_the_bot_is_not_in_or_that_is_not_there_or_empty(bot: Bot):
    here = bot.teams.tenant.teams[0]
    nowhere = Target(TargetKind.CHANNEL, "19:nowhere@thread.tacv2", "Nowhere")
    assert await resolve(bot, nowhere) == ([], [NotFound("Nowhere", Problem.UNKNOWN_CHANNEL)])
    here.bot_installed = False
    assert await resolve(bot, team(bot)) == ([], [NotFound("Engineering", Problem.NOT_IN_CHANNEL)])
    here.bot_installed = True
    here.members.clear()
    assert await resolve(bot, team(bot)) == ([], [NotFound("Engineering", Problem.EMPTY_GROUP)])


async def test_a_person_by_mention(bot: Bot):
    people, left_out = await bot.adapter.directory.resolve(bot.workspace, [person(bot, "mei")])
    assert [(each.name, each.email) for each in people] == [("Mei Tanaka", "mei@usher.example")]
    assert left_out == []


async def test_somebody_without_the_app_is_found_in_a_team_or_taken_as_mentioned(bot: Bot):
    people, _ = await bot.adapter.directory.resolve(bot.workspace, [person(bot, "isaiah")])
    assert [(each.name, each.email) for each in people] == [("Isaiah Langer", "")]
    await bot.teams.install_in_team("adele")
    people, _ = await bot.adapter.directory.resolve(bot.workspace, [person(bot, "isaiah")])
    assert [(each.name, each.email) for each in people] == [("Isaiah Langer", "isaiah@usher.example")]


async def test_guests_disabled_accounts_and_bots_are_left_out_by_mention(bot: Bot):
    a_bot = Target(TargetKind.PERSON, bot.teams.tenant.bot_id, "SSO Usher")
    people, left_out = await resolve(bot, person(bot, "grady"), person(bot, "nestor"), a_bot)
    assert people == []
    assert {(each.label, each.problem) for each in left_out} == {
        ("Grady Archie", Problem.GUEST),
        ("Nestor Wilke", Problem.DEACTIVATED),
        ("SSO Usher", Problem.BOT),
    }


async def test_somebody_who_is_nobody_is_unknown(bot: Bot):
    assert await resolve(bot, Target(TargetKind.PERSON, "29:nobody")) == (
        [],
        [NotFound("29:nobody", Problem.UNKNOWN_PERSON)],
    )


async def test_a_tag_is_the_people_in_it(bot: Bot):
    people, left_out = await resolve(bot, tag(bot))
    assert people == ["diego", "mei", "isaiah"]
    assert left_out == []


async def test_tags_that_cannot_be_read_are_empty_or_gone(bot: Bot):
    here = bot.teams.tenant.teams[0]
    here.tags.append(Tag("empty", "nobody", []))
    assert await resolve(bot, tag(bot, 1)) == ([], [NotFound("nobody", Problem.EMPTY_GROUP)])
    gone = Target(TargetKind.TAG, f"{here.id}/gone", "gone")
    assert await resolve(bot, gone) == ([], [NotFound("gone", Problem.UNKNOWN_GROUP)])
    graph_forbids(bot)
    assert await resolve(bot, tag(bot)) == ([], [NotFound("build masters", Problem.TAGS_NOT_ALLOWED)])


async def test_an_address_is_found_through_graph(bot: Bot):
    people, left_out = await resolve(bot, email("Mei@Usher.example"))
    assert people == ["mei"]
    assert left_out == []


async def test_an_address_of_somebody_without_the_app_can_still_be_invited(bot: Bot):
    people, _ = await resolve(bot, email("isaiah@usher.example"))
    assert people == ["isaiah by object id"]


async def test_an_address_is_found_without_graph_where_the_bot_has_met_them_or_is_in_their_team(bot: Bot):
    graph_forbids(bot)
    unknown = [NotFound("mei@usher.example", Problem.UNKNOWN_EMAIL)]
    assert await resolve(bot, email("mei@usher.example")) == ([], unknown)
    await bot.teams.install_in_team("adele")
    assert await resolve(bot, email("mei@usher.example")) == (["mei"], [])
    await bot.teams.uninstall_from_team("adele")
    await bot.teams.person("mei").types("hello")
    assert await resolve(bot, email("mei@usher.example")) == (["mei"], [])


async def test_addresses_of_guests_disabled_accounts_and_nobody(bot: Bot):
    people, left_out = await resolve(
        bot, email("grady@partner.example"), email("nestor@usher.example"), email("o'hara@usher.example")
    )
    assert people == []
    assert {(each.label, each.problem) for each in left_out} == {
        ("grady@partner.example", Problem.GUEST),
        ("nestor@usher.example", Problem.DEACTIVATED),
        ("o'hara@usher.example", Problem.UNKNOWN_EMAIL),
    }


async def test_user_groups_are_slacks(bot: Bot):
    group = Target(TargetKind.GROUP, "S1", "@devs")
    assert await resolve(bot, group) == ([], [NotFound("@devs", Problem.GROUPS_NOT_ALLOWED)])


async def test_somebody_who_is_named_in_four_ways_is_one_person(bot: Bot):
    people, _ = await resolve(bot, person(bot, "mei"), team(bot), tag(bot), email("mei@usher.example"))
    assert people.count("mei") == 1
    assert sorted(people) == WRITABLE


async def test_what_the_bot_knows_of_somebody_is_kept(bot: Bot):
    await bot.teams.person("pradeep").types("hello")
    people, _ = await bot.adapter.directory.resolve(bot.workspace, [person(bot, "pradeep")])
    (found,) = people
    assert found.time_zone == "Asia/Kolkata"
    assert found.channel_id == bot.teams.tenant.personal_chat(bot.teams.tenant.accounts["pradeep"]).id


async def test_a_busy_service_is_waited_for(bot: Bot):
    bot.teams.faults.answer("paged_members", 429, times=2, retry_after=4)
    bot.teams.faults.answer("graph_group_members", 429, retry_after=3)
    people, _ = await resolve(bot, team(bot))
    assert sorted(people) == WRITABLE
    assert sorted(bot.clock.slept) == [3.0, 4.0, 4.0]


async def test_a_service_that_stays_busy_is_asked_again_later(bot: Bot):
    bot.teams.faults.answer("paged_members", 429, times=20, retry_after=9)
    with pytest.raises(DirectoryUnavailable) as unavailable:
        await resolve(bot, team(bot))
    assert unavailable.value.retry_after == 9.0
    assert len(bot.clock.slept) < 5


async def test_a_long_wait_is_left_to_the_caller(bot: Bot):
    bot.teams.faults.answer("graph_users", 429, retry_after=300)
    with pytest.raises(DirectoryUnavailable) as unavailable:
        await resolve(bot, email("mei@usher.example"))
    assert unavailable.value.retry_after == 300.0
    assert bot.clock.slept == []


@pytest.mark.parametrize("operation", ["paged_members", "graph_users"])
@pytest.mark.parametrize("status", [500, 503])
async def test_a_service_that_is_down_is_asked_again_later(bot: Bot, operation: str, status: int):
    bot.teams.faults.answer(operation, status, times=20)
    target = team(bot) if operation == "paged_members" else email("mei@usher.example")
    with pytest.raises(DirectoryUnavailable):
        await resolve(bot, target)


async def test_expired_tokens_are_renewed(bot: Bot):
    await resolve(bot, team(bot), email("mei@usher.example"))
    bot.teams.identity.revoke_tokens()
    people, _ = await resolve(bot, team(bot), email("mei@usher.example"))
    assert sorted(people) == WRITABLE


async def test_the_graph_token_goes_nowhere_else(bot: Bot):
    elsewhere = {"value": [], "@odata.nextLink": f"{bot.teams.public_url}/connector/v3/teams/x"}
    bot.teams.graph._page = lambda *_: web.json_response(elsewhere)  # type: ignore[method-assign]
    unknown = NotFound("mei@usher.example", Problem.UNKNOWN_EMAIL)
    assert await resolve(bot, email("mei@usher.example")) == ([], [unknown])
    assert bot.calls("team") == 0


def test_people_of_other_tenants_and_bots_in_a_roster_are_left_out():
    clock = HandClock()
    workspace = Workspace(id="teams:T", platform="teams", external_id="T", installed_at=clock.now())
    stranger = person_of(workspace, {"id": "29:s", "name": "S", "tenantId": "U"}, clock)
    assert stranger == NotFound("S", Problem.OTHER_WORKSPACE)
    assert person_of(workspace, {"id": "28:b", "name": "B"}, clock) == NotFound("B", Problem.BOT)
    assert person_of(workspace, {}, clock) == NotFound("", Problem.UNKNOWN_PERSON)


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ({"email": "A@B.example"}, "a@b.example"),
        ({"userPrincipalName": "A@B.example"}, "a@b.example"),
        ({"userPrincipalName": "a_b.example#EXT#@c.example"}, ""),
        ({"userPrincipalName": "nobody"}, ""),
        ({}, ""),
    ],
)
def test_the_address_in_a_roster(member: dict[str, str], expected: str):
    assert email_of(member) == expected


async def test_three_teams_of_a_thousand_that_overlap_cost_a_few_pages(bot: Bot) -> None:
    """However many people are in how many of them."""
    crowd = [each.key for each in bot.teams.add_people(2_000)]
    teams = [bot.teams.tenant.add_team(name, []) for name in ("Red", "Green", "Blue")]
    for place, each in enumerate(teams):
        each.members[:] = crowd[place * 500 : place * 500 + 1_000]
    before = len(bot.teams.calls.log)
    targets = [Target(TargetKind.TEAM, each.id, each.name) for each in teams]
    found, left_out = await resolve(bot, *targets)
    assert len(set(found)) == 2_000
    assert left_out == []
    cost = Counter(call.operation for call in bot.teams.calls.log[before:])
    assert cost["paged_members"] == 15, cost  # two hundred a page
    assert cost.total() <= 27, cost

    await resolve(bot, *targets)
    again = Counter(call.operation for call in bot.teams.calls.log[before:]) - cost
    assert again.total() == 0, "what was asked for two minutes ago is remembered"


async def test_several_tags_of_a_team_cost_one_reading_of_the_team(bot: Bot) -> None:
    found = bot.teams.tenant.teams[0]
    found.tags += [Tag(f"t{number}", f"tag {number}", ["diego", "mei"]) for number in range(3)]
    before = bot.calls("paged_members")
    people, _ = await resolve(bot, *(tag(bot, number) for number in range(len(found.tags))))
    assert {"diego", "mei"} <= set(people)
    assert bot.calls("paged_members") - before == 1


async def managers(bot: Bot, *keys: str) -> dict[str, str]:
    """Addresses of managers, by their people's keys."""
    people, _ = await bot.adapter.directory.resolve(bot.workspace, [email(f"{key}@usher.example") for key in keys])
    found = await bot.adapter.directory.managers(bot.workspace, people)
    return {each.email.partition("@")[0]: found[each.id].email for each in people if each.id in found}


async def test_entra_knows_managers(bot: Bot) -> None:
    accounts = bot.teams.tenant.accounts
    accounts["diego"].manager = accounts["mei"].manager = "megan"
    accounts["alex"].manager, accounts["adele"].disabled = "adele", True
    found = await managers(bot, "diego", "mei", "alex", "pradeep")
    assert found == {"diego": accounts["megan"].email, "mei": accounts["megan"].email}, "nobody who is deactivated"


async def test_where_graph_is_forbidden_no_manager_is_known(bot: Bot) -> None:
    bot.teams.tenant.accounts["diego"].manager = "megan"
    assert await managers(bot, "diego")
    graph_forbids(bot)
    assert await managers(bot, "diego") == {}


async def test_admins_can_be_an_entra_group_or_a_teams_owners(bot: Bot) -> None:
    team, accounts = bot.teams.tenant.teams[0], bot.teams.tenant.accounts
    team.owners = ["adele", "nestor"]
    directory = bot.adapter.directory
    assert set(await directory.admins_in(bot.workspace, f"owners:{team.aad_group_id}")) == {accounts["adele"].email}
    members = set(await directory.admins_in(bot.workspace, f"entra:{team.aad_group_id}"))
    assert accounts["mei"].email in members
    assert accounts["nestor"].email not in members, "whose account is disabled"
    for nothing in (f"slack:{team.aad_group_id}", "entra:00000000-0000-0000-0000-000000000000"):
        assert set(await directory.admins_in(bot.workspace, nothing)) == set()
    graph_forbids(bot)
    assert set(await directory.admins_in(bot.workspace, f"owners:{team.aad_group_id}")) == set()
