"""The nouns: plain data that the bot decides with. The tables in storage/ inherit these fields.

Identifiers are strings that say what they are: a workspace is "slack:T0123" or "teams:<tenant id>", a person is
their workspace's id and their platform user id, "slack:T0123:U0456". What a step creates takes its id from the
event that caused it, so that handling an event again cannot create it twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict
from pydantic import Field as PydanticField
from sqlmodel import JSON, Field, SQLModel

from bot.columns import ByValue, Sealed, UtcDateTime, Validated
from bot.figures import Figures
from bot.messages import Message

HOME_COMPANY = "default"  # of the workspaces that the settings name
BETWEEN_GROUPS = "\x1f"  # the separator of units of ASCII, which nobody types


def derived_id(*parts: str) -> str:
    """A stable id for what `parts` name: the same parts, the same id."""
    return uuid5(NAMESPACE_URL, "\x1f".join(parts)).hex


class Platform(StrEnum):
    """Where people chat."""

    SLACK = "slack"
    TEAMS = "teams"

    @property
    def shows_what_was_sent(self) -> bool:
        """Whether the platform can be asked if a message arrived (docs/delivery.md): what is unknown there is looked
        up, and never sent again unasked or by an admin.
        """
        return self is Platform.SLACK


class Workspace(SQLModel):
    """A Slack workspace or a Teams tenant that the bot is installed in.

    Workspaces of one `company` share its rollouts; nothing else is ever shared between companies.
    """

    id: str = Field(primary_key=True)
    platform: Platform = Field(sa_type=ByValue(Platform))
    external_id: str
    name: str = ""
    company: str = HOME_COMPANY
    active: bool = True
    bot_user_id: str = ""
    service_url: str = Field(default="", sa_type=Sealed)  # Teams: where the tenant's connector is
    secret: str | None = None  # encrypted; None when the token comes from the settings
    installed_at: datetime = Field(sa_type=UtcDateTime)

    @staticmethod
    def key(platform: Platform, external_id: str) -> str:
        """The id of the workspace that a platform knows as `external_id`."""
        return f"{platform.value}:{external_id}"


class Person(SQLModel):
    """Somebody in a workspace, as far as the bot has seen them."""

    id: str = Field(primary_key=True)
    workspace_id: str = Field(index=True)
    user_id: str
    name: str = ""
    email: str = Field(default="", index=True)  # case-folded
    time_zone: str = "UTC"  # IANA name
    locale: str = "en"  # their chat's
    language: str = ""  # what they have chosen instead: a catalogue's
    is_bot: bool = False
    is_deactivated: bool = False
    is_guest: bool = False
    is_workspace_admin: bool = False
    is_appointed: bool = False  # an owner has made them an admin, in chat
    channel_id: str = Field(default="", sa_type=Sealed)  # the direct-message conversation with the bot, once known
    has_removed_app: bool = False  # they do not want it: it is not installed for them again
    seen_at: datetime = Field(sa_type=UtcDateTime)

    @staticmethod
    def key(workspace_id: str, user_id: str) -> str:
        """The id of the person whom a workspace knows as `user_id`."""
        return f"{workspace_id}:{user_id}"

    @property
    def known_as(self) -> str:
        """What colleagues know them by, as far as the bot knows it."""
        return self.name or self.email or self.user_id

    @property
    def identity(self) -> str:
        """What makes two people of different workspaces the same one: the e-mail address, if known."""
        return self.email or self.id


class Region(StrEnum):
    """SonarQube Cloud's two regions; accounts and enterprises belong to one of them."""

    EU = "eu"
    US = "us"

    @property
    def host(self) -> str:
        """The region's host (docs.sonarsource.com/sonarqube-cloud, EU and US)."""
        return "sonarcloud.io" if self is Region.EU else "sonarqube.us"


class Provisioning(StrEnum):
    """How SSO accounts come to be: at the first sign-in, or from the identity provider beforehand."""

    JIT = "jit"
    SCIM = "scim"


class FormerSignIn(StrEnum):
    """The DevOps platforms that people may have signed in with before."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    AZURE_DEVOPS = "azure_devops"


class CheckKind(StrEnum):
    """What an invitee confirms."""

    ACCESS = "access"
    TASKS = "tasks"
    TOKEN = "token"  # noqa: S105  # a check's name


class Interval(StrEnum):
    """How the days between two reminders develop: three, three, three; or three, six, nine."""

    FIXED = "fixed"
    GROWING = "growing"


class ReminderPolicy(BaseModel):
    """When reminders go out. Hours, days and holidays are the invitee's own, in their time zone.

    The final notice comes on the last working day before the deadline, whether or not `at_most` is used up; it
    counts as a reminder sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_after_days: int = PydanticField(default=2, ge=1, le=60)
    every_days: int = PydanticField(default=3, ge=1, le=60)
    interval: Interval = Interval.FIXED
    at_most: int = PydanticField(default=4, ge=0, le=20)
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)  # Monday is 0
    hour_from: int = PydanticField(default=9, ge=0, le=23)
    hour_to: int = PydanticField(default=17, ge=1, le=24)
    skip_holidays: bool = False
    holiday_country: str = ""  # ISO 3166-1 alpha-2; empty: the country of each invitee's time zone
    deadline: date | None = None  # the last day, until its end where the invitee is
    final_notice: bool = False


class RolloutState(StrEnum):
    """A rollout's life."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"


class Rollout(SQLModel):
    """One enterprise's move to SSO."""

    id: str = Field(primary_key=True)
    company: str = Field(index=True)
    state: RolloutState = Field(default=RolloutState.ACTIVE, sa_type=ByValue(RolloutState))
    name: str  # the enterprise's name
    enterprise_key: str
    region: Region = Field(default=Region.EU, sa_type=ByValue(Region))
    login_url: str
    provisioning: Provisioning = Field(default=Provisioning.JIT, sa_type=ByValue(Provisioning))
    groups_exist: bool = False
    domain_verified: bool = False
    former_sign_in: tuple[FormerSignIn, ...] = Field(default=(), sa_type=Validated(tuple[FormerSignIn, ...]))
    organizations: tuple[str, ...] = Field(default=(), sa_type=Validated(tuple[str, ...]))
    uses_tokens: bool = False
    policy: ReminderPolicy = Field(default_factory=ReminderPolicy, sa_type=Validated(ReminderPolicy))
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    # Its policy was changed: invitations up to this id follow the new one ("": none yet). None: all do.
    planned_up_to: str | None = None
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # finished, and no longer offered
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # its people become counts from then on
    figures: Figures | None = Field(default=None, sa_type=Validated(Figures))  # these counts
    version: int = 0

    @property
    def enterprise(self) -> tuple[Region, str]:
        """Whose move it is: the same key in the other region is another one. Each has one rollout at a time."""
        return self.region, self.enterprise_key

    @property
    def one_click_link(self) -> str:
        """SonarQube Cloud's one-click access link (its documentation, "Configure one-click access")."""
        return one_click_link(self.region, self.enterprise_key)

    @property
    def needs(self) -> tuple[CheckKind, ...]:
        """The checks that an invitation of this rollout needs."""
        tasks = (CheckKind.TASKS,) if self.former_sign_in else ()
        token = (CheckKind.TOKEN,) if self.uses_tokens else ()
        return (CheckKind.ACCESS, *tasks, *token)


class CurrentRollout(SQLModel):
    """Which of several rollouts an admin works on. Without one, or when it is finished, it is the newest."""

    person_id: str = Field(primary_key=True)
    rollout_id: str


def one_click_link(region: Region, enterprise_key: str) -> str:
    """The address that starts SSO sign-in for an enterprise without asking for its key."""
    return f"https://{region.host}/login/sso?enterprise_key={quote(enterprise_key, safe='')}"


class OldToken(StrEnum):
    """Whether a CI job still uses the token of an invitee's old account, as far as they have said."""

    UNKNOWN = "unknown"
    IN_USE = "in_use"
    UNUSED = "unused"


class Wish(StrEnum):
    """What an invitee asks for who will not follow the invitation. No reminder goes to them."""

    NONE = ""
    STOP = "stop"  # no more reminders
    NOT_MINE = "not_mine"  # does not use SonarQube Cloud: to be exempted


class Invitation(SQLModel):
    """One invitee in one rollout. `identity` is unique in a rollout, so nobody is invited twice."""

    id: str = Field(primary_key=True)
    rollout_id: str
    person_id: str = Field(index=True)
    identity: str
    wave_id: str = Field(index=True)
    found_in: str = ""  # the groups, channels and teams by which they were found: see `joined`
    needs: tuple[CheckKind, ...] = Field(sa_type=Validated(tuple[CheckKind, ...]))
    invited_at: datetime = Field(sa_type=UtcDateTime)
    reached_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the first message that arrived
    # They opened the login page: Slack tells, Teams only where the settings want it (adapters/teams/opening.py).
    login_opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reminders: int = 0  # queued so far
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the next reminder; None: no more
    last_contact_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # what the next one is counted from
    final_notice_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    snoozed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    wish: Wish = Field(default=Wish.NONE, sa_type=ByValue(Wish))
    wished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    exempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    exempt_reason: str = ""
    escalated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # somebody was asked to talk to them
    escalated_to: str = ""  # that is this manager of theirs (person id); empty: whom the admin named
    unreachable: str = ""  # why the last message did not arrive: a bot.ports.Reason
    old_token: OldToken = Field(default=OldToken.UNKNOWN, sa_type=ByValue(OldToken))
    is_keeper: bool = False  # their old account stays, an admin says
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether something is still expected of the invitee."""
        return self.done_at is None and self.exempt_at is None


class CheckSource(StrEnum):
    """Who says that a check is fulfilled."""

    INVITEE = "invitee"
    ADMIN = "admin"
    SONARQUBE = "sonarqube"


class Check(SQLModel):
    """A confirmed check of an invitation. One row for each kind; an open check has none."""

    invitation_id: str = Field(primary_key=True)
    kind: CheckKind = Field(primary_key=True, sa_type=ByValue(CheckKind))
    confirmed_at: datetime = Field(sa_type=UtcDateTime)
    source: CheckSource = Field(default=CheckSource.INVITEE, sa_type=ByValue(CheckSource))
    confirmed_by: str = ""  # person id
    not_needed: bool = False  # "I don't use tokens"


def joined(groups: Iterable[str]) -> str:
    """Labels of groups as one column, which a database can compare and count by."""
    return BETWEEN_GROUPS.join(groups)


def parted(found_in: str) -> tuple[str, ...]:
    """The inverse; none for somebody who was named alone."""
    return tuple(found_in.split(BETWEEN_GROUPS)) if found_in else ()


class Listed(SQLModel):
    """A line of the list that an admin decides on: somebody who would be invited, or somebody or something that would
    not. Lines of people come first. They are deleted as the wave is stored.
    """

    list_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    label: str
    person_id: str = ""  # empty for who is left out
    workspace_id: str = ""
    problem: str = ""  # a bot.events.Problem: why they are left out
    found_in: str = ""  # the groups, channels and teams by which they were found: see `joined`
    listed_at: datetime = Field(sa_type=UtcDateTime)


class WaveStage(StrEnum):
    """A wave's life: its invitations are stored in the background, when its time has come, then sent, unless it is
    held for an admin to look at, or the rest is cancelled.
    """

    STORING = "storing"
    HELD = "held"
    SENDING = "sending"
    CANCELLED = "cancelled"


class Wave(SQLModel):
    """A part of the invitees, invited together. Its progress is shown in the admin's message."""

    id: str = Field(primary_key=True)
    rollout_id: str = Field(index=True)
    workspace_id: str
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    label: str = ""  # the groups, channels and teams that the admin named
    list_id: str = ""  # whom it invites, while they are being stored
    stage: WaveStage = Field(default=WaveStage.SENDING, sa_type=ByValue(WaveStage))
    starts_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # for a planned one: bot/planned_waves.py
    hold_above: int | None = None  # percent of the previous wave's people with a problem; a planned one is then held
    size: int = 0
    withdrawn: int = 0  # of these, who was not written to because the rest was cancelled, and is not invited
    channel_id: str = Field(default="", sa_type=Sealed)  # where the progress message is
    message_id: str = ""
    shown: str = ""  # the counts that the progress message shows
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 0


class HoldTask(SQLModel):
    """A rollout that was paused or resumed, and of whose many waiting messages not all are held or released yet."""

    rollout_id: str = Field(primary_key=True)


class DeliveryKind(StrEnum):
    """Why a direct message is sent."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    FINAL_NOTICE = "final_notice"  # the reminder before the deadline
    OLD_TOKEN = "old_token"  # noqa: S105  # the question whether a CI job uses the old account's token
    FAREWELL = "farewell"  # they may delete their old account
    NOTICE = "notice"  # anything else: its content is stored with it

    @property
    def is_reminder(self) -> bool:
        """Whether it asks again, and so keeps to working hours."""
        return self in (DeliveryKind.REMINDER, DeliveryKind.FINAL_NOTICE)

    @property
    def asks_for_checks(self) -> bool:
        """Whether the next reminder is counted from it."""
        return self is DeliveryKind.INVITATION or self.is_reminder


class DeliveryState(StrEnum):
    """A delivery's life (docs/delivery.md draws it).

    ready -> sending -> sent | ready (not before ...) | unknown | dead; ready -> withdrawn when no longer needed;
    unknown -> sent | ready where the platform can be asked.
    """

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"


class Delivery(SQLModel):
    """One direct message to be sent. `key` is unique: nothing can queue the same message twice."""

    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    kind: DeliveryKind = Field(sa_type=ByValue(DeliveryKind))
    lane: str  # the workspace's id: one rate limit, one lane
    priority: int = 0  # smaller goes first: replies 0, invitations 1, reminders 2
    person_id: str
    rollout_id: str | None = None
    invitation_id: str | None = Field(default=None, index=True)
    wave_id: str | None = None
    number: int = 0
    content: Message | None = Field(default=None, sa_type=Validated(Message))
    state: DeliveryState = Field(default=DeliveryState.READY, sa_type=ByValue(DeliveryState))
    not_before: datetime = Field(sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempt: int = 0
    reason: str = ""  # why it is unknown or dead, or was last put off
    channel_id: str = Field(default="", sa_type=Sealed)
    message_id: str = ""
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outdated: int = 0  # changes of its content that the sent copy does not show yet: to be updated in place
    created_at: datetime = Field(sa_type=UtcDateTime)


class LookUpState(StrEnum):
    """A look-up's life."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"


class LookUp(SQLModel):
    """A question to a platform's directory, asked outside any transaction; the answer comes back as an event."""

    id: str = Field(primary_key=True)
    workspace_id: str
    dialog_id: str
    person_id: str  # who asked
    targets: list[dict[str, str]] = Field(sa_type=JSON)
    state: LookUpState = Field(default=LookUpState.READY, sa_type=ByValue(LookUpState))
    attempt: int = 0
    not_before: datetime = Field(sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Dialog(SQLModel):
    """A conversation's memory between two events: a half-filled setup, an invitation list awaiting confirmation."""

    id: str = Field(primary_key=True)
    conversation: str
    workspace_id: str
    person_id: str
    rollout_id: str | None = None
    step: str = ""
    data: dict[str, object] = Field(default_factory=dict, sa_type=JSON)
    version: int = 0
    closed: bool = False
    updated_at: datetime = Field(sa_type=UtcDateTime)


class CaseState(StrEnum):
    """A reported problem's life. Only the invitee says that it is solved."""

    OPEN = "open"
    ANSWERED = "answered"
    SOLVED = "solved"


class Case(SQLModel):
    """A problem that an invitee described, and what an admin answered.

    Cases with one `group_id`, the id of the first of them, are the same problem of several people: the admins
    have one message about all of them.
    """

    id: str = Field(primary_key=True)
    rollout_id: str = Field(index=True)
    invitation_id: str = Field(index=True)
    person_id: str
    problem: str  # one of bot.conversations.problem_tree
    group_id: str = Field(default="", index=True)
    description: str
    state: CaseState = Field(default=CaseState.OPEN, sa_type=ByValue(CaseState))
    opened_at: datetime = Field(sa_type=UtcDateTime)
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    solved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 0


class AuditEntry(SQLModel):
    """Who did what, when. Holds ids, never message texts or addresses."""

    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    company: str
    workspace_id: str
    actor: str  # person id, or "scheduler"
    action: str
    subject: str = ""
    outcome: str = "done"  # done, refused, stale
    details: dict[str, object] = Field(default_factory=dict, sa_type=JSON)


class InboxEntry(SQLModel):
    """An event that has been handled: platforms deliver events more than once."""

    event_id: str = Field(primary_key=True)
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)
