"""`/sso status`: the whole rollout, who is missing, one person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from operator import sub
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts import as_text
from bot.conversations.bars import bar
from bot.conversations.status import PAGE, STATUS, StatusLoaded
from bot.conversations.status_charts import MOST_PARTS, Shown
from bot.messages import BarChart, LineChart, Notice, Section, Style, Text, Token, text
from bot.model import CheckKind, DeliveryState, ReminderPolicy, Rollout, RolloutState
from bot.ports import CaseCounts, InvitationView, Missing, OverTime, Reason, RolloutCounts, Standing
from bot.roles import Role
from bot.texts import Reader, say
from bot.transition import Replace, SendAgain, Transition, Whisper
from tests.builders import (
    DAY,
    GRACE,
    NOON,
    actions,
    body_keys,
    button,
    command,
    form_of,
    keys,
    mention,
    message_of,
    person,
    press,
    rollout,
    scene,
    view,
    words,
)

COUNTS = RolloutCounts(
    invited=60,
    reached=57,
    confirmed={CheckKind.ACCESS: 40, CheckKind.TOKEN: 20},
    done=15,
    exempt=1,
    open=44,
    open_cases=2,
    reminders=70,
    deliveries={DeliveryState.SENT: 55, DeliveryState.UNKNOWN: 2, DeliveryState.DEAD: 1},
    reasons={"blocked": 1, "timed_out": 2},
    failed=3,
)


def step(event: Any, of: Rollout | None = None, **loaded: Any) -> Transition:
    return STATUS.decide(StatusLoaded(scene(of or rollout()), **loaded), event, NOON)


def token(action: str, version: int = 0) -> Token:
    return Token("status", action, "rollout-1", version)


def test_without_a_rollout_there_is_no_status() -> None:
    after = STATUS.decide(StatusLoaded(scene()), command("status"), NOON)
    assert keys(message_of(after.reply))[0] == "answer.no_rollout"


def test_the_whole_rollout() -> None:
    after = step(command("status"), counts=COUNTS)
    assert isinstance(after.reply, Whisper)
    message = after.reply.message
    said = words(message)
    assert "15 of 60" in said.replace("**", "")
    assert bar(15, 60) in said
    assert {"status.confirmed.access", "status.confirmed.tasks", "status.confirmed.token"} <= set(keys(message))
    assert {"status.exempt", "status.cases"} <= set(keys(message))
    assert actions(message) == ["show", "charts", "missing", "ask", "show", "send_again"]


def test_before_anybody_is_invited_it_says_what_to_do() -> None:
    message = message_of(step(command("status"), counts=RolloutCounts()).reply)
    assert body_keys(message) == ["status.state.active", "setup.next"]
    assert not message.buttons


@pytest.mark.parametrize("counts", [COUNTS, RolloutCounts()])
def test_a_pause_is_said_first(counts: RolloutCounts) -> None:
    message = message_of(step(command("status"), rollout(state=RolloutState.PAUSED), counts=counts).reply)
    assert body_keys(message)[0] == "status.state.paused"


def test_the_deadline_is_shown() -> None:
    with_deadline = rollout(policy=ReminderPolicy(deadline=(NOON + DAY).date()))
    assert "status.deadline" in body_keys(message_of(step(command("status"), with_deadline, counts=COUNTS).reply))


def test_what_did_not_arrive_is_counted_by_reason_the_most_frequent_first() -> None:
    message = message_of(step(command("status"), counts=COUNTS).reply)
    reasons = [
        each.text.params for each in message.body if isinstance(each, Notice) and each.text.key == "status.reason"
    ]
    assert [(each["count"], each["reason"]) for each in reasons] == [
        (2, Text("reason.timed_out")),
        (1, Text("reason.blocked")),
    ]


def test_when_all_are_done_nobody_can_be_reminded() -> None:
    message = message_of(step(command("status"), counts=RolloutCounts(invited=2, done=2)).reply)
    assert actions(message) == ["show", "charts"]


def test_refresh_shows_it_in_place() -> None:
    after = step(press(token("show")), counts=COUNTS)
    assert isinstance(after.reply, Replace)
    assert after.reply.message == message_of(step(command("status"), counts=COUNTS).reply)


def test_send_again_asks_first_and_says_that_some_may_arrive_twice() -> None:
    again = button(message_of(step(command("status"), counts=COUNTS).reply), "send_again")
    assert again.confirm == Text("status.again.sure", {"count": 3})
    assert again.style is Style.PLAIN

    after = step(press(again.token), counts=COUNTS)
    assert after.effects == (SendAgain("rollout-1"),)
    assert after.audit == "sent_again"
    assert after.details == (("messages", 3),)


def test_a_second_press_sends_nothing_again() -> None:
    after = step(press(token("send_again")), counts=RolloutCounts(invited=1, open=1))
    assert not after.effects
    assert keys(message_of(after.reply))[0] == "status.title"


def missing(number: int) -> tuple[InvitationView, ...]:
    return tuple(view(invitee=person(f"p{n}"), id=f"i{n}", reminders=n) for n in range(number))


def test_who_is_missing_is_listed_with_what_is_open() -> None:
    unreached = view(confirmed=(CheckKind.ACCESS,), unreachable=Reason.BLOCKED.value)
    message = message_of(step(press(token("missing")), missing=(view(), unreached)).reply)
    said = words(message).replace("**", "")
    assert "Grace: access, tasks, and token · 0 reminders" in said
    assert "Grace: tasks and token · not reached: they have blocked me" in said
    assert actions(message) == ["show", "filter"]


def test_long_lists_come_in_pages() -> None:
    first = message_of(step(press(token("missing")), missing=missing(PAGE + 1)).reply)
    assert len(first.body) == PAGE
    assert [(each.token.action, each.token.version) for each in first.buttons] == [
        ("show", 0),
        ("filter", 0),
        ("missing", 1),
    ]

    last = message_of(step(press(token("missing", 1)), missing=missing(1)).reply)
    assert [(each.token.action, each.token.version) for each in last.buttons] == [
        ("show", 0),
        ("filter", 0),
        ("missing", 0),
    ]


def test_pages_keep_to_the_filter() -> None:
    page = message_of(step(press(token("missing.unreachable", 1)), missing=missing(PAGE + 1)).reply)
    assert body_keys(page)[0] == "missing.only"
    turns = [(each.token.action, each.token.version) for each in page.buttons][2:]
    assert turns == [("missing.unreachable", 0), ("missing.unreachable", 2)]


def test_the_filter_offers_what_this_rollout_can_lack() -> None:
    form = form_of(step(press(token("filter"))).reply)
    (which,) = form.fields
    offered = [choice.value for choice in which.choices]
    assert offered == ["everybody", *Missing]
    form = form_of(step(press(token("filter")), rollout(uses_tokens=False, former_sign_in=())).reply)
    offered = [choice.value for choice in form.fields[0].choices]
    assert offered == ["everybody", *(way for way in Missing if way not in (Missing.TASKS, Missing.TOKEN))]


def test_nobody_is_missing_in_this_way() -> None:
    message = message_of(step(press(token("missing.stopped"))).reply)
    assert body_keys(message) == ["missing.only", "missing.nobody.such"]
    assert actions(message) == ["show", "filter"]


def test_a_page_that_has_become_empty_says_so() -> None:
    message = message_of(step(press(token("missing", 3)), missing=()).reply)
    assert body_keys(message) == ["missing.nobody"]


def test_a_button_of_another_rollout_is_outdated() -> None:
    after = step(press(token("show")), rollout(id="rollout-2"), counts=COUNTS)
    assert keys(message_of(after.reply))[0] == "answer.outdated"


def test_one_person() -> None:
    of = view(confirmed=(CheckKind.ACCESS,), reached_at=NOON, reminders=2)
    message = message_of(step(command("status", mention(GRACE)), person=of, asked_for="@Grace").reply)
    assert message.title == Text("person.title", {"name": "Grace"})
    assert {"person.invited", "person.reached", "person.reminders", "person.next", "check.confirmed"} <= set(
        keys(message)
    )


def test_one_person_who_is_exempt_or_was_not_reached() -> None:
    of = view(exempt_at=NOON, exempt_reason="on leave", unreachable=Reason.POLICY.value, due_at=None)
    message = message_of(step(command("status", mention(GRACE)), person=of, asked_for="@Grace").reply)
    assert body_keys(message)[:2] == ["person.exempt", "reason.policy"]
    assert "on leave" in words(message)
    assert "person.next" not in keys(message)


def test_somebody_who_is_not_invited() -> None:
    after = step(command("status", mention(GRACE)), asked_for="@Grace")
    assert message_of(after.reply).summary == Text("status.not_invited", {"name": "@Grace"})


def test_a_word_that_names_nobody() -> None:
    after = step(command("status everyone"), counts=COUNTS)
    assert message_of(after.reply).summary == Text("status.usage", {"word": "everyone"})


@pytest.mark.parametrize(("part", "whole", "filled"), [(0, 0, 20), (0, 9, 0), (1, 30, 0), (5, 10, 10), (9, 9, 20)])
def test_bars_are_full_only_when_all_is_done(part: int, whole: int, filled: int) -> None:
    assert bar(part, whole) == "█" * filled + "░" * (20 - filled)


def test_a_viewer_has_the_buttons_that_a_viewer_may_press() -> None:
    loaded = StatusLoaded(scene(rollout(), Role.VIEWER), counts=COUNTS)
    shown = message_of(STATUS.decide(loaded, command("status"), NOON).reply)
    assert actions(shown) == ["show", "charts", "missing"]


def test_what_waits_most_is_the_first_problem() -> None:
    problems = {"tile": CaseCounts(1, 9, 9), "ide": CaseCounts(3, 0, 0), "email_code": CaseCounts(1, 2, 9)}
    problems["forbidden"] = CaseCounts(3, 1, 0)
    shown = message_of(step(command("status"), counts=replace(COUNTS, problems=problems)).reply)
    lines = [each.text for each in shown.body if isinstance(each, Section) and each.text.key == "status.problem"]
    kinds = [each.params["problem"] for each in lines]
    assert kinds == [text(f"problem.{kind}") for kind in ("forbidden", "ide", "tile", "email_code")]


def charts(over_time: OverTime, **policy: Any) -> tuple[BarChart, LineChart]:
    with_policy = rollout(policy=ReminderPolicy(**policy))
    shown = message_of(step(press(token("charts")), with_policy, counts=COUNTS, shown=Shown(over_time)).reply)
    bars, lines = (each for each in shown.body if isinstance(each, BarChart | LineChart))
    assert isinstance(bars, BarChart)
    assert isinstance(lines, LineChart)
    return bars, lines


TODAY = NOON.date()


def test_a_chart_shows_the_funnel_and_who_stands_aside() -> None:
    bars, _ = charts(OverTime({TODAY: 60}))
    shown = {what.key: number for what, number in bars.bars}
    assert bars.whole == shown["status.invited"] == 60
    assert shown["status.done"] == 15
    assert list(shown)[-2:] == ["status.exempt", "status.cases"], "nobody is unreachable"


def test_a_chart_over_time_adds_up_and_ends_today() -> None:
    invited = {TODAY - 4 * DAY: 40, TODAY - 2 * DAY: 20}
    _, lines = charts(OverTime(invited, {TODAY - 3 * DAY: 5, TODAY - DAY: 10}), deadline=TODAY + 9 * DAY)
    assert lines.days == tuple(TODAY - back * DAY for back in range(5, -1, -1))
    assert [values for _, values in lines.lines] == [(0, 40, 40, 60, 60, 60), (0, 0, 5, 5, 15, 15)]
    assert lines.until == (text("chart.deadline"), TODAY + 9 * DAY)


@given(back=st.integers(0, 2000), done=st.integers(0, 2000))
def test_however_long_it_takes_a_chart_has_few_days_and_ends_with_all(back: int, done: int) -> None:
    _, lines = charts(OverTime({TODAY - back * DAY: 7}, {TODAY - min(done, back) * DAY: 3}))
    assert 2 <= len(lines.days) <= 61
    assert lines.days[-1] == TODAY
    assert len(set(map(timedelta.total_seconds, map(sub, lines.days[1:], lines.days)))) == 1
    assert [values[-1] for _, values in lines.lines] == [7, 3]
    assert lines.until is None


def test_in_words_a_chart_over_time_ends_with_today() -> None:
    _, lines = charts(OverTime({TODAY - 100 * DAY: 7}))
    said = [say(each, Reader()) for each in as_text(lines)]
    assert len(said) <= 10
    assert said[-1] == "Tuesday 3 March 2026: Invited 7 and Done 0"


def test_where_nobody_is_invited_there_is_no_chart() -> None:
    shown = message_of(step(press(token("charts")), counts=RolloutCounts()).reply)
    assert not any(isinstance(each, BarChart | LineChart) for each in shown.body)


def test_waves_and_groups_have_charts_where_there_are_several() -> None:
    part = Standing(NOON, 10, 9, 4, exempt=1)
    waves, groups = (part,) * (MOST_PARTS + 1), (replace(part, label="@engineering", done=9),)
    several = replace(COUNTS, several_waves=True, several_groups=True)
    shown = message_of(step(press(token("charts")), counts=several, shown=Shown(OverTime(), waves, groups)).reply)
    _, by_wave, by_group = (each for each in shown.body if isinstance(each, BarChart))
    assert [number for _, number in by_wave.bars] == [50] * MOST_PARTS
    assert [(say(what, Reader()), number) for what, number in by_group.bars] == [("@engineering", 100)]
    alone = message_of(step(press(token("charts")), counts=COUNTS, shown=Shown(OverTime(), waves, groups)).reply)
    assert len([each for each in alone.body if isinstance(each, BarChart)]) == 1
