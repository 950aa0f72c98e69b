"""Digests: how a rollout goes, for whoever wants to know; and who does not answer, for whoever is to talk to them.

Each is one message a day, or a week, to a person or a channel, however much happens in the rollout.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import JSON, Field, SQLModel

from bot.calendar import is_working_day, opening
from bot.columns import ByValue, UtcDateTime
from bot.model import ReminderPolicy, derived_id
from bot.texts import zone

LOOK_AHEAD = 60  # days, for a working day


class DigestKind(StrEnum):
    """What is told."""

    REPORT = "report"  # the rollout in figures
    ESCALATION = "escalation"  # who has had so many reminders and has not confirmed


class Frequency(StrEnum):
    """How often; on working days only, when working hours begin."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"  # on a week's first working day


class Digest(SQLModel):
    """One digest of a rollout, to one person or channel. A channel is stored as a person whose `user_id` it is."""

    id: str = Field(primary_key=True)
    rollout_id: str = Field(index=True)
    kind: DigestKind = Field(sa_type=ByValue(DigestKind))
    person_id: str  # to whom
    every: Frequency = Field(default=Frequency.NEVER, sa_type=ByValue(Frequency))
    after: int = 0  # of ESCALATION: reminders
    to_managers: bool = False  # of ESCALATION: to each one's own, where the directory knows them; else to that person
    time_zone: str = "UTC"  # of the admin who asked for it
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: no more
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when it was last due
    told: dict[str, int] = Field(default_factory=dict, sa_type=JSON)  # the figures of the last one
    changed_by: str = ""  # person id
    version: int = 0

    @property
    def round(self) -> str:
        """What a message of the digest that is due now has in its key: the same whenever, and by however many
        processes, it is written.
        """
        return self.next_at.isoformat() if self.next_at is not None else ""

    @classmethod
    def report(cls, rollout_id: str, person_id: str) -> Digest:
        """The rollout's report to this person or channel, not asked for yet."""
        key = derived_id(rollout_id, "digest", person_id)
        return cls(id=key, rollout_id=rollout_id, kind=DigestKind.REPORT, person_id=person_id)

    @classmethod
    def escalation(cls, rollout_id: str) -> Digest:
        """The rollout's escalation, of which there is one, not asked for yet."""
        key = derived_id(rollout_id, "escalation")
        return cls(id=key, rollout_id=rollout_id, kind=DigestKind.ESCALATION, person_id="")


def next_at(
    every: Frequency, policy: ReminderPolicy, time_zone: str, now: datetime, sent_at: datetime | None = None
) -> datetime | None:
    """When the next one is due after `now`: as working hours begin there, on a later day than the last one was sent;
    None for never, and for a policy that has no working day.
    """
    today = now.astimezone(zone(time_zone)).date()
    sent_on = sent_at.astimezone(zone(time_zone)).date() if sent_at is not None else None
    for day in (today + timedelta(days=number) for number in range(LOOK_AHEAD)):
        fits = day != sent_on and is_working_day(policy, time_zone, day) and opening(policy, time_zone, day) > now
        if every is Frequency.DAILY and fits:
            return opening(policy, time_zone, day)
        if every is Frequency.WEEKLY and fits and _is_first_of_week(policy, time_zone, day):
            return opening(policy, time_zone, day)
    return None


def _is_first_of_week(policy: ReminderPolicy, time_zone: str, day: date) -> bool:
    before = (day - timedelta(days=number) for number in range(1, day.weekday() + 1))
    return not any(is_working_day(policy, time_zone, each) for each in before)
