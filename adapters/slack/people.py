"""Who people are, as Slack's users.* methods tell; remembered for a while, since Slack allows few of these calls."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.slack.paging import Patience, pages
from adapters.slack.web_api import ApiRefused, WebApi
from bot.events import Problem
from bot.model import Person
from bot.ports import Clock

MAX_AGE = timedelta(minutes=10)  # then Slack is asked again
TRUSTED_FOR = timedelta(hours=1)  # while Slack does not answer: a right that was withdrawn lapses after so long
MOST_REMEMBERED = 5_000
# Slack recommends 200 a page and allows up to 1,000 (docs.slack.dev/reference/methods/users.list); with 200, ten
# thousand people take fifty calls at about twenty a minute.
PAGE = 1_000
# users.list is Tier 2 (20 calls a minute), users.info Tier 4 (100): docs.slack.dev/apis/web-api/rate-limits.
ONE_BY_ONE_A_PAGE = 5
LOOKS_UP_AFTER = 100  # people

AWAY_EMOJI = frozenset({":palm_tree:", ":face_with_thermometer:", ":airplane:", ":beach_with_umbrella:"})
AWAY_WORDS = re.compile(
    r"\b(vacation(ing)?|out of( the)? office|ooo|out sick|sick leave|on leave|parental leave|sabbatical|holidays?"
    r"|abwesend|urlaub|krank|elternzeit|vacances|congés?|vacaciones)\b",
    re.IGNORECASE,
)
LATEST = 253_402_300_799  # seconds: the end of the year 9999


@dataclass(frozen=True)
class Known:
    """Somebody, and why they are not to be invited, if so. `handle` is what stands after the @."""

    person: Person
    handle: str
    problem: Problem | None
    at: datetime
    is_away: bool = False
    away_until: datetime | None = None  # None: they have not said


def known_from(user: Mapping[str, Any], workspace_id: str, at: datetime) -> Known:
    """What a user object says (docs.slack.dev/reference/objects/user-object)."""
    profile = user.get("profile") or {}
    problem = _problem(user, workspace_id)
    person = Person(
        id=Person.key(workspace_id, user["id"]),
        workspace_id=workspace_id,
        user_id=user["id"],
        name=profile.get("real_name") or user.get("real_name") or user.get("name") or "",
        email=(profile.get("email") or "").casefold(),
        time_zone=user.get("tz") or "UTC",
        locale=user.get("locale") or "en",
        is_bot=problem is Problem.BOT,
        is_deactivated=bool(user.get("deleted")),
        is_guest=problem in {Problem.GUEST, Problem.OTHER_WORKSPACE},
        is_workspace_admin=problem is None and bool(user.get("is_admin") or user.get("is_owner")),
        seen_at=at,
    )
    is_away, away_until = away_by(profile, at)
    return Known(person, str(user.get("name") or ""), problem, at, is_away, away_until)


def away_by(profile: Mapping[str, Any], at: datetime) -> tuple[bool, datetime | None]:
    """Whether the status that somebody has set says that they are away, and until when: by its emoji, or by its words
    (docs.slack.dev/reference/objects/user-object, "Profile": status_text, status_emoji, status_expiration in Unix
    time, 0 for none). Slack's own suggestions are "Vacationing" and "Out sick"; calendars set "Out of office".
    """
    emoji, words = str(profile.get("status_emoji") or ""), str(profile.get("status_text") or "")
    if emoji not in AWAY_EMOJI and not AWAY_WORDS.search(words):
        return False, None
    seconds = profile.get("status_expiration")
    if not isinstance(seconds, int) or seconds <= 0:
        return True, None
    until = datetime.fromtimestamp(min(seconds, LATEST), UTC)
    return until > at, until


def _problem(user: Mapping[str, Any], workspace_id: str) -> Problem | None:
    # Slack says is_bot of every bot but its own Slackbot.
    if user.get("is_bot") or user["id"] == "USLACKBOT":
        return Problem.BOT
    if user.get("deleted"):
        return Problem.DEACTIVATED
    if user.get("is_stranger") or _of_another_team(user, workspace_id):
        return Problem.OTHER_WORKSPACE
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Problem.GUEST
    return None


def _of_another_team(user: Mapping[str, Any], workspace_id: str) -> bool:
    # People of an Enterprise Grid organization have another home team but belong to this one too.
    team, teams = user.get("team_id"), (user.get("enterprise_user") or {}).get("teams") or ()
    here = workspace_id.partition(":")[2]
    return bool(team) and team != here and here not in teams


class People:
    """What is known about people. Raises ApiFailed where it has to ask and Slack does not tell."""

    def __init__(self, api: WebApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._one_by_one: dict[str, Known] = {}
        self._everybody: dict[str, Known] = {}
        self._by_handle: dict[str, Known] = {}
        self._by_email: dict[str, Known] = {}
        self._listed_at: datetime | None = None
        self._listing = asyncio.Lock()

    def trusted(self, user_id: str) -> Known | None:
        """What was last heard of somebody, unless it is so old that an admin's right in it no longer counts."""
        heard = [each for each in (self._one_by_one.get(user_id), self._everybody.get(user_id)) if each]
        last = max(heard, key=lambda known: known.at, default=None)
        return None if last is None or self._clock.now() - last.at >= TRUSTED_FOR else last

    def fresh(self, user_id: str) -> Known | None:
        """What is known and not too old."""
        known = self._one_by_one.get(user_id)
        if known is None or self._is_old(known.at):
            known = self._everybody.get(user_id)
        return None if known is None or self._is_old(known.at) else known

    def list_is_fresh(self) -> bool:
        """Whether everybody was listed not long ago."""
        return self._listed_at is not None and not self._is_old(self._listed_at)

    def by_handle(self, handle: str) -> Known | None:
        """The one with this handle among those listed."""
        return self._by_handle.get(handle.casefold())

    def by_email(self, email: str) -> Known | None:
        """The one with this address (case-folded) among those listed."""
        return self._by_email.get(email)

    def listing_pays(self, wanted: int) -> bool:
        """Whether listing everybody takes less time than asking for so many people one by one.

        As many pages as the last list had; of a workspace that was never listed, one: it is known afterwards.
        """
        pages_of_all = max(-(-len(self._everybody) // PAGE), 1)
        return wanted > pages_of_all * ONE_BY_ONE_A_PAGE

    async def ask(self, workspace_id: str, user_id: str, patience: Patience) -> Known:
        """users.info, unless what is known is fresh."""
        known = self.fresh(user_id)
        if known is not None:
            return known
        answer = await patience.call(self._api, "users.info", user=user_id, include_locale=True)
        return self._remember(answer.data.get("user") or {}, workspace_id)

    async def ask_email(self, workspace_id: str, email: str, patience: Patience) -> Known | None:
        """users.lookupByEmail, which does not tell the language; then users.info. None: nobody has this address."""
        try:
            answer = await patience.call(self._api, "users.lookupByEmail", email=email)
        except ApiRefused as refused:
            if refused.error == "users_not_found":
                return None
            raise
        user = answer.data.get("user") or {}
        return await self.ask(workspace_id, str(user.get("id")), patience)

    async def list_everybody(self, workspace_id: str, patience: Patience) -> None:
        """users.list, all pages, unless it is fresh."""
        async with self._listing:
            if self.list_is_fresh():
                return
            at = self._clock.now()
            members = await pages(self._api, patience, "users.list", "members", limit=PAGE, include_locale=True)
            known: list[Known] = []
            for user in members:
                known.append(known_from(user, workspace_id, at))
                if len(known) % LOOKS_UP_AFTER == 0:
                    await asyncio.sleep(0)  # ten thousand at once would keep the event loop from everybody else
            self._everybody = {each.person.user_id: each for each in known}
            self._by_handle = {each.handle.casefold(): each for each in known if each.handle}
            self._by_email = {each.person.email: each for each in known if each.person.email}
            self._listed_at = at

    def _remember(self, user: Mapping[str, Any], workspace_id: str) -> Known:
        known = known_from(user, workspace_id, self._clock.now())
        self._one_by_one.pop(known.person.user_id, None)
        self._one_by_one[known.person.user_id] = known
        while len(self._one_by_one) > MOST_REMEMBERED:
            del self._one_by_one[next(iter(self._one_by_one))]
        return known

    def _is_old(self, at: datetime) -> bool:
        return self._clock.now() - at >= MAX_AGE
