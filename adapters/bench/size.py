"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """How much is measured. `scale` 1 is the full size, a tenth of it a tenth; `minutes` are the soak's.

    `database_url` is a PostgreSQL server where databases may be created; "" for one of its own.
    """

    scale: float = 1.0
    minutes: float = 30.0
    database_url: str = ""

    def of(self, full: int, at_least: int = 1) -> int:
        """That many, at this scale."""
        return max(at_least, round(full * self.scale))
