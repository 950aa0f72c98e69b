"""Serves the playground's one page, and lets it read and move the bot's clock.

The page itself is in page/: plain HTML, CSS and JavaScript modules, and Microsoft's card renderer in page/vendor/.

`GET /` -> the page; `GET /playground/static/...` -> its files.
`GET /playground/config` -> `{"slack": URL, "teams": URL, "admins": [...]}`: where the emulators' page APIs are.
`GET /playground/clock` -> `{"now": "2026-01-05T09:00:00+00:00"}`.
`POST /playground/clock` `{"hours": 1.5}` -> the same, after moving the clock forward. More than 0 and at most
    8784 hours, else 400 `{"error": "..."}`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

LONGEST_STEP = 366 * 24
_FILES = Path(__file__).with_name("page")


def add_page(
    app: web.Application,
    *,
    slack_ui: str,
    teams_ui: str,
    now: Callable[[], datetime],
    move: Callable[[timedelta], datetime],
    admins: Collection[str] = (),
) -> None:
    """Add the page to an application.

    slack_ui, teams_ui: where the emulators' page APIs are, "/playground/slack/ui" when mounted on this very
    application, or an absolute URL (they must then allow this origin). now: the bot's time. move: moves the bot's
    clock forward and gives its new time. admins: e-mail addresses or ids of the people whom the page calls admins,
    beside the owners and admins of the Slack workspace.
    """
    page = _Page(slack_ui.rstrip("/"), teams_ui.rstrip("/"), now, move, sorted(admins))
    app.router.add_get("/", page.index)
    app.router.add_get("/playground/config", page.config)
    app.router.add_get("/playground/clock", page.clock)
    app.router.add_post("/playground/clock", page.move_clock)
    app.router.add_static("/playground/static/", _FILES)
    app.on_response_prepare.append(_check_again)


async def _check_again(request: web.Request, response: web.StreamResponse) -> None:
    """An updated playground is seen at the next reload: browsers ask whether a file has changed."""
    if request.path.startswith("/playground/static/"):
        response.headers.setdefault("Cache-Control", "no-cache")


@dataclass(frozen=True)
class _Page:
    slack_ui: str
    teams_ui: str
    now: Callable[[], datetime]
    move: Callable[[timedelta], datetime]
    admins: list[str]

    async def index(self, _request: web.Request) -> web.StreamResponse:
        headers = {"Content-Security-Policy": self._policy(), "Cache-Control": "no-cache"}
        return web.FileResponse(_FILES / "index.html", headers=headers)

    def _policy(self) -> str:
        """The browser itself sees to it that the page loads nothing from elsewhere, whatever a card names."""
        elsewhere = sorted({_origin(url) for url in (self.slack_ui, self.teams_ui)} - {""})
        return "; ".join(
            [
                "default-src 'self'",
                "img-src 'self' data:",
                " ".join(["connect-src 'self'", *elsewhere]),
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            ],
        )

    async def config(self, _request: web.Request) -> web.Response:
        return web.json_response({"slack": self.slack_ui, "teams": self.teams_ui, "admins": self.admins})

    async def clock(self, _request: web.Request) -> web.Response:
        return _time(self.now())

    async def move_clock(self, request: web.Request) -> web.Response:
        try:
            hours = _hours(await request.json())
        except ValueError as problem:
            return web.json_response({"error": str(problem)}, status=400)
        return _time(self.move(timedelta(hours=hours)))


def _time(now: datetime) -> web.Response:
    return web.json_response({"now": now.isoformat()})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _hours(body: object) -> float:
    hours = body.get("hours") if isinstance(body, dict) else None
    if not isinstance(hours, int | float) or isinstance(hours, bool) or not 0 < hours <= LONGEST_STEP:
        raise ValueError(f"hours must be a number above 0 and at most {LONGEST_STEP}")
    return float(hours)
