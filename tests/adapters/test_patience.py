"""What is shown at once is asked for again when nothing was done, and never when something may have been."""

from __future__ import annotations

import pytest

from adapters.patience import SOON, TRIES, patiently
from adapters.slack import web_api
from adapters.slack.web_api import ApiRefused, ApiThrottled, NotSent, Unanswered
from adapters.teams import connector_error
from adapters.teams.connector_error import ConnectorError, Outcome
from bot.ports import Reason


class Failing(Exception):
    """Says in how many seconds to try again."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(str(seconds))
        self.seconds = seconds


class Calls:
    """A platform that fails so often, then answers."""

    def __init__(self, *failures: float | None) -> None:
        self.made = 0
        self._failures = list(failures)

    async def __call__(self) -> str:
        self.made += 1
        if self._failures:
            raise Failing(self._failures.pop(0))
        return "shown"


def seconds(error: Exception) -> float | None:
    assert isinstance(error, Failing)
    return error.seconds


async def test_what_was_not_done_is_tried_again():
    calls = Calls(0.0, 0.01)
    assert await patiently(calls, seconds) == "shown"
    assert calls.made == 3


async def test_what_may_have_been_done_is_not():
    calls = Calls(None)
    with pytest.raises(Failing):
        await patiently(calls, seconds)
    assert calls.made == 1


async def test_it_ends_with_the_last_failure():
    calls = Calls(*[0.0] * TRIES)
    with pytest.raises(Failing):
        await patiently(calls, seconds)
    assert calls.made == TRIES


async def test_nobody_waits_for_ever():
    calls = Calls(0.5)
    with pytest.raises(Failing):
        await patiently(calls, seconds, within=0.4)
    assert calls.made == 1


def test_what_slack_has_not_done():
    assert web_api.again_after(ApiThrottled("chat.postMessage", 7.0)) == 7.0
    assert web_api.again_after(NotSent("chat.postMessage: no connection")) == SOON
    assert web_api.again_after(Unanswered("chat.postMessage", Reason.TIMED_OUT)) is None
    assert web_api.again_after(ApiRefused("chat.postMessage", "user_disabled")) is None


def test_what_teams_has_not_done():
    def failed(outcome: Outcome, status: int | None = None, retry_after: float | None = None) -> float | None:
        error = ConnectorError("send", outcome, status=status, retry_after=retry_after)
        return connector_error.again_after(error)

    assert failed(Outcome.REFUSED, 429, 3.0) == 3.0
    assert failed(Outcome.REFUSED, 429) == SOON
    assert failed(Outcome.NEVER_LEFT) == SOON
    assert failed(Outcome.UNKNOWN, 502) is None
    assert failed(Outcome.REFUSED, 403) is None
    assert connector_error.again_after(ValueError()) is None
