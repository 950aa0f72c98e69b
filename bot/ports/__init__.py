"""What the bot needs from outside, as protocols. storage/ implements Store, adapters/ the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.events import Event
from bot.ports.platform import (
    ChatPlatform,
    Directory,
    DirectoryUnavailable,
    Limits,
    NeverLeft,
    Outcome,
    Reason,
    Refused,
    Sent,
    SonarQubeCloud,
    SonarQubeUnavailable,
    Throttled,
    Unclear,
)
from bot.ports.store import (
    Approvals,
    Audit,
    Backlog,
    Cases,
    Deliveries,
    Digests,
    Erasing,
    Escalations,
    Finishing,
    Inbox,
    Invitations,
    Lists,
    LookUps,
    People,
    Rollouts,
    SignIns,
    StaleWrite,
    Store,
    StoreUnavailable,
    Transaction,
)
from bot.ports.views import (
    Acting,
    CaseCounts,
    CaseGroup,
    Due,
    Footprint,
    InvitationView,
    LeftOut,
    ListSummary,
    Missing,
    OverTime,
    Planned,
    RemovalCounts,
    RolloutCounts,
    Standing,
    Waiting,
    WaveCounts,
    WaveResults,
)
from bot.transition import Reply

__all__ = [
    "Acting",
    "Approvals",
    "Audit",
    "Backlog",
    "CaseCounts",
    "CaseGroup",
    "Cases",
    "ChatPlatform",
    "Clock",
    "Deliveries",
    "Digests",
    "Directory",
    "DirectoryUnavailable",
    "Due",
    "Erasing",
    "Escalations",
    "Finishing",
    "Footprint",
    "Handle",
    "Inbox",
    "InvitationView",
    "Invitations",
    "LeftOut",
    "Limits",
    "ListSummary",
    "Lists",
    "LookUps",
    "Missing",
    "NeverLeft",
    "Outcome",
    "OverTime",
    "People",
    "Planned",
    "Reason",
    "Refused",
    "RemovalCounts",
    "RolloutCounts",
    "Rollouts",
    "Sent",
    "SignIns",
    "SonarQubeCloud",
    "SonarQubeUnavailable",
    "StaleWrite",
    "Standing",
    "Store",
    "StoreUnavailable",
    "Throttled",
    "Transaction",
    "Unclear",
    "Waiting",
    "WaveCounts",
    "WaveResults",
]


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long, of this clock's time."""
        ...


class Handle(Protocol):
    """What an adapter's inbound half calls: the engine."""

    async def __call__(self, event: Event) -> Reply | None:
        """Decide, commit, and answer within two seconds. None: nothing to show (it was handled before).

        When the database does not answer in time, the reply says so and nothing was stored. For events that nobody
        waits for it raises StoreUnavailable instead, so that the platform delivers them again.
        """
        ...
