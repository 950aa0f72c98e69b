"""Never faster than a platform allows, and slower after it has said so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports import Limits
from bot.ratelimit import FASTER, FIRST_TROUBLE, LONGEST_TROUBLE, SAFETY, SLOWER, SLOWEST, Bucket, LaneLimits
from tests.builders import NOON


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def bucket(per_second: float = 1.0, burst: int = 5) -> Bucket:
    return Bucket(Limits(per_second, burst, in_flight=10))


def test_a_full_bucket_gives_its_burst_and_then_waits() -> None:
    full = bucket()
    assert full.take(NOON, 10) == 5
    assert full.take(NOON, 1) == 0
    assert full.wait(NOON) == 5 * SAFETY
    assert full.take(at(5 * SAFETY), 10) == 5


def test_time_in_which_nothing_could_be_sent_is_made_up_for() -> None:
    full = bucket()
    full.take(NOON, 5)
    assert full.take(at(5.5), 2) == 2
    assert full.take(at(6), 10) == 3


def test_what_was_not_used_is_given_back() -> None:
    full = bucket()
    full.give_back(full.take(NOON, 3))
    full.give_back(100)
    assert full.take(NOON, 10) == 5


def test_waiting_takes_nothing() -> None:
    full = bucket()
    assert [full.wait(NOON) for _ in range(10)] == [0.0] * 10
    assert full.take(NOON, 10) == 5


def test_calls_that_are_made_anyway_are_waited_for() -> None:
    full = bucket(burst=3)
    full.take(NOON, 3)
    full.charge(NOON, 3)
    assert full.take(at(5), 9) == 0
    assert full.take(at(6 * SAFETY), 9) == 3


def test_after_a_429_nothing_goes_until_the_platform_allows_it() -> None:
    full = bucket()
    full.throttle(NOON, 30)
    assert full.wait(at(10)) == 20
    assert full.take(at(29.9), 1) == 0
    assert full.take(at(30), 1) == 1


def test_of_two_429s_the_longer_wait_counts() -> None:
    full = bucket()
    full.throttle(NOON, 30)
    full.throttle(at(1), 5)
    assert full.take(at(10), 1) == 0


def test_after_a_429_it_goes_slower_and_recovers_evenly() -> None:
    full = bucket(per_second=10)
    full.throttle(NOON, 1)
    assert full.rate == 10 * SLOWER
    full.wait(at(1))
    assert full.rate == 10 * SLOWER, "while it is closed nothing is known"
    full.wait(at(2))
    assert full.rate == pytest.approx(10 * (SLOWER + FASTER))
    full.wait(at(3))
    assert full.rate == pytest.approx(10 * (SLOWER + 2 * FASTER))
    full.wait(at(60))
    assert full.rate == 10


def test_the_429s_of_calls_that_were_under_way_together_count_once() -> None:
    full = bucket(per_second=10)
    for moment in (0, 0.1, 0.2):
        full.throttle(at(moment), 1)
    assert full.rate == 10 * SLOWER
    full.throttle(at(5), 1)
    assert full.rate < 10 * SLOWER


def test_it_never_comes_to_a_stop() -> None:
    full = bucket(per_second=10)
    for second in range(50):
        full.throttle(at(second), 1)
    assert full.rate == pytest.approx(10 * SLOWEST)


def test_a_platform_in_trouble_is_left_alone_for_a_moment_and_longer_each_time() -> None:
    full, now, pauses = bucket(), NOON, []
    for _ in range(6):
        full.trouble(now)
        full.trouble(now)  # the others that were under way
        pauses.append(full.wait(now))
        now += timedelta(seconds=pauses[-1])
    assert pauses == [FIRST_TROUBLE * 2**number for number in range(4)] + [LONGEST_TROUBLE] * 2
    assert full.rate == full.limits.per_second
    full.works()
    full.trouble(now)
    assert full.wait(now) == FIRST_TROUBLE


def test_a_clock_that_steps_back_neither_gives_anything_away_nor_stops_the_lane() -> None:
    full = bucket()
    full.take(NOON, 5)
    full.throttle(NOON, 30)
    assert full.take(at(-3600), 1) == 0
    assert full.take(at(-3569), 1) == 1


def test_sending_updating_and_asking_are_counted_apart() -> None:
    lane = LaneLimits.of(Limits(per_second=1, burst=1, in_flight=3, others_per_second=2, others_burst=3))
    assert lane.send.take(NOON, 9) == 1
    assert lane.update.take(NOON, 9) == 3
    assert lane.find.take(NOON, 9) == 3
    assert lane.update.rate == 2


def test_where_all_calls_are_counted_together_updates_have_their_share_and_sending_the_rest() -> None:
    lane = LaneLimits.of(Limits(per_second=30, burst=5, in_flight=10, others_per_second=10, counted_together=True))
    sent = updated = 0
    for tick in range(10_000):
        now = at(tick / 1000)
        sent += lane.send.take(now, 10)
        updated += lane.update.take(now, 10)
    assert updated >= 95
    assert 280 / SAFETY <= sent + updated <= 310


def test_where_all_calls_are_counted_together_a_429_holds_all() -> None:
    lane = LaneLimits.of(Limits(per_second=30, burst=10, in_flight=10, counted_together=True))
    lane.update.throttle(NOON, 7)
    assert lane.send.wait(NOON) == 7
    lane.send.throttle(NOON, 9)
    assert lane.update.wait(NOON) == 9


@given(
    st.floats(0.1, 100),
    st.integers(1, 100),
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 50), st.none() | st.floats(0, 60)), max_size=60),
)
def test_in_no_window_is_more_taken_than_burst_and_rate_allow(
    per_second: float, burst: int, steps: list[tuple[float, int, float | None]]
) -> None:
    full = bucket(per_second, burst)
    taken: list[tuple[float, int]] = []
    closed_until = now = 0.0
    for pause, wanted, retry_after in steps:
        now += pause
        got = full.take(at(now), wanted)
        assert 0 <= got <= wanted
        assert got == 0 or now >= closed_until - 1e-5
        taken.append((now, got))
        if retry_after is not None:
            full.throttle(at(now), retry_after)
            closed_until = max(closed_until, now + retry_after)
    for first, (begin, _) in enumerate(taken):
        for end, _ in taken[first:]:
            within = sum(got for moment, got in taken if begin <= moment <= end)
            assert within <= burst + (end - begin) * per_second + 1e-3
