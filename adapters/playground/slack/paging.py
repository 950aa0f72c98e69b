"""Cursor paging: docs.slack.dev/apis/web-api/pagination."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.playground.slack.world import Json

T = TypeVar("T")


def page(items: Sequence[T], args: Json, *, default: int = 100, most: int = 1000) -> tuple[list[T], str]:
    """The page that `limit` and `cursor` in `args` ask for, and the next cursor ("" at the end).

    Raises Refused: invalid_limit, invalid_cursor.
    """
    limit = _limit(args, default)
    start = _offset(args.get("cursor") or "")
    end = start + min(limit, most)
    return list(items[start:end]), _cursor(end) if end < len(items) else ""


def _limit(args: Json, default: int) -> int:
    try:
        limit = int(args.get("limit") or default)
    except ValueError:
        raise Refused("invalid_limit") from None
    if limit < 1:
        raise Refused("invalid_limit")
    return limit


def _cursor(offset: int) -> str:
    return base64.b64encode(f"next:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, number = base64.b64decode(cursor, validate=True).decode().split(":")
        if word != "next":
            raise Refused("invalid_cursor")
        return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Refused("invalid_cursor") from None
