"""Help, misspelt commands, words that are no command, and the Home tab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.commands import COMMANDS, as_target, from_message, suggestion, targets_of, words_of
from bot.conversations.help import HELP, HOME, HomeLoaded, help_message
from bot.conversations.invitation import invitation_message
from bot.conversations.scene import Loaded
from bot.conversations.status import status_message
from bot.events import HomeOpened, MessageReceived, Target, TargetKind
from bot.messages import LinkButton, Text, Token
from bot.ports import RolloutCounts
from bot.roles import Role
from bot.transition import ShowHome, Transition, Whisper
from tests.builders import (
    ADA,
    GRACE,
    NOON,
    body_keys,
    buttons,
    command,
    event_id,
    keys,
    mention,
    message_of,
    press,
    rollout,
    scene,
    view,
    words,
)


def ask(event: Any, role: Role = Role.OWNER) -> Transition:
    return HELP.decide(Loaded(scene(rollout(), role)), event, NOON)


def written(text: str, **loaded: Any) -> Transition:
    role = loaded.pop("role", Role.OWNER)
    event = replace(message(text), link=loaded.pop("link", ""))
    return HOME.decide(HomeLoaded(scene(rollout(), role), **loaded), event, NOON)


def message(text: str, *typed: str | Target) -> MessageReceived:
    return MessageReceived(id=event_id(), workspace_id="slack:T1", actor=ADA, text=text, words=typed)


def opened(role: Role = Role.MEMBER, *, installed: bool = False, **loaded: Any) -> Transition:
    event = HomeOpened(id=event_id(), workspace_id="slack:T1", actor=GRACE, installed=installed)
    return HOME.decide(HomeLoaded(scene(rollout(), role), **loaded), event, NOON)


def test_an_admin_sees_every_command_with_what_it_does() -> None:
    said = words(message_of(ask(command("help")).reply))
    for name in COMMANDS:
        assert f"/sso {name}" in said
    assert "Acme" in said


def test_before_the_first_rollout_help_says_where_to_start() -> None:
    assert body_keys(help_message(scene()))[0] == "help.start"


def test_everybody_else_is_told_what_the_bot_is() -> None:
    assert body_keys(message_of(ask(command("help"), Role.MEMBER).reply)) == ["help.invitee"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("statsu", "status"),
        ("stauts", "status"),
        ("invte", "invite"),
        ("invitation", "invite"),
        ("setpu", "setup"),
        ("rmind", "remind"),
        ("puase", "pause"),
        ("resum", "resume"),
        ("exmept", "exempt"),
        ("HLEP", "help"),
    ],
)
def test_a_misspelt_command_gets_the_nearest_one(typed: str, meant: str) -> None:
    after = ask(command(typed))
    assert message_of(after.reply).summary == Text(
        "help.did_you_mean", {"word": typed.casefold(), "command": f"/sso {meant}"}
    )


def test_a_word_like_no_command_gets_the_help() -> None:
    keys_said = body_keys(message_of(ask(command("banana")).reply))
    assert keys_said[0] == "help.unknown"
    assert len(keys_said) > len(COMMANDS)


@pytest.mark.parametrize("typed", ["thanks", "hi", "ok", "done", "yes", "", "x" * 10_000])
def test_what_is_like_no_command_is_not_made_one(typed: str) -> None:
    assert suggestion(typed) is None


def test_a_name_in_the_place_of_the_command_gets_the_help() -> None:
    after = ask(command("", mention(GRACE)))
    assert message_of(after.reply).summary == Text("help.unknown", {"word": "@grace"}) or isinstance(
        after.reply, Whisper
    )


def test_a_button_of_a_conversation_that_is_gone_is_outdated() -> None:
    assert keys(message_of(ask(press(Token("waves", "show"))).reply))[0] == "answer.outdated"


# written to


@pytest.mark.parametrize("text", ["status", "/status", "sso status", "/sso status", "SSO Status"])
def test_a_command_may_be_written_to_the_bot(text: str) -> None:
    as_command = from_message(message(text))
    assert as_command is not None
    assert as_command.words == ("status",)


def test_sso_alone_is_help_and_sso_before_any_word_is_a_command() -> None:
    assert from_message(message("sso")).words == ("help",)
    assert from_message(message("sso statsu")).words == ("statsu",)


def test_addresses_and_mentions_in_it_are_names() -> None:
    as_command = from_message(message("invite Grace@Acme.example, now"))
    assert targets_of(as_command) == (Target(TargetKind.EMAIL, "grace@acme.example", "Grace@Acme.example"),)
    assert words_of(as_command) == ("now",)
    mentioned = from_message(message("status <@U1>", "status", mention(GRACE)))
    assert targets_of(mentioned) == (mention(GRACE),)


@pytest.mark.parametrize("text", ["", "   ", "hello there", "what is the status", "@grace status"])
def test_other_words_are_no_command(text: str) -> None:
    assert from_message(message(text)) is None


@pytest.mark.parametrize("word", ["a@b", "@grace", "a@b.c<x", "#general", "mail"])
def test_only_addresses_are_taken_for_addresses(word: str) -> None:
    assert as_target(word) == word


def test_only_what_somebody_may_run_is_suggested_to_them() -> None:
    assert body_keys(message_of(written("/setpu").reply))[0] == "help.did_you_mean"
    assert body_keys(message_of(written("setpu", role=Role.ADMIN).reply))[0] != "help.did_you_mean"


def test_a_misspelt_command_in_a_message_gets_the_nearest_one() -> None:
    assert message_of(written("stauts now").reply).summary.key == "help.did_you_mean"


def test_an_invitees_please_is_no_misspelt_pause() -> None:
    after = written("please help me", role=Role.MEMBER, view=view())
    assert message_of(after.reply) == invitation_message(view())


def test_words_from_somebody_who_is_not_invited_get_the_help() -> None:
    assert body_keys(message_of(written("hello there", role=Role.MEMBER).reply)) == ["help.invitee"]


def test_words_from_somebody_who_is_done_get_the_help() -> None:
    after = written("hello there", role=Role.MEMBER, view=view(done_at=NOON))
    assert body_keys(message_of(after.reply)) == ["help.invitee"]


@pytest.mark.parametrize("before", ["", "my token is ", "status "])
def test_a_pasted_token_is_told_of_and_goes_no_further(before: str) -> None:
    secret = "squ_" + "0123456789abcdef0123456789abcdef01234567"
    after = written(f"{before}{secret}", view=view())
    assert body_keys(message_of(after.reply)) == ["secret.pasted"]
    assert after.audit == "secret.pasted"
    assert secret not in repr(after)


def test_where_the_platform_has_links_the_message_to_be_deleted_is_shown() -> None:
    after = written("squ_" + "0123456789abcdef0123456789abcdef01234567", link="https://acme.slack.com/archives/D1/p1")
    shown = message_of(after.reply)
    assert body_keys(shown) == ["secret.pasted", "secret.delete"]
    assert [each.url for each in shown.buttons if isinstance(each, LinkButton)] == [
        "https://acme.slack.com/archives/D1/p1"
    ]


# home


def test_home_shows_an_admin_where_everyone_stands() -> None:
    counts = RolloutCounts(invited=3, open=3)
    assert opened(Role.OWNER, counts=counts).reply == ShowHome(status_message(rollout(), counts))


def test_home_shows_an_invitee_their_invitation() -> None:
    assert opened(view=view()).reply == ShowHome(invitation_message(view()))


def test_home_shows_everybody_else_what_the_bot_is() -> None:
    assert body_keys(message_of(opened().reply)) == ["help.invitee"]


def test_whoever_gets_the_app_sees_an_invitation_that_could_not_be_sent_to_them() -> None:
    assert opened(installed=True, view=view()).reply == ShowHome(invitation_message(view()))


@pytest.mark.parametrize(
    "of",
    [
        pytest.param({}, id="a stranger"),
        pytest.param({"view": view(done_at=NOON)}, id="done"),
        pytest.param({"view": view(), "under_way": True}, id="just written to"),
        pytest.param({"role": Role.OWNER, "view": view(), "under_way": True}, id="an admin who is just written to"),
    ],
)
def test_who_gets_the_app_without_having_asked_for_it_is_not_greeted(of: dict[str, Any]) -> None:
    assert opened(installed=True, **of) == Transition()


def test_an_admin_who_gets_the_app_sees_where_to_start() -> None:
    assert body_keys(message_of(opened(Role.OWNER, installed=True).reply))[0] == "help.current"


def test_home_shows_an_invited_admin_their_own_invitation_too() -> None:
    counts = RolloutCounts(invited=3, open=3)
    shown = message_of(opened(Role.OWNER, counts=counts, view=view()).reply)
    status, own = status_message(rollout(), counts), invitation_message(view())
    assert shown.body[: len(status.body)] == status.body
    assert shown.body[-len(own.body) :] == own.body
    assert shown.buttons == (*status.buttons, *own.buttons)


def test_before_the_first_rollout_an_admin_has_a_button_to_set_one_up() -> None:
    assert [each.token for each in buttons(help_message(scene()))] == [Token("setup", "begin")]
    assert not help_message(scene(rollout())).buttons
    assert not help_message(scene(role=Role.MEMBER)).buttons


def test_nobody_is_offered_a_command_that_they_may_not_run() -> None:
    after = ask(command("stauts"), Role.MEMBER)
    assert message_of(after.reply).summary.key == "help.unknown"
    assert message_of(ask(command("hlep"), Role.MEMBER).reply).summary.key == "help.did_you_mean"
