"""Files for admins, as text in pages: people, whose old account may go, and the audit log.

CSV has a byte order mark, so that a spreadsheet reads it as UTF-8, and no cell that a spreadsheet would take for a
formula (OWASP, "CSV Injection"). Times are UTC, in ISO 8601.
"""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Literal, assert_never

from bot.finishing import FileKind, FinishStep, Handout
from bot.messages import text
from bot.model import AuditEntry, Check, CheckKind, Rollout
from bot.ports import InvitationView, Store
from bot.removal import by_organization
from bot.texts import Reader, say

PAGE = 500
BOM = "\ufeff"
_FORMULA = ("=", "+", "-", "@")

PEOPLE = (
    "name",
    "email",
    "workspace",
    "user",
    "invited_at",
    "reached_at",
    "login_opened_at",
    "reminders",
    *(f"{kind}_{what}" for kind in CheckKind for what in ("confirmed_at", "source", "not_needed")),
    "done_at",
    "exempt_at",
    "exempt_reason",
    "old_token",
    "keeper",
    "unreachable",
)
REMOVAL = ("organization", "name", "email", "remove", "reasons")
LEFT_OUT = ("who", "why")
AUDIT = ("at", "actor", "action", "subject", "outcome", "workspace", "details")


def csv_line(cells: Sequence[object]) -> str:
    """One line of CSV (RFC 4180)."""
    line = StringIO()
    csv.writer(line).writerow([_cell(each) for each in cells])
    return line.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds")
        case _:
            words = str(value)
            dangerous = words.lstrip().startswith(_FORMULA) or words.startswith(("\t", "\r", "\n"))
            return f"'{words}" if dangerous else words


def person_line(view: InvitationView) -> str:
    """Somebody who was invited, with each check's time and source."""
    invitation, person = view.invitation, view.person
    checks = {check.kind: check for check in view.checks}
    return csv_line(
        (
            person.name,
            person.email,
            person.workspace_id,
            person.user_id,
            invitation.invited_at,
            invitation.reached_at,
            invitation.login_opened_at,
            invitation.reminders,
            *(cell for kind in CheckKind for cell in _check_cells(checks.get(kind))),
            invitation.done_at,
            invitation.exempt_at,
            invitation.exempt_reason,
            invitation.old_token.value,
            invitation.is_keeper,
            invitation.unreachable,
        )
    )


def _check_cells(check: Check | None) -> tuple[object, ...]:
    return (check.confirmed_at, check.source.value, check.not_needed) if check else (None, "", "")


def removal_lines(view: InvitationView, rollout: Rollout, admins: Mapping[str, str]) -> str:
    """A line for each organization: whether this invitee's old account may be removed there, and why not."""
    person = view.person
    return "".join(
        csv_line((key, person.name, person.email, not stays, "; ".join(stay.value for stay in stays)))
        for key, stays in by_organization(view, rollout, admins)
    )


def audit_line(entry: AuditEntry) -> str:
    """An entry of the audit log as CSV."""
    details = json.dumps(entry.details, sort_keys=True) if entry.details else ""
    cells = (entry.at, entry.actor, entry.action, entry.subject, entry.outcome, entry.workspace_id, details)
    return csv_line(cells)


def audit_json(entry: AuditEntry) -> str:
    """An entry of the audit log as a line of JSON."""
    return entry.model_dump_json(exclude={"company"}) + "\n"


Listed = Literal[FileKind.PEOPLE, FileKind.REMOVAL, FileKind.AUDIT, FileKind.AUDIT_LINES, FileKind.LEFT_OUT]


def pages(store: Store, handout: Handout, kind: Listed) -> AsyncIterator[str]:
    """A file of lines, page by page: each is read in a transaction of its own, however slowly the file is fetched."""
    match kind:
        case FileKind.PEOPLE:
            return _people(store, handout.rollout_id)
        case FileKind.REMOVAL:
            return _removal(store, handout.rollout_id)
        case FileKind.AUDIT:
            return _audit(store, handout.rollout_id, BOM + csv_line(AUDIT), audit_line)
        case FileKind.AUDIT_LINES:
            return _audit(store, handout.rollout_id, "", audit_json)
        case FileKind.LEFT_OUT:
            return _left_out(store, handout.subject)
        case _:
            assert_never(kind)


async def _people(store: Store, rollout_id: str) -> AsyncIterator[str]:
    yield BOM + csv_line(PEOPLE)
    async for views in _everybody(store, rollout_id):
        yield "".join(person_line(view) for view in views)


async def _removal(store: Store, rollout_id: str) -> AsyncIterator[str]:
    yield BOM + csv_line(REMOVAL)
    rollout, admins = await _organizations(store, rollout_id)
    async for views in _everybody(store, rollout_id):
        yield "".join(removal_lines(view, rollout, admins) for view in views)


async def _audit(
    store: Store, rollout_id: str, heading: str, line: Callable[[AuditEntry], str]
) -> AsyncIterator[str]:
    """The company's, oldest first: not every entry belongs to a rollout."""
    yield heading
    rollout, _ = await _organizations(store, rollout_id)
    after: AuditEntry | None = None
    while True:
        async with store.transaction() as tx:
            entries = await tx.audit.behind(rollout.company, after, PAGE)
        if not entries:
            return
        yield "".join(line(entry) for entry in entries)
        after = entries[-1]


async def _left_out(store: Store, list_id: str) -> AsyncIterator[str]:
    yield BOM + csv_line(LEFT_OUT)
    after = -1
    while True:
        async with store.transaction() as tx:
            lines = await tx.lists.left_out(list_id, after, PAGE)
        if not lines:
            return
        reasons = [say(text(f"left_out.{each.problem}.short"), Reader()) for each in lines]
        yield "".join(csv_line((each.label, why)) for each, why in zip(lines, reasons, strict=True))
        after = lines[-1].position


async def _everybody(store: Store, rollout_id: str) -> AsyncIterator[Sequence[InvitationView]]:
    after = ""
    while True:
        async with store.transaction() as tx:
            views = await tx.finishing.everybody(rollout_id, after, PAGE)
        if not views:
            return
        yield views
        after = views[-1].invitation.id


async def _organizations(store: Store, rollout_id: str) -> tuple[Rollout, Mapping[str, str]]:
    async with store.transaction() as tx:
        rollout = await tx.rollouts.rollout(rollout_id)
        items = await tx.finishing.items(rollout_id)
    if rollout is None:
        raise LookupError(rollout_id)
    return rollout, next((item.admins for item in items if item.step is FinishStep.ORGANIZATIONS), {})
