"""The other commands, and what `usher` says about mistakes: an exit code, and lines that one can act on."""

from __future__ import annotations

import io
import json
import os
import socket
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from adapters.cli import main
from adapters.playground.demo import Playground
from adapters.settings import PREFIX
from tests.serve.usher import environment, run

GOOD = {
    "USHER_PUBLIC_URL": "https://usher.example.com",
    "USHER_SECRET_KEY": "c2VjcmV0LWtleS1mb3ItdGVzdHMtMTIzNDU2Nzg5MA",
    "USHER_ADMINS": "ada@example.com",
    "USHER_SLACK_BOT_TOKEN": "xoxb-bot-token-of-the-tests",
    "USHER_SLACK_SIGNING_SECRET": "signing-secret-of-the-tests",
}
TEAMS = {
    "USHER_TEAMS_APP_ID": "5f0c9a4e-7f0e-4c55-9d0a-3b8f5a1d2c77",
    "USHER_TEAMS_APP_PASSWORD": "password-of-the-tests",
    "USHER_TEAMS_TENANT_ID": "0d6e7f0e-7f0e-4c55-9d0a-3b8f5a1d2c77",
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A directory without .env, and an environment that `usher serve` would take."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def usage_of(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.mark.parametrize("arguments", [(), ("walk",), ("serve", "--fast"), ("manifest", "irc"), ("db",)])
def test_a_command_that_does_not_exist_is_a_usage_error(
    arguments: tuple[str, ...], settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert usage_of(*arguments) == 2
    assert "usage: usher" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "demo", "simulate", "init", "manifest", "doctor", "db"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_of(command, "--help") == 0
    assert f"usage: usher {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"USHER_SLACK_BOT_TOKEN": "", "USHER_SLACK_SIGNING_SECRET": ""}, ["No platform is configured"]),
        ({"USHER_SLACK_SIGNING_SECRET": "", "USHER_ADMINS": "ada"}, ["USHER_ADMINS", "USHER_SLACK_SIGNING_SECRET"]),
        ({"USHER_PORT": "http", "USHER_LOG_LEVEL": "loud"}, ["USHER_PORT", "USHER_LOG_LEVEL"]),
        ({"USHER_SLACK_BOT_TOKN": "x"}, ["USHER_SLACK_BOT_TOKN is not a setting"]),
        ({"USHER_DATABASE_URL": "mysql://db/usher"}, ["USHER_DATABASE_URL"]),
        ({"USHER_PUBLIC_URL": "", "USHER_SECRET_KEY": ""}, ["USHER_PUBLIC_URL", "USHER_SECRET_KEY"]),
        ({**TEAMS, "USHER_TEAMS_APP_ID": ""}, ["USHER_TEAMS_APP_ID is missing"]),
        ({**TEAMS, "USHER_TEAMS_APP_PASSWORD": "", "USHER_ADMINS": ""}, ["USHER_ADMINS", "USHER_TEAMS_APP_PASSWORD"]),
        ({**TEAMS, "USHER_TEAMS_TOKEN_URL": "http://127.0.0.1/token"}, ["contradict each other"]),
    ],
)
def test_serve_names_every_mistake_in_the_settings_in_a_line(
    changes: dict[str, str],
    lines: list[str],
    settings: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in changes.items():
        settings.setenv(name, value)

    assert main(["serve"]) == 2

    out, err = capsys.readouterr()
    said = err.splitlines()
    assert (out, len(said)) == ("", len(lines))
    assert all(words in line for words, line in zip(lines, said, strict=True)), said
    assert list(tmp_path.iterdir()) == []


async def test_a_mistake_ends_the_process_with_code_2(tmp_path: Path) -> None:
    ended = await run("serve", env={**GOOD, **TEAMS, "USHER_TEAMS_APP_ID": ""}, cwd=tmp_path)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "USHER_TEAMS_APP_ID is missing" in ended.err


def test_the_slack_manifest_is_printed_for_the_address_given(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["manifest", "slack", "--public-url", "https://bot.acme.example"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert "https://bot.acme.example/slack/events" in json.dumps(manifest)


def test_the_teams_package_is_written_where_one_says(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "package.zip"
    app_id = TEAMS["USHER_TEAMS_APP_ID"]
    arguments = ["manifest", "teams", "--public-url", "https://bot.acme.example", "--app-id", app_id]
    assert main([*arguments, "--output", str(target)]) == 0
    with zipfile.ZipFile(io.BytesIO(target.read_bytes())) as package:
        assert json.loads(package.read("manifest.json"))["bots"][0]["botId"] == app_id


def test_a_manifest_without_what_it_needs_is_a_usage_error(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.delenv("USHER_PUBLIC_URL")
    assert main(["manifest", "slack"]) == 2
    assert "--public-url" in capsys.readouterr().err
    assert main(["manifest", "teams", "--public-url", "https://bot.acme.example"]) == 2
    assert "--app-id" in capsys.readouterr().err


def test_a_manifest_that_cannot_be_written_is_told_in_a_line(
    settings: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["manifest", "slack", "--output", str(tmp_path / "nowhere" / "slack.json")]) == 1
    assert_one_line(capsys, "nowhere")


def test_the_database_is_upgraded_and_tells_its_revision(
    empty_database_url: str, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("USHER_DATABASE_URL", empty_database_url)
    assert main(["db", "current"]) == 0
    assert main(["db", "upgrade"]) == 0
    assert main(["db", "current"]) == 0
    before, upgraded, after = capsys.readouterr().out.splitlines()
    assert (before, upgraded) == ("empty", "upgrade: done")
    assert after not in {"", "empty"}


def test_a_database_of_a_newer_version_is_left_alone_and_that_is_said(
    tmp_path: Path, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path / 'usher.db'}")
    assert main(["db", "upgrade"]) == 0
    with closing(sqlite3.connect(tmp_path / "usher.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert main(["db", "upgrade"]) == 0
    assert main(["db", "downgrade", "0001"]) != 0
    said = capsys.readouterr()
    assert "upgrade: left alone: a newer version has brought it to 9999 already." in said.out
    assert "run this command of that version" in said.err


COMMANDS = [("serve",), ("db", "upgrade"), ("db", "current")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_server_that_is_down_is_told_in_a_line(
    command: tuple[str, ...], settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        settings.setenv("USHER_DATABASE_URL", f"postgresql://usher:hidden-word@127.0.0.1:{port}/usher")
        assert main(command) == 1
    assert_one_line(capsys, "USHER_DATABASE_URL")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_file_that_cannot_be_made_is_told_in_a_line(
    command: tuple[str, ...], settings: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path / 'nowhere' / 'usher.db'}")
    assert main(command) == 1
    assert_one_line(capsys, "USHER_DATABASE_URL")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_no_database_is_told_in_a_line(
    command: tuple[str, ...], settings: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "usher.db").write_text("This is a letter to my grandmother, and certainly no database. " * 20)
    settings.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path / 'usher.db'}")
    assert main(command) == 1
    assert_one_line(capsys, "USHER_DATABASE_URL")


def test_a_port_in_use_is_told_in_a_line(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings.setenv("USHER_PORT", str(taken.getsockname()[1]))
        assert main(["serve"]) == 1
    assert_one_line(capsys, "USHER_PORT")


async def test_the_doctor_says_what_is_broken_and_prints_no_secret(playground: Playground, tmp_path: Path) -> None:
    secrets = {"USHER_SLACK_BOT_TOKEN": "xoxb-not-this-one", "USHER_TEAMS_APP_PASSWORD": "not-this-one-either"}
    env = environment(playground.settings(f"sqlite:///{tmp_path / 'usher.db'}"), **secrets)
    ended = await run("doctor", env=env, cwd=tmp_path)
    assert ended.code == 1
    assert "✗ Slack: " in ended.out
    assert "✗ Teams: " in ended.out
    assert "Traceback" not in ended.err
    hidden = [*secrets.values(), env["USHER_SECRET_KEY"], env["USHER_SLACK_SIGNING_SECRET"]]
    assert not [secret for secret in hidden if secret in ended.out + ended.err]


async def test_the_doctor_says_why_traces_that_are_asked_for_are_not_sent(
    playground: Playground, tmp_path: Path
) -> None:
    asked = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    env = environment(playground.settings(f"sqlite:///{tmp_path / 'usher.db'}"), **asked)
    ended = await run("doctor", env=env, cwd=tmp_path)
    assert ended.code == 1
    assert "✗ Traces: OTEL_EXPORTER_OTLP_PROTOCOL is grpc: only http/protobuf is there." in ended.out.splitlines()
    assert "✓ Slack" in ended.out


def test_the_doctor_names_wrong_settings_and_asks_nobody(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("USHER_SLACK_BOT_TOKEN", "xoxp-somebody-s-own-token")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "USHER_SLACK_BOT_TOKEN is not a bot token" in " ".join(out.split())
    assert "xoxp" not in out.replace("xoxb-", "")


def assert_one_line(capsys: pytest.CaptureFixture[str], words: str) -> None:
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 1, err
    assert words in err
    assert "hidden-word" not in out + err
