"""Every card drawn by Microsoft's own renderer in a browser: each button is there, and says what the bot understands."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from adapters.playground.teams.cards import inputs, walk
from adapters.teams.card_data import read_press
from bot.messages import Token
from tests.vendors.node import HERE
from tests.vendors.shown import on_teams

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RENDERER = HERE / "node_modules" / "adaptivecards" / "dist" / "adaptivecards.js"

Press = dict[str, Any]


@pytest.fixture(scope="module")
def pressed() -> Iterator[dict[str, list[Press]]]:
    """What the renderer reports for the buttons of each card, by the card's name."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        for script in (RENDERER, HERE / "press.js"):
            page.add_script_tag(path=script)
        yield page.evaluate("pressEverything", on_teams())
        browser.close()


def buttons(card: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    """Of the card and the cards in it; what Teams presses by itself is none."""
    return [each for each in walk(card) if each.get("type") in kinds]


def said(name: str, presses: list[dict[str, Any]]) -> Counter[tuple[str, Token]]:
    """Each verb with the token that the bot reads from the data beside it."""
    read = [(each["verb"], read_press(each["data"])) for each in presses if each["type"] == "Action.Execute"]
    assert all(press is not None for _, press in read), name
    return Counter((verb, press.token) for verb, press in read if press is not None)


def test_every_button_of_every_card_can_be_pressed(pressed: dict[str, list[Press]]) -> None:
    for name, card in on_teams().items():
        assert said(name, pressed[name]) == said(name, buttons(card, "Action.Execute")), name


def test_every_link_of_every_card_leads_where_it_says(pressed: dict[str, list[Press]]) -> None:
    for name, card in on_teams().items():
        meant = Counter(each["url"] for each in buttons(card, "Action.OpenUrl"))
        assert Counter(each["url"] for each in pressed[name] if each["type"] == "Action.OpenUrl") == meant, name


def test_whatever_is_filled_in_comes_with_a_form(pressed: dict[str, list[Press]]) -> None:
    forms = {name: card for name, card in on_teams().items() if inputs(card)}
    assert forms
    for name, card in forms.items():
        sent = [read_press(each["data"]) for each in pressed[name] if each["type"] == "Action.Execute"]
        submitted = [each for each in sent if each and each.submitted]
        assert submitted, name
        for each in submitted:
            required = {field["id"] for field in inputs(card) if field.get("isRequired")}
            assert {field for field, value in each.values.items() if value} >= required, name
            assert each.values.keys() == {field["id"] for field in inputs(card)}, name
