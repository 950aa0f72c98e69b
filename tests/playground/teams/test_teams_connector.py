import time

import pytest

from adapters.playground.teams import TeamsEmulator
from tests.playground.teams.small_bot import SmallBot, card, execute, text, with_card


async def test_a_person_has_one_personal_chat(teams: TeamsEmulator, bot: SmallBot) -> None:
    assert await bot.meets("adele") == await bot.meets("adele")
    assert await bot.meets("adele") != await bot.meets("alex")


async def test_a_person_can_be_met_by_their_entra_object_id(teams: TeamsEmulator, bot: SmallBot) -> None:
    body = bot.chat_with("adele") | {"members": [{"id": teams.tenant.accounts["adele"].aad_object_id}]}
    assert await bot.calls("POST", "conversations", body) == (201, {"id": await bot.meets("adele")})


async def test_a_message_arrives_is_changed_and_deleted(teams: TeamsEmulator, bot: SmallBot) -> None:
    adele = teams.person("adele")
    chat = await bot.meets("adele")
    _, sent = await bot.writes(chat, "hello")
    assert [each.text for each in adele.chat] == ["hello"]
    assert await bot.edits(chat, sent["id"], with_card(card(text("changed")))) == (200, sent)
    assert adele.chat[0].words == "changed"
    assert adele.chat[0].edited
    assert await bot.calls("DELETE", f"conversations/{chat}/activities/{sent['id']}") == (200, None)
    assert adele.chat == []
    status, body = await bot.edits(chat, sent["id"], with_card(card()))
    assert (status, body["error"]["code"]) == (404, "ActivityNotFoundInConversation")


async def test_a_call_without_a_token_is_refused(teams: TeamsEmulator, bot: SmallBot) -> None:
    bot.token = "made-up"
    assert (await bot.calls("POST", "conversations", bot.chat_with("adele")))[0] == 401
    assert teams.tenant.conversations.keys() == {each.id for each in teams.tenant.teams[0].channels}


async def test_a_revoked_token_is_refused(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.identity.revoke_tokens()
    assert (await bot.writes(chat, "hello"))[0] == 401


async def test_a_token_is_good_for_an_hour(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    asked_at = time.time()
    teams.identity.now = lambda: asked_at + 3500
    assert (await bot.writes(chat, "hello"))[0] == 201
    teams.identity.now = lambda: asked_at + 3601
    assert (await bot.writes(chat, "hello"))[0] == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 400, "unauthorized_client"),
        ({"scope": "https://example.com/.default"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_request_for_a_token_is_refused(
    bot: SmallBot, form: dict[str, str], status: int, error: str
) -> None:
    assert (await bot.signs_in(**form))[0] == status
    assert (await bot.signs_in(**form))[1]["error"] == error


async def test_who_has_not_installed_the_app_cannot_be_met(bot: SmallBot) -> None:
    status, body = await bot.calls("POST", "conversations", bot.chat_with("isaiah"))
    assert (status, body["error"]["code"]) == (403, "ForbiddenOperationException")


async def test_who_removed_the_app_cannot_be_written_to(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    await teams.person("adele").uninstalls()
    status, body = await bot.writes(chat, "hello")
    assert (status, body["error"]["code"]) == (403, "BotNotInConversationRoster")


async def test_who_blocked_the_bot_cannot_be_written_to(bot: SmallBot) -> None:
    chat = await bot.meets("lidia")
    status, body = await bot.writes(chat, "hello")
    assert (status, body["error"]["code"], body["subCode"]) == (
        403,
        "ConversationBlockedByUser",
        "MessageWritesBlocked",
    )


async def test_who_has_left_is_not_found(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    teams.person_leaves("adele")
    status, body = await bot.writes(chat, "hello")
    assert (status, body["error"]["code"]) == (404, "ConversationNotFound")
    assert (await bot.calls("POST", "conversations", bot.chat_with("adele")))[0] == 400


async def test_an_administrator_can_disable_the_bot(teams: TeamsEmulator, bot: SmallBot) -> None:
    teams.tenant.disabled_by_admin = True
    status, body = await bot.calls("POST", "conversations", bot.chat_with("adele"))
    assert (status, body["error"]["code"]) == (403, "BotDisabledByAdmin")


@pytest.mark.parametrize(
    "change", [{"members": []}, {"tenantId": None}, {"tenantId": "another"}, {"members": [{"id": "29:nobody"}]}]
)
async def test_a_malformed_conversation_is_refused(bot: SmallBot, change: dict[str, object]) -> None:
    status, body = await bot.calls("POST", "conversations", bot.chat_with("adele") | change)
    assert (status, body["error"]["code"]) == (400, "Bad Argument")


async def test_a_message_above_28_kilobytes_is_refused(bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    assert (await bot.writes(chat, "x" * 28_000))[0] == 201
    status, body = await bot.writes(chat, "x" * 29_000)
    assert (status, body["error"]["code"]) == (413, "MessageSizeTooBig")


@pytest.mark.parametrize(
    "bad",
    [
        card() | {"type": "Card"},
        card() | {"version": "1.6"},
        card() | {"version": "five"},
        card({"type": "Text", "text": "hello"}),
        card({"type": "TextBlock"}),
        card({"type": "Input.Text"}),
        card({"type": "Input.Text", "id": "a"}, {"type": "Container", "items": [{"type": "Input.Date", "id": "a"}]}),
        card(actions=[execute("Go", "go")]) | {"version": "1.3"},
        card({"type": "Input.ChoiceSet", "id": "a", "choices": [{"title": "One"}]}),
        card(refresh={"action": {"type": "Action.Submit"}}),
        card(refresh={"action": execute("", "refresh"), "userIds": ["29:1"] * 61}),
    ],
)
async def test_a_malformed_card_is_refused(teams: TeamsEmulator, bot: SmallBot, bad: dict[str, object]) -> None:
    status, body = await bot.writes(await bot.meets("adele"), with_card(bad))
    assert (status, body["error"]["code"]) == (400, "BadSyntax")
    assert teams.person("adele").chat == []


async def test_a_body_that_is_not_json_is_refused(teams: TeamsEmulator, bot: SmallBot) -> None:
    await bot.signs_in()
    headers = {"Authorization": f"Bearer {bot.token}", "Content-Type": "application/json"}
    url = f"{teams.service_url}v3/conversations"
    async with bot.session.post(url, data=b"{", headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (400, "BadSyntax")


async def test_members_come_in_pages(teams: TeamsEmulator, bot: SmallBot) -> None:
    teams.add_people(120)
    general = teams.tenant.teams[0].id
    found: list[str] = []
    token, pages = "", 0
    while True:
        path = f"conversations/{general}/pagedMembers?pageSize=50&continuationToken={token}"
        _, page = await bot.calls("GET", path)
        found += [each["email"] for each in page["members"]]
        pages += 1
        token = page.get("continuationToken", "")
        if not token:
            break
    assert pages == 3
    assert found == [each.email for each in teams.tenant.accounts.values()]
    assert (await bot.calls("GET", f"conversations/{general}/pagedMembers?continuationToken=?"))[0] == 400


async def test_a_member_is_described_and_a_stranger_is_not_found(teams: TeamsEmulator, bot: SmallBot) -> None:
    chat = await bot.meets("adele")
    adele, alex = (teams.tenant.accounts[key] for key in ("adele", "alex"))
    _, profile = await bot.calls("GET", f"conversations/{chat}/members/{adele.id}")
    assert (profile["name"], profile["aadObjectId"]) == ("Adele Vance", adele.aad_object_id)
    assert (await bot.calls("GET", f"conversations/{chat}/members"))[1] == [profile]
    status, body = await bot.calls("GET", f"conversations/{chat}/members/{alex.id}")
    assert (status, body["error"]["code"]) == (404, "MemberNotFoundInConversation")


async def test_a_team_and_its_channels_are_described(teams: TeamsEmulator, bot: SmallBot) -> None:
    team = teams.tenant.teams[0]
    _, details = await bot.calls("GET", f"teams/{team.id}")
    assert (details["name"], details["aadGroupId"]) == ("Engineering", team.aad_group_id)
    _, channels = await bot.calls("GET", f"teams/{team.id}/conversations")
    assert channels["conversations"][0] == {"id": team.id, "name": None}
    assert channels["conversations"][1]["name"] == "Builds"


async def test_a_post_in_a_channel_and_a_reply_to_it(teams: TeamsEmulator, bot: SmallBot) -> None:
    builds = teams.tenant.teams[0].channels[1].id
    body = {"isGroup": True, "channelData": {"channel": {"id": builds}}, "activity": {"type": "message", "text": "a"}}
    _, post = await bot.calls("POST", "conversations", body)
    await bot.writes(post["id"], "b")
    await bot.writes(builds, "c")
    messages = teams.person("adele").sees("Builds")
    assert [(each.text, each.thread == post["activityId"]) for each in messages] == [
        ("a", True),
        ("b", True),
        ("c", False),
    ]


async def test_the_documented_rate_limit_of_a_conversation(teams: TeamsEmulator, bot: SmallBot, clock) -> None:
    chat = await bot.meets("adele")
    teams.limits.enabled = True
    assert [(await bot.writes(chat, "hello"))[0] for _ in range(8)] == [201] * 7 + [429]
    clock.seconds += 1
    assert [(await bot.writes(chat, "hello"))[0] for _ in range(2)] == [201, 429]
    status, body, headers = await bot.calls_whole("POST", f"conversations/{chat}/activities", {"text": "hello"})
    assert (status, body["error"]["code"], headers["Retry-After"]) == (429, "Throttled", "1")
    assert len(teams.person("adele").chat) == 8


async def test_the_documented_rate_limit_of_an_app_in_a_tenant(teams: TeamsEmulator, bot: SmallBot, clock) -> None:
    chats = [await bot.meets(each.key) for each in teams.add_people(31)]
    teams.limits.enabled = True
    assert [(await bot.writes(each, "hello"))[0] for each in chats] == [201] * 30 + [429]
    teams.limits.per_second = 50
    assert (await bot.writes(chats[-1], "hello"))[0] == 201


async def test_every_call_is_in_the_log(teams: TeamsEmulator, bot: SmallBot) -> None:
    await bot.writes(await bot.meets("adele"), "hello")
    assert [(each.operation, each.status) for each in teams.log] == [
        ("token", 200),
        ("create_conversation", 201),
        ("send", 201),
    ]
    assert teams.log[-1].body["text"] == "hello"
