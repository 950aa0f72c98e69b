"""People are met again and again, and what is known of them is never lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model import Person, Platform
from tests.storage.stored_things import NOW, begin, person, workspace

KNOWN = person(
    "ada", name="Ada", time_zone="Europe/Berlin", locale="de", channel_id="D1", is_workspace_admin=True, is_guest=True
)


async def meet(store, *people):
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace())
        await tx.people.meet(people)


async def known(store, person_id="slack:T1:ada"):
    async with store.transaction() as tx:
        return await tx.people.person(person_id)


async def test_a_person_comes_back_as_they_were_met(store):
    await meet(store, KNOWN)

    assert await known(store) == KNOWN
    assert await known(store, "slack:T1:nobody") is None


async def test_what_a_platform_does_not_tell_keeps_its_old_value(store):
    later = NOW + timedelta(hours=1)
    await meet(store, KNOWN)

    await meet(store, Person(id=KNOWN.id, workspace_id="slack:T1", user_id="ada", seen_at=later))

    assert await known(store) == KNOWN.model_copy(update={"seen_at": later})


async def test_what_a_platform_tells_replaces_the_old_value(store):
    await meet(store, KNOWN)
    told = person("ada", name="Ada L.", email="al@acme.example", time_zone="Asia/Tokyo", locale="ja", channel_id="D2")

    await meet(store, told)

    assert await known(store) == told


async def test_a_flag_is_believed_without_a_profile_but_not_its_absence(store):
    await meet(store, person("ada"))
    seen = Person(id=KNOWN.id, workspace_id="slack:T1", user_id="ada", seen_at=NOW)

    await meet(store, seen.model_copy(update={"is_deactivated": True}))
    await meet(store, seen)
    assert (await known(store)).is_deactivated

    await meet(store, person("ada"))
    assert not (await known(store)).is_deactivated


async def test_an_old_event_does_not_turn_back_when_somebody_was_seen(store):
    await meet(store, KNOWN)

    await meet(store, KNOWN.model_copy(update={"seen_at": NOW - timedelta(days=1)}))

    assert (await known(store)).seen_at == NOW


async def test_the_same_person_twice_in_one_answer_is_one_person(store):
    await meet(store, person("ada", email="", name="Ada"), person("ada", name=""))

    assert await known(store) == person("ada", name="Ada")


async def test_meeting_nobody_is_fine(store):
    await meet(store)


async def test_people_are_found_by_their_ids_in_the_order_asked(store):
    ada, _, cleo = await begin(store)
    async with store.transaction() as tx:
        assert await tx.people.by_ids([cleo.id, "slack:T1:nobody", ada.id, cleo.id]) == [cleo, ada]
        assert await tx.people.by_ids([]) == []


async def test_somebody_is_found_by_e_mail_in_their_own_workspace_only(store):
    (ada,) = await begin(store, ["ada"])
    await meet(store, person("bot", email=""))
    async with store.transaction() as tx:
        assert await tx.people.by_email("slack:T1", "ADA@acme.example") == ada
        assert await tx.people.by_email("slack:T2", "ada@acme.example") is None
        assert await tx.people.by_email("slack:T1", "") is None


async def test_an_e_mail_address_is_stored_case_folded(store):
    await meet(store, person("ada", email="Ada@Acme.Example"))

    assert (await known(store)).email == "ada@acme.example"


async def test_the_channel_of_a_person_is_remembered(store):
    await begin(store, ["ada"])
    async with store.transaction() as tx:
        await tx.people.set_channels({"slack:T1:ada": "D7"})

    assert (await known(store)).channel_id == "D7"


async def test_whoever_has_removed_the_app_has_it_again_when_their_chat_is_told(store):
    await begin(store, ["ada"])
    for again in (
        lambda people: people.set_channels({"slack:T1:ada": "D7"}),
        lambda people: people.meet([person("ada", channel_id="D7")]),
    ):
        async with store.transaction() as tx:
            await tx.people.removed_app("slack:T1:ada")
        await meet(store, person("ada"))
        gone = await known(store)
        async with store.transaction() as tx:
            await again(tx.people)

        back = await known(store)
        assert (gone.channel_id, gone.has_removed_app) == ("", True)
        assert (back.channel_id, back.has_removed_app) == ("D7", False)


async def test_active_workspaces_are_listed_by_company(store):
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace("T1"))
        await tx.people.save_workspace(workspace("T2", active=False))
        await tx.people.save_workspace(workspace("T3", company="other"))
        await tx.people.save_workspace(workspace("tenant", platform=Platform.TEAMS))

        assert [one.id for one in await tx.people.workspaces("acme")] == ["slack:T1", "teams:tenant"]
        assert [one.id for one in await tx.people.workspaces()] == ["slack:T1", "slack:T3", "teams:tenant"]
        assert (await tx.people.workspace("slack:T2")).active is False


@pytest.mark.parametrize("named", ["uada@acme.example", "slack:t1:uada", "uada"])
async def test_an_admin_may_be_named_by_address_or_by_either_id(store, named):
    await begin(store, ["UADA", "UBEN"])
    async with store.transaction() as tx:
        assert [one.user_id for one in await tx.people.admins_seen("acme", [named])] == ["UADA"]


async def test_workspace_admins_are_admins_bots_deactivated_and_other_companies_people_are_not(store):
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace())
        await tx.people.save_workspace(workspace("T9", company="other"))
        await tx.people.meet(
            [
                person("ada", is_workspace_admin=True),
                person("ben", email=""),
                person("cleo", is_workspace_admin=True, is_deactivated=True),
                person("robot", is_workspace_admin=True, is_bot=True),
                person("dan", workspace_id="slack:T9", is_workspace_admin=True),
            ]
        )
        assert [one.user_id for one in await tx.people.admins_seen("acme", ["", "dan"])] == ["ada"]


async def test_a_chosen_language_stays_whatever_a_platform_tells(store):
    ada = person("ada")
    await meet(store, ada)
    async with store.transaction() as tx:
        await tx.people.set_language(ada.id, "de")
        await tx.people.meet([ada.model_copy(update={"locale": "fr-FR"})])
        known = await tx.people.person(ada.id)
        assert (known.language, known.locale) == ("de", "fr-FR")
        await tx.people.set_language(ada.id, "")
        assert (await tx.people.person(ada.id)).language == ""
