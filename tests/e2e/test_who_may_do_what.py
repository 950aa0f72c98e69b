"""The table of roles, cell by cell, as each platform's wire has it: signed requests, and what the audit says of them.

One bot for all cells: what is refused is audited, and what is let in reaches its conversation, which finds nothing to
do for a token that leads nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.cli import main
from adapters.playground.slack import payloads
from adapters.playground.slack.bot_connection import NoAnswer
from adapters.playground.teams.activities import ActivityWriter
from adapters.playground.teams.tenant import Account, Message
from bot.commands import COMMANDS
from bot.model import Case
from bot.roles import TABLE, Subject, allows
from tests.e2e.office import Chat, Office
from tests.e2e.rollouts import invites, sets_up

# Who plays whom, by handle on Slack and by key on Teams. Teams tells nobody that an account is deactivated: its owner
# cannot sign in. A bot and another tenant are what the activity says.
PLAYED_BY = {
    "slack": {
        Subject.OWNER: "olivia",
        Subject.ADMIN: "adam",
        Subject.VIEWER: "chen",
        Subject.INVITEE: "alice",
        Subject.MEMBER: "emil",
        Subject.STRANGER: "dora",
        Subject.BOT: "slackbot",
        Subject.GUEST: "gina",
        Subject.OTHER_WORKSPACE: "emil",
    },
    "teams": {
        Subject.OWNER: "adele",
        Subject.ADMIN: "megan",
        Subject.VIEWER: "pradeep",
        Subject.INVITEE: "diego",
        Subject.MEMBER: "alex",
        Subject.BOT: "alex",
        Subject.GUEST: "grady",
        Subject.OTHER_WORKSPACE: "alex",
    },
}
ELSEWHERE = {"slack": "T0ELSEWHERE", "teams": "5b1d7e2c-0000-4000-8000-00000000beef"}


@dataclass(frozen=True)
class Cell:
    """Somebody asks for something."""

    key: str
    action: str
    subject: Subject


def cells(platform: str) -> Iterator[Cell]:
    """Every cell; an action that the table does not name stands for the rest of its conversation."""
    for key in TABLE:
        conversation, _, named = key.partition(".")
        for subject in PLAYED_BY[platform]:
            # "solved" is about a group of cases, of which it finds the presser's own: others have none to act on.
            if key == "solved" and subject not in (Subject.INVITEE, Subject.OTHER_WORKSPACE):
                continue
            yield Cell(key, named or f"any-{conversation}", subject)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(f"sqlite:///{tmp_path / 'roles.db'}")
    office.changed_settings = {
        "owners": ("olivia@example.com", "adele@usher.example"),
        "viewers": ("chen@example.com", "pradeep@usher.example"),
    }
    async with office.opened() as opened:
        yield opened


@pytest.mark.parametrize("platform", PLAYED_BY)
async def test_every_cell_of_the_table_holds_on_the_wire(platform: str, office: Office):
    chat = Chat(platform, office)
    await sets_up(chat.admin)
    await invites(chat.admin, chat.invitee)
    (invitation,) = await office.rows("invitation")
    case = Case(
        id="case",
        rollout_id=invitation.rollout_id,
        invitation_id=invitation.id,
        person_id=invitation.person_id,
        problem="other",
        group_id="case",
        description="",
        opened_at=office.clock.now(),
        version=1,
    )
    async with office.bot.store.transaction() as tx:
        await tx.save(case)
    wrong = []
    for cell in cells(platform):
        let_in = await _is_let_in(chat, cell, case.id if cell.key == "solved" else invitation.id)
        if let_in != allows(cell.subject, cell.key):
            wrong.append(f"{cell.subject}: {cell.key} is {'allowed' if let_in else 'refused'}")
    assert not wrong
    assert len(list(cells(platform))) >= (len(TABLE) - 1) * 7


@pytest.mark.parametrize("platform", PLAYED_BY)
async def test_every_command_is_refused_to_whom_the_table_refuses_it(platform: str, office: Office):
    chat = Chat(platform, office)
    await sets_up(chat.admin)
    for name, command in COMMANDS.items():
        before = len(await office.audited(f"refused.{name}"))
        await chat.outsider.types(f"/sso {name}")
        await chat.outsider.until(lambda: chat.outsider.news)
        refused = len(await office.audited(f"refused.{name}")) - before
        assert refused == int(not allows(Subject.MEMBER, command.conversation)), name


async def _is_let_in(chat: Chat, cell: Cell, about: str) -> bool:
    """Press a button with this token; False when it was refused, in the audit or at the door."""
    office, conversation = chat.office, cell.key.partition(".")[0]
    token = f"{conversation}|{cell.action}|{about}|0"
    audited, seen = {entry.id for entry in await office.rows("audit_entry")}, len(await office.rows("inbox_entry"))
    if chat.name == "slack":
        status = await _presses_on_slack(office, cell.subject, token)
    else:
        status = await _presses_in_teams(office, cell.subject, token)
    entries = [entry for entry in await office.rows("audit_entry") if entry.id not in audited]
    if status >= 400:
        assert status in (401, 403), cell
        assert len(await office.rows("inbox_entry")) == seen, "who is not let in leaves nothing"
        return False
    assert len(await office.rows("inbox_entry")) == seen + 1, cell
    return all(entry.outcome != "refused" for entry in entries)


async def _presses_on_slack(office: Office, subject: Subject, token: str) -> int:
    slack = office.slack
    user = next(user for user in slack.world.users.values() if user.name == PLAYED_BY["slack"][subject])
    shown = slack.person("alice").direct_messages[0].snapshot()
    button = {"type": "button", "action_id": "forged", "value": token, "text": {"type": "plain_text", "text": "Go"}}
    payload = payloads.block_actions(slack, user.id, shown, ({"block_id": "forged"}, button), None)
    if subject is Subject.OTHER_WORKSPACE:
        payload["team"]["id"] = payload["user"]["team_id"] = ELSEWHERE["slack"]
    try:
        return (await slack.bot.interaction(payload)).status
    except NoAnswer as refusal:
        return int(re.search(r"\b[45]\d\d\b", str(refusal)).group())  # type: ignore[union-attr]


async def _presses_in_teams(office: Office, subject: Subject, token: str) -> int:
    client = office.teams.person(PLAYED_BY["teams"][subject])
    action = {"type": "Action.Execute", "verb": "usher/press", "data": {"usher": token, "usher.verb": "usher/press"}}
    activity = _pressed(office, client.account, action)
    if subject is Subject.OTHER_WORKSPACE:
        activity = json.loads(json.dumps(activity).replace(office.teams.tenant.id, ELSEWHERE["teams"]))
    if subject is Subject.BOT:
        activity["from"] = {"id": f"28:{ELSEWHERE['teams']}", "name": "Another bot"}
    return (await office.teams.link.deliver(activity)).status


def _pressed(office: Office, account: Account, action: dict[str, Any]) -> dict[str, Any]:
    chat = office.teams.tenant.personal_chat(account)
    card = Message(str(uuid4()), str(uuid4()), "28:", "", 0.0)
    return ActivityWriter(office.teams.tenant).execute(account, chat, card, action, "manual") | {
        "serviceUrl": office.teams.service_url
    }


def test_doctor_prints_every_cell(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor", "--roles"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    for subject in Subject:
        assert subject in heading
    printed = {line.split()[0]: [word == "yes" for word in line.split()[1:]] for line in lines if line.strip()}
    assert printed == {key: [allows(subject, key) for subject in Subject] for key in TABLE}
