"""One app in two Slack workspaces, installed by link: the same people's ids and addresses in both, and nothing shared."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.cli import main
from adapters.playground.slack import SlackEmulator, payloads
from adapters.playground.slack.bot_connection import NoAnswer
from storage.vault import Unreadable, Vault, rotate
from tests.e2e.on_slack import OnSlack
from tests.e2e.rollouts import invites, sets_up
from tests.e2e.two_workspaces import KEY, TOKENS, Two

NEWER_KEY = "a newer key which is quite long as well"
NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


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
    assert await rotate(f"sqlite:///{two.file}", both, NOW) == 1
    (after,) = await two.rows("workspace")
    assert after.secret != before.secret
    assert Vault([NEWER_KEY]).open(after.secret) == TOKENS["T0ACME"]
    with pytest.raises(Unreadable):
        Vault([KEY]).open(after.secret)
    with pytest.raises(Unreadable):
        await rotate(f"sqlite:///{two.file}", Vault([KEY]), NOW)
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


async def test_a_token_that_ends_every_twelve_hours_is_renewed_as_long_as_the_app_is_there(two: Two):
    two.acme.credentials.rotates = True
    assert await two.install(two.acme) == 200
    olivia, alice = OnSlack(two.acme, "olivia"), OnSlack(two.acme, "alice")
    await sets_up(olivia)
    tokens = {two.acme.credentials.bot_token}
    two.clock.move(timedelta(days=1))
    await invites(olivia, alice)
    tokens.add(two.acme.credentials.bot_token)
    two.clock.move(timedelta(days=1))
    await alice.presses(
        "I can see my organizations", on=await alice.reads("moving SonarQube Cloud to single sign-on")
    )
    tokens.add(two.acme.credentials.bot_token)
    assert len(tokens) == 3
    assert all(call.accepted for call in two.acme.log)
    raw = b"".join(each.read_bytes() for each in two.file.parent.glob("two.db*"))
    assert not any(token.encode() in raw for token in (*tokens, two.acme.credentials.refresh_token))
    chats = [each for each in two.acme.world.channels if each.startswith("D")]
    assert chats
    assert not any(chat.encode() in raw for chat in chats)


async def test_with_pkce_a_code_is_worth_nothing_without_what_only_that_browser_brings_back(tmp_path: Path):
    async with Two(tmp_path / "two.db", slack_pkce=True).opened() as two:
        query, cookie = await two.consents()
        assert query["code_challenge_method"] == "S256"
        assert len(query["code_challenge"]) == 43
        other, _ = await two.consents()
        stolen = two.acme.credentials.issue_code(other["code_challenge"])
        assert await two.comes_back(state=query["state"], cookie=cookie, code=stolen) == 400
        assert not await two.rows("workspace")
        assert await two.install(two.acme) == 200


async def test_without_pkce_nothing_of_it_is_sent(two: Two):
    query, _ = await two.consents()
    assert not any(name.startswith("code_") for name in query)


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
