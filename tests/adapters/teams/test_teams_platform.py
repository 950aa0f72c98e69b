"""Direct messages: what becomes of them, and that none is sent twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientTimeout

from bot.ports import NeverLeft, Reason, Refused, Sent, Throttled, Unclear
from tests.adapters.teams.teams_tenant import Bot, running_bot, say


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with running_bot(tmp_path) as running:
        yield running


def chat_id(bot: Bot, key: str) -> str:
    return bot.teams.tenant.personal_chat(bot.teams.tenant.accounts[key]).id


async def send(bot: Bot, key: str, **more: str):
    return await bot.adapter.platform.send(bot.workspace, bot.person(key, **more), say("Hello"), "delivery-1")


async def test_a_first_message_makes_the_conversation_and_arrives(bot: Bot):
    outcome = await send(bot, "diego")
    shown = bot.teams.person("diego").chat
    assert outcome == Sent(chat_id(bot, "diego"), shown[-1].id)
    assert [each.words for each in shown] == ["Hello"]
    assert (bot.calls("create_conversation"), bot.calls("send")) == (1, 1)


async def test_a_known_conversation_is_not_made_again(bot: Bot):
    outcome = await send(bot, "diego", channel_id=chat_id(bot, "diego"))
    assert isinstance(outcome, Sent)
    assert (bot.calls("create_conversation"), bot.calls("send")) == (0, 1)


async def test_a_message_is_replaced_where_it_stands_as_often_as_one_likes(bot: Bot):
    sent = await send(bot, "diego")
    assert isinstance(sent, Sent)
    for _ in range(2):
        updated = await bot.adapter.platform.update(bot.workspace, bot.person("diego"), sent, say("Changed"))
        assert updated == sent
    assert [each.words for each in bot.teams.person("diego").chat] == ["Changed"]


async def test_too_fast_is_told_with_the_time_to_wait(bot: Bot):
    bot.teams.faults.answer("send", 429, retry_after=7)
    assert await send(bot, "diego") == Throttled(7.0)
    bot.teams.faults.answer("create_conversation", 429, retry_after=3)
    assert await send(bot, "diego") == Throttled(3.0)
    assert bot.teams.person("diego").chat == []


@pytest.mark.parametrize("status", [412, 500, 502, 503, 504])
async def test_a_fault_of_the_service_leaves_the_message_unclear_and_is_not_repeated(bot: Bot, status: int):
    bot.teams.faults.answer("send", status)
    assert await send(bot, "diego") == Unclear(Reason.SERVER_ERROR)
    assert bot.calls("send") == 1


async def test_a_lost_answer_leaves_one_message_and_one_request(bot: Bot):
    bot.teams.faults.reset_after_acceptance("send")
    assert await send(bot, "diego") == Unclear(Reason.CONNECTION_LOST)
    assert bot.calls("send") == 1
    assert len(bot.teams.person("diego").chat) == 1


async def test_a_page_of_a_gateway_is_no_success(bot: Bot):
    bot.teams.faults.answer_without_json("send")
    assert await send(bot, "diego") == Unclear(Reason.SERVER_ERROR)


async def test_no_answer_in_time_is_unclear(tmp_path: Path):
    async with running_bot(tmp_path, time_out=ClientTimeout(total=0.2)) as bot:
        bot.teams.faults.never_answer("send")
        assert await send(bot, "diego") == Unclear(Reason.TIMED_OUT)
        assert bot.calls("send") == 1


@pytest.mark.parametrize("status", [412, 500, 502, 503, 504])
async def test_while_nothing_was_sent_a_fault_can_be_tried_again(bot: Bot, status: int):
    bot.teams.faults.answer("create_conversation", status)
    assert await send(bot, "diego") == NeverLeft()
    assert bot.calls("send") == 0


async def test_a_lost_answer_to_making_the_conversation_can_be_tried_again(bot: Bot):
    bot.teams.faults.reset_after_acceptance("create_conversation")
    assert await send(bot, "diego") == NeverLeft()
    assert isinstance(await send(bot, "diego"), Sent)


async def test_what_found_nobody_at_the_address_never_left(bot: Bot):
    workspace = bot.workspace
    workspace.service_url = "http://127.0.0.1:9/"
    person = bot.person("diego", channel_id=chat_id(bot, "diego"))
    assert await bot.adapter.platform.send(workspace, person, say("Hello"), "d") == NeverLeft()


async def test_an_address_that_is_not_microsofts_gets_nothing(bot: Bot):
    workspace = bot.workspace
    workspace.service_url = "https://evil.example/"
    person = bot.person("diego")
    assert await bot.adapter.platform.send(workspace, person, say("x"), "d") == Refused(Reason.MESSAGE_REFUSED)


async def test_people_who_cannot_be_written_to_are_told_apart(bot: Bot):
    assert await send(bot, "isaiah") == Refused(Reason.NOT_INSTALLED)
    assert await send(bot, "lidia") == Refused(Reason.BLOCKED)
    await send(bot, "mei")
    await bot.teams.person("mei").uninstalls()
    assert await send(bot, "mei", channel_id=chat_id(bot, "mei")) == Refused(Reason.NOT_INSTALLED)
    bot.teams.person_leaves("alex")
    assert await send(bot, "alex") == Refused(Reason.NOT_FOUND)
    assert await send(bot, "alex", channel_id=chat_id(bot, "alex")) == Refused(Reason.NOT_FOUND)
    bot.teams.tenant.disabled_by_admin = True
    assert await send(bot, "diego") == Refused(Reason.POLICY)
    assert await send(bot, "diego", channel_id=chat_id(bot, "diego")) == Refused(Reason.POLICY)


async def test_a_message_that_is_too_large_is_refused(bot: Bot):
    bot.teams.connector.size_limit = 100
    assert await send(bot, "diego", channel_id=chat_id(bot, "diego")) == Refused(Reason.MESSAGE_REFUSED)


async def test_an_expired_token_is_renewed_and_a_withdrawn_password_reported(bot: Bot):
    assert isinstance(await send(bot, "diego"), Sent)
    bot.teams.identity.revoke_tokens()
    assert isinstance(await send(bot, "diego"), Sent)
    assert len(bot.teams.person("diego").chat) == 2
    bot.teams.identity.revoke_tokens()
    bot.teams.identity.app_password = "another"
    assert await send(bot, "diego") == Refused(Reason.TOKEN_REVOKED)


async def test_teams_cannot_be_asked_for_a_message(bot: Bot):
    platform = bot.adapter.platform
    assert not platform.can_find
    found = await platform.find(bot.workspace, bot.person("diego"), "d", bot.clock.now())
    assert isinstance(found, Unclear)
