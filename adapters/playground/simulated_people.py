"""Simulated people: an admin who runs the rollout, and invitees who do as people do. Seeded, so repeatable.

How many behave in which way is an assumption, not a measurement; the report shows it beside what came of it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from adapters.playground.simulated_chat import ChatClient, Kind, button, kind_of
from bot.calendar import allowed_from
from bot.events import MessageRef, Target, TargetKind
from bot.messages import Form, Message
from bot.model import Person, Platform, ReminderPolicy, Workspace
from bot.ports import Handle
from bot.transition import Replace, Reply, ShowForm

_Choice = TypeVar("_Choice")

# When people look at their messages, where they are: a little longer than the bot may write to them.
OFFICE_HOURS = ReminderPolicy(hour_from=8, hour_to=18)
ADMIN_ZONE = "Europe/Berlin"
TIME_ZONES: Mapping[str, float] = {
    "Europe/Berlin": 0.32,
    "Europe/London": 0.16,
    "America/New_York": 0.20,
    "America/Los_Angeles": 0.10,
    "Asia/Kolkata": 0.14,
    "Asia/Tokyo": 0.05,
    "Australia/Sydney": 0.03,
}


class Behaviour(StrEnum):
    """When an invitee does what is asked."""

    AT_ONCE = "at once"
    THAT_DAY = "within a day"
    REMINDED = "when reminded"
    SNOOZES = "after a snooze"
    PROBLEM = "after an answer"
    NEVER = "never"


SHARES: Mapping[Behaviour, float] = {
    Behaviour.AT_ONCE: 0.15,
    Behaviour.THAT_DAY: 0.43,
    Behaviour.REMINDED: 0.27,
    Behaviour.SNOOZES: 0.05,
    Behaviour.PROBLEM: 0.05,
    Behaviour.NEVER: 0.05,
}
# How many reminders those need who need them.
REMINDERS_NEEDED: Mapping[int, float] = {1: 0.50, 2: 0.25, 3: 0.15, 4: 0.07, 5: 0.03}
# Minutes between reading and doing.
AFTER_INVITATION: Mapping[Behaviour, tuple[int, int]] = {
    Behaviour.AT_ONCE: (2, 20),
    Behaviour.THAT_DAY: (20, 600),
    Behaviour.SNOOZES: (5, 240),
    Behaviour.PROBLEM: (10, 480),
}
AFTER_NUDGE = (3, 420)
DELAYS = ("3_hours", "1_day", "3_days", "1_week")
PROBLEMS = ("no_organization", "email_code", "tile", "forbidden", "token_fails", "other")


class Actor(Protocol):
    """Somebody whom messages reach, and who does something some time after."""

    def receive(self, message: Message, where: MessageRef, now: datetime) -> datetime | None:
        """Read it; returns when they will act on it, None when they will not."""
        ...

    async def act(self) -> None:
        """Do what they had in mind."""
        ...


class Invitee:
    """Somebody who is asked to sign in with SSO."""

    def __init__(self, person: Person, handle: Handle, chance: random.Random) -> None:
        self.person = person
        self.behaviour = _one_of(SHARES, chance)
        self.invitation_id = ""
        self._client = ChatClient(person, handle)
        self._chance = chance
        self._needs = _one_of(REMINDERS_NEEDED, chance) if self.behaviour is Behaviour.REMINDED else 0
        self._reminders = 0
        self._message: Message | None = None
        self._busy = False  # has something in mind already
        self._waits_for_answer = False
        self.reported = False  # has told the admins of a problem
        self._todo = {Behaviour.SNOOZES: self._snooze, Behaviour.PROBLEM: self._report}.get(self.behaviour)

    def receive(self, message: Message, where: MessageRef, now: datetime) -> datetime | None:  # noqa: ARG002
        """Read it; returns when they will act on it, None when they will not."""
        delay = self._delay(kind_of(message))
        confirm = button(message, "problem", "open")
        if confirm is not None and kind_of(message) is not Kind.OTHER:
            self._message, self.invitation_id = message, confirm.subject
        if delay is None or self._busy:
            return None
        self._busy = True
        return at_work(self.person.time_zone, now, self._chance.triangular(*delay, delay[0]), self._chance)

    def _delay(self, kind: Kind) -> tuple[int, int] | None:
        match kind:
            case Kind.INVITATION:
                return AFTER_INVITATION.get(self.behaviour)
            case Kind.REMINDER:
                self._reminders += 1
                willing = self.behaviour is not Behaviour.NEVER and self._reminders >= self._needs
                return AFTER_NUDGE if willing and not self._waits_for_answer else None
            case Kind.OTHER:  # the answer to their problem
                self._waits_for_answer = False
                return AFTER_NUDGE

    async def act(self) -> None:
        """Snooze or report once, if they are like that; otherwise confirm."""
        self._busy = False
        todo, self._todo = self._todo, None
        await (todo or self._confirm)()

    async def _confirm(self) -> None:
        token = button(self._message, "confirm", "access")
        if token is not None:
            self._see(await self._client.press(token))

    async def _snooze(self) -> None:
        token = button(self._message, "confirm", "later")
        form = _form(await self._client.press(token)) if token else None
        if form is not None:
            self._see(await self._client.submit(form, {"delay": self._chance.choice(DELAYS)}))

    async def _report(self) -> None:
        token = button(self._message, "problem", "open")
        form = _form(await self._client.press(token)) if token else None
        answers = {"problem": self._chance.choice(PROBLEMS), "description": "I cannot get in."}
        while form is not None:
            self._waits_for_answer = self.reported = True
            reply = await self._client.submit(form, answers)
            form = _form(reply)
            self._see(reply)

    def _see(self, reply: Reply | None) -> None:
        if isinstance(reply, Replace):
            self._message = reply.message


class Admin:
    """Sets the rollout up, invites everybody, and answers problems."""

    def __init__(self, person: Person, handle: Handle, chance: random.Random) -> None:
        self.person = person
        self._client = ChatClient(person, handle)
        self._chance = chance
        self._inbox: list[tuple[Message, MessageRef]] = []

    async def set_up(self, policy: ReminderPolicy) -> None:
        """Through the setup dialog, step by step."""
        form = _form(await self._client.command("setup"))
        while form is not None:
            form = _form(await self._client.submit(form, _setup_answers(policy)))

    async def invite_everybody(self) -> None:
        """The command; what the bot found comes as a message."""
        await self._client.command("invite", Target(TargetKind.GROUP, "S0EVERYONE", "@everyone"))

    def receive(self, message: Message, where: MessageRef, now: datetime) -> datetime | None:
        """The list of invitees is confirmed after a look, a problem answered in the next working hours."""
        if not message.buttons:
            return None
        self._inbox.append((message, where))
        delay = 2.0 if button(message, "invite", "send") else self._chance.triangular(10, 300, 45)
        return at_work(self.person.time_zone, now, delay, self._chance)

    async def act(self) -> None:
        """What came first, first."""
        message, where = self._inbox.pop(0)
        if (send := button(message, "invite", "send")) is not None:
            await self._client.press(send, where)
        if (answer := button(message, "case", "answer")) is not None:
            form = _form(await self._client.press(answer, where))
            if form is not None:
                await self._client.submit(form, {"answer": "Please try again now."})


def at_work(time_zone: str, now: datetime, minutes: float, chance: random.Random) -> datetime:
    """That long from now, or soon after the next office hours begin there. A whole minute, so that what people
    do in the same minute can be handled side by side, as in a real company.
    """
    wished = now + timedelta(minutes=minutes)
    opens = allowed_from(OFFICE_HOURS, time_zone, wished)
    assert opens is not None, "office hours have no deadline"
    at = wished if opens == wished else opens + timedelta(minutes=chance.triangular(0, 90, 15))
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


def person(workspace: Workspace, number: int, chance: random.Random) -> Person:
    """Somebody of the simulated company, somewhere in the world."""
    user_id = f"U{number:06}"
    return Person(
        id=Person.key(workspace.id, user_id),
        workspace_id=workspace.id,
        user_id=user_id,
        name=f"Person {number}",
        email=f"person{number}@example.com",
        time_zone=_one_of(TIME_ZONES, chance),
        channel_id=f"D{user_id}",
        seen_at=workspace.installed_at,
    )


def admin(workspace: Workspace) -> Person:
    """The one who runs the rollout."""
    return Person(
        id=Person.key(workspace.id, "UADMIN"),
        workspace_id=workspace.id,
        user_id="UADMIN",
        name="Olivia",
        email="olivia@example.com",
        time_zone=ADMIN_ZONE,
        is_workspace_admin=True,
        seen_at=workspace.installed_at,
    )


def workspace(now: datetime) -> Workspace:
    """Where they chat."""
    return Workspace(
        id=Workspace.key(Platform.SLACK, "T0TRIAL"),
        platform=Platform.SLACK,
        external_id="T0TRIAL",
        name="Trial",
        installed_at=now,
    )


def _setup_answers(policy: ReminderPolicy) -> dict[str, str | tuple[str, ...]]:
    return {
        "name": "Acme Corp",
        "enterprise_key": "acme",
        "region": "eu",
        "provisioning": "jit",
        "groups_exist": ("yes",),
        "domain_verified": "yes",
        "uses_tokens": "no",
        "first_after_days": str(policy.first_after_days),
        "every_days": str(policy.every_days),
        "at_most": str(policy.at_most),
        "weekdays": tuple(str(day) for day in policy.weekdays),
        "hour_from": str(policy.hour_from),
        "hour_to": str(policy.hour_to),
        "interval": policy.interval.value,
        "skip_holidays": ("yes",) if policy.skip_holidays else (),
        "holiday_country": policy.holiday_country,
        "deadline": policy.deadline.isoformat() if policy.deadline else "",
        "final_notice": ("yes",) if policy.final_notice else (),
    }


def _form(reply: Reply | None) -> Form | None:
    return reply.form if isinstance(reply, ShowForm) else None


def _one_of(shares: Mapping[_Choice, float], chance: random.Random) -> _Choice:
    return chance.choices(list(shares), weights=list(shares.values()))[0]
