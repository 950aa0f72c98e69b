"""Slack publishes no schema for app manifests; the limits are those of docs.slack.dev/reference/app-manifest."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapters import slack
from adapters.manifest import slack_manifest
from adapters.playground.slack.credentials import SCOPES as GRANTED
from adapters.playground.slack.scopes import NEEDED
from adapters.slack.install import EVENTS, SCOPES
from bot.commands import COMMANDS

URL = "https://usher.example.com"


@pytest.fixture
def manifest() -> dict[str, Any]:
    return slack_manifest(f"{URL}/")


def test_every_address_is_on_the_public_url(manifest):
    settings = manifest["settings"]

    assert settings["event_subscriptions"]["request_url"] == f"{URL}/slack/events"
    assert settings["interactivity"] == {"is_enabled": True, "request_url": f"{URL}/slack/events"}
    assert [command["url"] for command in manifest["features"]["slash_commands"]] == [f"{URL}/slack/events"]
    assert manifest["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]
    assert "{public_url}" not in json.dumps(manifest)


def test_the_texts_keep_slacks_limits(manifest):
    shown = manifest["display_information"]

    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000
    assert re.fullmatch(r"#[0-9a-f]{6}", shown["background_color"])
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80


def test_the_command_is_described_and_escapes_what_people_mention(manifest):
    (command,) = manifest["features"]["slash_commands"]

    assert command["command"] == "/sso"
    assert 0 < len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    assert command["should_escape"] is True


def test_the_usage_hint_names_the_bots_commands(manifest):
    (command,) = manifest["features"]["slash_commands"]
    named = [part.split()[0] for part in command["usage_hint"].split(" | ")]

    assert named == list(COMMANDS)


def test_the_home_tab_is_on_and_people_can_write_to_the_bot(manifest):
    assert manifest["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_what_the_bot_cannot_do_is_off(manifest):
    settings = manifest["settings"]

    assert settings["org_deploy_enabled"] is False
    assert settings["token_rotation_enabled"] is False
    assert settings["socket_mode_enabled"] is False


def test_the_events_are_those_that_the_code_handles(manifest):
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS)


def test_the_scopes_are_those_that_the_code_needs_and_no_other(manifest):
    assert manifest["oauth_config"]["scopes"] == {"bot": list(SCOPES)}
    assert set(SCOPES) == set().union(*(documented(method) for method in called())) | OTHERWISE


def test_the_emulated_workspace_grants_what_the_manifest_asks_for(manifest):
    assert sorted(GRANTED.split(",")) == sorted(manifest["oauth_config"]["scopes"]["bot"])


# Without a method: the slash command, the message.im event, and addresses in the profiles that users.info shows.
OTHERWISE = {"commands", "im:history", "users:read.email"}
# Which conversations the bot asks about.
KINDS = {"conversations.members": ("channels", "groups"), "conversations.history": ("im",)}
FAMILIES = re.compile(r"(apps|auth|chat|conversations|team|usergroups|users|views)(\.[a-zA-Z]+)+")


def called() -> set[str]:
    """Every method of the Web API that the adapter names."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(slack.__file__).parent.glob("*.py")]
    words = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {word for word in words if isinstance(word, str) and FAMILIES.fullmatch(word)} - {*TOKENS_ONLY}


# An app-level token's method, and those that want no scope.
TOKENS_ONLY = ("apps.connections.open", "auth.test", "chat.getPermalink")


def documented(method: str) -> set[str]:
    """What docs.slack.dev says that it wants. Views want none."""
    if method.startswith("views."):
        return set()
    return {NEEDED[method].format(kind=kind) for kind in KINDS.get(method, ("",))}
