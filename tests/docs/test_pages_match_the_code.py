"""What the pages list is what the code has."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.settings import PREFIX, Settings
from adapters.slack.install import SCOPES
from bot.commands import COMMANDS
from bot.model import DeliveryState

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def setting_names() -> list[str]:
    return sorted(PREFIX + name.upper() for name in Settings.model_fields)


def test_the_settings_page_explains_every_setting_once():
    assert sorted(re.findall(r"^\| `(USHER_\w+)` \|", page("settings.md"), re.MULTILINE)) == setting_names()


def test_the_env_example_names_every_setting_once():
    example = (ROOT / ".env.example").read_text()

    assert sorted(re.findall(r"^#?(USHER_\w+)=", example, re.MULTILINE)) == setting_names()


def written(default):
    """As one writes it into the environment."""
    match default:
        case SecretStr():
            return default.get_secret_value()
        case tuple():
            return ",".join(default)
        case bool():
            return str(default).lower()
        case _:
            return str(default)


def test_what_the_env_example_leaves_commented_out_has_its_default():
    example = (ROOT / ".env.example").read_text()

    for name, value in re.findall(r"^#USHER_(\w+)=(.*)$", example, re.MULTILINE):
        assert value == written(Settings.model_fields[name.lower()].default), name


def test_the_settings_page_gives_the_defaults():
    told = dict(re.findall(r"^\| `USHER_(\w+)` \| `([^`]*)` \|", page("settings.md"), re.MULTILINE))

    for name, value in told.items():
        assert value == written(Settings.model_fields[name.lower()].default), name


def test_every_setting_that_a_page_mentions_exists():
    for path in PAGES:
        mentioned = set(re.findall(r"USHER_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
        assert mentioned - {*setting_names()} == set(), path.name


def test_the_delivery_page_draws_every_state():
    drawing = page("delivery.md").partition("```mermaid")[2].partition("```")[0]
    drawn = set(re.findall(r"^\s+(?:\[\*\]|(\w+)) --> (?:\[\*\]|(\w+))", drawing, re.MULTILINE))

    assert {state for pair in drawn for state in pair if state} == {state.value for state in DeliveryState}


def test_the_admin_guide_lists_every_command():
    listed = re.findall(r"^\| `(\w+)", page("admin-guide.md"), re.MULTILINE)

    assert listed == list(COMMANDS)


def test_the_slack_page_explains_every_scope():
    table = page("install-slack.md").partition("| Scope |")[2].partition("\n\n")[0]
    explained = [
        scope
        for line in table.splitlines()
        for scope in re.findall(r"`([\w.:]+)`", line.split("|")[1:2][0] if "|" in line else "")
    ]

    assert sorted(explained) == sorted(SCOPES)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path):
    for target in re.findall(r"\]\((?!https?://)([^)#]*)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert not target or (path.parent / target).exists(), target
