"""`/sso invite`: from names to a list, from the list to a wave of invitations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bot.approvals import ApprovalKind, Needed
from bot.conversations.invite import INVITE
from bot.conversations.invite_messages import NAMES_A_PAGE, SHOWN_NAMES
from bot.conversations.invite_wave import InviteLoaded, lanes_of, list_of
from bot.events import PeopleFound, Problem, Target, TargetKind
from bot.messages import Facts, Message, Notice, Style, Text, Token, text
from bot.model import Dialog, Listed, Person, Platform, Rollout, RolloutState, Wave, WaveStage
from bot.ports import LeftOut, ListSummary
from bot.readiness import Readiness, ReadyPoint
from bot.texts import Reader, say
from bot.transition import AskDirectory, Replace, SendMessage, Transition, Whisper
from tests.builders import (
    ADA,
    DAY,
    GRACE,
    LINUS,
    NOON,
    actions,
    body_keys,
    button,
    command,
    event_id,
    keys,
    message_of,
    person,
    press,
    rollout,
    scene,
    words,
)

ENGINEERING = Target(TargetKind.GROUP, "S1", "@engineering")
GENERAL = Target(TargetKind.CHANNEL, "C1", "#general")
PAUSED = rollout(state=RolloutState.PAUSED)

ALL_THERE = Readiness.unknown("rollout-1").model_copy(update={"confirmed": tuple(ReadyPoint)})


def ask(event: Any, of: Rollout | None) -> Transition:
    return INVITE.decide(InviteLoaded(scene(of)), event, NOON)


def looking(of: Rollout | None = None) -> Dialog:
    (dialog,) = ask(command("invite", ENGINEERING), of or rollout()).state
    assert isinstance(dialog, Dialog)
    return dialog


def summary(*people: Person, left_out: tuple[LeftOut, ...] = ()) -> ListSummary:
    """As the store tells it of a list."""
    lanes = Counter(each.workspace_id for each in people)
    return ListSummary(lanes, tuple(each.name for each in people[:SHOWN_NAMES]), left_out)


def lines(*people: Person) -> tuple[Listed, ...]:
    """A page of a list."""
    return tuple(
        Listed(list_id="list", position=at, label=each.name, person_id=each.id, listed_at=NOON)
        for at, each in enumerate(people)
    )


def found(*people: Person, left_out: tuple[LeftOut, ...] = (), **changes: Any) -> Transition:
    dialog = changes.pop("dialog", None) or looking()
    event = PeopleFound(id=event_id(), workspace_id=ADA.workspace_id, actor=ADA, dialog_id=dialog.id, list_id="list")
    here = scene(rollout(), **changes)
    loaded = InviteLoaded(here, dialog=dialog, summary=summary(*people, left_out=left_out), readiness=ALL_THERE)
    return INVITE.decide(loaded, event, NOON)


def listed(*people: Person, **changes: Any) -> tuple[Dialog, Message]:
    """The list as it waits for the admin's decision."""
    after = found(*people, **changes)
    (dialog,) = after.state
    (send,) = after.effects
    assert isinstance(dialog, Dialog)
    assert isinstance(send, SendMessage)
    return dialog, send.message


def decide(dialog: Dialog | None, token: Token, of: Rollout | None = None) -> Transition:
    before = dialog and dialog.model_copy(update={"updated_at": NOON - DAY})
    loaded = InviteLoaded(scene(of or rollout()), dialog=before, lines=lines(GRACE), readiness=ALL_THERE)
    after = INVITE.decide(loaded, press(token), NOON)
    assert all(row.updated_at == NOON for row in after.state if isinstance(row, Dialog)), "else it is cleared away"
    return after


def said(transition: Transition) -> str:
    assert isinstance(transition.reply, Whisper)
    return transition.reply.message.summary.key


def test_without_a_rollout_there_is_nothing_to_invite_to() -> None:
    assert said(ask(command("invite", ENGINEERING), None)) == "answer.no_rollout"


def test_a_paused_rollout_invites_nobody() -> None:
    after = ask(command("invite", ENGINEERING), PAUSED)
    assert said(after) == "invite.paused"
    assert not after.effects


def test_no_name_gets_an_example() -> None:
    assert said(ask(command("invite"), rollout())) == "invite.usage"


def test_a_word_that_names_nobody_is_pointed_out_and_nothing_is_looked_up() -> None:
    after = ask(command("invite everybody grace@acme.example"), rollout())
    assert message_of(after.reply).summary == Text("invite.unknown_word", {"word": "everybody"})
    assert not after.effects


@pytest.mark.parametrize("word", ["here", "Team", "@channel"])
def test_here_means_the_channel_that_the_command_was_written_in(word: str) -> None:
    after = ask(command(f"invite {word}", here=GENERAL), rollout())
    assert after.effects == (AskDirectory(after.effects[0].dialog_id, (GENERAL,)),)


def test_here_means_nothing_where_there_is_no_channel() -> None:
    assert said(ask(command("invite here"), rollout())) == "invite.here_where"


def test_each_name_is_looked_up_once() -> None:
    after = ask(command("invite Grace@acme.example grace@acme.example", ENGINEERING, ENGINEERING), rollout())
    email = Target(TargetKind.EMAIL, "grace@acme.example", "Grace@acme.example")
    (effect,) = after.effects
    assert isinstance(effect, AskDirectory)
    assert effect.targets == (Target(email.kind, email.id, "grace@acme.example"), ENGINEERING)
    assert message_of(after.reply).summary == Text("invite.looking", {"count": 2})
    assert after.audit == "invite.asked"


def test_the_list_says_who_gets_a_message_and_asks() -> None:
    dialog, message = listed(GRACE, LINUS)
    assert dialog.step == "confirm"
    assert (list_of(dialog), lanes_of(dialog)) == ("list", {"slack:T1": 2})
    assert "Grace" in words(message)
    assert "Linus" in words(message)
    assert rollout().login_url in words(message)
    send = button(message, "send")
    assert send.style is Style.PRIMARY
    assert send.confirm == Text("invite.sure", {"count": 2})
    assert actions(message) == ["send", "later", "cancel"]


def test_who_is_invited_already_is_counted_and_is_no_problem() -> None:
    _, message = listed(LINUS, left_out=(LeftOut(Problem.INVITED, 12, ("Grace",)),))
    assert Text("invite.already", {"count": 12}) in [getattr(part, "text", None) for part in message.body]
    assert not [part for part in message.body if isinstance(part, Notice)]


@pytest.mark.parametrize("problem", [each for each in Problem if each is not Problem.INVITED])
def test_who_or_what_is_left_out_is_named_with_the_reason(problem: Problem) -> None:
    _, message = listed(GRACE, left_out=(LeftOut(problem, 2, ("#secret", "#other")),))
    (notice,) = [part for part in message.body if isinstance(part, Notice)]
    assert notice.text.key == f"left_out.{problem}"
    spoken = say(notice.text, Reader())
    assert "#secret" in spoken
    assert "#other" in spoken


def test_of_many_names_a_few_are_shown_and_the_rest_counted() -> None:
    many = [person(f"p{number}") for number in range(500)]
    labels = tuple(f"bot-{number}" for number in range(SHOWN_NAMES))
    _, message = listed(*many, left_out=(LeftOut(Problem.BOT, 9, labels),))
    assert "495 more" in words(message)
    assert "4 more" in words(message)
    assert "P6" not in words(message)


def test_everybody_can_be_seen_before_sending_page_by_page() -> None:
    many = [person(f"p{number:02}") for number in range(60)]
    dialog, message = listed(*many, left_out=(LeftOut(Problem.BOT, 1, ("Build Bot",)),))
    bot = Listed(list_id="list", position=60, label="Build Bot", problem="bot", listed_at=NOON)
    whole = (*lines(*many), bot)

    def page(token: Token) -> Message:
        first = int(token.action.partition(".")[2]) * NAMES_A_PAGE
        loaded = InviteLoaded(
            scene(rollout()), dialog=dialog, lines=whole[first : first + NAMES_A_PAGE], readiness=ALL_THERE
        )
        return message_of(INVITE.decide(loaded, press(token), NOON).reply)

    first = page(button(message, "names.0").token)
    assert many[39].name in words(first)
    assert many[40].name not in words(first)
    assert actions(first) == ["send", "later", "names.1", "left_out", "cancel"]
    second = page(button(first, "names.1").token)
    assert many[59].name in words(second)
    assert "Build Bot (left out: bot)" in words(second)
    assert actions(second) == ["send", "later", "names.0", "left_out", "cancel"]


def test_a_short_list_needs_no_further_pages() -> None:
    _, message = listed(GRACE, LINUS)
    assert actions(message) == ["send", "later", "cancel"]


def test_the_list_estimates_how_long_it_takes() -> None:
    def takes(*people: Person, **changes: Any) -> Text:
        _, message = listed(*people, **changes)
        (facts,) = [part for part in message.body if isinstance(part, Facts)]
        return facts.pairs[1][1]

    assert takes(GRACE) == Text("invite.takes.less")
    slack = [person(f"s{number}") for number in range(5250)]
    assert takes(*slack) == Text("invite.takes.minutes", {"count": 10})
    teams = [person(f"t{number}", "teams:X") for number in range(1800)]
    assert takes(*slack, *teams) == Text("invite.takes.minutes", {"count": 10})
    assert takes(*slack, per_minute={Platform.SLACK: 60}) == Text("invite.takes.minutes", {"count": 88}), (
        "as configured"
    )


def test_nobody_new_ends_the_dialog() -> None:
    dialog, message = listed(left_out=(LeftOut(Problem.INVITED, 1, ("Grace",)),))
    assert dialog.closed
    assert "invite.already" in body_keys(message)
    assert "invite.nobody" in body_keys(message)
    assert not message.buttons


def test_nobody_found_at_all_still_gets_an_answer() -> None:
    _, message = listed(left_out=(LeftOut(Problem.EMPTY_GROUP, 1, ("@empty",)),))
    assert body_keys(message) == ["left_out.empty_group", "invite.nobody"]


def test_an_answer_that_comes_twice_counts_once() -> None:
    dialog, _ = listed(GRACE)
    assert found(LINUS, dialog=dialog) == Transition()


def test_an_answer_to_a_question_that_nobody_asked_is_dropped() -> None:
    event = PeopleFound(id=event_id(), workspace_id=ADA.workspace_id, actor=ADA, dialog_id="?", list_id="list")
    assert INVITE.decide(InviteLoaded(scene(rollout())), event, NOON) == Transition()


def test_send_invites_the_listed_people_as_a_wave_and_shows_progress() -> None:
    dialog, message = listed(GRACE, LINUS)
    after = decide(dialog, button(message, "send").token)

    closed, wave = after.state
    assert isinstance(wave, Wave)
    assert isinstance(closed, Dialog)
    assert closed.closed
    assert (wave.size, wave.channel_id, wave.message_id) == (2, "D1", "100.1")
    assert (wave.stage, wave.list_id) == (WaveStage.STORING, "list"), "the rest is done in the background"
    assert not after.effects
    assert after.audit == "invited"
    assert after.details == (("people", 2),)
    assert isinstance(after.reply, Replace)
    assert after.reply.message.title == Text("progress.title.sending")
    assert actions(after.reply.message) == ["pause", "cancel", "status"]


def test_a_second_press_invites_nobody() -> None:
    dialog, message = listed(GRACE)
    send = button(message, "send").token
    closed, _ = decide(dialog, send).state

    again = decide(closed, send)

    assert said(again) == "answer.outdated"
    assert not again.effects


def test_cancel_writes_to_nobody_and_closes_the_list() -> None:
    dialog, message = listed(GRACE)
    after = decide(dialog, button(message, "cancel").token)
    assert not after.effects
    assert keys(message_of(after.reply))[0] == "invite.cancelled"
    (closed,) = after.state
    assert said(decide(closed, button(message, "send").token)) == "answer.outdated"


def test_a_list_for_another_rollout_is_outdated() -> None:
    dialog, message = listed(GRACE)
    assert said(decide(dialog, button(message, "send").token, rollout(id="rollout-2"))) == "answer.outdated"


def test_a_list_that_is_gone_is_outdated() -> None:
    assert said(decide(None, Token("invite", "send", "gone", 2))) == "answer.outdated"


def test_an_action_that_no_button_has_is_outdated() -> None:
    dialog, _ = listed(GRACE)
    assert said(decide(dialog, Token("invite", "all", dialog.id, dialog.version))) == "answer.outdated"


def test_a_list_can_be_sent_after_the_pause_in_which_it_was_refused() -> None:
    dialog, message = listed(GRACE)
    send = button(message, "send").token
    paused = decide(dialog, send, PAUSED)
    assert said(paused) == "invite.paused"
    assert not paused.state
    assert decide(dialog, send).audit == "invited"


def test_a_list_whose_lines_are_gone_after_a_week_is_outdated() -> None:
    dialog, message = listed(GRACE)
    loaded = InviteLoaded(scene(rollout()), dialog=dialog)
    assert said(INVITE.decide(loaded, press(button(message, "send").token), NOON)) == "answer.outdated"


@pytest.mark.parametrize("label", ["", "Pilot"])
def test_a_wave_says_how_many_it_writes_to_where_that_has_to_be_approved(label: str) -> None:
    dialog, shown = listed(GRACE, LINUS)
    dialog = dialog.model_copy(update={"data": {**dialog.data, "label": label} if label else dialog.data})
    after = decide(dialog, button(shown, "send").token)
    (wave,) = [each for each in after.state if isinstance(each, Wave)]
    asked = text("approval.invite", count=2, enterprise="Acme")
    assert after.needed == Needed(ApprovalKind.SEND, asked, 2)
    assert wave.label == (label or "@engineering")
