"""A list of addresses that an admin hands in as a file."""

from __future__ import annotations

import pytest

from bot.conversations.invite import INVITE
from bot.conversations.invite_wave import InviteLoaded
from bot.events import ListHandedIn, Target, TargetKind
from bot.model import Dialog, Person
from bot.transition import AskDirectory, Transition
from tests.builders import ADA, GRACE, NOON, event_id, rollout, scene

ADDRESSES = (Target(TargetKind.EMAIL, "linus@acme.example", "linus@acme.example"),)


def waiting(step: str = "file") -> Dialog:
    return Dialog(
        id="d", workspace_id=ADA.workspace_id, person_id=ADA.id, conversation="invite", step=step, data={}, updated_at=NOON, version=1
    )  # fmt: skip


def handed_in(dialog: Dialog | None, by: Person = ADA) -> Transition:
    event = ListHandedIn(id=event_id(), workspace_id=ADA.workspace_id, actor=by, dialog_id="d", targets=ADDRESSES)
    return INVITE.decide(InviteLoaded(scene(rollout()), dialog=dialog), event, NOON)


def test_it_is_looked_up_like_what_is_typed() -> None:
    after = handed_in(waiting())
    (dialog,) = after.state
    assert isinstance(dialog, Dialog)
    assert (dialog.step, dialog.version, dialog.updated_at) == ("looking", 2, NOON)
    assert after.effects == (AskDirectory("d", ADDRESSES),)
    assert (after.audit, after.subject, after.details) == ("invite.asked", "d", (("lines", 1),))


@pytest.mark.parametrize(
    ("dialog", "by"),
    [
        pytest.param(None, ADA, id="gone"),
        pytest.param(waiting("looking"), ADA, id="handed in before"),
        pytest.param(waiting(), GRACE, id="somebody else's"),
    ],
)
def test_what_nobody_waits_for_changes_nothing(dialog: Dialog | None, by: Person) -> None:
    assert handed_in(dialog, by) == Transition()
