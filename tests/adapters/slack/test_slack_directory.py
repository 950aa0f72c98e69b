"""Who is behind a name, and what an admin is told about the rest."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from adapters.playground.slack import faults
from adapters.slack.directory import SlackDirectory
from adapters.slack.people import People
from adapters.slack.web_api import WebApi
from bot.events import NotFound, Problem, Target, TargetKind
from bot.model import Person
from bot.ports import DirectoryUnavailable
from tests.adapters.slack.slack_under_test import TOKEN


class Still:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = datetime(2026, 12, 1, 9, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Still()


@pytest.fixture
async def resolve(slack, workspace, clock):
    api = WebApi(TOKEN, slack.api_url, 1.0)
    directory = SlackDirectory(api, People(api, clock), clock)

    async def resolve(*targets: Target):
        people, left_out = await directory.resolve(workspace, targets)
        return [person.name for person in people], list(left_out)

    yield resolve
    await api.close()


def group(slack, handle: str) -> Target:
    found = next(each for each in slack.world.groups.values() if each.handle == handle)
    return Target(TargetKind.GROUP, found.id, f"@{handle}")


def channel(slack, name: str) -> Target:
    return Target(TargetKind.CHANNEL, slack.channel(name).id, f"#{name}")


def person(slack, handle: str) -> Target:
    return Target(TargetKind.PERSON, slack.person(handle).id, f"@{handle}")


def email(address: str) -> Target:
    return Target(TargetKind.EMAIL, address, address)


async def test_a_person_is_found_with_all_that_slack_tells(slack, workspace, clock):
    api = WebApi(TOKEN, slack.api_url)
    people, _ = await SlackDirectory(api, People(api, clock), clock).resolve(workspace, [person(slack, "bob")])
    bob = people[0]
    assert bob.id == f"{workspace.id}:{slack.person('bob').id}"
    assert (bob.name, bob.email, bob.time_zone, bob.locale) == (
        "Bob Baker",
        "bob@example.com",
        "America/New_York",
        "en-US",
    )
    await api.close()


async def test_a_groups_members_are_found_and_those_who_left_are_named(slack, resolve):
    people, left_out = await resolve(group(slack, "engineering"))
    assert people == ["Alice Archer", "Bob Baker", "Chen Wei", "Divya Das"]
    assert left_out == [NotFound("Dora Departed", Problem.DEACTIVATED)]


async def test_everybody_is_found_once_however_often_they_are_named(slack, resolve):
    people, _ = await resolve(
        person(slack, "bob"),
        group(slack, "engineering"),
        channel(slack, "random"),
        email("Bob@Example.com"),
        person(slack, "bob"),
    )
    assert people[0] == "Bob Baker"
    assert len(people) == len(set(people))
    assert "Emil Eriksson" in people


async def test_bots_guests_and_strangers_are_left_out(slack, resolve):
    _, left_out = await resolve(channel(slack, "general"), channel(slack, "partners"))
    assert NotFound("SSO Usher", Problem.BOT) in left_out
    assert NotFound("Gina Guest", Problem.GUEST) in left_out
    assert NotFound("Sam Stranger", Problem.OTHER_WORKSPACE) in left_out
    _, left_out = await resolve(Target(TargetKind.PERSON, "USLACKBOT", "@slackbot"))
    assert left_out == [NotFound("Slackbot", Problem.BOT)]


async def test_an_empty_and_an_unknown_group_are_named(slack, resolve):
    people, left_out = await resolve(
        group(slack, "nobody"),
        Target(TargetKind.GROUP, "S0GONE", "@gone"),
        Target(TargetKind.GROUP, "typo", "@typo"),
    )
    assert people == []
    assert left_out == [
        NotFound("@nobody", Problem.EMPTY_GROUP),
        NotFound("@gone", Problem.UNKNOWN_GROUP),
        NotFound("@typo", Problem.UNKNOWN_GROUP),
    ]


async def test_handles_that_came_as_plain_text_are_found(resolve):
    people, left_out = await resolve(
        Target(TargetKind.GROUP, "Engineering", "@Engineering"), Target(TargetKind.GROUP, "emil", "@emil")
    )
    assert people[-1] == "Emil Eriksson"
    assert len(people) == 5
    assert left_out == [NotFound("Dora Departed", Problem.DEACTIVATED)]


async def test_channels_that_the_bot_cannot_see_are_named(slack, resolve):
    people, left_out = await resolve(channel(slack, "leads"), Target(TargetKind.CHANNEL, "typo", "#typo"))
    assert people == []
    assert left_out == [NotFound("#leads", Problem.NOT_IN_CHANNEL), NotFound("#typo", Problem.UNKNOWN_CHANNEL)]


async def test_unknown_people_and_addresses_are_named(resolve):
    _, left_out = await resolve(Target(TargetKind.PERSON, "U0NOBODY", "@nobody"), email("nobody@example.com"))
    assert set(left_out) == {
        NotFound("@nobody", Problem.UNKNOWN_PERSON),
        NotFound("nobody@example.com", Problem.UNKNOWN_EMAIL),
    }


async def test_a_plan_without_user_groups_is_named(slack, resolve):
    slack.world.usergroups_available = False
    _, left_out = await resolve(Target(TargetKind.GROUP, "S1", "@engineering"))
    assert left_out == [NotFound("@engineering", Problem.GROUPS_NOT_ALLOWED)]


async def test_many_people_cost_one_list_and_it_is_remembered_for_a_while(slack, resolve, clock):
    slack.add_people(2_500, into_group="everybody")
    people, _ = await resolve(group(slack, "everybody"))
    assert len(people) == 2_500
    assert len(slack.calls("users.list")) == 3  # pages
    await resolve(group(slack, "everybody"), email("person-7@example.com"))
    assert len(slack.calls("users.list")) == 3
    assert slack.calls("users.info") == slack.calls("users.lookupByEmail") == []
    clock.at += timedelta(minutes=11)
    await resolve(group(slack, "everybody"))
    assert len(slack.calls("users.list")) == 6


async def test_somebody_who_joined_since_the_list_is_found(slack, resolve):
    await resolve(group(slack, "engineering"), channel(slack, "random"))
    slack.add_people(1)
    people, left_out = await resolve(email("person-1@example.com"))
    assert (people, left_out) == (["Person 1"], [])


async def test_large_channels_are_read_to_the_end(slack, resolve):
    slack.world.add_channel("all-hands", slack.add_people(1_200), is_private=False)
    people, _ = await resolve(channel(slack, "all-hands"))
    assert len(people) == 1_200


async def test_slack_says_wait_and_the_look_up_waits(slack, resolve, clock):
    slack.faults.next("users.info", faults.rate_limited(9), times=2)
    people, _ = await resolve(person(slack, "bob"))
    assert people == ["Bob Baker"]
    assert clock.slept == [9.0, 9.0]


async def test_the_look_up_does_not_wait_for_ever(slack, resolve):
    slack.faults.sometimes("usergroups.list", faults.rate_limited(9), 1.0)
    with pytest.raises(DirectoryUnavailable) as caught:
        await resolve(group(slack, "engineering"))
    assert caught.value.retry_after == 9.0


@pytest.mark.parametrize("fault", [faults.answers(500), faults.not_json(), faults.reset_before_acceptance()])
async def test_a_directory_that_fails_is_asked_again_later(slack, resolve, fault):
    slack.faults.next("users.info", fault)
    with pytest.raises(DirectoryUnavailable):
        await resolve(person(slack, "bob"))


async def test_a_withdrawn_token_is_not_an_unknown_group(slack, resolve):
    slack.credentials.revoked = True
    with pytest.raises(DirectoryUnavailable):
        await resolve(group(slack, "engineering"))


async def test_three_groups_of_a_thousand_that_overlap_cost_a_dozen_calls(slack, resolve, clock):
    """However many people are in how many of them: a call for each group, and one list in pages."""
    crowd = slack.add_people(2_000)
    for name, first in (("red", 0), ("green", 500), ("blue", 1_000)):
        slack.world.add_group(name, crowd[first : first + 1_000])
    before = len(slack.log)
    people, _ = await resolve(*(group(slack, name) for name in ("red", "green", "blue")))
    assert len(people) == len(set(people)) == 2_000
    cost = Counter(call.method for call in slack.log[before:])
    assert cost == {"usergroups.list": 1, "usergroups.users.list": 3, "users.list": 3}

    await resolve(*(group(slack, name) for name in ("red", "green", "blue")), group(slack, "engineering"))
    again = Counter(call.method for call in slack.log[before:]) - cost
    assert again == {"usergroups.users.list": 1}, "what was asked for two minutes ago is remembered"
    clock.at += timedelta(minutes=3)
    await resolve(group(slack, "red"))
    assert len(slack.calls("usergroups.users.list")) == 5


async def test_many_addresses_cost_one_list(slack, resolve):
    slack.add_people(500)
    people, _ = await resolve(*(email(f"person-{number}@example.com") for number in range(1, 101)))
    assert len(people) == 100
    assert slack.calls("users.lookupByEmail") == []
    assert len(slack.calls("users.list")) == 1


async def test_a_few_people_of_a_large_company_are_asked_for_one_by_one(slack, resolve, clock):
    """Listing thirty thousand would take a minute and a half, asking for twenty a few seconds."""
    crowd = slack.add_people(3_000)
    slack.world.add_group("all", crowd)
    slack.world.add_group("few", crowd[:12])
    await resolve(group(slack, "all"))
    clock.at += timedelta(minutes=11)
    lists = len(slack.calls("users.list"))
    people, _ = await resolve(group(slack, "few"))
    assert len(people) == 12
    assert len(slack.calls("users.list")) == lists
    assert len(slack.calls("users.info")) == 12


async def test_an_empty_group_is_asked_for_anew_as_soon_as_somebody_is_in_it(slack, resolve):
    assert (await resolve(group(slack, "nobody")))[0] == []
    found = next(each for each in slack.world.groups.values() if each.handle == "nobody")
    found.members.append(slack.person("bob").id)
    assert (await resolve(group(slack, "nobody")))[0] == ["Bob Baker"]


@pytest.fixture
async def directory(slack, clock):
    api = WebApi(TOKEN, slack.api_url, 1.0)
    yield SlackDirectory(api, People(api, clock), clock)
    await api.close()


def somebody(slack, workspace, handle: str, **status: str | int) -> Person:
    """Whom the bot knows by id alone, with this status."""
    user = slack.person(handle).user
    for name, value in status.items():
        setattr(user, f"status_{name}", value)
    known = {"workspace_id": workspace.id, "user_id": user.id, "seen_at": datetime(2026, 12, 1, tzinfo=UTC)}
    return Person(id=Person.key(workspace.id, user.id), **known)


@pytest.mark.parametrize(
    ("status", "is_away"),
    [
        ({}, False),
        ({"emoji": ":palm_tree:", "text": "Vacationing"}, True),
        ({"emoji": ":face_with_thermometer:"}, True),
        ({"emoji": ":calendar:", "text": "Out of office until Monday"}, True),
        ({"text": "OOO"}, True),
        ({"text": "Urlaub bis 12."}, True),
        ({"emoji": ":calendar:", "text": "In a meeting"}, False),
        ({"emoji": ":house_with_garden:", "text": "Working remotely"}, False),
        ({"text": "planning the holidayxyz"}, False),
        ({"text": "room 300"}, False),
    ],
)
async def test_a_status_says_whether_somebody_is_away(slack, workspace, directory, status, is_away):
    alice = somebody(slack, workspace, "alice", **status)
    assert await directory.away(workspace, [alice]) == ({alice.id: None} if is_away else {})


async def test_a_status_may_say_until_when(slack, workspace, directory, clock):
    until = clock.now() + timedelta(days=3)
    alice = somebody(slack, workspace, "alice", emoji=":palm_tree:", expiration=int(until.timestamp()))
    over = int(clock.now().timestamp()) - 1
    bob = somebody(slack, workspace, "bob", emoji=":palm_tree:", expiration=over)
    assert await directory.away(workspace, [alice, bob]) == {alice.id: until}


async def test_of_many_people_it_is_asked_with_one_list(slack, workspace, directory):
    slack.add_people(200)
    users = [user for user in slack.world.users.values() if user.can_act]
    many = [somebody(slack, workspace, user.name) for user in users]
    await directory.away(workspace, many)
    assert len(slack.calls("users.list")) == 1
    assert slack.calls("users.info") == []


async def test_who_is_gone_is_not_away_and_a_directory_that_fails_says_so(slack, workspace, directory):
    nobody = Person(id="slack:T:U0NOBODY", workspace_id=workspace.id, user_id="U0NOBODY", seen_at=datetime.now(UTC))
    assert await directory.away(workspace, [nobody]) == {}
    slack.faults.next("users.info", faults.answers(500))
    with pytest.raises(DirectoryUnavailable):
        await directory.away(workspace, [somebody(slack, workspace, "bob")])


async def managers(slack, workspace, clock, *handles: str) -> dict[str, str]:
    """Names of managers, by the handle of their people."""
    api = WebApi(TOKEN, slack.api_url, 1.0)
    directory = SlackDirectory(api, People(api, clock), clock)
    some = {handle: slack.person(handle).id for handle in handles}
    people = [Person(id=user, workspace_id=workspace.id, user_id=user, seen_at=clock.now()) for user in some.values()]
    try:
        found = await directory.managers(workspace, people)
    finally:
        await api.close()
    return {handle: found[user].name for handle, user in some.items() if user in found}


async def test_a_profile_field_names_managers(slack, workspace, clock):
    boss, bot = slack.person("adam"), slack.world.bot_user_id
    for handle, manager in (
        ("alice", boss.id),
        ("bob", bot),
        ("emil", "U0NOBODY"),
        ("olivia", slack.person("olivia").id),
    ):
        slack.person(handle).user.manager = manager
    found = await managers(slack, workspace, clock, "alice", "bob", "emil", "olivia", "adam")
    assert found == {"alice": boss.user.real_name}, "neither a bot, nor somebody unknown, nor themselves, nor nobody"


async def test_where_the_bot_may_not_read_profiles_no_manager_is_known(slack, workspace, clock):
    slack.person("alice").user.manager = slack.person("adam").id
    slack.credentials.scopes = slack.credentials.scopes.replace("users.profile:read,", "")
    assert await managers(slack, workspace, clock, "alice") == {}


async def test_while_slack_does_not_answer_managers_are_not_known_yet(slack, workspace, clock):
    slack.faults.next("team.profile.get", faults.answers(500))
    with pytest.raises(DirectoryUnavailable):
        await managers(slack, workspace, clock, "alice")


@pytest.mark.parametrize(
    ("named", "found"),
    [("slack:{id}", True), ("slack:engineering", True), ("slack:nobody", False), ("entra:{id}", False)],
)
async def test_admins_can_be_a_user_group(slack, workspace, clock, named, found):
    engineering = next(each for each in slack.world.groups.values() if each.handle == "engineering")
    api = WebApi(TOKEN, slack.api_url, 1.0)
    directory = SlackDirectory(api, People(api, clock), clock)
    names = await directory.admins_in(workspace, named.format(id=engineering.id).casefold())
    assert list(names) == (engineering.members if found else [])
    await api.close()


async def test_a_handle_that_looks_like_an_id_is_a_handle_first(slack, workspace, clock):
    engineering = next(each for each in slack.world.groups.values() if each.handle == "engineering")
    engineering.handle = "sreteam"
    api = WebApi(TOKEN, slack.api_url, 1.0)
    names = await SlackDirectory(api, People(api, clock), clock).admins_in(workspace, "slack:sreteam")
    assert list(names) == engineering.members
    await api.close()


async def test_while_slack_does_not_answer_who_is_an_admin_is_not_known_yet(slack, workspace, clock):
    slack.faults.next("usergroups.list", faults.answers(500))
    api = WebApi(TOKEN, slack.api_url, 1.0)
    with pytest.raises(DirectoryUnavailable):
        await SlackDirectory(api, People(api, clock), clock).admins_in(workspace, "slack:s0123")
    await api.close()
