"""Microsoft's own client speaks to the emulated Connector."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from botbuilder.core import BotFrameworkAdapter, BotFrameworkAdapterSettings, TurnContext
from botbuilder.core.teams import TeamsInfo
from botbuilder.schema import (
    Activity,
    Attachment,
    ChannelAccount,
    ConversationParameters,
    ConversationReference,
    ErrorResponseException,
)
from botframework.connector import ConnectorClient
from botframework.connector.auth import AppCredentials

from adapters.playground.teams import APP_ID, TeamsEmulator
from tests.playground.teams.small_bot import CARD, SmallBot, card, text


class IssuedHere(AppCredentials):
    """Credentials that carry a token which the test fetched."""

    def __init__(self, token: str) -> None:
        super().__init__(app_id=APP_ID)
        self._token = token

    def get_access_token(self, force_refresh: bool = False) -> str:
        return self._token


async def test_microsofts_client_creates_sends_and_reads(teams: TeamsEmulator, bot: SmallBot) -> None:
    await bot.signs_in()
    client = ConnectorClient(IssuedHere(bot.token), base_url=teams.service_url)
    adele = teams.person("adele")
    wanted = ConversationParameters(
        bot=ChannelAccount(id=teams.tenant.bot_id),
        members=[ChannelAccount(id=adele.account.id)],
        tenant_id=teams.tenant.id,
        is_group=False,
    )
    conversations = client.conversations
    created = await asyncio.to_thread(conversations.create_conversation, wanted)
    shown = Activity(type="message", attachments=[Attachment(content_type=CARD, content=card(text("Welcome")))])
    sent = await asyncio.to_thread(conversations.send_to_conversation, created.id, shown)
    assert (adele.chat[0].id, adele.chat[0].words) == (sent.id, "Welcome")
    changed = Activity(type="message", text="Bye")
    await asyncio.to_thread(conversations.update_activity, created.id, sent.id, changed)
    assert adele.chat[0].words == "Bye"
    page = await asyncio.to_thread(conversations.get_conversation_paged_members, teams.tenant.teams[0].id)
    assert [each.name for each in page.members][:2] == ["Adele Vance", "Megan Bowen"]
    teams.person("adele").blocks()
    with pytest.raises(ErrorResponseException) as refused:
        await asyncio.to_thread(conversations.send_to_conversation, created.id, changed)
    assert refused.value.error.error.code == "ConversationBlockedByUser"


async def test_the_emulator_can_be_mounted() -> None:
    teams = TeamsEmulator()
    app = web.Application()
    app.add_subapp("/playground/teams", teams.app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    teams.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}/playground/teams"
    async with SmallBot(teams).running() as bot:
        assert (await teams.person("adele").types("hello")).ok
        await bot.writes(await bot.meets("adele"), "hello")
        teams.graph.page_size = 9
        _, page = await bot.asks_graph("GET", "users")
        _, rest = await bot.asks_graph("GET", page["@odata.nextLink"])
        assert len(rest["value"]) == 1
        async with aiohttp.ClientSession() as session, session.get(f"{teams.public_url}/ui/people") as response:
            assert len((await response.json())["people"]) == 10
    await runner.cleanup()


async def test_microsofts_adapter_begins_and_continues_a_conversation(teams: TeamsEmulator, bot: SmallBot) -> None:
    await bot.signs_in()
    adele, heard = teams.person("adele"), []
    adapter = BotFrameworkAdapter(BotFrameworkAdapterSettings(APP_ID, "", app_credentials=IssuedHere(bot.token)))
    channel_data = {"tenant": {"id": teams.tenant.id}}
    wanted = ConversationParameters(
        bot=ChannelAccount(id=teams.tenant.bot_id),
        members=[ChannelAccount(id=adele.account.id)],
        tenant_id=teams.tenant.id,
        channel_data=channel_data,
    )
    reference = ConversationReference(
        bot=ChannelAccount(id=teams.tenant.bot_id), channel_id="msteams", service_url=teams.service_url
    )

    async def begins(turn: TurnContext) -> None:
        turn.activity.channel_data = channel_data
        member = await TeamsInfo.get_member(turn, adele.account.id)
        await turn.send_activity(f"Hello {member.name}")
        heard.append(TurnContext.get_conversation_reference(turn.activity))

    async def continues(turn: TurnContext) -> None:
        await turn.send_activity("And again")

    await adapter.create_conversation(reference, begins, wanted)
    (begun,) = heard
    await adapter.continue_conversation(begun, continues, APP_ID)
    assert [each.text for each in adele.chat] == ["Hello Adele Vance", "And again"]
