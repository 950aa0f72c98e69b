"""Where people are written to cannot be read in a stolen database."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from bot.columns import SEALED
from bot.model import Delivery, DeliveryState, Platform, Wave
from bot.ports import Sent
from storage import migrate
from storage.database import Database, create_engine
from storage.tables import DELIVERY, PERSON, SEALING, WAVE, WORKSPACE
from storage.vault import CONVERSATIONS, Unreadable, Vault, rotate
from tests.builders import ADA, GRACE, NOON
from tests.rows import installed, invited_people, stored
from tests.storage.stored_things import NOW, workspace

KEY, NEWER = "k" * 40, "n" * 40
CHAT, SERVICE = "a:1AbCd", "https://smba.trafficmanager.net/emea/"


async def raw(url: str) -> list[str]:
    """What the columns hold, as whoever steals the database reads it."""
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            found = [await connection.scalars(select(column).where(column != "")) for column in CONVERSATIONS]
            return [value for each in found for value in each]
    finally:
        await engine.dispose()


async def opened(url: str, *keys: str) -> Database:
    database = Database(url)
    await database.unseal_with(Vault(keys or (KEY,)))
    return database


async def fill(store: Database) -> None:
    """One conversation of each kind."""
    await invited_people(store, GRACE)  # a wave with a progress message
    await installed(store, workspace("tenant", platform=Platform.TEAMS, service_url=SERVICE), people=())
    async with store.transaction() as tx:
        await tx.people.set_channels({GRACE.id: CHAT})
        (claimed,) = await tx.deliveries.claim(GRACE.workspace_id, NOON, NOON, 1)
        assert await tx.deliveries.all_sent([(claimed, Sent(CHAT, "m1"))], NOON)


async def told(store: Database) -> list[str]:
    """The same, as the bot reads it."""
    async with store.transaction() as tx:
        person = await tx.people.person(GRACE.id)
        there = await tx.people.workspace("teams:tenant")
    (delivery,) = [each for each in await stored(store, Delivery) if each.state is DeliveryState.SENT]
    (wave,) = await stored(store, Wave)
    assert person is not None
    assert there is not None
    return [there.service_url, person.channel_id, wave.channel_id, delivery.channel_id]


TOLD = [SERVICE, CHAT, "D-ada", CHAT]


async def test_in_a_new_database_no_conversation_can_be_read_but_by_the_bot(database_url: str) -> None:
    store = await opened(database_url)
    await fill(store)
    assert await told(store) == TOLD
    assert len(await raw(database_url)) == 4
    assert all(each.startswith(SEALED) for each in await raw(database_url))
    await store.close()


async def test_what_is_not_told_is_not_forgotten_and_empty_stays_empty(database_url: str) -> None:
    store = await opened(database_url)
    await fill(store)
    async with store.transaction() as tx:
        await tx.people.meet([GRACE.model_copy(update={"channel_id": ""})])
    assert await told(store) == TOLD
    async with store.transaction() as tx:
        await tx.people.removed_app(GRACE.id)
    assert (await told(store))[1] == ""
    assert len(await raw(database_url)) == 3
    await store.close()


async def test_another_key_opens_nothing_and_keys_can_be_changed(database_url: str) -> None:
    store = await opened(database_url)
    await fill(store)
    await store.close()
    stranger = await opened(database_url, NEWER)
    assert await told(stranger) == ["", "", "", ""]
    await stranger.close()
    with pytest.raises(Unreadable):
        await rotate(database_url, Vault([NEWER]), NOW)
    assert await rotate(database_url, Vault([NEWER, KEY]), NOW) == 4
    renewed = await opened(database_url, NEWER)
    assert await told(renewed) == TOLD
    await renewed.close()


async def test_beside_replicas_of_the_version_before_nothing_is_sealed_until_the_operator_says_so(
    empty_database_url: str,
) -> None:
    await migrate.upgrade(empty_database_url, "0019")
    before = Database(empty_database_url)
    await installed(before, workspace(), people=(ADA,))
    await before.close()
    await migrate.upgrade(empty_database_url)
    store = await opened(empty_database_url)
    await fill(store)
    assert sorted(await raw(empty_database_url)) == sorted(TOLD)

    assert await rotate(empty_database_url, Vault([KEY]), NOW) == 4
    assert await told(store) == TOLD  # a replica that has not been started anew reads what is sealed
    await store.close()
    store = await opened(empty_database_url)
    async with store.transaction() as tx:
        await tx.people.set_channels({ADA.id: "D-new"})
    assert all(each.startswith(SEALED) for each in await raw(empty_database_url))
    await store.close()


async def test_the_version_before_finds_conversations_anew(empty_database_url: str) -> None:
    await migrate.upgrade(empty_database_url)
    store = await opened(empty_database_url)
    await fill(store)
    await store.close()
    await migrate.downgrade(empty_database_url, "0019")
    assert await raw(empty_database_url) == []


async def test_rows_beyond_one_batch_are_sealed_too(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.vault.BATCH", 2)
    await migrate.upgrade(empty_database_url)
    people = [ADA.model_copy(update={"id": f"slack:T1:U{number}", "channel_id": f"D{number}"}) for number in range(5)]
    plain = Database(empty_database_url)
    await installed(plain, people=tuple(people))
    await plain.close()
    engine = create_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM sealing"))
    assert await rotate(empty_database_url, Vault([KEY]), NOW) == 5
    assert await rotate(empty_database_url, Vault([KEY]), NOW) == 5
    async with engine.begin() as connection:
        assert len((await connection.execute(select(SEALING))).all()) == 1
    await engine.dispose()
    assert all(each.startswith(SEALED) for each in await raw(empty_database_url))


def test_these_are_all_the_columns_that_lead_to_somebody() -> None:
    named = {column for table in (WORKSPACE, PERSON, WAVE, DELIVERY) for column in table.c}
    assert {column for column in named if column.name in {"channel_id", "service_url"}} == set(CONVERSATIONS)
