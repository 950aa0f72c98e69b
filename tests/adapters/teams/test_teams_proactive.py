"""Installing the app for whoever is written to and does not have it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.chat import PlatformUnavailable
from adapters.teams.graph import GraphRefused
from adapters.teams.proactive import NOT_GRANTED_FOR
from bot.model import Person
from bot.ports import NeverLeft, Outcome, Reason, Refused, Sent
from tests.adapters.teams.teams_tenant import Bot, running_bot, say


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with running_bot(tmp_path, catalog_app_id="6f1f1a3e-0000-4000-8000-000000000001") as running:
        running.replies(None)  # bot/conversations/help.py: whoever is just written to hears nothing else
        yield running


def isaiah(bot: Bot, **more: object) -> Person:
    """As a look-up by address finds somebody who is in none of the bot's teams: by the Entra id."""
    account = bot.teams.tenant.accounts["isaiah"]
    user_id = account.aad_object_id
    found = {"id": Person.key(bot.workspace_id, user_id), "user_id": user_id, "email": account.email, **more}
    return bot.person("isaiah").model_copy(update=found)


def address(bot: Bot) -> str:
    return bot.teams.bot_url.removesuffix("/api/messages")


async def send(bot: Bot, person: Person) -> Outcome:
    return await bot.adapter.platform.send(bot.workspace, person, say("Hello"), "delivery-1")


@pytest.mark.parametrize("known_by", ["Entra id", "address"])
async def test_the_app_is_installed_and_the_message_arrives(bot: Bot, known_by: str):
    person = isaiah(bot) if known_by == "Entra id" else isaiah(bot, user_id=bot.teams.tenant.accounts["isaiah"].id)
    assert isinstance(await send(bot, person), Sent)
    assert [each.words for each in bot.teams.person("isaiah").chat] == ["Hello"]
    (asked,) = bot.teams.calls.made("graph_install")
    assert asked.body["teamsApp@odata.bind"] == (
        f"{bot.teams.graph_url}/appCatalogs/teamsApps/6f1f1a3e-0000-4000-8000-000000000001"
    )


async def test_whoever_has_the_app_is_not_asked_about(bot: Bot):
    assert isinstance(await send(bot, bot.person("diego")), Sent)
    assert bot.calls("graph_install") == 0


async def test_whoever_has_removed_the_app_does_not_get_it_back(bot: Bot):
    bot.teams.tenant.accounts["isaiah"].installed = True
    async with bot.store.transaction() as tx:
        await tx.people.meet([bot.person("isaiah", email="isaiah@usher.example", channel_id="a:1")])
    await bot.teams.person("isaiah").uninstalls()
    async with bot.store.transaction() as tx:
        (gone,) = await tx.people.by_ids([bot.person("isaiah").id])
    assert await send(bot, gone) == Refused(Reason.NOT_INSTALLED)
    assert bot.calls("graph_install") == 0


async def test_a_teams_id_without_an_address_means_nothing_to_graph(bot: Bot):
    assert await send(bot, bot.person("isaiah")) == Refused(Reason.NOT_INSTALLED)
    assert bot.calls("graph_install") == 0


async def test_without_the_permission_nobody_is_asked_for_until_a_while_later(bot: Bot):
    bot.teams.graph.may_install = False
    for _ in range(3):
        assert await send(bot, isaiah(bot)) == Refused(Reason.NOT_INSTALLED)
    assert bot.calls("graph_install") == 1
    bot.teams.graph.may_install = True
    await bot.clock.sleep(NOT_GRANTED_FOR.total_seconds())
    assert isinstance(await send(bot, isaiah(bot)), Sent)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_while_graph_does_not_answer_the_message_waits(bot: Bot, status: int):
    bot.teams.faults.answer("graph_install", status)
    assert await send(bot, isaiah(bot)) == NeverLeft()
    assert isinstance(await send(bot, isaiah(bot)), Sent)


async def test_a_token_that_graph_refuses_is_renewed_for_the_next_attempt(bot: Bot):
    await bot.adapter.knock(address(bot))
    bot.teams.identity.revoke_tokens()
    assert await send(bot, isaiah(bot)) == NeverLeft()
    assert isinstance(await send(bot, isaiah(bot)), Sent)


def refuses(bot: Bot, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Graph answers so whatever is asked of it, which the emulated one does not do by itself."""

    async def post(*_: object) -> None:
        raise GraphRefused(status)

    monkeypatch.setattr(bot.adapter._proactive._graph, "post", post)


async def test_what_is_installed_but_not_known_everywhere_yet_is_tried_again(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
):
    refuses(bot, monkeypatch, 409)
    assert await send(bot, isaiah(bot)) == NeverLeft(Reason.NOT_INSTALLED)
    assert bot.calls("create_conversation") == 2


async def test_somebody_whom_graph_does_not_know_cannot_be_written_to(bot: Bot, monkeypatch: pytest.MonkeyPatch):
    refuses(bot, monkeypatch, 404)
    assert await send(bot, isaiah(bot)) == Refused(Reason.NOT_INSTALLED)


async def test_the_doctor_names_the_permission_that_is_missing(bot: Bot):
    await bot.adapter.knock(address(bot))
    bot.teams.graph.may_install = False
    with pytest.raises(PlatformUnavailable, match="ReadWriteSelfForUser"):
        await bot.adapter.knock(address(bot))
    bot.teams.faults.answer("graph_install", 503)
    with pytest.raises(PlatformUnavailable, match="does not answer at USHER_TEAMS_GRAPH_URL"):
        await bot.adapter.knock(address(bot))
    assert bot.teams.tenant.accounts["isaiah"].installed is False
