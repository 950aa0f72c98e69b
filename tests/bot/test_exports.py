"""Files for admins: what is in them, and that a spreadsheet cannot be tricked by them."""

from __future__ import annotations

import csv
import json
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from bot.exports import AUDIT, PEOPLE, REMOVAL, audit_json, audit_line, csv_line, person_line, removal_lines
from bot.model import AuditEntry, CheckKind, OldToken
from tests.builders import ADA, GRACE, NOON, person, rollout, view


def cells(line: str) -> list[str]:
    (row,) = csv.reader(StringIO(line, newline=""))
    return row


@given(st.text())
def test_no_cell_is_a_formula(words: str) -> None:
    (cell,) = cells(csv_line([words])) or [""]
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("\t", "\r", "\n"))
    assert cell.removeprefix("'") == words.removeprefix("'")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2))
def test_whatever_people_are_called_a_line_has_as_many_cells_as_its_heading(words: list[str]) -> None:
    assert len(cells(csv_line(words))) == len(words)


def test_somebodys_line_has_each_check_with_time_and_source() -> None:
    on = view(rollout(), GRACE, (CheckKind.ACCESS,), old_token=OldToken.IN_USE, exempt_reason="=1+1")
    row = dict(zip(PEOPLE, cells(person_line(on)), strict=True))
    assert (row["name"], row["email"]) == ("Grace", "grace@acme.example")
    assert (row["access_confirmed_at"], row["access_source"]) == ("2026-03-03T12:00:00+00:00", "invitee")
    assert (row["token_confirmed_at"], row["token_source"]) == ("", "")
    assert row["old_token"] == "in_use"
    assert row["exempt_reason"] == "'=1+1"


def test_a_line_for_each_organization_says_whether_and_why_not() -> None:
    of = rollout(organizations=("web", "core"))
    on = view(of, person("eve", name="=HYPERLINK(1)"), of.needs, done_at=NOON, old_token=OldToken.UNUSED)
    rows = list(csv.DictReader(StringIO(removal_lines(on, of, {"web": "olivia"})), fieldnames=REMOVAL))
    assert [(row["organization"], row["remove"], row["reasons"]) for row in rows] == [
        ("web", "yes", ""),
        ("core", "no", "no_admin"),
    ]
    assert rows[0]["name"] == "'=HYPERLINK(1)"


def test_an_entry_of_the_audit_log_is_a_line_of_either_kind() -> None:
    entry = AuditEntry(
        id="1", at=NOON, company="acme", workspace_id="slack:T1", actor=ADA.id, action="finished", details={"open": 2}
    )
    row = dict(zip(AUDIT, cells(audit_line(entry)), strict=True))
    assert (row["action"], row["actor"], row["details"]) == ("finished", ADA.id, '{"open": 2}')
    (line,) = audit_json(entry).splitlines()
    assert json.loads(line)["details"] == {"open": 2}
