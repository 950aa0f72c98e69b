"""What the composition root needs of a chat adapter; both have this shape."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from bot.ports import ChatPlatform, Directory


class PlatformUnavailable(Exception):
    """The platform cannot be reached or refuses the bot's credentials; the text says which, and what to do."""


class ChatAdapter(Protocol):
    """One chat platform: events come in through its routes, messages go out through `platform`."""

    @property
    def platform(self) -> ChatPlatform:
        """Where messages go out."""
        ...

    @property
    def directory(self) -> Directory:
        """Where names are looked up."""
        ...

    def add_routes(self, app: web.Application) -> None:
        """Add the platform's HTTP routes to the one application."""
        ...

    async def start(self) -> None:
        """Make the configured workspace known to the store; open what needs opening. Raises PlatformUnavailable."""
        ...

    async def stop(self) -> None:
        """Close connections. May be called without start."""
        ...

    async def check(self) -> None:
        """For GET /readyz and `usher doctor`: raises PlatformUnavailable."""
        ...

    async def knock(self, public_url: str) -> None:
        """For `usher doctor`: look at the door that the platform's events come through, while the bot runs somewhere.
        Raises PlatformUnavailable.
        """
        ...
