"""Tokens that end after twelve hours, and their renewal: once, whoever looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from adapters.playground.slack import SlackEmulator
from adapters.playground.slack.faults import answers, rate_limited, reset_after_acceptance
from adapters.slack.adapter import SlackAdapter, SlackConfig
from adapters.slack.shared import Sites, SitesDirectory, SitesPlatform
from adapters.slack.tokens import RENEW_BEFORE, AppCredentials, NotRenewed, Token, Tokens
from bot.messages import Message, Section, text
from bot.model import Person, Platform, Workspace
from bot.ports import DirectoryUnavailable, NeverLeft, Reason, Refused, Sent, StoreUnavailable
from storage.database import Database
from storage.vault import Vault
from tests.adapters.slack.slack_under_test import SECRET, Engine

WORKSPACE_ID = "slack:T0PLAYGND01"
LASTS = timedelta(hours=12)


@dataclass
class HandClock:
    """Stands still until it is moved; nobody waits long by it."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 5, 4, 9, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


@dataclass
class Replica:
    """One process of the bot, as far as tokens go."""

    slack: SlackEmulator
    store: Database
    clock: HandClock

    def __post_init__(self) -> None:
        app = AppCredentials(
            self.slack.credentials.client_id, self.slack.credentials.client_secret, self.slack.api_url
        )
        self.tokens = Tokens(app, self.store, self.clock, Vault(["k" * 40]))
        self.sites = Sites(None, self._adapter, self.tokens, self.store)
        self.platform = SitesPlatform(self.sites)

    def _adapter(self, bot_token: str) -> SlackAdapter:
        config = SlackConfig(bot_token, SECRET, api_url=self.slack.api_url, time_out=1.0)
        return SlackAdapter(config, Engine(), self.store, self.clock)

    async def workspace(self) -> Workspace:
        async with self.store.transaction() as tx:
            found = await tx.people.workspace(WORKSPACE_ID)
        assert found is not None
        return found

    async def sends(self, workspace: Workspace) -> object:
        user = self.slack.person("alice").id
        person = Person(
            id=f"{WORKSPACE_ID}:{user}", workspace_id=WORKSPACE_ID, user_id=user, seen_at=self.clock.now()
        )
        said = Message(text("help.title"), body=(Section(text("help.invitee")),))
        return await self.platform.send(workspace, person, said, "delivery-1")

    async def stop(self) -> None:
        await self.sites.stop()
        await self.tokens.close()


@pytest.fixture
async def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def slack(clock: HandClock) -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(now=lambda: clock.now().timestamp()).serving() as slack:
        slack.credentials.rotates = True
        yield slack


async def installed(slack: SlackEmulator, store: Database, clock: HandClock) -> Replica:
    """The workspace has the app, with a token that ends."""
    replica = Replica(slack, store, clock)
    data = await replica.tokens.exchanged(code=slack.credentials.issue_code())
    token = Token.of_answer(data, clock.now())
    assert token is not None
    async with store.transaction() as tx:
        await tx.people.save_workspace(
            Workspace(
                id=WORKSPACE_ID,
                platform=Platform.SLACK,
                external_id="T0PLAYGND01",
                company=WORKSPACE_ID,
                secret=replica.tokens.sealed(token),
                installed_at=clock.now(),
            )
        )
    return replica


@pytest.fixture
async def replica(slack: SlackEmulator, store: Database, clock: HandClock) -> AsyncIterator[Replica]:
    replica = await installed(slack, store, clock)
    yield replica
    await replica.stop()


def renewals(slack: SlackEmulator) -> int:
    return sum(1 for call in slack.log if call.args.get("grant_type") == "refresh_token")


def test_a_token_that_does_not_end_is_stored_as_it_is() -> None:
    token = Token.of_answer({"access_token": "xoxb-1"}, datetime.now(UTC))
    assert token == Token("xoxb-1")
    assert token.written() == "xoxb-1"
    assert Token.read("xoxb-1") == token


def test_a_token_that_ends_comes_back_as_it_was_stored() -> None:
    now = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
    token = Token.of_answer({"access_token": "a", "refresh_token": "r", "expires_in": 43200}, now)
    assert token == Token("a", "r", now + LASTS)
    assert Token.read(token.written()) == token
    assert "xoxe" not in repr(Token("xoxe.xoxb-1", "xoxe-1"))


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": "a", "expires_in": 43200}])
def test_what_could_not_be_renewed_is_no_token(answer: dict[str, object]) -> None:
    assert Token.of_answer(answer, datetime.now(UTC)) is None


async def test_what_ends_soon_is_renewed_and_nothing_else(replica: Replica) -> None:
    await replica.tokens.renew()
    assert renewals(replica.slack) == 0
    replica.clock.moment += LASTS - RENEW_BEFORE
    first = replica.slack.credentials.bot_token
    await replica.tokens.renew()
    await replica.tokens.renew()
    assert renewals(replica.slack) == 1
    kept = replica.tokens.stored(await replica.workspace())
    assert kept is not None
    assert kept.access == replica.slack.credentials.bot_token != first
    assert isinstance(await replica.sends(await replica.workspace()), Sent)


async def test_after_a_night_without_the_bot_the_first_message_renews_it(replica: Replica) -> None:
    before = await replica.workspace()
    replica.clock.moment += LASTS + timedelta(hours=5)
    assert isinstance(await replica.sends(before), Sent)
    assert isinstance(await replica.sends(before), Sent)  # the caller's row is still the old one
    assert renewals(replica.slack) == 1


async def test_of_several_replicas_one_renews_and_all_have_the_new_token(
    slack: SlackEmulator, clock: HandClock, postgresql_url: str
) -> None:
    stores = [Database(postgresql_url) for _ in range(3)]
    first = await installed(slack, stores[0], clock)
    replicas = [first, *(Replica(slack, store, clock) for store in stores[1:])]
    row = await first.workspace()
    clock.moment += LASTS + timedelta(minutes=1)
    sent = await asyncio.gather(*(each.sends(row) for each in replicas for _ in range(3)))
    assert [type(each) for each in sent] == [Sent] * 9
    assert renewals(slack) == 1
    for each in replicas:
        await each.stop()
        await each.store.close()


async def test_a_message_with_a_token_that_another_replica_has_renewed_is_sent_with_the_new_one(
    replica: Replica,
) -> None:
    other = Replica(replica.slack, replica.store, replica.clock)
    row = await replica.workspace()
    assert isinstance(await replica.sends(row), Sent)
    replica.clock.moment += LASTS - RENEW_BEFORE
    await other.tokens.renew()
    assert isinstance(await replica.sends(row), Sent)
    assert renewals(replica.slack) == 1
    assert len([each for each in replica.slack.log if each.method == "chat.postMessage" and each.accepted]) == 2
    await other.stop()


async def test_an_older_row_does_not_bring_an_older_token_back(replica: Replica) -> None:
    row = await replica.workspace()
    replica.clock.moment += LASTS - RENEW_BEFORE
    await replica.tokens.renew()
    assert isinstance(await replica.sends(await replica.workspace()), Sent)
    replica.slack.log.clear()
    assert isinstance(await replica.sends(row), Sent)
    assert all(call.accepted for call in replica.slack.log)


@pytest.mark.parametrize("fault", [rate_limited(), answers(503)])
async def test_while_slack_gives_no_new_token_the_old_one_serves_and_then_messages_wait(
    replica: Replica, fault: object
) -> None:
    row = await replica.workspace()
    replica.clock.moment += LASTS - RENEW_BEFORE
    replica.slack.faults.next("oauth.v2.access", fault)
    await replica.tokens.renew()
    assert isinstance(await replica.sends(row), Sent)
    replica.clock.moment += RENEW_BEFORE
    replica.slack.faults.next("oauth.v2.access", fault, times=4)
    assert await replica.sends(row) == NeverLeft()
    with pytest.raises(StoreUnavailable):
        await replica.sites.of_team("T0PLAYGND01")
    with pytest.raises(DirectoryUnavailable):
        await SitesDirectory(replica.sites).resolve(row, ())
    with pytest.raises(NotRenewed):
        await replica.sites.of(row)
    assert isinstance(await replica.sends(row), Sent)


async def test_when_what_it_is_renewed_with_is_lost_the_workspace_has_to_install_the_app_again(
    replica: Replica,
) -> None:
    row = await replica.workspace()
    replica.clock.moment += LASTS - RENEW_BEFORE
    replica.slack.faults.next("oauth.v2.access", reset_after_acceptance())
    await replica.tokens.renew()
    await replica.tokens.renew()
    assert (await replica.workspace()).secret == row.secret  # until it ends, nothing is thrown away
    replica.clock.moment += RENEW_BEFORE
    assert await replica.sends(row) == Refused(Reason.TOKEN_REVOKED)
    after = await replica.workspace()
    assert (after.active, after.secret) == (False, None)
    assert await replica.sites.of_team("T0PLAYGND01") is None


async def test_a_workspace_that_goes_away_meanwhile_gets_no_token_back(replica: Replica) -> None:
    row = await replica.workspace()
    token = replica.tokens.stored(row)
    assert token is not None
    async with replica.store.transaction() as tx:
        await tx.people.save_workspace(row.model_copy(update={"active": False, "secret": None}))
    await replica.tokens._store_anew(WORKSPACE_ID, token)
    assert (await replica.workspace()).secret is None


async def test_no_token_is_written_to_a_log(replica: Replica) -> None:
    replica.clock.moment += LASTS - RENEW_BEFORE
    replica.slack.credentials.client_secret = "another"
    with capture_logs() as said:
        await replica.tokens.renew()
        replica.clock.moment += RENEW_BEFORE
        with pytest.raises(NotRenewed):
            await replica.tokens.lasting(await replica.workspace())
    assert [each["event"] for each in said] == ["slack.token_not_renewed"] * 2
    assert "xoxe" not in str(said)
    kept = json.loads(Vault(["k" * 40]).open(str((await replica.workspace()).secret)))
    assert set(kept) == {"access", "refresh", "ends_at"}
