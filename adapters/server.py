"""The running bot: one aiohttp application for both platforms, health and metrics, and the loops beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from adapters import about, files
from adapters.backlog import BacklogCollector
from adapters.chat import ChatAdapter, PlatformUnavailable
from adapters.metrics import Metrics
from adapters.pictures import Pictures
from bot.dispatcher import Dispatcher
from bot.lookups import LookUpWorker
from bot.ports import Clock, Handle, Store, StoreUnavailable
from bot.waves import WaveWorker

MAX_BODY = 1024 * 1024  # bytes; Slack's and Teams' largest requests are far below
RETRY_PLATFORM = 10.0  # seconds, when a platform cannot be reached at the start
GRACE = 10.0  # seconds for what is in flight when the bot is stopped
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

log = structlog.get_logger(__name__)


@dataclass
class Bot:
    """Every part, put together by adapters.assembly.assembled. `running` starts and stops its loops."""

    store: Store
    adapters: Sequence[ChatAdapter]
    dispatcher: Dispatcher
    look_ups: LookUpWorker
    waves: WaveWorker
    scheduler: AsyncIOScheduler
    metrics: Metrics
    backlog: BacklogCollector
    clock: Clock
    handle: Handle
    middlewares: Sequence[Middleware] = ()
    pictures: Pictures | None = None  # of charts, for the platform that draws none
    ready: asyncio.Event = field(default_factory=asyncio.Event)  # both platforms have started

    def application(self) -> web.Application:
        """The HTTP application, ready to be served."""
        app = web.Application(client_max_size=MAX_BODY, middlewares=self.middlewares)
        for adapter in self.adapters:
            adapter.add_routes(app)
        about.add_routes(app)
        if self.pictures is not None:
            self.pictures.add_routes(app)
        files.add_routes(app, self.store, self.clock, self.handle)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    def wake(self) -> None:
        """Look for due reminders now, not at the next tick: for whoever has moved the clock.

        A run beside the recurring job's, which passes over a tick that comes while it is running.
        """
        for job in ("reminders", "digests"):
            self.scheduler.add_job(self.scheduler.get_job(job).func)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bot]:
        """Run the loops; on leaving, finish what is in flight. The application must be served by now."""
        look_ups = asyncio.create_task(self.look_ups.run(), name="look-ups")
        loops = [
            look_ups,
            asyncio.create_task(self._start_platforms(), name="start platforms"),
            asyncio.create_task(self.dispatcher.run(), name="dispatcher"),
            asyncio.create_task(self.waves.run(), name="waves"),
        ]
        self.scheduler.start()
        try:
            yield self
        finally:
            self.scheduler.shutdown(wait=False)
            self.look_ups.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(self.dispatcher.stop(), look_ups), GRACE)
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def _start_platforms(self) -> None:
        """Each platform by itself: one that is down does not keep the other waiting."""
        await asyncio.gather(*(self._start(adapter) for adapter in self.adapters))
        self.ready.set()
        if (job := self.scheduler.get_job("admin_groups")) is not None:
            self.scheduler.add_job(job.func)  # now that the workspaces are known

    async def _start(self, adapter: ChatAdapter) -> None:
        while True:
            try:
                return await adapter.start()
            except (PlatformUnavailable, StoreUnavailable) as failure:
                log.warning("platform.not_started", platform=adapter.platform.platform.value, why=str(failure))
            except Exception:
                log.exception("platform.not_started", platform=adapter.platform.platform.value)
            await asyncio.sleep(RETRY_PLATFORM)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        """503 until the platforms are started, and whenever the database or a platform does not answer."""
        waiting: dict[str, str] = {} if self.ready.is_set() else {"platforms": "starting"}
        try:
            await self.store.ping()
        except StoreUnavailable:
            waiting["database"] = "does not answer"
        if self.ready.is_set():
            waiting |= await self._unreachable()
        return web.json_response({"ready": not waiting, "waiting": waiting}, status=503 if waiting else 200)

    async def _unreachable(self) -> dict[str, str]:
        found = {}
        for adapter in self.adapters:
            try:
                await adapter.check()
            except PlatformUnavailable as failure:
                found[adapter.platform.platform.value] = str(failure)
        return found

    async def _metrics(self, _request: web.Request) -> web.Response:
        await self.backlog.refresh()
        return web.Response(body=self.metrics.text(), headers={"Content-Type": METRICS_TYPE})


@asynccontextmanager
async def served(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve the application; gives its address. Port 0 takes a free one."""
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=GRACE)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        yield f"http://{host}:{bound}"
