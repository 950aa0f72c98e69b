"""What the store answers with: several rows at once, and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from bot.events import Problem
from bot.model import (
    Case,
    Check,
    CheckKind,
    DeliveryState,
    Invitation,
    Person,
    Rollout,
    Wave,
    Workspace,
)


@dataclass(frozen=True)
class InvitationView:
    """An invitation with what is needed to show it."""

    invitation: Invitation
    person: Person
    rollout: Rollout
    checks: tuple[Check, ...] = ()

    @property
    def open_checks(self) -> tuple[CheckKind, ...]:
        """What is still to be confirmed, in the order in which it is asked."""
        confirmed = {check.kind for check in self.checks}
        return tuple(kind for kind in self.invitation.needs if kind not in confirmed)


@dataclass(frozen=True)
class Acting:
    """Where something was done, by whom, and the rollout that they work on; None for what is not known."""

    workspace: Workspace | None = None
    person: Person | None = None
    rollout: Rollout | None = None


class Planned(NamedTuple):
    """An invitation with what decides about its next reminder."""

    invitation: Invitation
    rollout: Rollout
    time_zone: str


class Due(NamedTuple):
    """An open invitation whose reminder is due, as far as the reminder needs it: a thousand are read at once."""

    invitation_id: str
    rollout: Rollout
    person_id: str
    workspace_id: str
    time_zone: str
    reminders: int  # before this one
    snoozed_until: datetime | None
    final_notice_at: datetime | None
    last_contact_at: datetime


class Missing(StrEnum):
    """How somebody of whom something is expected is missing: what an admin can look for."""

    ACCESS = "access"  # these have not confirmed the check of that name
    TASKS = "tasks"
    TOKEN = "token"  # noqa: S105  # a check's name
    NOT_OPENED = "not_opened"  # have not opened the login page, as far as the platform tells
    UNREACHABLE = "unreachable"  # the last message did not arrive
    STOPPED = "stopped"  # want no more reminders
    SNOOZED = "snoozed"
    ESCALATED = "escalated"


@dataclass(frozen=True)
class CaseCounts:
    """How many cases of one kind of problem are how far."""

    open: int = 0
    answered: int = 0
    solved: int = 0


@dataclass(frozen=True)
class WaveResults:
    """How it goes with the people that a wave has reached."""

    reached: int = 0
    done: int = 0
    median_hours: float | None = None  # from the invitation's arrival until everything was confirmed
    reported: int = 0  # people with a problem
    problems: Mapping[str, int] = field(default_factory=dict)  # people, by kind


@dataclass(frozen=True)
class CaseGroup:
    """The same problem of one person or many. `shown` are the first of its cases, those without an answer first."""

    id: str
    rollout_id: str
    problem: str
    first_at: datetime
    open: int = 0
    answered: int = 0
    solved: int = 0
    answer: str = ""  # the last one that was given
    shown: tuple[tuple[Case, Person], ...] = ()

    @property
    def people(self) -> int:
        """How many have reported it."""
        return self.open + self.answered + self.solved

    @classmethod
    def of_one(cls, case: Case, person: Person) -> CaseGroup:
        """What one person is the first to report."""
        return cls(case.group_id, case.rollout_id, case.problem, case.opened_at, open=1, shown=((case, person),))

    def with_more_in(self, case: Case) -> CaseGroup:
        """As it is when somebody who has reported it says more."""
        return replace(self, shown=tuple((case if each.id == case.id else each, who) for each, who in self.shown))

    def with_one_more(self, case: Case, person: Person) -> CaseGroup:
        """As it is when somebody else reports it."""
        return replace(self, open=self.open + 1, shown=(*self.shown, (case, person)))

    def when_answered(self, answer: str) -> CaseGroup:
        """As it is when all who wait have this answer."""
        return replace(self, open=0, answered=self.answered + self.open, answer=answer)


@dataclass(frozen=True)
class Standing:
    """How far the people are whom one wave invited, or who were found in one group."""

    began: datetime
    invited: int
    reached: int
    done: int
    opened: int = 0  # the login page, where that is told
    exempt: int = 0
    reported: int = 0  # people whose problem is not solved
    label: str = ""  # whom the admin named, or the group


@dataclass(frozen=True)
class OverTime:
    """How many were invited, and how many finished, on each of UTC's days."""

    invited: Mapping[date, int] = field(default_factory=dict)
    done: Mapping[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RolloutCounts:
    """Where everyone stands. `invited` is everybody; the others need not add up to it."""

    invited: int = 0
    reached: int = 0
    opened: int = 0  # the login page, where that is told
    unreachable: int = 0  # of the open ones, whose last message did not arrive
    confirmed: Mapping[CheckKind, int] | None = None
    done: int = 0
    exempt: int = 0
    open: int = 0
    snoozed: int = 0  # of these, who asked to be reminded later
    stopped: int = 0  # of the open ones, who asked for no more reminders
    open_cases: int = 0
    planned: tuple[Wave, ...] = ()  # waves that have not started yet, the next one first; those that are held before
    problems: Mapping[str, CaseCounts] = field(default_factory=dict)  # by kind
    several_waves: bool = False  # invited these people
    several_groups: bool = False  # were named
    reminders: int = 0
    deliveries: Mapping[DeliveryState, int] | None = None
    reasons: Mapping[str, int] | None = None  # why the last message to somebody who is open failed, or may have
    failed: int = 0  # of these, what an admin can send again


@dataclass(frozen=True)
class WaveCounts:
    """How far the sending of a wave is: its messages by state, and why the last ones to people failed."""

    states: Mapping[DeliveryState, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0  # of these, what an admin can send again

    @property
    def total(self) -> int:
        """All of the wave's messages."""
        return sum(self.states.values())

    @property
    def looked_up(self) -> int:
        """How many may have arrived on a platform that will be asked: these settle by themselves."""
        return sum(self.reasons.values()) - self.failed

    def sent_again(self) -> WaveCounts:
        """As it will be when what failed is ready again."""
        unknown = max(self.failed - self.states.get(DeliveryState.DEAD, 0), 0)
        moved = {DeliveryState.DEAD: self.failed - unknown, DeliveryState.UNKNOWN: unknown}
        states = {state: count - moved.get(state, 0) for state, count in self.states.items()}
        states[DeliveryState.READY] = states.get(DeliveryState.READY, 0) + self.failed
        return WaveCounts(states)


@dataclass(frozen=True)
class LeftOut:
    """How many people or names are left out for one reason, and the first of them."""

    problem: Problem
    count: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class ListSummary:
    """A list, however long: how many people in which workspace, the first names, and who is left out."""

    people: Mapping[str, int] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Footprint:
    """How much is stored of somebody."""

    invitations: int = 0
    messages: int = 0
    problems: int = 0


@dataclass(frozen=True)
class RemovalCounts:
    """Old accounts by what may become of them. `may_go` leaves open whether each organization keeps an admin."""

    invited: int = 0
    may_go: int = 0
    to_tell: int = 0  # of these, who has no farewell yet
    farewells: Mapping[DeliveryState, int] = field(default_factory=dict)
    ci_unknown: int = 0  # everything is confirmed, but not whether a CI job uses the old token
    to_ask: int = 0  # of these, who was not asked in a message of its own yet
    keepers: int = 0


@dataclass(frozen=True)
class Waiting:
    """So many wait, the oldest `since` then. Counted up to a limit, so that asking stays cheap."""

    count: int = 0
    since: datetime | None = None
