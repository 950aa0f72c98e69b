"""The emulated Web API, called as the bot calls it: with slack_sdk's own client."""

from __future__ import annotations

import time
from functools import partial

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient


def text(words):
    return {"type": "plain_text", "text": words}


def section(words="Hello"):
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}}


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def button(label="Go", **more):
    return {"type": "button", "text": text(label), **more}


async def error_of(call):
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_a_token_is_wanted_and_checked(slack, client):
    def with_token(token):
        return AsyncWebClient(token=token, base_url=slack.api_url, retry_handlers=[])

    assert (await client.auth_test())["user_id"] == slack.world.bot_user_id
    assert await error_of(with_token("xoxb-wrong").auth_test()) == "invalid_auth"
    assert await error_of(with_token(None).auth_test()) == "not_authed"
    slack.credentials.revoked = True
    assert await error_of(client.auth_test()) == "token_revoked"


async def test_a_scope_is_wanted_by_each_kind_of_conversation_and_method(slack, client):
    alice, leads = slack.person("alice"), slack.channel("leads")
    private = (await client.conversations_open(users=alice.id))["channel"]["id"]
    calls = {
        "chat:write": partial(client.chat_postMessage, channel=private, text="Hello"),
        "channels:read": partial(client.conversations_members, channel=slack.channel("general").id),
        "groups:read": partial(client.conversations_members, channel=leads.id),
        "im:history": partial(client.conversations_history, channel=private),
        "im:write": partial(client.conversations_open, users=alice.id),
        "usergroups:read": client.usergroups_list,
        "users.profile:read": partial(client.users_profile_get, user=alice.id),
        "users:read": partial(client.users_info, user=alice.id),
        "users:read.email": partial(client.users_lookupByEmail, email="alice@example.com"),
    }
    leads.members.append(slack.world.bot_user_id)
    granted = slack.credentials.scopes
    assert set(calls) == set(granted.split(",")) - {"commands"}
    for scope, call in calls.items():
        slack.credentials.scopes = granted
        assert (await call())["ok"]
        slack.credentials.scopes = ",".join(sorted(set(granted.split(",")) - {scope}))
        with pytest.raises(SlackApiError) as caught:
            await call()
        refusal = caught.value.response
        assert (refusal["error"], refusal["needed"]) == ("missing_scope", scope)
        assert refusal["provided"] == slack.credentials.scopes


async def test_a_code_is_exchanged_once(slack, client):
    async def exchange(code, secret=slack.credentials.client_secret):
        url, who = (
            f"{slack.api_url}oauth.v2.access",
            {"client_id": slack.credentials.client_id, "client_secret": secret},
        )
        async with aiohttp.ClientSession() as session, session.post(url, data={"code": code, **who}) as response:
            return await response.json()

    code = slack.credentials.issue_code()
    assert (await exchange(code, "wrong"))["error"] == "bad_client_secret"
    assert (await exchange("nonsense"))["error"] == "invalid_code"
    granted = await exchange(code)
    assert (granted["access_token"], granted["team"]["id"]) == ("xoxb-playground", slack.world.team_id)
    assert (await exchange(code))["error"] == "code_already_used"


async def test_form_encoded_calls_are_understood_too(slack):
    form = {"token": "xoxb-playground", "channel": slack.person("alice").id, "blocks": '[{"type": "divider"}]'}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{slack.api_url}chat.postMessage", data=form) as response,
    ):
        assert (await response.json())["ok"]
    assert slack.person("alice").direct_messages[-1].blocks[0]["type"] == "divider"


async def test_a_message_to_a_person_opens_the_direct_message(slack, client):
    alice = slack.person("alice")
    posted = await client.chat_postMessage(channel=alice.id, text="Hello")
    assert posted["channel"].startswith("D")
    opened = await client.conversations_open(users=alice.id)
    assert (opened["channel"]["id"], opened["already_open"]) == (posted["channel"], True)
    again = await client.chat_postMessage(channel=posted["channel"], text="Hello again")
    assert [each.text for each in alice.direct_messages] == ["Hello", "Hello again"]
    assert float(again["ts"]) > float(posted["ts"])


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("dora", "user_disabled"),
        ("sam", "user_not_visible"),
        ("slackbot", "cannot_dm_bot"),
        ("sso_usher", "cannot_dm_bot"),
        ("#random", "not_in_channel"),
        ("#leads", "channel_not_found"),
        ("#nowhere", "channel_not_found"),
    ],
)
async def test_where_a_bot_cannot_write(slack, client, to, error):
    place = slack.channel(to).id if to in {"#random", "#leads"} else to
    place = place if place.startswith(("#", "C")) else slack.person(to).id
    assert await error_of(client.chat_postMessage(channel=place, text="Hello")) == error


async def test_a_person_or_the_whole_workspace_may_refuse_messages(slack, client):
    alice, bob = slack.person("alice"), slack.person("bob")
    slack.world.refuses_messages[alice.id] = "restricted_action"
    assert await error_of(client.chat_postMessage(channel=alice.id, text="Hello")) == "restricted_action"
    slack.world.messages_tab_enabled = False
    assert await error_of(client.chat_postMessage(channel=bob.id, text="Hello")) == "messages_tab_disabled"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [section()] * 51}, "too_many_blocks"),
        ({"blocks": [{"type": "carpet"}]}, "invalid_blocks"),
        ({"blocks": [section("x" * 3001)]}, "invalid_blocks"),
        ({"blocks": [actions(button("x" * 76))]}, "invalid_blocks"),
        ({"blocks": [actions(button(value="x" * 2001))]}, "invalid_blocks"),
        ({"blocks": [actions(button(action_id="x" * 256))]}, "invalid_blocks"),
        ({"blocks": [actions(button(action_id="a"), button(action_id="a"))]}, "invalid_blocks"),
        ({"blocks": [actions(*[button()] * 26)]}, "invalid_blocks"),
        ({"blocks": [actions({"type": "radio_buttons", "options": []})]}, "invalid_blocks"),
        ({"text": "x", "metadata": {"event_type": "only"}}, "invalid_metadata_format"),
    ],
)
async def test_what_slack_refuses_in_a_message(slack, client, content, error):
    assert await error_of(client.chat_postMessage(channel=slack.person("alice").id, **content)) == error


async def test_a_refusal_says_where(slack, client):
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=slack.person("alice").id, blocks=[section(), actions(button("x" * 76))])
    messages = caught.value.response["response_metadata"]["messages"]
    assert messages == ["[ERROR] must be less than 76 characters [json-pointer:/blocks/1/elements/0/text/text]"]


async def test_messages_are_updated_whispered_and_deleted(slack, client):
    alice, general = slack.person("alice"), slack.channel("general")
    posted = await client.chat_postMessage(channel=general.id, text="One", blocks=[section("One")])
    await client.chat_update(channel=general.id, ts=posted["ts"], text="Two")
    message = alice.sees("#general")[-1]
    assert (message.text, message.visible, message.edited) == ("Two", "One", True), "blocks left out stay"
    await client.chat_update(channel=general.id, ts=posted["ts"], text="Three", blocks=[])
    assert message.visible == "Three"

    whisper = await client.chat_postEphemeral(channel=general.id, user=alice.id, text="Psst")
    assert alice.whispers[-1].text == "Psst"
    ts = whisper["message_ts"]
    assert await error_of(client.chat_update(channel=general.id, ts=ts, text="x")) == "message_not_found"
    stranger = slack.person("dora").id
    assert (
        await error_of(client.chat_postEphemeral(channel=general.id, user=stranger, text="x"))
        == "user_not_in_channel"
    )

    await alice.types("mine", channel="#general")
    mine = alice.sees("#general")[-1].ts
    assert await error_of(client.chat_update(channel=general.id, ts=mine, text="x")) == "cant_update_message"
    await client.chat_delete(channel=general.id, ts=posted["ts"])
    assert await error_of(client.chat_delete(channel=general.id, ts=posted["ts"])) == "message_not_found"


async def test_history_shows_metadata_only_when_asked(slack, client):
    alice = slack.person("alice")
    metadata = {"event_type": "delivery", "event_payload": {"id": "d1"}}
    first = await client.chat_postMessage(channel=alice.id, text="One")
    second = await client.chat_postMessage(channel=alice.id, text="Two", metadata=metadata)
    place = first["channel"]
    plain = await client.conversations_history(channel=place)
    assert [(each["text"], "metadata" in each) for each in plain["messages"]] == [("Two", False), ("One", False)]
    full = await client.conversations_history(channel=place, oldest=first["ts"], include_all_metadata=True)
    assert [(each["ts"], each["metadata"]) for each in full["messages"]] == [(second["ts"], metadata)]
    slack.credentials.scopes += ",channels:history"
    assert await error_of(client.conversations_history(channel=slack.channel("random").id)) == "not_in_channel"


async def test_lists_come_in_pages(slack, client):
    people = slack.add_people(25, into_group="everyone-else")
    slack.channel("general").members.extend(each.id for each in people)
    seen, pages, cursor = [], 0, ""
    while pages == 0 or cursor:
        page = await client.conversations_members(channel=slack.channel("general").id, limit=10, cursor=cursor)
        seen += page["members"]
        cursor, pages = page["response_metadata"]["next_cursor"], pages + 1
    assert (seen, pages) == (slack.channel("general").members, 4)
    listed = [each["id"] async for page in await client.users_list(limit=7) for each in page["members"]]
    assert listed == list(slack.world.users)
    assert await error_of(client.users_list(limit=7, cursor="nonsense")) == "invalid_cursor"
    assert await error_of(client.conversations_list(limit=-1)) == "invalid_limit"


async def test_people_are_found_as_slack_shows_them(slack, client):
    async def user(name):
        return (await client.users_info(user=slack.person(name).id))["user"]

    assert (await user("adam"))["is_admin"] is True
    assert (await user("olivia"))["is_owner"] is True
    assert (await user("bob"))["tz"] == "America/New_York"
    assert (await user("dora"))["deleted"] is True
    assert (await user("gina"))["is_restricted"] is True
    assert (await user("sam"))["is_stranger"] is True
    assert "email" not in (await user("sam"))["profile"]
    assert (await user("sso_usher"))["is_bot"] is True
    found = await client.users_lookupByEmail(email="Alice@example.com")
    assert found["user"]["id"] == slack.person("alice").id
    assert await error_of(client.users_lookupByEmail(email="dora@example.com")) == "users_not_found"
    assert await error_of(client.users_info(user="U404")) == "user_not_found"


async def test_user_groups_and_channels(slack, client):
    groups = {each["handle"]: each["id"] for each in (await client.usergroups_list())["usergroups"]}
    assert len((await client.usergroups_users_list(usergroup=groups["engineering"]))["users"]) == 5
    assert (await client.usergroups_users_list(usergroup=groups["nobody"]))["users"] == []
    assert await error_of(client.usergroups_users_list(usergroup="S404")) == "no_such_subteam"
    slack.world.usergroups_available = False
    assert await error_of(client.usergroups_list()) == "plan_upgrade_required"
    names = [each["name"] for each in (await client.conversations_list())["channels"]]
    assert names == ["general", "random", "partners"]
    leads = slack.channel("leads").id
    assert await error_of(client.conversations_info(channel=leads)) == "channel_not_found"
    assert await error_of(client.conversations_members(channel=leads)) == "channel_not_found"
    assert await error_of(client.conversations_open(users=slack.person("dora").id)) == "user_disabled"


FORM = {"type": "modal", "title": text("Form"), "blocks": [section()]}


async def test_a_trigger_opens_one_view_and_not_for_long(slack, client):
    alice = slack.person("alice")
    trigger = slack.triggers.give(alice.id)
    view = (await client.views_open(trigger_id=trigger, view=FORM))["view"]
    assert alice.modal.id == view["id"]
    assert await error_of(client.views_open(trigger_id=trigger, view=FORM)) == "exchanged_trigger_id"
    assert await error_of(client.views_open(trigger_id="1.2.3", view=FORM)) == "invalid_trigger_id"
    slack.triggers.lives_for = -1
    assert (
        await error_of(client.views_open(trigger_id=slack.triggers.give(alice.id), view=FORM)) == "expired_trigger_id"
    )


async def test_views_are_stacked_three_high_and_updated_by_hash(slack, client):
    alice = slack.person("alice")
    view = (await client.views_open(trigger_id=slack.triggers.give(alice.id), view=FORM))["view"]
    for _ in range(2):
        await client.views_push(trigger_id=slack.triggers.give(alice.id), view=FORM)
    full = client.views_push(trigger_id=slack.triggers.give(alice.id), view=FORM)
    assert await error_of(full) == "push_limit_reached"
    updated = await client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)
    assert updated["view"]["hash"] != view["hash"]
    assert await error_of(client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)) == "hash_conflict"
    assert await error_of(client.views_update(view_id="V404", view=FORM)) == "not_found"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"title": text("x" * 25)}, "/view/title/text"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata"),
        ({"blocks": [section()] * 101}, "/view/blocks"),
        ({"type": "home"}, "/view/type"),
        (
            {"blocks": [{"type": "input", "label": text("x"), "element": {"type": "plain_text_input"}}]},
            "/view/submit",
        ),
        ({"blocks": [{"type": "input", "label": text("x"), "element": button()}]}, "/view/blocks/0/element/type"),
    ],
)
async def test_what_slack_refuses_in_a_view(slack, client, change, where):
    with pytest.raises(SlackApiError) as caught:
        await client.views_open(trigger_id=slack.triggers.give(slack.person("alice").id), view={**FORM, **change})
    assert caught.value.response["error"] == "invalid_arguments"
    assert where in str(caught.value.response["response_metadata"]["messages"])


async def test_a_response_url_works_five_times_and_then_no_more(slack):
    alice = slack.person("alice")
    url = slack.response_url(slack.channel("general").id, alice.id)
    async with aiohttp.ClientSession() as session:
        for number in range(5):
            async with session.post(url, json={"text": f"{number}"}) as response:
                assert response.status == 200
        async with session.post(url, json={"text": "one too many"}) as response:
            assert (response.status, (await response.json())["error"]) == (404, "used_url")
    assert [each.text for each in alice.whispers] == ["0", "1", "2", "3", "4"]


async def test_a_response_url_replaces_deletes_and_expires(slack):
    alice, general = slack.person("alice"), slack.channel("general")
    url = slack.response_url(general.id, alice.id)
    async with aiohttp.ClientSession() as session:
        await session.post(url, json={"text": "One"})
        await session.post(url, json={"text": "Two", "replace_original": True})
        assert [each.text for each in alice.whispers] == ["Two"]
        await session.post(url, json={"delete_original": True})
        assert alice.whispers == []
        slack.response_urls.lives_for = -1
        async with session.post(slack.response_url(general.id, alice.id), json={"text": "late"}) as response:
            assert (await response.json())["error"] == "expired_url"


async def test_rate_limits_when_switched_on(slack, client):
    clock = [1_000.0]
    slack.rate_limits._now = lambda: clock[0]
    alice, bob = slack.person("alice").id, slack.person("bob").id
    for _ in range(3):
        await client.chat_postMessage(channel=alice, text="free")
    slack.rate_limits.enabled = True
    await client.chat_postMessage(channel=alice, text="first")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=alice, text="too soon")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    await client.chat_postMessage(channel=bob, text="another channel")
    clock[0] += 1
    await client.chat_postMessage(channel=alice, text="second")
    for _ in range(20):
        await client.users_list()
    assert await error_of(client.users_list()) == "ratelimited"


async def test_the_log_holds_every_call(slack, client):
    started = time.time()
    await client.chat_postMessage(channel=slack.person("alice").id, text="Hello")
    assert await error_of(client.api_call("no.such.method")) == "unknown_method"
    posted, unknown = slack.log
    assert (posted.method, posted.args["text"], posted.accepted) == ("chat.postMessage", "Hello", True)
    assert (unknown.method, unknown.accepted) == ("no.such.method", False)
    assert posted.at >= started
    assert "token" not in posted.args
