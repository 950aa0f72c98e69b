"""Where the bot is installed, and what is remembered of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.chat import PlatformUnavailable
from adapters.playground.teams import TeamsEmulator
from adapters.teams.adapter import TeamsAdapter
from bot.events import HomeOpened
from bot.transition import ShowHome
from tests.adapters.teams.teams_tenant import Bot, database, running_bot, say


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with running_bot(tmp_path) as running:
        yield running


async def stored(bot: Bot):
    async with bot.store.transaction() as tx:
        return await tx.people.workspace(bot.workspace_id)


async def test_the_tenant_is_known_from_the_start(bot: Bot):
    row = await stored(bot)
    assert row is not None
    assert (row.external_id, row.company, row.active) == (bot.teams.tenant.id, "default", True)
    assert row.bot_user_id == bot.teams.tenant.bot_id


async def test_the_tenants_own_service_address_replaces_the_first(bot: Bot):
    moved = TeamsAdapter(
        bot.config(service_url="https://smba.trafficmanager.net/teams/"), bot.handle, bot.store, bot.clock
    )
    await moved.start()
    row = await stored(bot)
    assert row is not None
    assert row.service_url == bot.teams.service_url  # an address from Teams is not overwritten by the default
    await moved.stop()
    async with bot.store.transaction() as tx:
        await tx.people.save_workspace(row.model_copy(update={"service_url": "https://old.example/"}))
    other = TeamsAdapter(bot.config(), bot.handle, bot.store, bot.clock)
    await other._installation.known(bot.teams.service_url)
    await other.stop()
    after = await stored(bot)
    assert after is not None
    assert after.service_url == bot.teams.service_url
    assert after.installed_at == row.installed_at


async def test_somebody_who_installs_the_app_is_welcomed_once(bot: Bot):
    bot.replies(ShowHome(say("Welcome")))
    await bot.teams.person("isaiah").installs()
    await bot.adapter.settled()
    (event,) = bot.events
    assert isinstance(event, HomeOpened)
    assert event.installed
    assert event.actor.channel_id == bot.teams.tenant.personal_chat(bot.teams.tenant.accounts["isaiah"]).id
    assert [each.words for each in bot.teams.person("isaiah").chat] == ["Welcome"]


async def test_the_chat_of_somebody_who_removes_the_app_is_forgotten(bot: Bot):
    person_id = bot.person("mei").id
    await bot.teams.person("mei").types("hello")
    async with bot.store.transaction() as tx:
        before = await tx.people.person(person_id)
    await bot.teams.person("mei").uninstalls()
    async with bot.store.transaction() as tx:
        after = await tx.people.person(person_id)
    assert before is not None
    assert before.channel_id
    assert after is not None
    assert after.channel_id == ""


async def test_a_team_is_remembered_while_the_bot_is_in_it(bot: Bot):
    team = bot.teams.tenant.teams[0]
    await bot.teams.install_in_team("adele")
    assert bot.adapter._installation.teams == (team.id,)
    assert bot.events == []
    await bot.teams.uninstall_from_team("adele")
    assert bot.adapter._installation.teams == ()


async def test_the_check_says_what_is_wrong(bot: Bot):
    await bot.adapter.check()
    wrong = TeamsAdapter(bot.config(app_password="wrong"), bot.handle, bot.store, bot.clock)
    with pytest.raises(PlatformUnavailable, match="USHER_TEAMS_APP_PASSWORD"):
        await wrong.check()
    await wrong.stop()
    away = TeamsAdapter(bot.config(openid_metadata_url="http://127.0.0.1:9/"), bot.handle, bot.store, bot.clock)
    with pytest.raises(PlatformUnavailable, match="servers"):
        await away.check()
    await away.stop()


@pytest.mark.parametrize("missing", ["app_id", "app_password", "tenant_id"])
async def test_an_empty_setting_stops_the_adapter(tmp_path: Path, missing: str):
    async with database(tmp_path) as store, TeamsEmulator().running() as teams:
        bot = Bot(teams, store)
        with pytest.raises(ValueError, match="empty"):
            TeamsAdapter(bot.config(**{missing: " "}), bot.handle, store, bot.clock)
