"""GET and POST /files/{secret}: a file for one admin, fetched once, by a link that the bot made for them.

Opening the link shows a page with a button; only pressing it fetches the file and uses the link up. Whatever looks
at links before people do (a preview, a mail scanner) thus takes nothing away. Neither the address nor a log says
whose file it is or what is in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from adapters.report import report
from bot.exports import pages
from bot.finishing import FileKind, Handout
from bot.model import AuditEntry, derived_id
from bot.ports import Clock, StaleWrite, Store

PATH = "/files/{secret}"
NAMES = {
    FileKind.REMOVAL: ("old-accounts.csv", "text/csv"),
    FileKind.PEOPLE: ("people.csv", "text/csv"),
    FileKind.AUDIT: ("audit.csv", "text/csv"),
    FileKind.AUDIT_LINES: ("audit.jsonl", "application/x-ndjson"),
    FileKind.REPORT: ("closing-report.html", "text/html"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>SSO Usher</title>
<style>
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1rem; border: 0; border-radius: 6px; background: #126ed3; color: #fff }}
</style>
</head>
<body>
<h1>{heading}</h1>
<p>{words}</p>
{more}
</body>
</html>
"""
_THERE = _PAGE.format(
    heading="Your file",
    words="It holds personal data of people in your company. The link works once: keep the file where it belongs.",
    more='<form method="post"><button autofocus>Download</button></form>',
)
_GONE = _PAGE.format(
    heading="This link does not work any more",
    words="A link works once, and for 15 minutes. Ask SSO Usher for a new one, where you got this one.",
    more="",
)

log = structlog.get_logger(__name__)


def add_routes(app: web.Application, store: Store, clock: Clock) -> None:
    """Serve the files of this store."""

    async def show(request: web.Request) -> web.Response:
        async with store.transaction() as tx:
            handout = await tx.finishing.handout(Handout.key(request.match_info["secret"]))
        there = handout is not None and handout.is_there(clock.now())
        return web.Response(
            text=_THERE if there else _GONE, status=200 if there else 404, content_type="text/html", headers=HEADERS
        )

    async def fetch(request: web.Request) -> web.StreamResponse:
        handout = await take(store, clock, request.match_info["secret"])
        if handout is None:
            return web.Response(text=_GONE, status=404, content_type="text/html", headers=HEADERS)
        name, content_type = NAMES[handout.kind]
        response = web.StreamResponse(headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'})
        response.content_type, response.charset = content_type, "utf-8"
        await response.prepare(request)
        async for page in _content(store, handout, clock):
            await response.write(page.encode())
        await response.write_eof()
        log.info("file.fetched", kind=handout.kind)
        return response

    app.router.add_get(PATH, show, allow_head=False)
    app.router.add_post(PATH, fetch)


async def _content(store: Store, handout: Handout, clock: Clock) -> AsyncIterator[str]:
    if handout.kind is FileKind.REPORT:
        yield await report(store, handout, clock.now())
        return
    async for page in pages(store, handout, handout.kind):
        yield page


async def take(store: Store, clock: Clock, secret: str) -> Handout | None:
    """The handout with this secret, used up; None when there is none, or not any more. Of two who fetch at once, one
    gets it.
    """
    now = clock.now()
    try:
        async with store.transaction() as tx:
            handout = await tx.finishing.handout(Handout.key(secret))
            if handout is None or not handout.is_there(now):
                return None
            rollout = await tx.rollouts.rollout(handout.rollout_id)
            if rollout is None or (rollout.erased_at is not None and handout.kind is not FileKind.REPORT):
                return None
            await tx.save(handout.model_copy(update={"taken_at": now, "version": handout.version + 1}))
            await tx.audit.record(
                AuditEntry(
                    id=derived_id(handout.id, "fetched"),
                    at=now,
                    company=rollout.company,
                    workspace_id=handout.workspace_id,
                    actor=handout.person_id,
                    action=f"file.fetched.{handout.kind}",
                    subject=handout.rollout_id,
                )
            )
    except StaleWrite:
        return None
    return handout
