"""The column types that the nouns need, so that every database gives back what was put in."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import TypeAdapter
from sqlalchemy import JSON, DateTime, String
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored as UTC. SQLite keeps no time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive moments: which zone they mean cannot be known later."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give every moment back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# How a Fernet token begins until the year 2106: its version, and a time whose first half is zero
# (github.com/fernet/spec). Neither Slack nor Teams has ids that begin so.
SEALED = "gAAAAA"


class Vault(Protocol):
    """Encrypts what is stored; `opened` is None for what was not sealed here."""

    def seal(self, plain: str) -> str: ...  # noqa: D102
    def opened(self, sealed: str) -> str | None: ...  # noqa: D102


class Sealed(TypeDecorator[str]):
    """Where somebody is written to: readable only with the keys in the environment, once the engine has a vault.

    An empty text stays one, so that a query can ask for it. What was stored before there was a vault is read as it
    is; what no key opens is read as empty, and then found out anew.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database."""
        vault: Vault | None = getattr(dialect, "seals_with", None)
        return vault.seal(value) if value and vault is not None else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """From the database."""
        vault: Vault | None = getattr(dialect, "opens_with", None)
        if vault is None or value is None or not value.startswith(SEALED):
            return value
        return vault.opened(value) or ""


class ByValue(TypeDecorator[StrEnum]):
    """One of an enum's members, stored as its value: a plain string, with no type of its own in the database."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The member's value; raises ValueError for what is none."""
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """The member with that value."""
        return None if value is None else self.members(value)


class Validated(TypeDecorator[Any]):
    """A pydantic-validated value kept as JSON: what comes out has the type that went in."""

    impl = JSON
    cache_ok = True  # SQLAlchemy's cache tells two of these apart by `annotation`, the argument's name

    def __init__(self, annotation: Any) -> None:
        super().__init__(none_as_null=True)
        self.annotation = annotation
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Dump to JSON-ready data."""
        return None if value is None else self._adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Validate what the database holds."""
        return None if value is None else self._adapter.validate_python(value)
