"""While thousands are invited, nobody else has to wait for the bot's event loop."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from adapters.assembly import TimeLimits, assembled
from adapters.bench.loop_watch import Longest, watching
from adapters.playground.demo import Playground
from adapters.server import served
from adapters.settings import Settings
from storage.database import Database
from tests.e2e.on_slack import OnSlack
from tests.e2e.rollouts import send_label
from tests.rows import rolled_out

PEOPLE = 3_000
AT_MOST = 0.05  # seconds of the loop's thread: what keeps it for longer keeps everybody waiting
SOME_ARRIVED = 30
UNHURRIED = TimeLimits(answer=60, slack_profile=60, teams_profile=60)


class BotInAThread:
    """The whole bot on a loop of its own, watched; the emulators are not part of what is measured."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listens = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.url = ""
        self.longest = Longest()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with (
            assembled(self._settings, limits=UNHURRIED) as bot,
            served(bot.application(), "127.0.0.1", 0) as self.url,
            bot.running(),
        ):
            await bot.ready.wait()
            with watching() as self.longest:
                self._listens.set()
                await self._stop.wait()

    async def start(self) -> None:
        """Until it is ready."""
        self._thread.start()
        await asyncio.to_thread(self._listens.wait)

    async def stop(self) -> None:
        """To the end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(self._thread.join)


@pytest.mark.timeout(180)
async def test_the_loop_is_never_kept_for_long_while_thousands_are_invited(
    playground: Playground, database_url: str
) -> None:
    store = Database(database_url)
    await rolled_out(store)
    await store.close()
    playground.slack.add_people(PEOPLE, into_group="everybody")
    gc.collect()
    gc.freeze()  # as the command does when everything is imported; here the emulators and pytest are there too
    bot = BotInAThread(playground.settings(database_url))
    await bot.start()
    playground.point_at(bot.url)
    try:
        olivia = OnSlack(playground.slack, "olivia")
        await olivia.types("/sso invite @everybody")
        asked = await olivia.reads("Invitation to")
        await olivia.presses(send_label(asked), on=asked)
        calls = playground.slack.calls
        await olivia.until(lambda: len(calls("chat.postMessage")) > SOME_ARRIVED)
        for words in ("status", "pause", "resume", "remind"):
            await olivia.types(f"/sso {words}")
    finally:
        await bot.stop()
        gc.unfreeze()
    assert bot.longest.seconds < AT_MOST, bot.longest
