"""Secrets, forged and malformed requests, and events that come twice."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import aiohttp
import pytest

from adapters import logs
from adapters.playground.slack.bot_connection import signature
from tests.e2e.office import Chat, Office
from tests.e2e.on_slack import OnSlack
from tests.e2e.on_teams import OnTeams
from tests.e2e.rollouts import invited, sets_up

TOKENS = ("sqp_" + "0a" * 20, "squ_" + "1b" * 20, "sqco_" + "Z9" * 29 + "a", "2c" * 20)


@pytest.fixture
def logged() -> io.StringIO:
    """Everything that is logged, at the finest level."""
    written = io.StringIO()
    logs.set_up("debug", "json", stream=written)
    return written


async def test_a_pasted_token_is_warned_of_and_kept_nowhere(chat: Chat, logged: io.StringIO):
    await invited(chat)
    for token in TOKENS:
        await chat.invitee.types(f"my token is {token}")
        warning = await chat.invitee.reads("That looks like a SonarQube token.")
        assert "revoke the token" in warning.words
        if isinstance(chat.invitee, OnSlack):
            place = chat.office.slack.world.direct_message(chat.invitee.person.id)
            theirs = [each for each in place.messages if each.user == chat.invitee.person.id][-1]
            (link,) = [
                each["url"] for block in warning.native.blocks for each in block.get("elements", ()) if "url" in each
            ]
            assert link.endswith(f"/{theirs.channel}/p{theirs.ts.replace('.', '')}")
            assert "Delete message" in warning.words
        await chat.invitee.presses("I have a problem")
        await chat.invitee.until(lambda: chat.invitee.form)
        await chat.invitee.submits({"problem": "other"})
        await chat.invitee.until(lambda: chat.invitee.form and "description" in chat.invitee.form.values)
        await chat.invitee.submits({"description": f"With token {token} it fails."})
        await chat.invitee.reads("left out what looks like a SonarQube token")
        await chat.admin.reads("With token [redacted] it fails.")
        await chat.admin.types(f"/sso exempt {chat.outsider.email} has token {token}")
        await chat.admin.types(f"/sso {token}")
    await chat.office.settles()
    assert len(await chat.office.audited("secret.pasted")) == 3 * len(
        TOKENS
    )  # written to the bot, and in two commands
    stored, written = json.dumps(await chat.office.everything_stored()), logged.getvalue()
    assert "delivery.settled" in written
    for token in TOKENS:
        assert token not in stored
        assert token not in written


async def test_whoever_asks_too_much_is_told_to_wait_and_nobody_else_is(chat: Chat):
    chat.office.changed_settings = {"events_per_minute": 40}
    await chat.office.restarts_the_bot()
    await invited(chat)
    for _ in range(41):
        await chat.invitee.types("help" if chat.name == "teams" else "/sso help")
    await chat.invitee.reads("That is more than I answer one person in a minute.")
    await chat.admin.types("/sso status")
    await chat.admin.reads("0 of 1 done")
    await chat.office.waits(minutes=1)
    await chat.invitee.presses("I can see my organizations", on=chat.invitee.invitations[-1])
    await chat.invitee.until(lambda: "I can see my organizations" not in chat.invitee.invitations[-1].buttons)


async def test_the_logs_hold_no_address_name_or_word_of_anybody(chat: Chat, logged: io.StringIO):
    await invited(chat)
    await chat.invitee.types("something private")
    await chat.office.settles()
    written = logged.getvalue()
    assert written
    for private in (chat.invitee.email, chat.invitee.name, chat.admin.email, "something private"):
        assert private not in written


async def test_an_event_that_comes_twice_counts_once(chat: Chat):
    await invited(chat)
    await chat.invitee.types("my token is sqp_" + "0a" * 20)
    await chat.invitee.reads("That looks like a SonarQube token.")
    if isinstance(chat.invitee, OnSlack):
        event = chat.office.slack.events.sent[-1]
        again = [await chat.office.slack.events.redeliver(event) for _ in range(3)][-1]
        assert again.outcomes == ["ok"] * 4
    elif isinstance(chat.invitee, OnTeams):
        delivery = chat.office.teams.deliveries[-1]
        again = [await chat.office.teams.redeliver(delivery) for _ in range(3)]
        assert all(each.ok for each in again)
    assert len(await chat.office.audited("secret.pasted")) == 1
    assert sum("That looks like a SonarQube token." in each.words for each in chat.invitee.everything) == 1


async def test_a_press_that_comes_twice_counts_once(office: Office):
    """Teams sends an invoke again, under its id or under a new one, when the answer was slow."""
    chat = Chat("teams", office)
    await invited(chat)
    await chat.invitee.presses("I can see my organizations")
    pressed = next(each for each in reversed(office.teams.deliveries) if each.activity["type"] == "invoke")
    for again in (office.teams.redeliver, office.teams.redeliver_under_new_id):
        assert (await again(pressed)).ok
    await office.settles()
    assert len(await office.audited("confirmed.access")) == 1
    assert len(await office.rows("confirmed_check")) == 1


async def _posts(office: Office, path: str, body: bytes, **headers: str) -> int:
    async with aiohttp.ClientSession() as session, session.post(office.url + path, data=body, headers=headers) as got:
        return got.status


def _signed(body: bytes, secret: str = "playground-signing-secret", age: int = 0) -> dict[str, str]:
    at = str(int(time.time()) - age)
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": signature(secret, at, body.decode("latin-1")),
    }


COMMAND = b"command=%2Fsso&text=pause&team_id=T0PLAYGND01&user_id=U1&trigger_id=1.2.3&channel_id=D1"


async def test_slack_requests_that_are_not_slacks_change_nothing(office: Office):
    await sets_up(Chat("slack", office).admin)
    await office.settles()
    before = await office.everything_stored()
    forged: list[tuple[bytes, dict[str, str]]] = [
        (COMMAND, {"Content-Type": "application/x-www-form-urlencoded"}),
        (COMMAND, _signed(COMMAND, secret="another secret")),
        (COMMAND, _signed(COMMAND, age=3600)),
        (COMMAND, {**_signed(COMMAND), "X-Slack-Signature": "v0=nonsense"}),
        (COMMAND + b"&text=resume", _signed(COMMAND)),
    ]
    malformed = [
        b"",
        b"{",
        b"payload={",
        b"payload=[]",
        b'{"type": 7}',
        b"payload=%7B%22type%22%3A%22block_actions%22%7D",
    ]
    for body, headers in [*forged, *((body, _signed(body)) for body in malformed)]:
        assert 400 <= await _posts(office, "/slack/events", body, **headers) < 500, body
    assert await office.everything_stored() == before


async def test_teams_requests_that_are_not_microsofts_change_nothing(office: Office):
    chat = Chat("teams", office)
    await sets_up(chat.admin)
    await chat.admin.types("/sso pause")
    await chat.admin.types("/sso resume")
    await chat.admin.reads("The rollout goes on.")
    await office.settles()
    before = await office.everything_stored()
    paused = next(each.activity for each in office.teams.deliveries if each.activity.get("text") == "/sso pause")
    again = {**paused, "id": "f:forged"}
    identity, at = office.teams.identity, office.teams.service_url
    tokens = (
        identity.token_for_bot(at, aud="another app"),
        identity.token_for_bot(at, iss="https://evil.example"),
        identity.token_for_bot(at, exp=int(time.time()) - 3600),
        identity.token_for_bot(at)[:-4] + "AAAA",
        "nonsense",
        "",
    )
    for token in tokens:
        delivery = await office.teams.link.deliver_with(again, {"Authorization": f"Bearer {token}"})
        assert delivery.status in (401, 403), token
    assert (await office.teams.link.deliver_with(again, {})).status in (401, 403)
    real = f"Bearer {identity.token_for_bot(at)}"
    for body in (b"", b"{", b"[]", b'"text"', b"{}", b'{"type": 7}'):
        status = await _posts(
            office, "/api/messages", body, Authorization=real, **{"Content-Type": "application/json"}
        )
        assert 400 <= status < 500, body
    assert await office.everything_stored() == before


async def test_a_press_that_the_bot_never_offered_changes_nothing(chat: Chat):
    invitation = await invited(chat)
    before = await chat.office.rows("confirmed_check"), await chat.office.rows("invitation")
    for forged in ("", "nonsense", "confirm:access:nobody:0", "confirm|access|nobody|0"):
        await _presses_forged(chat, invitation.native, forged)
    await chat.office.settles()
    assert (await chat.office.rows("confirmed_check"), await chat.office.rows("invitation")) == before


async def _presses_forged(chat: Chat, shown: Any, token: str) -> None:
    if isinstance(chat.invitee, OnSlack):
        for block in shown.blocks:
            for element in block.get("elements", []):
                if element.get("type") == "button" and element["text"]["text"] == "I can see my organizations":
                    element["value"] = token or "-"
        await chat.invitee.person.presses(shown, "I can see my organizations")
    elif isinstance(chat.invitee, OnTeams):
        action = dict(shown.button("I can see my organizations").action)
        action["data"] = {**action["data"], "usher": token}
        delivery = await chat.invitee.client.acts(shown.conversation_id, shown.id, action, {})
        assert delivery.ok
