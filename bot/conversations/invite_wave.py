"""What becomes of a list that an admin has decided on: a wave, now or later, of everybody on it or of the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.approvals import ApprovalKind, Needed
from bot.conversations import answers
from bot.conversations.invite_later import Plan
from bot.conversations.invite_messages import list_message
from bot.conversations.scene import Loaded
from bot.conversations.wave_messages import estimated_seconds, progress_message
from bot.events import ButtonPressed, CommandIssued, FormSubmitted, Target, TargetKind
from bot.messages import Tone, text
from bot.model import Dialog, Listed, Rollout, RolloutState, Wave, WaveStage, derived_id
from bot.planned_waves import starts_at
from bot.ports import ListSummary, WaveCounts
from bot.readiness import Readiness, ReadyPoint, missing
from bot.transition import Replace, SendMessage, SplitList, Transition

LABEL = 100  # characters


@dataclass(frozen=True)
class InviteLoaded(Loaded):
    """The list that waits for confirmation: in a few figures when it is new, or a page of its lines; the first people
    and the rest, where a wave takes the first; and what admins have confirmed of the rollout before.
    """

    dialog: Dialog | None = None
    summary: ListSummary = field(default_factory=ListSummary)
    lines: tuple[Listed, ...] = ()
    parts: tuple[ListSummary, ListSummary] | None = None
    readiness: Readiness = field(default_factory=lambda: Readiness.unknown(""))

    @property
    def not_ready(self) -> Sequence[ReadyPoint]:
        """What should be there before anybody is invited, and is not, as far as anybody has said."""
        return missing(self.scene.rollout, self.readiness) if self.scene.rollout else ()


def list_of(dialog: Dialog) -> str:
    """The id of the list that an admin decides on in this dialog."""
    return str(dialog.data.get("list", ""))


def lanes_of(dialog: Dialog) -> Mapping[str, int]:
    """How many people are on the list, by workspace."""
    lanes = dialog.data.get("lanes")
    return {str(lane): int(count) for lane, count in lanes.items()} if isinstance(lanes, dict) else {}


def label_of(targets: Sequence[Target]) -> str:
    """The groups, channels and teams that an admin named, short enough for a line; people are not named in it."""
    alone = (TargetKind.PERSON, TargetKind.EMAIL, TargetKind.LINE)
    whole = ", ".join(target.label or target.id for target in targets if target.kind not in alone)
    return whole if len(whole) <= LABEL else f"{whole[: LABEL - 1]}…"


def begun_dialog(rollout: Rollout, event: CommandIssued, step: str, now: datetime) -> Dialog:
    """The dialog of a command."""
    return Dialog(
        id=derived_id(event.id, "invite"),
        conversation="invite",
        workspace_id=event.workspace_id,
        person_id=event.actor.id,
        rollout_id=rollout.id,
        step=step,
        version=1,
        updated_at=now,
    )


def closed_dialog(dialog: Dialog, now: datetime) -> Dialog:
    """The dialog when the admin has decided."""
    return dialog.model_copy(update={"closed": True, "version": dialog.version + 1, "updated_at": now})


def send_list(
    loaded: InviteLoaded,
    dialog: Dialog,
    event: ButtonPressed | FormSubmitted,
    now: datetime,
    plan: Plan | None = None,
) -> Transition:
    """The wave is stored here, its invitations in the background (bot/waves.py): the answer takes the same time for
    ten people and for a hundred thousand. A planned one starts later. What was missing when the admin went on anyway
    is in the audit log.
    """
    rollout, closed, not_ready = loaded.scene.rollout, closed_dialog(dialog, now), loaded.not_ready
    if rollout is None:
        return answers.no_rollout()
    lanes = lanes_of(closed)
    day = plan.day if plan else None
    ends_at = None if day else now + timedelta(seconds=estimated_seconds(lanes, loaded.scene.per_minute))
    wave = Wave(
        id=derived_id(closed.id, "wave"),
        rollout_id=rollout.id,
        workspace_id=event.workspace_id,
        created_by=event.actor.id,
        created_at=now,
        label=str(dialog.data.get("label", "")),
        list_id=list_of(closed),
        stage=WaveStage.STORING,
        starts_at=starts_at(day, plan.hour) if plan and day else None,
        hold_above=plan.hold_above if plan else None,
        size=sum(lanes.values()),
        channel_id=event.message.channel_id if event.message else "",
        message_id=event.message.message_id if event.message else "",
        version=1,
    )
    return Transition(
        reply=Replace(progress_message(wave, rollout, WaveCounts(), ends_at)),
        state=(closed, wave),
        audit="invite.planned" if day else "invited",
        subject=wave.id,
        details=(("people", wave.size), *((("not_ready", " ".join(not_ready)),) if not_ready else ())),
        needed=Needed(
            ApprovalKind.SEND, text("approval.invite", count=wave.size, enterprise=rollout.name), wave.size
        ),
    )


def send_as_planned(
    loaded: InviteLoaded, dialog: Dialog, event: FormSubmitted, now: datetime, plan: Plan
) -> Transition:
    """A wave of everybody on the list, or of the first of them: then the rest is a list of its own."""
    rollout = loaded.scene.rollout
    if plan.day is None and rollout is not None and rollout.state is RolloutState.PAUSED:
        return answers.whisper(text("invite.paused"), Tone.WARNING)
    if plan.size is None or loaded.parts is None or rollout is None:
        return send_list(loaded, dialog, event, now, plan)
    first, others = loaded.parts
    rest = dialog.model_copy(
        update={
            "id": derived_id(event.id, "rest"),
            "data": {
                "label": dialog.data.get("label", ""),
                "list": derived_id(event.id, "list"),
                "lanes": dict(others.people),
            },
            "version": 1,
            "updated_at": now,
        }
    )
    mine = dialog.model_copy(update={"data": {**dialog.data, "lanes": dict(first.people)}})
    sent = send_list(loaded, mine, event, now, plan)
    shown = list_message(rest, rollout, others, loaded.not_ready, loaded.scene.per_minute)
    ask = SendMessage(f"{rest.id}:list", dialog.person_id, shown)
    return replace(
        sent, state=(*sent.state, rest), effects=(SplitList(list_of(dialog), list_of(rest), plan.size), ask)
    )
