"""What the bot shows in Slack, by the compiler and @slack/types, and by the limits that types cannot say."""

from __future__ import annotations

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from adapters.playground.slack.block_kit import check_message_blocks, check_view
from tests.vendors.shown import on_slack
from tests.vendors.tsc import Typed, check, complaints

BUTTON = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Press"}}


def test_everything_that_is_shown_is_what_slacks_own_types_allow():
    check(on_slack())


def test_everything_that_is_shown_keeps_within_slacks_limits():
    """Lengths and counts, by the table that the emulated workspace refuses by."""
    for shown in on_slack():
        match shown.type:
            case "Slack.Message":
                check_message_blocks(shown.value["blocks"])
            case "Slack.Home":
                check_view(shown.value, "home")
            case "Slack.Modal":
                check_view(shown.value, "modal")


def test_everything_that_is_shown_is_what_slacks_own_python_models_allow():
    """They know some lengths that the types do not, and read all of it back as it was."""
    for shown in on_slack():
        for block in shown.value["blocks"]:
            model = Block.parse(block)
            assert model is not None, shown.name
            model.validate_json()
            assert model.to_dict() == block, shown.name
        if shown.type != "Slack.Message":
            View(**shown.value).validate_json()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("Message", {"text": "", "blocks": [{"type": "paragraph"}]}),
        (
            "Message",
            {"text": "", "blocks": [{"type": "actions", "elements": [BUTTON | {"text": {"type": "mrkdwn"}}]}]},
        ),
        ("Message", {"text": "", "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "no"}}]}),
        ("Modal", {"type": "modal", "blocks": []}),
        ("Home", {"type": "home", "title": "none", "blocks": []}),
    ],
)
def test_the_compiler_would_have_noticed(kind: str, wrong: object):
    assert [line[:5] for line in complaints([Typed("wrong", f"Slack.{kind}", wrong)])] == ["wrong"]
