"""What the pages tell people to type is what the command line, the Makefile and the bot understand."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

from adapters.cli import main, parser
from adapters.settings import Settings, problems
from bot.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CODE = re.compile(r"`([^`\n]+)`|^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACEHOLDERS = {"…": "00000000-0000-0000-0000-000000000000"}


def typed(beginning: str) -> list[str]:
    """Every command line of the pages that begins like this, each once; what follows "#" is a comment."""
    found: dict[str, None] = {}
    for page in PAGES:
        for inline, block in CODE.findall(page.read_text(encoding="utf-8")):
            for line in (inline, *block.splitlines()):
                for part in line.partition("#")[0].replace(".venv/bin/", "").split("&&"):
                    if part.strip().startswith(f"{beginning} "):
                        found[part.strip()] = None
    return list(found)


def arguments(command: str) -> list[str]:
    for placeholder, value in PLACEHOLDERS.items():
        command = command.replace(placeholder, value)
    return shlex.split(command)[1:]


def alternatives(command: str) -> list[str]:
    """`usher bench inbound | limit`: each of them."""
    first, *others = command.split(" | ")
    before = first.rpartition(" ")[0]
    return [first, *(f"{before} {each}" for each in others)]


USHER = [each for command in typed("usher") if "[" not in command for each in alternatives(command)]
NEEDS_MORE = {"usher manifest", "usher db", "usher db downgrade"}  # named as such, without what they work on


@pytest.mark.parametrize("command", USHER)
def test_the_command_line_understands_it(command: str) -> None:
    if command not in NEEDS_MORE:
        parser().parse_args(arguments(command))


# What runs at once and needs nothing; the others have tests of their own (tests/serve, tests/bench, tests/playground).
AT_ONCE = [each for each in USHER if each.startswith(("usher manifest ", "usher doctor --roles", "usher db current"))]


@pytest.mark.parametrize("command", AT_ONCE)
def test_it_runs(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path / 'usher.db'}")
    monkeypatch.setenv("USHER_TEAMS_APP_ID", PLACEHOLDERS["…"])
    assert main(arguments(command)) == 0


@pytest.mark.parametrize("subcommand", sorted({each.split()[1] for each in USHER}))
def test_a_test_runs_every_subcommand_that_a_page_names(subcommand: str) -> None:
    """By its name as an argument, or by the function or the package behind it."""
    named = re.compile(rf"""["']{subcommand}["']|\b{subcommand}\(|from adapters\.{subcommand}\b""")
    everywhere = (path for path in (ROOT / "tests").rglob("test_*.py") if "vendors" not in path.parts)
    tests = (path for path in everywhere if path != Path(__file__))
    assert any(named.search(path.read_text(encoding="utf-8")) for path in tests)


def test_the_key_that_the_pages_make_is_one_that_the_settings_take() -> None:
    (program,) = {each for page in PAGES for each in re.findall(r"python3 -c '([^']+)'", page.read_text("utf-8"))}
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    wrong = problems(Settings(_env_file=None, secret_key=made, admins=("anna@example.com",)))
    assert not [each for each in wrong if "USHER_SECRET_KEY" in each]


def test_what_the_pages_install_beside_is_an_extra_of_the_package() -> None:
    extras = {re.search(r"\[(\w+)\]", each)[1] for each in typed("pip install")}
    assert extras
    assert extras <= set(metadata("sso-usher").get_all("Provides-Extra"))


def test_there_are_commands_to_look_at() -> None:
    assert len(USHER) > 20
    assert len(AT_ONCE) >= 4


@pytest.mark.parametrize("command", typed("make"))
def test_make_has_that_target(command: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {word for word in command.split()[1:] if "=" not in word and not word.startswith("(")} <= targets


@pytest.mark.parametrize("command", typed("/sso"))
def test_the_bot_knows_that_command(command: str) -> None:
    word = command.split()[1]
    assert word in COMMANDS or word == "…"
