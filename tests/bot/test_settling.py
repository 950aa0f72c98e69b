"""What has come to its turn is not always to be sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.model import Delivery, DeliveryKind, ReminderPolicy, RolloutState
from bot.ports import Reason
from bot.settling import NotNeeded, NotNow, withheld
from tests.builders import person, rollout, view

NIGHT = datetime(2026, 3, 3, 22, 30, tzinfo=UTC)  # a Tuesday
MORNING = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
LONDONER = person("lena", time_zone="Europe/London")


def delivery(kind: DeliveryKind) -> Delivery:
    return Delivery(
        id="d1",
        key="k1",
        kind=kind,
        lane=LONDONER.workspace_id,
        person_id=LONDONER.id,
        not_before=NIGHT,
        created_at=NIGHT,
    )


def test_a_reminder_that_was_held_up_until_the_night_waits_for_the_morning() -> None:
    held_up = withheld(delivery(DeliveryKind.REMINDER), view(invitee=LONDONER), NIGHT)
    assert held_up == NotNow(MORNING, Reason.OUTSIDE_HOURS)


def test_a_reminder_within_working_hours_goes() -> None:
    assert withheld(delivery(DeliveryKind.REMINDER), view(invitee=LONDONER), MORNING) is None


def test_a_reminder_that_was_held_up_until_after_the_deadline_does_not_go() -> None:
    of = rollout(policy=ReminderPolicy(deadline=NIGHT.date()))
    assert withheld(delivery(DeliveryKind.REMINDER), view(of, LONDONER), NIGHT) == NotNeeded()


def test_an_invitation_goes_when_the_admin_sends_it_also_at_night() -> None:
    assert withheld(delivery(DeliveryKind.INVITATION), view(invitee=LONDONER), NIGHT) is None


@pytest.mark.parametrize("kind", [DeliveryKind.INVITATION, DeliveryKind.REMINDER])
def test_what_was_claimed_when_the_rollout_was_paused_waits(kind: DeliveryKind) -> None:
    paused = view(rollout(state=RolloutState.PAUSED), LONDONER)
    assert withheld(delivery(kind), paused, MORNING) == NotNow(MORNING, Reason.PAUSED)


def test_an_answer_goes_whatever_the_hour_and_the_rollout() -> None:
    assert withheld(delivery(DeliveryKind.NOTICE), view(rollout(state=RolloutState.PAUSED), LONDONER), NIGHT) is None
