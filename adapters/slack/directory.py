"""Who is behind a name on Slack: people, user groups, channels, e-mail addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import assert_never

import structlog

from adapters.slack.managers import managers_of
from adapters.slack.members import Members
from adapters.slack.paging import Patience
from adapters.slack.people import Known, People
from adapters.slack.web_api import ApiFailed, ApiRefused, ApiThrottled, WebApi
from bot.events import NotFound, Problem, Target, TargetKind
from bot.model import Person, Platform, Workspace
from bot.ports import Clock, DirectoryUnavailable

log = structlog.get_logger(__name__)

_GROUP_PROBLEMS = {
    "no_such_subteam": Problem.UNKNOWN_GROUP,
    "subteam_not_found": Problem.UNKNOWN_GROUP,
    "plan_upgrade_required": Problem.GROUPS_NOT_ALLOWED,
    "paid_teams_only": Problem.GROUPS_NOT_ALLOWED,
    "missing_scope": Problem.GROUPS_NOT_ALLOWED,
}
_CHANNEL_PROBLEMS = {
    # Slack hides a private channel from a bot that is not in it. The id came from Slack's own client, so it exists.
    "channel_not_found": Problem.NOT_IN_CHANNEL,
    "not_in_channel": Problem.NOT_IN_CHANNEL,
    "fetch_members_failed": Problem.DIRECTORY_FAILED,
    "method_not_supported_for_channel_type": Problem.UNKNOWN_CHANNEL,
    "missing_scope": Problem.NOT_IN_CHANNEL,
}
_PERSON_PROBLEMS = {"user_not_found": Problem.UNKNOWN_PERSON, "user_not_visible": Problem.OTHER_WORKSPACE}


@contextmanager
def _unavailable() -> Iterator[None]:
    """What Slack does not answer at the moment, as bot.ports calls it."""
    try:
        yield
    except ApiThrottled as throttled:
        raise DirectoryUnavailable(throttled.retry_after) from None
    except ApiFailed:
        raise DirectoryUnavailable from None


class SlackDirectory:
    """bot.ports.Directory for Slack. Asks for everybody at once where many are wanted."""

    platform = Platform.SLACK

    def __init__(self, api: WebApi, people: People, clock: Clock) -> None:
        self._api = api
        self._people = people
        self._clock = clock
        self._members = Members(api, clock)

    async def resolve(
        self, workspace: Workspace, targets: Sequence[Target]
    ) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """Every person behind the targets once, in the targets' order, and who or what is left out and why.

        Waits when Slack says so, up to a limit; then, or when Slack does not answer, raises DirectoryUnavailable.
        """
        look_up = _LookUp(self._members, self._people, workspace.id, Patience(self._clock))
        emails = sum(target.kind is TargetKind.EMAIL for target in targets)
        with _unavailable():
            if self._people.listing_pays(emails):
                await look_up.list_everybody()
            for target in targets:
                await look_up.collect(target)
            return await look_up.answer()

    async def away(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, datetime | None]:
        """Who has set a status that says so. What was heard of them is at most ten minutes old."""
        patience = Patience(self._clock)
        unknown = [person for person in people if self._people.fresh(person.user_id) is None]
        away: dict[str, datetime | None] = {}
        with _unavailable():
            if self._people.listing_pays(len(unknown)):
                await self._people.list_everybody(workspace.id, patience)
            for person in people:
                known = await self._known(workspace, person, patience)
                if known is not None and known.is_away:
                    away[person.id] = known.away_until
        return away

    async def managers(self, workspace: Workspace, people: Sequence[Person]) -> Mapping[str, Person]:  # noqa: ARG002
        """By a field of their profiles (adapters/slack/managers.py)."""
        with _unavailable():
            return await managers_of(self._api, self._people, people, Patience(self._clock))

    async def admins_in(self, workspace: Workspace, group: str) -> Collection[str]:  # noqa: ARG002
        """Of "slack:" and a user group's id or handle."""
        kind, _, name = group.partition(":")
        if kind != "slack":
            return ()
        patience = Patience(self._clock)
        with _unavailable():
            try:
                found = self._members.group_id
                group_id = await found(name, patience) or await found(name.upper(), patience)
                return await self._members.of_group(group_id, patience) if group_id is not None else ()
            except ApiRefused as refused:
                log.warning("slack.admin_group_refused", error=refused.error)
                return ()

    async def _known(self, workspace: Workspace, person: Person, patience: Patience) -> Known | None:
        """None for somebody of whom Slack tells nothing, or no longer."""
        try:
            return await self._people.ask(workspace.id, person.user_id, patience)
        except ApiRefused:
            return None


class _LookUp:
    """One look-up: first who is meant, by user id, then who they are."""

    def __init__(self, members: Members, people: People, workspace_id: str, patience: Patience) -> None:
        self._members = members
        self._people = people
        self._workspace_id = workspace_id
        self._patience = patience
        self._wanted: dict[str, str] = {}  # user id -> what the admin wrote
        self._missing: dict[NotFound, None] = {}

    async def list_everybody(self) -> None:
        """Once, unless it was not long ago."""
        await self._people.list_everybody(self._workspace_id, self._patience)

    async def collect(self, target: Target) -> None:
        """Note the user ids behind one target."""
        match target.kind:
            case TargetKind.PERSON:
                self._want([target.id], target.label)
            case TargetKind.GROUP:
                await self._collect_group(target)
            case TargetKind.CHANNEL:
                await self._collect_channel(target)
            case TargetKind.EMAIL:
                await self._collect_email(target)
            case TargetKind.TEAM:
                self._leave_out(target.label or target.id, Problem.UNKNOWN_GROUP)
            case TargetKind.TAG:
                self._leave_out(target.label or target.id, Problem.TAGS_NOT_ALLOWED)
            case TargetKind.LINE:
                self._leave_out(target.label, Problem.NO_ADDRESS)
            case _:
                assert_never(target.kind)

    async def _collect_group(self, target: Target) -> None:
        label = target.label or f"@{target.id}"
        try:
            group_id = await self._members.group_id(target.id, self._patience)
            if group_id is None:
                await self._collect_handle(target.id, label)
                return
            members = await self._members.of_group(group_id, self._patience)
        except ApiRefused as refused:
            self._leave_out(label, _problem_of(refused, _GROUP_PROBLEMS))
            return
        if not members:
            self._leave_out(label, Problem.EMPTY_GROUP)
        self._want(members, "")

    async def _collect_handle(self, handle: str, label: str) -> None:
        """`@somebody` that came as plain text may be a person."""
        await self.list_everybody()
        known = self._people.by_handle(handle)
        if known is None:
            self._leave_out(label, Problem.UNKNOWN_GROUP)
        else:
            self._want([known.person.user_id], label)

    async def _collect_channel(self, target: Target) -> None:
        label = target.label or target.id
        if target.id[:1] not in {"C", "G", "D"} or not target.id.isupper():
            self._leave_out(label, Problem.UNKNOWN_CHANNEL)
            return
        try:
            members = await self._members.of_channel(target.id, self._patience)
        except ApiRefused as refused:
            self._leave_out(label, _problem_of(refused, _CHANNEL_PROBLEMS))
            return
        self._want(members, "")

    async def _collect_email(self, target: Target) -> None:
        email = target.id.casefold()
        known = self._people.by_email(email) if self._people.list_is_fresh() else None
        if known is None:
            known = await self._people.ask_email(self._workspace_id, email, self._patience)
        if known is None:
            self._leave_out(target.label or target.id, Problem.UNKNOWN_EMAIL)
        else:
            self._want([known.person.user_id], target.label or target.id)

    async def answer(self) -> tuple[Sequence[Person], Sequence[NotFound]]:
        """Who the noted ones are."""
        unknown = [user_id for user_id in self._wanted if self._people.fresh(user_id) is None]
        if self._people.listing_pays(len(unknown)):
            await self.list_everybody()
        found = []
        for user_id, label in self._wanted.items():
            known = await self._who_is(user_id, label)
            if known is None:
                continue
            if known.problem is None:
                found.append(known.person)
            else:
                self._leave_out(known.person.name or label or user_id, known.problem)
        return found, tuple(self._missing)

    async def _who_is(self, user_id: str, label: str) -> Known | None:
        try:
            return await self._people.ask(self._workspace_id, user_id, self._patience)
        except ApiRefused as refused:
            self._leave_out(label or user_id, _problem_of(refused, _PERSON_PROBLEMS))
            return None

    def _want(self, user_ids: Sequence[str], label: str) -> None:
        for user_id in user_ids:
            self._wanted.setdefault(user_id, label)

    def _leave_out(self, label: str, problem: Problem) -> None:
        self._missing[NotFound(label, problem)] = None


def _problem_of(refused: ApiRefused, problems: dict[str, Problem]) -> Problem:
    """What the refusal says about the name. Raises it again when it is about the bot itself."""
    problem = problems.get(refused.error)
    if problem is None:
        raise refused
    return problem
