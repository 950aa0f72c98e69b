"""Every card that the bot shows in Teams, by the parser of Microsoft's own renderer and by the published schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft6Validator

from adapters.playground.teams.cards import check_card
from adapters.teams.render import CARD_BYTES
from tests.vendors import node
from tests.vendors.shown import on_teams

SCHEMA = Draft6Validator(json.loads((files("adaptive_cards") / "schemas" / "schema-1.5.json").read_text()))
ACTION = {"type": "Action.Execute", "title": "Press", "verb": "v"}


def card(*body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "AdaptiveCard", "version": "1.5", "body": list(body), **more}


def without_extensions(drawn: Any) -> Any:
    """Teams' own extensions, which the renderer and the schema do not know. A list of choices that Teams fills takes
    the place of its people picker (learn.microsoft.com, "People Picker in Adaptive Cards"), and what a client without
    charts shows that of a chart ("Charts in Adaptive Cards").
    """
    if isinstance(drawn, list):
        return [without_extensions(each) for each in drawn]
    if not isinstance(drawn, dict):
        return drawn
    if str(drawn.get("type")).startswith("Chart."):
        return drawn["fallback"]
    if drawn.get("choices.data") == {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}:
        filled = {"choices": [{"title": "Mei", "value": "mei"}]}
        return {name: each for name, each in drawn.items() if name != "choices.data"} | filled
    return {name: without_extensions(each) for name, each in drawn.items()}


def test_microsofts_renderer_understands_all_of_every_card():
    judged = node.run("cards.mjs", without_extensions(on_teams()))
    assert {name: found for name, found in judged.items() if found} == {}


def test_every_card_is_valid_by_the_published_schema_and_small_enough():
    for name, drawn in on_teams().items():
        check_card(drawn)
        assert len(json.dumps(drawn)) <= CARD_BYTES, name
        assert [each.message for each in SCHEMA.iter_errors(without_extensions(drawn))] == [], name


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (card({"type": "TextBlok", "text": "x"}), "UnknownElementType"),
        (card(actions=[ACTION | {"type": "Action.Shout"}]), "UnknownActionType"),
        (card({"type": "Input.Text", "label": "No id"}), "unique Id"),
        (card({"type": "Input.Text", "id": "a", "isRequired": True}), "RequiredInputsShouldHaveLabel"),
        (card({"type": "TextBlock", "text": "x", "colour": "red"}), "lost: /body/0/colour"),
        (card({"type": "TextBlock", "text": "x", "weight": "fat"}), "InvalidPropertyValue"),
        (card(actions=[ACTION] * 7), "TooManyActions"),
        (card(actions=[ACTION | {"fallback": {"type": "Action.Shout"}}]), "UnknownActionType"),
    ],
)
def test_the_renderer_would_have_noticed(wrong: dict[str, Any], complaint: str):
    assert complaint in "\n".join(node.run("cards.mjs", {"wrong": wrong})["wrong"])
