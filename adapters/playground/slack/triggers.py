"""Trigger ids: the short-lived right to open a modal that comes with each interaction."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from adapters.playground.slack.refusal import Refused


@dataclass
class _Trigger:
    user: str
    given_at: float
    used: bool = False


class Triggers:
    """Hands out trigger ids and takes each back once, within three seconds of real time.

    Source: docs.slack.dev/surfaces/modals, "Preparing to open modals". `lives_for` is in seconds; real time counts,
    since the workspace's own clock may be turned forward while somebody waits.
    """

    def __init__(self) -> None:
        self.lives_for = 3.0
        self._given: dict[str, _Trigger] = {}

    def give(self, user_id: str) -> str:
        """A new trigger id for this person."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._given[trigger_id] = _Trigger(user_id, time.monotonic())
        return trigger_id

    def check(self, trigger_id: object) -> str:
        """The person whose trigger this is.

        Raises Refused: invalid_trigger_id, exchanged_trigger_id, expired_trigger_id.
        """
        trigger = self._given.get(str(trigger_id))
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if time.monotonic() - trigger.given_at > self.lives_for:
            raise Refused("expired_trigger_id")
        return trigger.user

    def use(self, trigger_id: str) -> None:
        """Spend it: a view was opened with it."""
        self._given[trigger_id].used = True
