"""The emulated Slack speaks as Slack's own JavaScript expects: every request to the bot, every answer to its calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.playground.slack import SlackEmulator
from adapters.playground.slack.block_elements import CHOICES, INPUTS, MULTI_SELECTS, PICKERS, SELECTS
from adapters.playground.slack.web_api import ApiCall
from adapters.playground.slack.world import User
from tests.vendors.story import Overheard, Request, office, told_on_slack
from tests.vendors.tsc import Typed, check

EVENTS = {
    "app_home_opened": "AppHomeOpened",
    "app_mention": "AppMention",
    "app_uninstalled": "AppUninstalled",
    "message": "MessageEvent",
    "team_join": "TeamJoin",
}
INTERACTIONS = {
    "block_actions": "BlockActions",
    "view_submission": "ViewSubmission",
    "view_closed": "ViewClosed",
}
ARGUMENTS = {"chat.postMessage", "chat.update", "chat.postEphemeral", "chat.delete"}
ARGUMENTS |= {"views.open", "views.push", "views.update", "views.publish"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[SlackEmulator, Overheard]]:
    """The story, every method of the Web API called once, every element used once, and the app removed at the end."""
    async with office(f"sqlite:///{tmp_path_factory.mktemp('slack') / 'usher.db'}") as wire:
        slack = wire.slack
        await told_on_slack(slack)
        await _calls_everything(slack)
        await _uses_every_element(slack)
        await slack.events.team_join(User("U0NEW", "newt", "Newt Newcomer", "member", email="newt@usher.example"))
        await slack.events.app_uninstalled()
        yield slack, wire.overheard


async def _calls_everything(slack: SlackEmulator) -> None:
    client = AsyncWebClient("xoxb-playground", base_url=slack.api_url)
    alice, general = slack.person("alice").id, slack.channel("general").id
    hook = slack.credentials
    await AsyncWebClient(hook.app_token, base_url=slack.api_url).apps_connections_open(app_token=hook.app_token)
    await client.oauth_v2_access(client_id=hook.client_id, client_secret=hook.client_secret, code=hook.issue_code())
    await client.auth_test()
    for listed in (client.users_list, client.conversations_list):
        first = await listed(limit=2)
        await listed(limit=2, cursor=first["response_metadata"]["next_cursor"])
    await client.users_info(user=alice, include_locale=True)
    await client.users_lookupByEmail(email=slack.person("alice").user.email)
    await client.team_profile_get()
    await client.users_profile_get(user=alice)
    groups = await client.usergroups_list(include_users=True)
    await client.usergroups_users_list(usergroup=groups["usergroups"][0]["id"])
    await client.conversations_info(channel=general, include_num_members=True)
    await client.conversations_members(channel=general, limit=2)
    private = await client.conversations_open(users=alice, return_im=True)
    metadata = {"event_type": "delivery", "event_payload": {"id": "1"}}
    posted = await client.chat_postMessage(channel=private["channel"]["id"], text="Hello", metadata=metadata)
    place = {"channel": posted["channel"], "ts": posted["ts"]}
    await client.chat_update(**place, text="Hello again")
    await client.conversations_history(channel=posted["channel"], include_all_metadata=True, limit=1)
    await client.chat_delete(**place)
    await client.chat_postEphemeral(channel=general, user=alice, text="Psst")
    await _is_refused(client, slack)
    await _rotates_tokens(client, slack)


async def _is_refused(client: AsyncWebClient, slack: SlackEmulator) -> None:
    blocks = [{"type": "divider"}] * 51
    for method, arguments in (
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "Hello"}),
        ("chat.postMessage", {"channel": slack.channel("general").id, "blocks": blocks, "text": "Hello"}),
        ("views.open", {"trigger_id": "1.2.3", "view": _view(slack.triggers.give("U"))}),
        ("users.info", {"user": "U0NOBODY"}),
        ("no.such.method", {}),
    ):
        with pytest.raises(SlackApiError):
            await client.api_call(method, json=arguments)
    granted, slack.credentials.scopes = slack.credentials.scopes, "commands"
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.users_list()
    slack.credentials.scopes = granted


def _view(name: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    def said(words: str) -> dict[str, str]:
        return {"type": "plain_text", "text": words}

    shown = list(blocks) or [{"type": "section", "text": said("Hello")}]
    content = {"type": "modal", "callback_id": name, "notify_on_close": True, "blocks": shown}
    return {**content, "title": said("A modal"), "submit": said("OK"), "close": said("Close")}


def _elements() -> Iterator[tuple[dict[str, Any], Any]]:
    """Every element that holds a value, and what somebody enters."""
    options = [{"text": {"type": "plain_text", "text": word}, "value": word} for word in ("one", "two")]
    entered = {"datepicker": "2026-03-01", "timepicker": "12:30", "datetimepicker": 1767225600}
    entered |= {"email_text_input": "a@b.example", "url_text_input": "https://b.example", "number_input": "7"}
    for kind in sorted(INPUTS):
        element: dict[str, Any] = {"type": kind, "action_id": kind}
        value: Any = entered.get(kind, "typed")
        if kind in CHOICES or "static" in kind:
            element["options"], value = options, "one"
        elif kind in SELECTS | MULTI_SELECTS:
            value = "U0SOMEBODY" if "users" in kind else "C0SOMEWHERE"
        if kind == "number_input":
            element["is_decimal_allowed"] = False
        yield element, [value] if kind in MULTI_SELECTS | {"checkboxes"} else value


async def _rotates_tokens(client: AsyncWebClient, slack: SlackEmulator) -> None:
    hook = slack.credentials
    before, hook.rotates = hook.bot_token, True
    app = {"client_id": hook.client_id, "client_secret": hook.client_secret}
    first = await client.oauth_v2_access(**app, code=hook.issue_code())
    await client.oauth_v2_access(**app, grant_type="refresh_token", refresh_token=first["refresh_token"])
    hook.rotates, hook.bot_token, hook.refresh_token = False, before, ""


async def _uses_every_element(slack: SlackEmulator) -> None:
    """In a modal, filled in and sent; in a message, one by one. The bot knows none of them and says nothing."""
    client = AsyncWebClient("xoxb-playground", base_url=slack.api_url)
    alice = slack.person("alice")
    inputs = [
        {"type": "input", "label": {"type": "plain_text", "text": "L"}, "block_id": each["type"], "element": each}
        for each, _ in _elements()
    ]
    opened = await client.views_open(trigger_id=slack.triggers.give(alice.id), view=_view("empty", *inputs))
    await client.views_update(view_id=opened["view"]["id"], view=_view("all", *inputs))
    await client.views_push(trigger_id=slack.triggers.give(alice.id), view=_view("on top"))
    await alice.closes()
    await alice.submits({each["type"]: value for each, value in _elements()})
    if alice.modal is not None:
        await alice.closes(clear=True)
    pressable = [
        (each, value) for each, value in _elements() if each["type"] in SELECTS | MULTI_SELECTS | CHOICES | PICKERS
    ]
    for element, value in pressable:
        blocks = [{"type": "actions", "block_id": "b", "elements": [element]}]
        await client.chat_postMessage(channel=alice.id, text="Use me", blocks=blocks)
        await alice.presses(alice.direct_messages[-1], element["action_id"], value=value)


def test_every_request_to_the_bot_has_the_type_that_bolt_declares(told: tuple[SlackEmulator, Overheard]):
    _, overheard = told
    sent = [_typed(each) for each in overheard.requests if each.body.get("type") != "url_verification"]
    assert {each.type for each in sent} == {
        f"Slack.{each}" for each in ("Command", *EVENTS.values(), *INTERACTIONS.values())
    }
    check(sent)


def _typed(request: Request) -> Typed:
    match request.kind:
        case "command":
            kind = "Command"
        case "interaction":
            kind = INTERACTIONS[request.body["type"]]
        case _:
            kind = EVENTS[request.body["event"]["type"]]
    return Typed("a request", f"Slack.{kind}", request.body)


def test_every_answer_to_a_form_has_the_type_that_bolt_declares(told: tuple[SlackEmulator, Overheard]):
    _, overheard = told
    answers = [
        each.answer for each in overheard.requests if each.body.get("type") == "view_submission" and each.answer
    ]
    assert {each["response_action"] for each in answers} >= {"errors", "update"}
    check(Typed("answer", "Slack.ResponseAction", each) for each in answers)


def test_every_answer_of_the_web_api_has_the_type_that_slacks_client_declares(told: tuple[SlackEmulator, Overheard]):
    slack, _ = told
    answered = [call for call in slack.log if call.answer["ok"]]
    assert {call.method for call in answered} == set(slack.web_api.methods)
    check(Typed(call.method, f"Api.{_type(call)}", call.answer) for call in answered)


def test_every_refusal_of_the_web_api_has_slacks_shape(told: tuple[SlackEmulator, Overheard]):
    slack, _ = told
    refused = [call for call in slack.log if not call.answer["ok"]]
    check(Typed(call.method, "Api.Refused", call.answer) for call in refused)


def test_every_call_of_the_bot_has_the_arguments_that_slacks_client_declares(told: tuple[SlackEmulator, Overheard]):
    slack, _ = told
    made = [call for call in slack.log if call.accepted and call.method in ARGUMENTS]
    assert {call.method for call in made} == ARGUMENTS
    check(Typed(call.method, f"Arguments.{_type(call)}", call.args) for call in made)


def _type(call: ApiCall) -> str:
    return "".join(part[0].upper() + part[1:] for part in call.method.split("."))
