"""What every conversation is: a reading part and a pure step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.events import Event
from bot.model import Platform, Rollout, Workspace
from bot.ports import Transaction
from bot.roles import Role
from bot.transition import Transition

# What the platforms let through in a minute, for the estimate before sending (docs/delivery.md, "Order and speed").
PER_MINUTE: Mapping[Platform, float] = MappingProxyType({Platform.SLACK: 525, Platform.TEAMS: 1800})


@dataclass(frozen=True)
class Scene:
    """Where an event plays: in which workspace, by somebody of which role, and on which rollout."""

    workspace: Workspace
    role: Role
    rollout: Rollout | None
    admins: tuple[str, ...] = ()  # the configured admins, as in USHER_ADMINS
    admins_elsewhere: frozenset[str] = frozenset()  # who is one by a group of any workspace of the company
    login_hosts: tuple[str, ...] = ("sonarcloud.io", "sonarqube.us")
    public_url: str = ""  # where the bot can be reached, for links to it; "" with Socket Mode alone
    per_minute: Mapping[Platform, float] = field(default_factory=lambda: PER_MINUTE)  # direct messages in a workspace
    secret: str = ""  # made for this event, and never guessed: what a link to a file is made of


@dataclass(frozen=True)
class Loaded:
    """What a step decides on. `owner` is the person id whom the thing belongs to that the event is about."""

    scene: Scene
    owner: str | None = None


@dataclass(frozen=True)
class Conversation:
    """`load` reads what the step needs; `step(loaded, event, now)` decides and touches nothing."""

    name: str
    load: Callable[[Transaction, Any, Scene], Awaitable[Any]]
    step: Callable[[Any, Any, datetime], Transition]

    async def read(self, tx: Transaction, event: Event, scene: Scene) -> Loaded:
        """Everything that `decide` will look at."""
        loaded: Loaded = await self.load(tx, event, scene)
        return loaded

    def decide(self, loaded: Loaded, event: Event, now: datetime) -> Transition:
        """The step."""
        return self.step(loaded, event, now)


async def load_scene_only(_tx: Transaction, _event: Event, scene: Scene) -> Loaded:
    """For conversations that need nothing else."""
    return Loaded(scene)
