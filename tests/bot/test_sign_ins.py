"""Who has signed in with SSO is confirmed without a click, as SonarQube Cloud's Web API shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from adapters.playground.sonarqube import EmulatedSonarQubeCloud
from adapters.sonarqube import PAGE, SonarQubeApi
from bot.engine import Engine
from bot.model import Check, CheckKind, CheckSource, Invitation, Provisioning, Region, RolloutState
from bot.ports import SonarQubeUnavailable
from bot.roles import Admins
from bot.schedule import SIGN_INS_EVERY, watch_sign_ins
from bot.sign_ins import note_sign_ins
from storage.database import Database
from tests.builders import GRACE, LINUS, rollout
from tests.doubles import StoppedClock
from tests.rows import invited_people, stored

ACME = rollout(organizations=("acme", "acme-labs"))


@pytest.fixture
def cloud() -> EmulatedSonarQubeCloud:
    return EmulatedSonarQubeCloud("a-token")


@pytest.fixture
async def api(cloud: EmulatedSonarQubeCloud) -> AsyncIterator[SonarQubeApi]:
    async with TestServer(cloud.app) as server:
        api = SonarQubeApi(cloud.token, StoppedClock(), str(server.make_url("")))
        yield api
        await api.close()


async def noted(store: Database, api: SonarQubeApi) -> int:
    return await note_sign_ins(store, api, Engine(store, StoppedClock(), Admins(frozenset())))


async def confirmed(store: Database) -> dict[str, CheckSource]:
    people = {each.id: each.person_id for each in await stored(store, Invitation)}
    checks = await stored(store, Check)
    assert {each.kind for each in checks} <= {CheckKind.ACCESS}
    return {people[each.invitation_id]: each.source for each in checks}


async def test_whoever_has_an_sso_account_in_one_of_the_organizations_has_access(
    store: Database, cloud: EmulatedSonarQubeCloud, api: SonarQubeApi
) -> None:
    await invited_people(store, GRACE, LINUS, of=ACME)
    cloud.has_member("acme", LINUS.email, "linus@github")
    cloud.signs_in_with_sso("acme-labs", GRACE.email.upper())

    assert await noted(store, api) == 1
    assert await confirmed(store) == {GRACE.id: CheckSource.SONARQUBE}
    assert await noted(store, api) == 0


@pytest.mark.parametrize("change", [{"provisioning": Provisioning.SCIM}, {"state": RolloutState.PAUSED}])
async def test_an_account_proves_nothing_where_it_is_made_beforehand_and_nobody_is_asked_while_paused(
    store: Database, cloud: EmulatedSonarQubeCloud, api: SonarQubeApi, change: dict[str, object]
) -> None:
    await invited_people(store, GRACE, of=rollout(organizations=("acme",), **change))
    cloud.signs_in_with_sso("acme", GRACE.email)

    assert await noted(store, api) == 0
    assert cloud.calls == []


async def test_an_organization_that_is_not_told_about_does_not_keep_the_others_from_being_asked(
    store: Database, cloud: EmulatedSonarQubeCloud, api: SonarQubeApi
) -> None:
    await invited_people(store, GRACE, of=ACME)
    cloud.signs_in_with_sso("acme-labs", GRACE.email)

    assert await noted(store, api) == 1  # "acme" is unknown there


@pytest.mark.parametrize("status", [302, 429, 500, 200])
async def test_what_is_no_answer_confirms_nobody_and_is_asked_again(
    store: Database, cloud: EmulatedSonarQubeCloud, api: SonarQubeApi, status: int
) -> None:
    await invited_people(store, GRACE, of=ACME)
    cloud.signs_in_with_sso("acme", GRACE.email)
    cloud.failing_with = status

    assert await noted(store, api) == 0
    cloud.failing_with = None
    assert await noted(store, api) == 1


async def test_members_come_in_pages(cloud: EmulatedSonarQubeCloud, api: SonarQubeApi) -> None:
    for number in range(PAGE + 1):
        cloud.signs_in_with_sso("acme", f"person{number}@acme.example")

    assert len(await api.sso_members(Region.EU, "acme")) == PAGE + 1
    assert [call.split("&")[1] for call in cloud.calls] == ["p=1", "p=2"]


async def test_a_token_that_is_not_accepted_is_told_with_what_to_do(
    cloud: EmulatedSonarQubeCloud, api: SonarQubeApi
) -> None:
    await api.check()
    cloud.token = "another"
    with pytest.raises(SonarQubeUnavailable, match="USHER_SONARQUBE_TOKEN"):
        await api.check()
    with pytest.raises(SonarQubeUnavailable, match="must be of a member"):
        await api.sso_members(Region.EU, "acme")


def test_it_is_one_job_of_the_scheduler(store: Database, api: SonarQubeApi) -> None:
    scheduler = AsyncIOScheduler(timezone="UTC")
    watch_sign_ins(scheduler, store, api, Engine(store, StoppedClock(), Admins(frozenset())))
    (job,) = scheduler.get_jobs()
    assert (job.id, job.trigger.interval.total_seconds()) == ("sign_ins", SIGN_INS_EVERY)
