"""What comes in: events from real signed requests, and everything that must not become one."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from io import StringIO
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import logs
from adapters.playground.slack import payloads as slack_sends
from adapters.playground.slack.faults import answers, never_answers, rate_limited
from adapters.slack.adapter import SlackAdapter, SlackConfig
from adapters.slack.inbound import MAX_BODY
from bot.clock import SystemClock
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, HomeOpened, MessageReceived, Target, TargetKind
from bot.ports import StoreUnavailable
from bot.transition import ShowForm, ShowHome, Whisper
from tests.adapters.slack.slack_things import CARD, FORM, PRESS, SAID
from tests.adapters.slack.slack_under_test import SECRET, TOKEN, Engine, stored_workspace

FORM_TYPE = "application/x-www-form-urlencoded"


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


async def post(slack, body: bytes, headers: dict[str, str], content_type: str = "application/json") -> int:
    url = f"{slack.bot.bot_url}/slack/events"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers={"Content-Type": content_type, **headers}) as response,
    ):
        await response.read()
        return response.status


def command_body(slack, text="help") -> bytes:
    alice = slack.person("alice")
    return urlencode(slack_sends.command_fields(slack, alice.id, slack.channel("#general"), "/sso", text)).encode()


# --- events


async def test_a_command_names_people_groups_channels_and_addresses(adapter, slack, engine):
    alice = slack.person("alice")
    await alice.types("/sso invite @engineering @bob #random Carol@Example.com", channel="#general")
    event = engine.last
    assert isinstance(event, CommandIssued)
    assert event.words == (
        "invite",
        Target(TargetKind.GROUP, next(iter(slack.world.groups)), "@engineering"),
        Target(TargetKind.PERSON, slack.person("bob").id, "@bob"),
        Target(TargetKind.CHANNEL, slack.channel("#random").id, "#random"),
        Target(TargetKind.EMAIL, "carol@example.com", "Carol@Example.com"),
    )
    assert event.here == Target(TargetKind.CHANNEL, slack.channel("#general").id, "#general")
    assert event.id.startswith(f"{event.workspace_id}:")
    assert event.in_private


async def test_a_command_in_a_direct_message_is_not_written_in_a_channel(adapter, slack, engine):
    await slack.person("alice").types("/sso invite")
    assert engine.last.here is None


async def test_the_actor_is_who_slack_says_they_are(adapter, slack, engine):
    await slack.person("bob").types("/sso status")
    bob = engine.last.actor
    assert (bob.name, bob.email, bob.time_zone) == ("Bob Baker", "bob@example.com", "America/New_York")
    assert not bob.is_workspace_admin
    for handle in ("olivia", "adam"):
        await slack.person(handle).types("/sso status")
        assert engine.last.actor.is_workspace_admin
    await slack.person("gina").types("/sso status")
    assert engine.last.actor.is_guest


async def test_slack_is_asked_about_somebody_once(adapter, slack, engine):
    for _ in range(3):
        await slack.person("bob").types("/sso status")
    assert len(slack.calls("users.info")) == 1


@pytest.mark.parametrize("fault", [answers(500), never_answers()])
async def test_nobody_is_an_admin_while_slack_does_not_say_so(adapter, slack, engine, fault):
    slack.faults.next("users.info", fault)
    await slack.person("adam").types("/sso status")
    actor = engine.last.actor
    assert (actor.user_id, actor.name) == (slack.person("adam").id, "adam")
    assert not actor.is_workspace_admin
    await slack.person("adam").types("/sso status")
    assert engine.last.actor.is_workspace_admin


async def test_a_press_a_submission_a_message_and_the_home_tab_are_events(adapter, slack, engine):
    alice = slack.person("alice")
    engine.answer = Whisper(CARD)
    await alice.types("/sso status")
    engine.answer = ShowForm(FORM)
    await alice.presses(alice.whispers[-1], "Press me")
    assert isinstance(engine.last, ButtonPressed)
    assert engine.last.token == PRESS
    await slack.until(lambda: alice.modal)
    engine.answer = None
    await alice.submits({"Name": "Acme"})
    assert isinstance(engine.last, FormSubmitted)
    await alice.types("hello")
    assert isinstance(engine.last, MessageReceived)
    assert engine.last.actor.channel_id == slack.world.direct_message(alice.id).id
    await alice.opens_home()
    assert isinstance(engine.last, HomeOpened)
    assert len({event.id for event in engine.heard}) == 5


async def test_what_concerns_nobody_is_acknowledged_and_passed_over(adapter, slack, engine):
    alice = slack.person("alice")
    await alice.opens_home("messages")
    await alice.types("hello everybody", channel="#general")
    await slack.events.send({"type": "reaction_added", "user": alice.id, "event_ts": "1.0"})
    direct = slack.world.direct_message(alice.id).id
    edited = {"type": "message", "subtype": "message_changed", "channel": direct, "channel_type": "im"}
    await slack.events.send({**edited, "event_ts": "2.0", "message": {"text": "x"}})
    assert engine.heard == []
    assert [sent.outcomes for sent in slack.events.sent] == [["ok"]] * len(slack.events.sent)


async def test_the_request_url_is_verified(adapter, slack):
    assert await slack.events.verify_url()


# --- commit, then acknowledge


async def test_an_event_that_was_not_stored_is_delivered_again_under_the_same_id(adapter, slack, engine):
    alice = slack.person("alice")
    engine.answer = StoreUnavailable()
    await alice.types("hello")
    assert slack.events.sent[-1].outcomes == ["dispatch_failed"]
    engine.answer = None
    await slack.events.redeliver()
    assert slack.events.sent[-1].outcomes == ["dispatch_failed", "ok"]
    assert engine.heard[0].id == engine.heard[1].id


async def test_nothing_is_acknowledged_before_the_engine_has_committed(adapter, slack, engine):
    order = []
    committed = asyncio.Event()

    async def commit(_event):
        await committed.wait()
        order.append("committed")

    async def press():
        await slack.person("alice").types("hello")
        order.append("acknowledged")

    engine.answer = commit
    pressing = asyncio.create_task(press())
    await slack.until(lambda: engine.heard)
    assert order == []
    committed.set()
    await pressing
    assert order == ["committed", "acknowledged"]


async def test_a_fault_of_the_bot_is_not_acknowledged_and_tells_nothing(adapter, slack, engine):
    written = StringIO()
    logs.set_up("debug", "json", stream=written)
    engine.answer = RuntimeError("somebody's words")
    body = command_body(slack, "secret words")
    assert await post(slack, body, signed(body), FORM_TYPE) == 500
    assert "RuntimeError" in written.getvalue()
    assert "words" not in written.getvalue()


# --- what is refused


async def test_wrong_signatures_are_refused(adapter, slack, engine):
    body = command_body(slack)
    good = signed(body)
    for headers in (
        {},
        signed(body, secret="other"),
        signed(body + b"x"),
        signed(body, at=time.time() - 310),
        signed(body, at=time.time() + 310),
        {**good, "X-Slack-Signature": good["X-Slack-Signature"][:-1]},
        {**good, "X-Slack-Signature": "v0=" + "ä" * 64},
        {**good, "X-Slack-Request-Timestamp": "soon"},
        {**good, "X-Slack-Request-Timestamp": "9" * 5000},
        {**good, "X-Slack-Request-Timestamp": "١٢٣"},
    ):
        assert await post(slack, body, headers, FORM_TYPE) == 401
    assert engine.heard == []


async def test_bodies_that_are_too_large_are_refused(adapter, slack, engine):
    body = json.dumps({"type": "event_callback", "x": "y" * MAX_BODY}).encode()
    assert await post(slack, body, signed(body)) == 413
    assert engine.heard == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'"text"', "application/json"),
        (b"{}", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"type": "event_callback", "event": []}', "application/json"),
        (b'{"type": "event_callback", "event": {"type": "message", "text": "\\ud800"}}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"payload=", FORM_TYPE),
        (b"payload=[]", FORM_TYPE),
        (b"payload=%7B%22type%22%3A%22block_actions%22%7D", FORM_TYPE),
        (b"command=/sso&text=help", FORM_TYPE),
        (b"a=b", FORM_TYPE),
        (b"{}", "application/json; charset=utf-7"),
        (b"{}", "application/json; charset=nonsense"),
    ],
)
async def test_malformed_bodies_are_refused(adapter, slack, engine, body, content_type):
    for headers in (signed(body), {}):
        assert 400 <= await post(slack, body, headers, content_type) < 500
    assert engine.heard == []


async def test_another_workspaces_requests_are_refused(adapter, slack, engine):
    slack.world.team_id = "T0OTHER0001"
    body = command_body(slack)
    assert await post(slack, body, signed(body), FORM_TYPE) == 403
    assert engine.heard == []


def _samples(slack) -> list[dict]:
    """A good body of each kind."""
    alice = slack.person("alice")
    event = {"type": "message", "channel_type": "im", "user": alice.id, "text": "hi", "channel": "D1", "ts": "1.1"}
    home = {"type": "app_home_opened", "user": alice.id, "tab": "home", "channel": "D1", "event_ts": "1.1"}
    common = {"team": {"id": slack.world.team_id}, "user": {"id": alice.id, "name": "alice"}, "trigger_id": "1.2.3"}
    envelope = {"type": "event_callback", "team_id": slack.world.team_id, "event_id": "Ev1"}
    memory = json.dumps({"t": FORM.token.pack()})
    values = {"name": {"x": {"type": "plain_text_input", "value": "Acme"}}}
    view = {"id": "V1", "type": "modal", "callback_id": "form", "hash": "1", "private_metadata": memory}
    view["state"] = {"values": values}
    action = {"type": "button", "action_id": "0.a.b", "block_id": "b", "value": PRESS.pack()}
    where = {"type": "message", "channel_id": "D1", "message_ts": "1.1", "is_ephemeral": False}
    return [
        {**envelope, "event": event, "authorizations": [{"team_id": slack.world.team_id}]},
        {**envelope, "event": home},
        {**common, "type": "block_actions", "actions": [action], "container": where, "channel": {"id": "D1"}},
        {**common, "type": "block_actions", "actions": [action], "view": view, "container": {"type": "view"}},
        {**common, "type": "view_submission", "view": view},
    ]


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _paths(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _paths(each, (*path, number))


def _with(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([1]),
    st.just([{}]),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_signed_body_makes_the_bot_fail(adapter, slack, engine, data):
    body = data.draw(st.sampled_from(_samples(slack)))
    path = data.draw(st.sampled_from(list(_paths(body))))
    bent = json.dumps(_with(body, path, data.draw(JUNK))).encode()
    assert await post(slack, bent, signed(bent)) < 500


# --- the workspace


async def test_starting_makes_the_workspace_known(adapter, workspace, slack):
    assert workspace.id == f"slack:{slack.world.team_id}"
    assert (workspace.name, workspace.bot_user_id) == ("Playground", slack.world.bot_user_id)
    assert workspace.active


async def test_starting_again_keeps_what_the_workspace_belongs_to(adapter, store, workspace):
    async with store.transaction() as tx:
        await tx.people.save_workspace(workspace.model_copy(update={"company": "acme"}))
    await adapter.start()
    assert (await stored_workspace(store)).company == "acme"
    assert (await stored_workspace(store)).installed_at == workspace.installed_at


async def test_uninstalling_switches_the_workspace_off(adapter, store, slack, engine):
    await slack.events.app_uninstalled()
    assert not (await stored_workspace(store)).active
    body = command_body(slack)
    assert await post(slack, body, signed(body), FORM_TYPE) == 503
    assert engine.heard == []


async def test_events_come_through_a_socket_too(slack, store):
    engine = Engine(answer=ShowHome(SAID))
    config = SlackConfig(TOKEN, app_token=slack.credentials.app_token, api_url=slack.api_url)
    adapter = SlackAdapter(config, engine, store, SystemClock())
    await adapter.start()
    try:
        await slack.until(lambda: slack.socket_mode.connected)
        alice = slack.person("alice")
        await alice.opens_home()
        await slack.until(lambda: alice.home)
        engine.answer = Whisper(SAID)
        await alice.types("/sso help")
        assert "Said" in alice.whispers[-1].visible
        engine.answer = ShowForm(FORM)
        await alice.types("/sso setup")
        await slack.until(lambda: alice.modal)
        routes = web.Application()
        adapter.add_routes(routes)
        assert list(routes.router.routes()) == []  # without a signing secret nobody can be believed
    finally:
        await adapter.stop()


SECRET_WORDS = "my token is squ_" + "0a" * 20


async def test_a_message_with_a_secret_comes_with_a_link_to_it(adapter, slack, engine):
    await slack.person("alice").types(SECRET_WORDS)
    assert "/archives/D" in engine.last.link
    await slack.person("alice").types("nothing secret")
    assert engine.last.link == ""


@pytest.mark.parametrize("fault", [answers(500), never_answers(), rate_limited(30)])
async def test_where_slack_does_not_tell_the_link_in_time_it_is_missing(adapter, slack, engine, fault):
    slack.faults.next("chat.getPermalink", fault)
    await slack.person("alice").types(SECRET_WORDS)
    assert engine.last.link == ""
