"""GET and POST /files/{secret}: a file for one admin, or a list of people from one, by a link that the bot made for
them and that works once.

Opening the link shows a page with a button; only pressing it fetches the file and uses the link up. Whatever looks
at links before people do (a preview, a mail scanner) thus takes nothing away. Neither the address nor a log says
whose file it is or what is in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape

import structlog
from aiohttp import web

from adapters.report import report
from adapters.uploads import MOST_BYTES, Unreadable, addresses_in
from bot.events import ListHandedIn
from bot.exports import pages
from bot.finishing import FileKind, Handout
from bot.model import AuditEntry, derived_id
from bot.ports import Clock, Handle, StaleWrite, Store, StoreUnavailable

PATH = "/files/{secret}"
NAMES = {
    FileKind.REMOVAL: ("old-accounts.csv", "text/csv"),
    FileKind.PEOPLE: ("people.csv", "text/csv"),
    FileKind.AUDIT: ("audit.csv", "text/csv"),
    FileKind.AUDIT_LINES: ("audit.jsonl", "application/x-ndjson"),
    FileKind.REPORT: ("closing-report.html", "text/html"),
    FileKind.LEFT_OUT: ("left-out.csv", "text/csv"),
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
_NOT_YOURS = _PAGE.format(
    heading="That is for admins",
    words="You are no admin of this rollout any more, so the list was not taken.",
    more="",
)
_HAND_IN = (
    '<form method="post" enctype="multipart/form-data">'
    '<p><input type="file" name="list" accept=".csv,.txt,text/csv,text/plain" required aria-label="The file"></p>'
    "<button>Hand in</button></form>"
)
_HAND_IN_WORDS = (
    "A CSV or text file with one e-mail address a line; other columns do not matter. Nobody is written to before you "
    "have seen the list in the chat and said so."
)
_GONE = _PAGE.format(
    heading="This link does not work any more",
    words="A link works once, and for 15 minutes. Ask SSO Usher for a new one, where you got this one.",
    more="",
)

log = structlog.get_logger(__name__)


def add_routes(app: web.Application, store: Store, clock: Clock, handle: Handle) -> None:
    """Serve the files of this store; lists that are handed in go to the engine."""

    async def show(request: web.Request) -> web.Response:
        async with store.transaction() as tx:
            handout = await tx.finishing.handout(Handout.key(request.match_info["secret"]))
        if handout is None or not handout.is_there(clock.now()):
            return _page(_GONE, 404)
        return _page(_asking() if handout.kind is FileKind.ADDRESSES else _THERE)

    async def pressed(request: web.Request) -> web.StreamResponse:
        async with store.transaction() as tx:
            handout = await tx.finishing.handout(Handout.key(request.match_info["secret"]))
        if handout is not None and handout.kind is FileKind.ADDRESSES:
            return await _hand_in(request, handout, store, clock, handle)
        return await fetch(request)

    async def fetch(request: web.Request) -> web.StreamResponse:
        handout = await take(store, clock, request.match_info["secret"])
        if handout is None:
            return _page(_GONE, 404)
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
    app.router.add_post(PATH, pressed)


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


def _asking(problem: str = "") -> str:
    words = f"<strong>{escape(problem)}</strong> {_HAND_IN_WORDS}" if problem else _HAND_IN_WORDS
    return _PAGE.format(heading="Hand in a list", words=words, more=_HAND_IN)


async def _hand_in(
    request: web.Request, handout: Handout, store: Store, clock: Clock, handle: Handle
) -> web.StreamResponse:
    """The link is used up when the list has been taken: whoever sends no list can try again."""
    if not handout.is_there(clock.now()):
        return _page(_GONE, 404)
    try:
        found = addresses_in(await _uploaded(request))
    except Unreadable as problem:
        return _page(_asking(str(problem)), 400)
    if not found.people:
        return _page(_asking("There is no e-mail address in that file."), 400)
    async with store.transaction() as tx:
        admin = await tx.people.person(handout.person_id)
    if admin is None:
        return _page(_GONE, 404)
    handed_in = ListHandedIn(
        id=derived_id(handout.id, "handed in"),
        workspace_id=handout.workspace_id,
        actor=admin,
        dialog_id=handout.subject,
        targets=found.targets,
    )
    try:
        refused = await handle(handed_in)  # of two at once, the engine takes one
    except StoreUnavailable:
        return _page(_asking("The list was not taken, because the database does not answer. Try again."), 503)
    if refused is not None:
        return _page(_NOT_YOURS, 403)
    await take(store, clock, request.match_info["secret"])
    log.info("list.handed_in", people=found.people, without=found.without)
    heading = f"{found.people:,} {'address' if found.people == 1 else 'addresses'}"
    words = "SSO Usher looks the people up and shows you the list in the chat. You can close this page."
    if found.without:
        words = f"{found.without:,} {'line has' if found.without == 1 else 'lines have'} none. {words}"
    return _page(_PAGE.format(heading=heading, words=words, more=""))


async def _uploaded(request: web.Request) -> bytes:
    """Raises Unreadable for what is no upload, and for one that is too large."""
    too_large = f"That file is larger than {MOST_BYTES // 1000} kB. Divide it."
    try:
        form = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise Unreadable(too_large) from None
    except ValueError:
        raise Unreadable("That was no file.") from None
    upload = form.get("list")
    if not isinstance(upload, web.FileField):
        raise Unreadable("Choose a file first.")
    data = upload.file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unreadable(too_large)
    return data


async def _content(store: Store, handout: Handout, clock: Clock) -> AsyncIterator[str]:
    match handout.kind:
        case FileKind.REPORT:
            yield await report(store, handout, clock.now())
        case FileKind.ADDRESSES:
            raise ValueError("a list that is handed in is not handed out")
        case _:
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
