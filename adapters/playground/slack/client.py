"""What Slack's own client does for a person: types, presses, submits; and shows what goes wrong in Slack's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from adapters.playground.slack import payloads, typed_text
from adapters.playground.slack.block_kit import check_view
from adapters.playground.slack.bot_connection import BotAnswer, NoAnswer
from adapters.playground.slack.form_state import client_side_errors, is_stateful, state_values
from adapters.playground.slack.methods_views import put_on_stack, replace
from adapters.playground.slack.refusal import Refused
from adapters.playground.slack.visible import find_element
from adapters.playground.slack.world import SLACKBOT_ID, Message, View

if TYPE_CHECKING:
    from adapters.playground.slack.emulator import SlackEmulator
    from adapters.playground.slack.world import Channel

# What Slack shows on top of a modal when the app does not answer, or answers nonsense.
TROUBLE = "We had some trouble connecting. Try again?"

Values = dict[tuple[str, str], Any]


@dataclass(frozen=True)
class Outcome:
    """How a submission ended: see `POST /ui/submit` in ui.py."""

    outcome: Literal["closed", "updated", "pushed", "cleared", "errors", "trouble"]
    errors: dict[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the submission went through."""
        return self.outcome not in {"errors", "trouble"}


async def type_text(slack: SlackEmulator, user_id: str, channel_id: str, text: str) -> Literal["command", "message"]:
    """Somebody types this into a channel or direct message and presses Enter.

    Raises ValueError when they cannot write there.
    """
    channel = slack.world.channels.get(channel_id)
    if channel is None or user_id not in channel.members or not slack.world.users[user_id].can_act:
        raise ValueError(f"{user_id} cannot write in {channel_id}")
    if text.startswith("/"):
        await _command(slack, user_id, channel, text)
        return "command"
    message = slack.world.post(channel, user_id, typed_text.in_message(slack.world, text))
    await slack.events.message(channel, message)
    return "message"


async def _command(slack: SlackEmulator, user_id: str, channel: Channel, typed: str) -> None:
    command, _, rest = typed.partition(" ")
    if command not in slack.commands:
        _slackbot(slack, user_id, channel, f"`{command}` is not a valid command.")
        return
    text = typed_text.in_command(slack.world, rest.strip()) if slack.should_escape else rest.strip()
    try:
        answer = await slack.line.command(payloads.command_fields(slack, user_id, channel, command, text))
        _show_command_answer(slack, user_id, channel, answer)
    except NoAnswer as missing:
        slack.note(str(missing))
        _slackbot(slack, user_id, channel, f'{command} failed with the error "{missing.error}"')
    except Refused as refused:
        slack.note(f"answer to {command}: {refused.error} {refused.messages}")
        _slackbot(slack, user_id, channel, f'{command} failed with the error "{refused.error}"')


def _show_command_answer(slack: SlackEmulator, user_id: str, channel: Channel, answer: BotAnswer) -> None:
    if not answer.text.strip():
        return
    slack.response_urls.say(channel.id, user_id, answer.json() or {"text": answer.text})


def _slackbot(slack: SlackEmulator, user_id: str, channel: Channel, text: str) -> None:
    slack.world.post(channel, SLACKBOT_ID, text, only_for=user_id)


async def press(
    slack: SlackEmulator,
    user_id: str,
    place: Message | View,
    name: str,
    *,
    block_id: str | None = None,
    value: Any = None,
) -> None:
    """Somebody uses an element: presses a button, picks an option (`value` as in ui.py's VALUE).

    `place` may be an old copy of a message: then its element counts, whatever the message shows now.
    Raises LookupError for an element that is not there, NoAnswer when the bot does not answer in time.
    """
    block, element = find_element(place.blocks, name, block_id)
    if is_stateful(element):
        place.values[block["block_id"], element["action_id"]] = value
        slack.world.changed()
    if block["type"] == "input" and not block.get("dispatch_action"):
        return  # Slack tells the app at submission only
    payload = payloads.block_actions(slack, user_id, place, (block, element), value)
    try:
        await slack.line.interaction(payload)
    except NoAnswer as missing:
        slack.note(str(missing))
        slack.world.trouble(user_id, missing.error)
        raise


def fill(slack: SlackEmulator, view: View, values: Values) -> None:
    """Somebody fills in fields; nothing is sent. Raises ValueError for an option that is not offered."""
    state_values(view.content["blocks"], {**view.values, **values})
    view.values.update(values)
    slack.world.changed()


async def submit(slack: SlackEmulator, user_id: str, view: View) -> Outcome:
    """Somebody presses a modal's submit button. Slack's client checks required fields and formats first."""
    blocks = view.content["blocks"]
    errors = client_side_errors(blocks, state_values(blocks, view.values))
    if errors:
        return _show_errors(slack, view, errors)
    try:
        answer = await slack.line.interaction(payloads.view_submission(slack, user_id, view))
        return _follow(slack, view, answer)
    except NoAnswer as missing:
        return _show_trouble(slack, view, str(missing))
    except Refused as refused:
        return _show_trouble(slack, view, f"answer to view_submission: {refused.error} {refused.messages}")


def _show_errors(slack: SlackEmulator, view: View, errors: dict[str, str]) -> Outcome:
    view.errors, view.trouble = errors, None
    slack.world.changed()
    return Outcome("errors", errors)


def _show_trouble(slack: SlackEmulator, view: View, reason: str) -> Outcome:
    slack.note(reason)
    view.trouble = TROUBLE
    slack.world.changed()
    return Outcome("trouble", error=TROUBLE)


def _follow(slack: SlackEmulator, view: View, answer: BotAnswer) -> Outcome:
    """Do what response_action says: docs.slack.dev/surfaces/modals, "Updating modals"."""
    body = answer.json() or {}
    match body.get("response_action"):
        case None:
            _close(slack, view)
            return Outcome("closed")
        case "errors":
            return _show_errors(slack, view, _known_errors(view, body.get("errors")))
        case "update":
            replace(slack.world, view, check_view(body.get("view"), "modal"))
            return Outcome("updated")
        case "push":
            put_on_stack(slack.world, view.user, check_view(body.get("view"), "modal"))
            return Outcome("pushed")
        case "clear":
            _close(slack, view, everything=True)
            return Outcome("cleared")
        case other:
            raise Refused("invalid_arguments", [f"unknown response_action: {other}"])


def _known_errors(view: View, errors: Any) -> dict[str, str]:
    """Errors must name input blocks of this view: Slack shows nothing but its own trouble otherwise."""
    inputs = {block["block_id"] for block in view.content["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise Refused("invalid_arguments", [f"errors must name input blocks among {sorted(inputs)}: {errors}"])
    return {block_id: str(text) for block_id, text in errors.items()}


def _close(slack: SlackEmulator, view: View, *, everything: bool = False) -> list[View]:
    stack = slack.world.modals.get(view.user, [])
    gone = list(stack) if everything or view.content.get("clear_on_close") else [view]
    slack.world.modals[view.user] = [each for each in stack if each not in gone]
    slack.world.changed()
    return gone


async def close_view(slack: SlackEmulator, user_id: str, view: View, *, clear: bool = False) -> None:
    """Somebody presses Cancel, or with `clear` the X, which closes the whole stack.

    The bot hears of it only where notify_on_close is set; Slack shows nothing when it does not answer.
    """
    for each in reversed(_close(slack, view, everything=clear)):
        if not each.content.get("notify_on_close"):
            continue
        payload = payloads.view_closed(slack, user_id, each, is_cleared=clear)
        try:
            await slack.line.interaction(payload)
        except NoAnswer as missing:
            slack.note(str(missing))
