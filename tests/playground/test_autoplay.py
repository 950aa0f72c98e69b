"""`usher demo --autoplay`, as a newcomer runs it."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from adapters.assembly import assembled
from adapters.playground.autoplay import autoplay


async def test_a_rollout_plays_itself_on_both_platforms_and_ends_well() -> None:
    told = StringIO()
    code = await autoplay(assembled, Console(file=told, width=100), people=24)
    story = told.getvalue()
    assert code == 0, story
    assert "Olivia typed /sso invite @engineering in Slack" in story
    assert "Isaiah Langer: has not installed the app" in story
    assert "Lidia Holloway: has blocked the bot" in story
    assert story.count("never confirmed") == 1
