from adapters.playground.teams import TeamsEmulator
from tests.playground.teams.small_bot import SmallBot


async def test_a_user_is_found_by_e_mail_or_principal_name(teams: TeamsEmulator, bot: SmallBot) -> None:
    question = "users?$filter=mail eq 'GRADY@partner.example' or userPrincipalName eq 'grady@partner.example'"
    _, answer = await bot.asks_graph("GET", question)
    assert [(each["displayName"], each["userType"]) for each in answer["value"]] == [("Grady Archie", "Guest")]
    _, answer = await bot.asks_graph("GET", "users?$filter=mail eq 'o''neill@usher.example'")
    assert answer == {"value": []}


async def test_a_disabled_account_is_marked(teams: TeamsEmulator, bot: SmallBot) -> None:
    _, nestor = await bot.asks_graph("GET", "users/nestor@usher.example")
    assert nestor["accountEnabled"] is False
    assert (await bot.asks_graph("GET", f"users/{nestor['id']}"))[1] == nestor
    status, body = await bot.asks_graph("GET", "users/nobody@usher.example")
    assert (status, body["error"]["code"]) == (404, "Request_ResourceNotFound")


async def test_other_filters_are_refused(bot: SmallBot) -> None:
    assert (await bot.asks_graph("GET", "users?$filter=startswith(mail,'a')"))[0] == 400


async def test_graph_takes_no_connector_token(teams: TeamsEmulator, bot: SmallBot) -> None:
    assert (await bot.calls("GET", f"{teams.graph_url}/users"))[0] == 401


async def test_the_connector_takes_no_graph_token(bot: SmallBot) -> None:
    await bot.signs_in("https://graph.microsoft.com/.default")
    assert (await bot.calls("POST", "conversations", bot.chat_with("adele")))[0] == 401


async def test_a_tag_and_its_members(teams: TeamsEmulator, bot: SmallBot) -> None:
    group = teams.tenant.teams[0].aad_group_id
    _, tags = await bot.asks_graph("GET", f"teams/{group}/tags")
    assert [each["displayName"] for each in tags["value"]] == ["build masters"]
    _, members = await bot.asks_graph("GET", f"teams/{group}/tags/{tags['value'][0]['id']}/members")
    assert [each["displayName"] for each in members["value"]] == ["Diego Siciliani", "Mei Tanaka", "Isaiah Langer"]
    assert (await bot.asks_graph("GET", f"teams/{group}/tags/none/members"))[0] == 404


async def test_a_groups_members_come_in_pages(teams: TeamsEmulator, bot: SmallBot) -> None:
    teams.add_people(200)
    following = f"groups/{teams.tenant.teams[0].aad_group_id}/members"
    sizes = []
    while following:
        _, page = await bot.asks_graph("GET", following)
        sizes.append(len(page["value"]))
        following = page.get("@odata.nextLink")
    assert sizes == [100, 100, 10]


async def test_the_app_is_installed_for_somebody_once(teams: TeamsEmulator, bot: SmallBot) -> None:
    path = f"users/{teams.tenant.accounts['isaiah'].aad_object_id}/teamwork/installedApps"
    body = {"teamsApp@odata.bind": "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/1"}
    teams.graph.may_install = False
    assert (await bot.asks_graph("POST", path, body))[0] == 403
    teams.graph.may_install = True
    assert (await bot.asks_graph("POST", path, {}))[0] == 400
    assert (await bot.asks_graph("POST", path, body))[0] == 201
    assert [each["type"] for each in bot.heard] == ["conversationUpdate", "installationUpdate"]
    assert (await bot.asks_graph("POST", path, body))[0] == 409
    await bot.signs_in()
    await bot.meets("isaiah")
