"""A newcomer's first ten minutes: the whole story on the playground's page, in a real browser."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from adapters.assembly import assembled
from adapters.playground.demo import demo

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
STARTS_WITHIN, SHOWN_WITHIN = 30.0, 15_000  # seconds; milliseconds

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the browser test needs it"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def the_demo() -> AsyncIterator[str]:
    """`usher demo`, as the command line starts it."""
    port, stop = free_port(), asyncio.Event()
    running = asyncio.create_task(demo(assembled, lambda: stop, port=port))
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            while not running.done():
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
    finally:
        stop.set()
        assert await running == 0


@asynccontextmanager
async def a_browser_at(url: str) -> AsyncIterator[Page]:
    """The page, ready; it must not complain, nor ask anything of another machine."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(SHOWN_WITHIN)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith((url, "data:")) else complaints.append(asked.url)
        )
        await page.goto(url)
        await expect(page.locator("body[data-ready=true]")).to_be_attached(timeout=SHOWN_WITHIN)
        yield page
        await browser.close()
    assert not complaints


class Side:
    """One half of the page."""

    def __init__(self, page: Page, platform: str) -> None:
        self.page = page
        self.platform = platform

    def find(self, name: str) -> Locator:
        return self.page.get_by_test_id(f"{self.platform}-{name}")

    async def become(self, who: str) -> None:
        await self.page.locator(f"[data-testid={self.platform}-person][data-person={who}]").click()

    async def type(self, words: str) -> None:
        await self.find("composer").fill(words)
        await self.find("composer").press("Enter")

    async def press(self, label: str) -> None:
        """The newest button with that label."""
        await self.find("messages").get_by_role("button", name=label, exact=True).last.click()

    async def no_longer_offers(self, label: str) -> None:
        await expect(self.find("messages").get_by_role("button", name=label, exact=True)).to_have_count(0)

    async def reads(self, words: str) -> None:
        await expect(self.find("messages").get_by_text(words).last).to_be_visible(timeout=SHOWN_WITHIN)


async def set_up(slack: Side) -> None:
    await slack.type("/sso setup")
    modal = slack.find("modal")
    await modal.get_by_label("Enterprise name").fill("Acme Corp")
    await modal.get_by_label("Enterprise key").fill("acme")
    await modal.get_by_test_id("slack-modal-submit").click()
    await modal.get_by_label("Login URL").fill("https://sonarcloud.io.example.com/login")
    await modal.get_by_test_id("slack-modal-submit").click()
    await expect(modal.get_by_test_id("slack-field-error")).to_contain_text("not a host of SonarQube Cloud")
    await modal.get_by_label("Login URL").fill("https://sonarcloud.io/login/sso?enterprise_key=acme")
    await modal.get_by_test_id("slack-modal-submit").click()
    await modal.get_by_text("The user groups exist in SonarQube Cloud").click()
    await modal.get_by_test_id("slack-modal-submit").click()
    await modal.get_by_text("GitHub", exact=True).click()
    await modal.get_by_test_id("slack-modal-submit").click()
    await expect(modal.get_by_text("When shall I remind people?")).to_be_visible()
    await modal.get_by_test_id("slack-modal-submit").click()
    await expect(modal.get_by_text("This is what your colleagues will get:")).to_be_visible()
    await modal.get_by_test_id("slack-modal-submit").click()
    await slack.reads("The rollout of Acme Corp is set up.")


async def test_a_rollout_from_setup_to_confirmation_on_both_sides_of_the_page() -> None:
    async with the_demo() as url, a_browser_at(url) as page:
        slack, teams = Side(page, "slack"), Side(page, "teams")

        await set_up(slack)
        await slack.type("/sso invite @engineering")
        await slack.press("Send to 4 people")
        await slack.find("confirm-yes").click()
        await slack.reads("Invitations sent")

        await slack.become("alice")
        await slack.reads("is moving SonarQube Cloud to single sign-on")
        await slack.press("I can see my organizations")
        await slack.no_longer_offers("I can see my organizations")
        await slack.press("My tasks work as before")
        await slack.reads("All done, thank you!")

        await teams.type("sso invite diego@usher.example")
        await teams.reads("Invitation to Acme Corp's move to SSO")
        await teams.press("Send to 1 person")
        await teams.press("Yes, go ahead")
        await teams.reads("Invitations sent")

        await teams.become("diego")
        await teams.reads("is moving SonarQube Cloud to single sign-on")
        await teams.press("I can see my organizations")
        await teams.no_longer_offers("I can see my organizations")

        for _ in range(4):
            await page.locator("[data-testid=clock-forward][data-step=working-day]").click()
        await teams.reads("Reminder: SonarQube Cloud with SSO")
        await teams.press("My tasks work as before")
        await teams.reads("All done, thank you!")

        await slack.become("olivia")
        await slack.type("/sso status")
        await expect(slack.find("messages").get_by_text(re.compile("2 of 5")).last).to_be_visible(
            timeout=SHOWN_WITHIN
        )

        await slack.press("Charts")
        await slack.reads("How far people got")
        pictures = slack.find("messages").locator("figure img")
        await expect(pictures).to_have_count(4)  # how far, over time, by wave, by group
        for picture in await pictures.all():
            assert await picture.evaluate("shown => shown.decode().then(() => shown.naturalWidth)") == 1280
        await teams.become("adele")
        await teams.type("sso status")
        await teams.press("Charts")
        await expect(teams.find("messages").get_by_role("img", name=re.compile("^Over time; Invited"))).to_be_visible(
            timeout=SHOWN_WITHIN
        )
