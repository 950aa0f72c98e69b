"""The emulated Teams speaks as Microsoft's own types expect: every activity, every answer to the bot's calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from adapters.playground.teams.calls import Call
from adapters.playground.teams.emulator import TeamsEmulator
from adapters.playground.teams.identity import CONNECTOR_SCOPE
from tests.vendors.story import office, parsed, sets_up, told_on_teams
from tests.vendors.tsc import Typed, check

ACTIVITIES = {
    "message": "Message",
    "conversationUpdate": "ConversationUpdate",
    "installationUpdate": "InstallationUpdate",
    "invoke": "CardAction",
}
ANSWERS = {
    "create_conversation": "Created",
    "send": "Stored",
    "reply": "Stored",
    "update": "Stored",
    "members": "Members",
    "paged_members": "MemberPage",
    "member": "OneMember",
    "team": "Team",
    "channels": "Channels",
}
SENT = {"create_conversation": "CreateConversation", "send": "Sent", "reply": "Sent", "update": "Sent"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TeamsEmulator]:
    """The story, and every operation of the Connector called once, refused once."""
    async with office(f"sqlite:///{tmp_path_factory.mktemp('teams') / 'usher.db'}") as wire:
        await sets_up(wire.slack)
        await told_on_teams(wire.playground)
        await _calls_everything(wire.playground.teams)
        yield wire.playground.teams


async def _calls_everything(teams: TeamsEmulator) -> None:
    tenant, diego = teams.tenant, teams.tenant.accounts["diego"]
    chat, team = tenant.personal_chat(diego).id, tenant.teams[0]
    words = {"type": "message", "text": "Hello"}
    person = {"bot": {"id": tenant.bot_id}, "members": [{"id": diego.id}], "isGroup": False, "tenantId": tenant.id}
    person["channelData"] = {"tenant": {"id": tenant.id}}
    post = {"isGroup": True, "activity": words, "bot": {"id": tenant.bot_id}, "members": []}
    post["channelData"] = {"channel": {"id": team.channels[1].id}}
    headers = {"Authorization": f"Bearer {teams.identity.issue(CONNECTOR_SCOPE)}"}
    async with ClientSession(f"{teams.service_url}v3/", headers=headers) as session:

        async def call(method: str, path: str, body: Any = None) -> Any:
            async with session.request(method, path, json=body) as response:
                return await response.json(content_type=None)

        await call("POST", "conversations", person)
        await call("POST", "conversations", post)
        stored = await call("POST", f"conversations/{chat}/activities", words)
        answered = await call("POST", f"conversations/{chat}/activities/{stored['id']}", words)
        await call("PUT", f"conversations/{chat}/activities/{answered['id']}", words)
        await call("DELETE", f"conversations/{chat}/activities/{answered['id']}")
        await call("GET", f"conversations/{team.id}/members")
        await call("GET", f"conversations/{team.id}/members/{diego.id}")
        teams.connector.page_sizes = (2, 500)
        await call("GET", f"conversations/{team.id}/pagedmembers?pageSize=2")
        await call("GET", f"teams/{team.id}")
        await call("GET", f"teams/{team.id}/conversations")
        isaiah = tenant.accounts["isaiah"].id
        await call("POST", "conversations", person | {"members": [{"id": isaiah}]})
        await call("POST", "conversations/nowhere/activities", words)
        await call("POST", f"conversations/{chat}/activities", {"type": "message"})
        await call("POST", f"conversations/{chat}/activities", {"type": "message", "text": "x" * 40_000})
        await call("PUT", f"conversations/{chat}/activities/none", words)
        await call("GET", f"conversations/{team.id}/members/nobody")


def test_every_activity_has_the_type_that_the_bot_framework_declares(told: TeamsEmulator):
    activities = [each.activity for each in told.deliveries]
    assert {each["type"] for each in activities} == set(ACTIVITIES)
    check(Typed(each["type"], f"Teams.{ACTIVITIES[each['type']]}", each) for each in activities)


def test_every_answer_to_a_press_has_the_type_that_the_bot_framework_declares(told: TeamsEmulator):
    answers = [each.body for each in told.deliveries if each.activity["type"] == "invoke"]
    assert len({each["type"] for each in answers}) > 1
    check(Typed("answer", "Teams.CardActionAnswer", each) for each in answers)


def test_every_answer_of_the_connector_has_the_type_that_the_bot_framework_declares(told: TeamsEmulator):
    answered = [each for each in told.log if each.operation in ANSWERS and each.status in {200, 201}]
    assert {each.operation for each in answered} == set(ANSWERS)
    check(Typed(each.operation, f"Teams.{ANSWERS[each.operation]}", parsed(each.answer)) for each in answered)


def test_every_refusal_of_the_connector_is_an_error_response(told: TeamsEmulator):
    refused = [each for each in told.log if not _is_token(each) and (each.status or 500) >= 400]
    assert {each.status for each in refused} >= {400, 403, 404, 413}
    check(Typed(each.operation, "Teams.Refused", parsed(each.answer)) for each in refused)


def test_every_call_of_the_bot_has_the_type_that_the_bot_framework_declares(told: TeamsEmulator):
    made = [each for each in told.log if each.operation in SENT and each.status in {200, 201}]
    check(Typed(each.operation, f"Teams.{SENT[each.operation]}", each.body) for each in made)


def _is_token(call: Call) -> bool:
    return call.operation == "token"
