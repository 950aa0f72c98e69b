"""Installing the app for whoever is written to first, where an admin of the tenant lets the bot do so.

Protocol: learn.microsoft.com, "Proactive installation of apps using Graph API to send messages".
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from adapters.teams.graph import Graph, GraphRefused
from bot.model import Person
from bot.ports import Clock, DirectoryUnavailable, NeverLeft, Outcome, Reason, Refused

log = structlog.get_logger(__name__)

# How long to go without asking after Graph has said that the app may not: what an admin grants takes minutes to
# work, and each of ten thousand people would otherwise be asked for.
NOT_GRANTED_FOR = timedelta(minutes=10)
NOBODY = "00000000-0000-0000-0000-000000000000"


class ProactiveInstall:
    """Installs the tenant's app `catalog_app_id`, its id in the organization's catalogue, for single people."""

    def __init__(self, graph: Graph, catalog_app_id: str, clock: Clock) -> None:
        self._graph = graph
        self._app = graph.address(f"/appCatalogs/teamsApps/{catalog_app_id}")
        self._clock = clock
        self._not_before: datetime | None = None

    async def install(self, person: Person) -> NeverLeft | Refused | None:
        """None: the app is there now. Else what it means for a message to this person.

        Nobody has the app back who has removed it. Teams ids mean nothing to Graph; whoever has one was found in a
        team or has written to the bot, and is known there by their address.
        """
        user = person.email if person.user_id.startswith("29:") else person.user_id
        if not user or person.has_removed_app or self._is_waiting():
            return Refused(Reason.NOT_INSTALLED)
        try:
            await self._post(user)
        except DirectoryUnavailable:
            return NeverLeft()
        except GraphRefused as refused:
            return self._refused(refused)
        log.info("teams.installed_for", person=person.id)
        return None

    async def is_granted(self) -> bool:
        """Whether the tenant lets the app do this, tried on a user that cannot be. Raises DirectoryUnavailable."""
        try:
            await self._post(NOBODY)
        except GraphRefused as refused:
            return refused.status not in {401, 403}
        return True

    async def _post(self, user: str) -> None:
        await self._graph.post(f"/users/{user}/teamwork/installedApps", {"teamsApp@odata.bind": self._app})

    def _is_waiting(self) -> bool:
        return self._not_before is not None and self._clock.now() < self._not_before

    def _refused(self, refused: GraphRefused) -> Refused | None:
        if refused.status == 409:  # it is there already, only the Connector does not know yet
            return None
        if refused.status in {401, 403}:
            self._not_before = self._clock.now() + NOT_GRANTED_FOR
            log.warning("teams.may_not_install", status=refused.status)
        return Refused(Reason.NOT_INSTALLED)


def after_installing(outcome: Outcome) -> Outcome:
    """What a message's fate is right after the app was installed: that Teams knows it everywhere takes seconds."""
    return NeverLeft(Reason.NOT_INSTALLED) if outcome == Refused(Reason.NOT_INSTALLED) else outcome
