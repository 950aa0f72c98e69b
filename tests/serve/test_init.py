"""`usher init`: a few questions, then settings that `usher serve` takes, and manifests to install the apps from."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from dotenv import dotenv_values

from adapters.cli import main
from adapters.init import KEPT, init
from adapters.settings import load, problems

BOTH = (
    "both",
    "https://usher.example.com",
    "ada@example.com, bea@example.com",
    "",
    "xoxb-a-token",
    "a-signing-secret",
    "5f0c9a4e-7f0e-4c55-9d0a-3b8f5a1d2c77",
    "0d6e7f0e-7f0e-4c55-9d0a-3b8f5a1d2c77",
    "a-client-secret",
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from where the tests run."""
    monkeypatch.chdir(tmp_path)


def answered(directory: Path, *answers: str) -> str:
    """All that is said and asked, when these are the answers. Secrets are asked for so that nobody sees them."""
    said: list[str] = []
    left: Iterator[str] = iter(answers)

    def ask(question: str, hidden: bool) -> str:
        said.append(f"{question}{'(hidden)' if hidden else ''}")
        return next(left)

    try:
        init(directory, ask, said.append)
    except StopIteration:
        raise AssertionError(said[-1]) from None
    assert list(left) == [], "every answer was asked for"
    return "\n".join(said)


def settings_in(directory: Path) -> dict[str, str | None]:
    return dotenv_values(directory / ".env")


def test_both_platforms_from_nothing_to_settings_that_serve_takes(tmp_path: Path) -> None:
    said = answered(tmp_path, *BOTH)
    assert problems(load(tmp_path / ".env")) == []
    written = settings_in(tmp_path)
    assert written["USHER_ADMINS"] == "ada@example.com, bea@example.com"
    assert len(written["USHER_SECRET_KEY"] or "") > 32
    assert "USHER_DATABASE_URL" not in written or written["USHER_DATABASE_URL"] == "sqlite:///usher.db"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    manifest = json.loads((tmp_path / "slack-manifest.json").read_text())
    assert manifest["settings"]["event_subscriptions"]["request_url"] == "https://usher.example.com/slack/events"
    with zipfile.ZipFile(tmp_path / "usher-teams.zip") as package:
        assert json.loads(package.read("manifest.json"))["id"] == BOTH[6]
    assert said.count("(hidden)") == 3
    assert "https://usher.example.com/api/messages" in said


def test_slack_without_an_address_uses_socket_mode(tmp_path: Path) -> None:
    answered(tmp_path, "", "", "", "", "xoxb-a-token", "xapp-a-token")
    assert problems(load(tmp_path / ".env")) == []
    manifest = json.loads((tmp_path / "slack-manifest.json").read_text())
    assert manifest["settings"]["socket_mode_enabled"]
    assert "url" not in json.dumps(manifest).replace("short_url", "")
    assert not (tmp_path / "usher-teams.zip").exists()


def test_what_cannot_be_is_asked_again_with_the_reason(tmp_path: Path) -> None:
    said = answered(
        tmp_path,
        *("email", "teams"),
        *("", "http://usher.example.com", "https://usher.example.com"),
        *("", "ada", "ada@example.com"),
        *("mysql://x/y", "sqlite:///usher.db"),
        *("my-app", "5f0c9a4e-7f0e-4c55-9d0a-3b8f5a1d2c77"),
        *("example.onmicrosoft.com", "0d6e7f0e-7f0e-4c55-9d0a-3b8f5a1d2c77"),
        "a-client-secret",
    )
    for reason in (
        "Please answer slack, teams or both.",
        "This one is needed.",
        "USHER_PUBLIC_URL must begin with https://",
        "USHER_ADMINS: 'ada' is neither an e-mail address nor a user id",
        "USHER_DATABASE_URL must begin with sqlite:///",
        "That is not a GUID",
        "USHER_TEAMS_TENANT_ID is not a GUID",
    ):
        assert reason in said
    assert problems(load(tmp_path / ".env")) == []


def test_what_is_not_there_yet_is_left_for_later_and_named(tmp_path: Path) -> None:
    said = answered(tmp_path, "slack", "https://usher.example.com", "", "", "", "")
    assert "- No platform is configured" in said
    assert "USHER_SLACK_BOT_TOKEN" not in settings_in(tmp_path)
    key = settings_in(tmp_path)["USHER_SECRET_KEY"]

    again = answered(tmp_path, "", "", "", "", "xoxb-a-token", "a-signing-secret")
    assert "Public address [https://usher.example.com]: " in again
    assert problems(load(tmp_path / ".env")) == []
    assert settings_in(tmp_path)["USHER_SECRET_KEY"] == key, "what it protects would be lost"


def test_run_again_it_keeps_what_is_there_and_shows_no_secret(tmp_path: Path) -> None:
    answered(tmp_path, *BOTH)
    file = tmp_path / ".env"
    file.write_text(f"# by hand\nUSHER_LOG_LEVEL=debug\nOTHER=1\n{file.read_text()}", encoding="utf-8")
    before = settings_in(tmp_path)
    said = answered(tmp_path, *("",) * len(BOTH))
    assert settings_in(tmp_path) == before
    assert file.read_text().startswith("# by hand\nUSHER_LOG_LEVEL=debug\nOTHER=1\n")
    assert said.count(f"[{KEPT}]") == 3
    assert not [secret for secret in ("xoxb-a-token", "a-signing-secret", "a-client-secret") if secret in said]


def test_a_blank_takes_an_answer_back(tmp_path: Path) -> None:
    answered(tmp_path, "slack", "", "ada@example.com", "", "xoxb-a-token", "xapp-a-token")
    answered(tmp_path, "", "", " ", "", "", "")
    assert "USHER_ADMINS" not in settings_in(tmp_path)


@pytest.mark.parametrize("answers", [(), BOTH[:1], BOTH[:5]])
def test_broken_off_it_writes_no_setting(
    answers: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = iter(answers)

    def typed(_question: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", typed)
    assert main(["init"]) == 1
    assert "no setting was written" in capsys.readouterr().err
    assert not (tmp_path / ".env").exists()


def test_a_directory_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--directory", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
