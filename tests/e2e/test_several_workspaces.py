"""One app in two Slack workspaces, installed by link: the same people's ids and addresses in both, and nothing shared."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import select
from yarl import URL

from adapters.cli import assembled, main
from adapters.playground.slack import SlackEmulator, payloads
from adapters.playground.slack.bot_connection import NoAnswer
from adapters.server import served
from adapters.settings import Settings
from bot import faultpoints
from storage.database import create_engine
from storage.tables import METADATA
from storage.vault import Unreadable, Vault, rotate
from tests.e2e.office import UNHURRIED, OfficeClock
from tests.e2e.on_slack import OnSlack
from tests.e2e.rollouts import invites, sets_up

KEY, NEWER_KEY = "the key of two workspaces which is long", "a newer key which is quite long as well"
TOKENS = {"T0ACME": "xoxb-of-acme-1234567890", "T0EVIL": "xoxb-of-evil-0987654321"}


@dataclass
class Exchange:
    """Slack's one Web API before both emulators: whose token or code it is, theirs is the call."""

    slacks: dict[str, SlackEmulator]

    async def handle(self, request: web.Request) -> web.Response:
        body, form = await request.read(), await request.post()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        of_token = {slack.credentials.bot_token: slack for slack in self.slacks.values()}
        of_code = {code: slack for slack in self.slacks.values() for code in slack.credentials.codes}
        slack = of_token.get(token) or of_code.get(str(form.get("code")), self.slacks["T0EVIL"])
        headers = {
            name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers
        }
        url = f"{slack.url}/api/{request.match_info['method']}"
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            return web.Response(body=await answer.read(), status=answer.status, content_type="application/json")


class Two:
    """Both workspaces and the bot."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = OfficeClock()
        self.slacks = {
            team: SlackEmulator(now=lambda: self.clock.now().timestamp(), bot_token=token, team_id=team)
            for team, token in TOKENS.items()
        }
        self.acme, self.evil = self.slacks.values()
        self.url = ""
        self._stack = AsyncExitStack()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Two]:
        faultpoints.install(lambda _: self.clock.something_happens())
        async with self._stack as stack:
            exchange = web.Application()
            exchange.router.add_post("/api/{method}", Exchange(self.slacks).handle)
            api = await stack.enter_async_context(served(exchange, "127.0.0.1", 0))
            for slack in self.slacks.values():
                slack.bot.answer_within = slack.triggers.lives_for = UNHURRIED.answer
                await stack.enter_async_context(slack.serving())
            settings = self._settings(api)
            bot = await stack.enter_async_context(assembled(settings, self.clock, limits=UNHURRIED))
            self.url = await stack.enter_async_context(served(bot.application(), "127.0.0.1", 0))
            for slack in self.slacks.values():
                slack.bot.bot_url = self.url
            await stack.enter_async_context(bot.running())
            yield self
        faultpoints.install(None)

    def _settings(self, api: str) -> Settings:
        return Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=SecretStr(f"sqlite:///{self.file}"),
            public_url="http://127.0.0.1",
            secret_key=SecretStr(KEY),
            admins=("alice@example.com",),
            slack_client_id="111.222",
            slack_client_secret=SecretStr("playground-client-secret"),
            slack_signing_secret=SecretStr("playground-signing-secret"),
            slack_api_url=f"{api}/api/",
        )

    async def asked(self) -> tuple[str, str]:
        """Press "Add to Slack": the state that Slack is sent, and the browser's cookie."""
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(f"{self.url}/slack/install", allow_redirects=False) as answer,
        ):
            assert answer.status == 302
            return URL(answer.headers["Location"]).query["state"], answer.cookies["usher_slack_install"].value

    async def comes_back(self, **query: str) -> int:
        cookie = {"Cookie": f"usher_slack_install={query.pop('cookie', '')}"}
        url = URL(f"{self.url}/slack/oauth_redirect") % query
        async with aiohttp.ClientSession() as browser, browser.get(url, headers=cookie) as answer:
            return answer.status

    async def install(self, slack: SlackEmulator) -> int:
        state, cookie = await self.asked()
        return await self.comes_back(state=state, cookie=cookie, code=slack.credentials.issue_code())

    async def rows(self, table: str) -> list[Any]:
        engine = create_engine(f"sqlite:///{self.file}")
        try:
            async with engine.connect() as connection:
                return list(await connection.execute(select(METADATA.tables[table])))
        finally:
            await engine.dispose()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with Two(tmp_path / "two.db").opened() as two:
        yield two


async def test_nothing_of_one_workspace_reaches_the_other(two: Two):
    assert [await two.install(slack) for slack in two.slacks.values()] == [200, 200]
    olivia, alice = OnSlack(two.acme, "olivia"), OnSlack(two.acme, "alice")
    await sets_up(olivia)
    await invites(olivia, alice)
    elsewhere = OnSlack(two.evil, "olivia")
    await elsewhere.types("/sso status")
    await elsewhere.reads("There is no rollout")
    assert not any(call.method.startswith("chat.") for call in two.evil.log)
    assert not OnSlack(two.evil, "alice").messages
    assert {row.id: row.company for row in await two.rows("workspace")} == {
        "slack:T0ACME": "slack:T0ACME",
        "slack:T0EVIL": "slack:T0EVIL",
    }

    (invitation,) = await two.rows("invitation")
    for action in ("access", "tasks", "snooze", "show"):
        await _presses_in(two.evil, "alice", f"confirm|{action}|{invitation.id}|{invitation.version}")
    await _presses_in(two.evil, "olivia", f"status|send_again|{invitation.rollout_id}|0")
    await _presses_in(two.evil, "olivia", f"pause|pause|{invitation.rollout_id}|0")
    assert await two.rows("invitation") == [invitation]
    assert not await two.rows("confirmed_check")
    assert not two.evil.complaints


async def test_an_address_in_the_settings_makes_nobody_an_admin_of_another_company(two: Two):
    await two.install(two.evil)
    alice = OnSlack(two.evil, "alice")
    await alice.types("/sso setup")
    await alice.reads("Only admins of this rollout can do that.")


async def test_the_database_holds_no_token_and_its_keys_can_be_changed(two: Two):
    await two.install(two.acme)
    with sqlite3.connect(two.file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = b"".join(each.read_bytes() for each in two.file.parent.glob("two.db*"))
    assert b"T0ACME" in raw
    assert not any(token.encode() in raw for token in TOKENS.values())

    (before,) = await two.rows("workspace")
    both = Vault([NEWER_KEY, KEY])
    assert await rotate(f"sqlite:///{two.file}", both) == 1
    (after,) = await two.rows("workspace")
    assert after.secret != before.secret
    assert Vault([NEWER_KEY]).open(after.secret) == TOKENS["T0ACME"]
    with pytest.raises(Unreadable):
        Vault([KEY]).open(after.secret)
    with pytest.raises(Unreadable):
        await rotate(f"sqlite:///{two.file}", Vault([KEY]))
    assert await two.rows("workspace") == [after]


async def test_only_the_browser_that_asked_installs_once_and_soon(two: Two):
    state, cookie = await two.asked()
    other_state, other_cookie = await two.asked()
    code = two.evil.credentials.issue_code()
    for forged in (
        {},
        {"state": state, "code": code},
        {"state": state, "code": code, "cookie": other_cookie},
        {"state": other_state, "code": code, "cookie": cookie},
        {"state": state, "code": code, "cookie": cookie[:-4] + "AAAA"},
        {"state": "", "code": code, "cookie": cookie},
    ):
        assert await two.comes_back(**forged) == 403, forged
    assert not await two.rows("workspace")
    assert not await two.rows("inbox_entry")
    assert await two.comes_back(state=state, cookie=cookie, error="access_denied") == 400
    assert await two.comes_back(state=state, cookie=cookie, code="made-up-code-that-no-slack-gave") == 400
    assert await two.comes_back(state=state, cookie=cookie, code=code) == 403
    two.clock.move(timedelta(minutes=11))
    assert await two.comes_back(state=other_state, cookie=other_cookie, code=code) == 403
    assert not await two.rows("workspace")


async def test_a_workspace_that_removes_the_app_leaves_no_token_behind_and_can_come_back(two: Two):
    await two.install(two.acme)
    await OnSlack(two.acme, "olivia").types("/sso help")
    await two.acme.events.send({"type": "app_uninstalled"})
    (row,) = await two.rows("workspace")
    assert (row.active, row.secret) == (False, None)
    with pytest.raises(NoAnswer, match="403"):
        await two.acme.bot.command(
            payloads.command_fields(
                two.acme, two.acme.person("olivia").id, two.acme.channel("#general"), "/sso", "help"
            )
        )
    assert await two.install(two.acme) == 200
    olivia = OnSlack(two.acme, "olivia")
    await olivia.types("/sso help")
    await olivia.until(lambda: olivia.news)


def test_the_command_seals_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path / 'keys.db'}")
    monkeypatch.setenv("USHER_SECRET_KEY", f"{NEWER_KEY},{KEY}")
    assert main(["db", "upgrade"]) == 0
    columns = "id, platform, external_id, name, company, active, bot_user_id, service_url, secret, installed_at"
    with sqlite3.connect(tmp_path / "keys.db") as database:
        row = (
            "slack:T1",
            "slack",
            "T1",
            "",
            "slack:T1",
            1,
            "",
            "",
            Vault([KEY]).seal("xoxb-1"),
            "2026-01-01 00:00:00",
        )
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO workspace ({columns}) VALUES ({marks})", row)
    assert main(["db", "rotate-keys"]) == 0
    assert "1 secret is sealed with the first key" in capsys.readouterr().out
    with sqlite3.connect(tmp_path / "keys.db") as database:
        ((sealed,),) = database.execute("SELECT secret FROM workspace")
    assert Vault([NEWER_KEY]).open(sealed) == "xoxb-1"
    monkeypatch.setenv("USHER_SECRET_KEY", KEY)
    assert main(["db", "rotate-keys"]) == 1


async def _presses_in(slack: SlackEmulator, handle: str, token: str) -> None:
    place = slack.world.post(slack.channel("#general"), slack.world.bot_user_id, "forged")
    button = {"type": "button", "action_id": "forged", "value": token, "text": {"type": "plain_text", "text": "Go"}}
    forged = payloads.block_actions(slack, slack.person(handle).id, place, ({"block_id": "forged"}, button), None)
    await slack.bot.interaction(forged)
