"""The playground's page, in a real browser, against both emulators and a small bot that answers them."""

import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web
from playwright.async_api import Page, async_playwright, expect
from slack_sdk.web.async_client import AsyncWebClient

from adapters.playground.page import add_page
from adapters.playground.slack import SlackEmulator
from adapters.playground.teams import TeamsEmulator
from tests.playground.teams.small_bot import SmallBot, card, execute, shows, text, with_card

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOGIN_URL = "https://sonarcloud.io/enterprises/acme"
BLOCKS: list[dict[str, Any]] = [
    {"type": "header", "text": {"type": "plain_text", "text": "Please sign in"}},
    {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "*ACME* moves to SSO. &lt;script&gt;alert(1)&lt;/script&gt;"},
    },
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "login",
                "text": {"type": "plain_text", "text": "Sign in"},
                "url": LOGIN_URL,
            },
            {"type": "button", "action_id": "access", "text": {"type": "plain_text", "text": "I can see it"}},
        ],
    },
]
CARD = card(
    text("**ACME** moves to SSO. <script>alert(1)</script>"),
    {"type": "Input.Text", "id": "note", "label": "A note"},
    actions=[execute("I can see it", "access", invitation=7)],
)
MODAL: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Set up a rollout"},
    "submit": {"type": "plain_text", "text": "Next"},
    "blocks": [
        {
            "type": "input",
            "block_id": "url",
            "label": {"type": "plain_text", "text": "Login URL"},
            "element": {"type": "url_text_input", "action_id": "value"},
        },
    ],
}


@dataclass
class StandingClock:
    """The bot's clock, which stands still unless it is moved."""

    time: datetime = datetime(2026, 1, 2, 15, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        return self.time.timestamp()

    def move(self, step: timedelta) -> datetime:
        self.time += step
        return self.time


@dataclass
class Playground:
    """Both emulators, the page, and what the bot heard from Slack."""

    url: str
    slack: SlackEmulator
    teams: TeamsEmulator
    teams_bot: SmallBot
    slack_bot: AsyncWebClient
    answer: Callable[[dict[str, Any]], Any] = lambda _: None
    heard: list[dict[str, Any]] = field(default_factory=list)
    clock: StandingClock = field(default_factory=StandingClock)

    async def hear(self, request: web.Request) -> web.Response:
        """What Slack sends: commands as they are, interactions unwrapped; events are of no interest here."""
        if request.content_type == "application/json":
            return web.Response()
        form = dict(await request.post())
        payload = json.loads(str(form["payload"])) if "payload" in form else form
        self.heard.append(payload)
        if "trigger_id" in form and form.get("text") == "setup":
            await self.slack_bot.views_open(trigger_id=str(form["trigger_id"]), view=MODAL)
        answer = self.answer(payload)
        return web.Response() if answer is None else web.json_response(answer)

    async def writes_to(
        self, handle: str, words: str = "Please sign in", blocks: list[dict[str, Any]] | None = None
    ) -> None:
        await self.slack_bot.chat_postMessage(channel=self.slack.person(handle).user.id, text=words, blocks=blocks)


@asynccontextmanager
async def _playground() -> AsyncIterator[Playground]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    clock = StandingClock()
    slack, teams = SlackEmulator(bot_url=url, now=clock.seconds), TeamsEmulator(now=clock.seconds)
    slack.url, teams.public_url = f"{url}/playground/slack", f"{url}/playground/teams"
    client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url, retry_handlers=[])
    here = Playground(url, slack, teams, SmallBot(teams), client, clock=clock)
    app = web.Application()
    app.router.add_post("/slack/events", here.hear)
    app.add_subapp("/playground/slack", slack.app)
    app.add_subapp("/playground/teams", teams.app)
    add_page(
        app,
        slack_ui="/playground/slack/ui",
        teams_ui="/playground/teams/ui",
        now=clock.now,
        move=clock.move,
        admins=["adele@usher.example"],
    )
    runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with here.teams_bot.running():
            yield here
    finally:
        await runner.cleanup()


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with _playground() as here:
        yield here


@pytest.fixture
async def page(playground: Playground) -> AsyncIterator[Page]:
    """The page, opened; at the end it has raised no error and asked nobody but this machine for anything."""
    complaints: list[str] = []
    hosts: set[str | None] = set()
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
        page.on(
            "request",
            lambda request: hosts.add(urlsplit(request.url).hostname) if request.url.startswith("http") else None,
        )
        await page.goto(playground.url)
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    assert complaints == []
    assert hosts == {"127.0.0.1"}


def in_browser(test: Callable[..., Any]) -> Callable[..., Any]:
    reason = "Chromium is not on this machine; install it to run the browser tests"
    return pytest.mark.browser(pytest.mark.skipif(CHROMIUM is None, reason=reason)(test))


async def become(page: Page, side: str, person: str) -> None:
    await page.locator(f'[data-testid="{side}-person"][data-person="{person}"]').click()


@in_browser
async def test_a_block_kit_message_is_shown_and_its_button_reaches_the_bot(page, playground):
    await become(page, "slack", "alice")
    await playground.writes_to("alice", blocks=BLOCKS)
    messages = page.get_by_test_id("slack-messages")
    await expect(messages.get_by_role("heading", name="Please sign in")).to_be_visible()
    await expect(messages.locator("strong", has_text="ACME")).to_be_visible()
    await expect(messages).to_contain_text("<script>alert(1)</script>")
    await messages.get_by_role("button", name="I can see it").click()
    await playground.slack.until(lambda: playground.heard)
    assert playground.heard[0]["actions"][0]["action_id"] == "access"
    assert playground.heard[0]["user"]["id"] == playground.slack.person("alice").user.id


@in_browser
async def test_an_adaptive_card_is_shown_and_its_button_reaches_the_bot_with_the_inputs(page, playground):
    bot = playground.teams_bot
    bot.answer = lambda activity: (200, shows(card(text("Thank you"))) if activity["type"] == "invoke" else None)
    await become(page, "teams", "diego")
    await bot.writes(await bot.meets("diego"), with_card(CARD))
    shown = page.get_by_test_id("teams-card")
    await expect(shown.locator("strong", has_text="ACME")).to_be_visible()
    await expect(shown).to_contain_text("<script>alert(1)</script>")
    await shown.get_by_label("A note").fill("works")
    await shown.get_by_role("button", name="I can see it").click()
    await expect(shown).to_contain_text("Thank you")
    pressed = next(each for each in bot.heard if each["type"] == "invoke")
    assert pressed["value"]["action"]["verb"] == "access"
    assert pressed["value"]["action"]["data"] == {"invitation": 7, "note": "works"}


@in_browser
async def test_what_is_half_typed_stays_when_something_else_arrives(page, playground):
    bot = playground.teams_bot
    chat = await bot.meets("adele")
    await bot.writes(chat, with_card(CARD))
    await page.get_by_label("A note").fill("half a sen")
    await page.get_by_test_id("slack-composer").fill("/sso setup")
    await page.get_by_test_id("slack-composer").press("Enter")
    await page.get_by_label("Login URL").fill("https://sonarcl")
    await bot.writes(chat, "One more thing")
    await playground.writes_to("olivia", "And another")
    await expect(page.get_by_test_id("teams-messages")).to_contain_text("One more thing")
    await expect(page.get_by_test_id("slack-messages")).to_contain_text("And another")
    await expect(page.get_by_label("A note")).to_have_value("half a sen")
    await expect(page.get_by_label("Login URL")).to_have_value("https://sonarcl")


@in_browser
async def test_a_modal_shows_the_bots_complaint_under_its_field_and_closes_when_there_is_none(page, playground):
    complaint = {"response_action": "errors", "errors": {"url": "That is not SonarQube Cloud."}}
    playground.answer = lambda payload: complaint if payload.get("type") == "view_submission" else None
    await page.get_by_test_id("slack-composer").fill("/sso setup")
    await page.get_by_test_id("slack-composer").press("Enter")
    await page.get_by_label("Login URL").fill("https://example.com")
    await page.get_by_test_id("slack-modal-submit").click()
    await expect(page.get_by_test_id("slack-field-error")).to_have_text("That is not SonarQube Cloud.")
    playground.answer = lambda _: None
    await page.get_by_label("Login URL").fill("https://sonarcloud.io/x")
    await page.get_by_test_id("slack-modal-submit").click()
    await expect(page.get_by_test_id("slack-modal")).to_have_count(0)
    sent = [each["view"]["state"]["values"]["url"]["value"]["value"] for each in playground.heard if "view" in each]
    assert sent == ["https://example.com", "https://sonarcloud.io/x"]


@in_browser
async def test_a_link_button_shows_where_it_leads_and_opens_nothing(page, playground):
    await become(page, "slack", "alice")
    await playground.writes_to("alice", blocks=BLOCKS)
    await page.get_by_test_id("slack-messages").get_by_role("button", name="Sign in").click()
    await expect(page.get_by_test_id("link-notice-url")).to_have_text(LOGIN_URL)
    await page.get_by_test_id("link-notice-close").click()
    await expect(page.get_by_test_id("link-notice")).to_be_hidden()


@in_browser
async def test_the_clock_moves_to_nine_on_the_next_working_day_where_that_person_is(page, playground):
    await become(page, "slack", "bob")
    await page.locator('[data-testid="clock-forward"][data-step="working-day"]').click()
    # From a Friday morning in New York to its Monday morning.
    await expect(page.get_by_test_id("clock-now")).to_have_text("Mon 5 Jan, 09:00")
    assert playground.clock.time == datetime(2026, 1, 5, 14, 0, tzinfo=UTC)


async def test_the_clock_moves_forward_only_and_by_a_sensible_number_of_hours(playground):
    async with ClientSession(playground.url) as browser:
        for hours in (0, -1, 10_000, "1", None, True, float("inf")):
            answer = await browser.post("/playground/clock", json={"hours": hours})
            assert answer.status == 400, hours
            assert "hours" in (await answer.json())["error"]
        assert (await browser.post("/playground/clock", data=b"{")).status == 400
        answer = await browser.post("/playground/clock", json={"hours": 1.5})
        assert await answer.json() == {"now": "2026-01-02T17:00:00+00:00"}
        assert await (await browser.get("/playground/clock")).json() == {"now": "2026-01-02T17:00:00+00:00"}


async def test_the_page_may_load_nothing_from_elsewhere(playground):
    async with ClientSession(playground.url) as browser:
        answer = await browser.get("/")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "connect-src 'self';" in policy
        assert "http" not in policy
