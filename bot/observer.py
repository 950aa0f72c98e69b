"""Who watches the bot at work: to count, to trace. The bot itself counts nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from bot.model import Delivery
from bot.settling import Settlement


class Observer(Protocol):
    """Told what becomes of deliveries. Neither waits nor raises."""

    def attempt(self, delivery: Delivery) -> AbstractContextManager[None]:
        """Around one attempt: from the claimed delivery to its settlement."""
        ...

    def settled(self, delivery: Delivery, settlement: Settlement) -> None:
        """What came of it, after an attempt or by asking the platform."""
        ...


class Unobserved:
    """Nobody watches."""

    def attempt(self, delivery: Delivery) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing around it."""
        return nullcontext()

    def settled(self, delivery: Delivery, settlement: Settlement) -> None:
        """Not noted."""
