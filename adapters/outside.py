"""Looking at the bot from outside, for `usher doctor`.

Is the clock right, does the public address lead here, is nothing open that should not be?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aiohttp import ClientError, ClientSession, ClientTimeout

WITHIN = ClientTimeout(total=10)
# Slack's signatures and Microsoft's tokens are refused when they are five minutes off; a clock that runs away is
# noticed earlier.
CLOCK_MAY_DIFFER = timedelta(seconds=60)


@dataclass(frozen=True)
class Answered:
    """What somebody else's server said. `date` is its clock's, where it tells."""

    status: int
    text: str
    date: datetime | None


class NoAnswer(Exception):
    """The text says why, without the address."""


async def ask(
    method: str, url: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answered:
    """One request, without following redirects. Raises NoAnswer."""
    try:
        async with (
            ClientSession(timeout=WITHIN) as session,
            session.request(method, url, data=data, headers=headers, allow_redirects=False) as response,
        ):
            text = await response.text(errors="replace")
            return Answered(response.status, text, _date(response.headers.get("Date")))
    except (ClientError, TimeoutError, OSError, ValueError) as error:
        raise NoAnswer(type(error).__name__) from None


def _date(header: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


async def clock_fault(url: str, now: datetime) -> str | None:
    """How wrong this machine's clock is beside that server's; empty when it is right, None when nobody tells."""
    try:
        answered = await ask("GET", url)
    except NoAnswer:
        return None
    if answered.date is None:
        return None
    off = now - answered.date
    if abs(off) <= CLOCK_MAY_DIFFER:
        return ""
    how = "ahead" if off > timedelta() else "behind"
    return (
        f"is {abs(off).total_seconds():.0f} seconds {how}. Set it by NTP: the platforms refuse what is minutes off."
    )


async def address_fault(public_url: str, page: str) -> str:
    """Why the public address does not lead to this bot, whose /about is `page`; empty when it does."""
    try:
        about = await ask("GET", f"{public_url}/about")
    except NoAnswer as failure:
        return (
            f"USHER_PUBLIC_URL does not answer ({failure}). Is `usher serve` running, and does the proxy in front of "
            "it pass requests on?"
        )
    if about.status != 200 or about.text != page:
        return f"what answers at USHER_PUBLIC_URL is not SSO Usher ({about.status} at /about). Check the proxy."
    return ""


async def is_open_to_everybody(public_url: str) -> bool:
    """Whether the bot's figures, which need no proof of who asks, are passed on to everybody."""
    try:
        return (await ask("GET", f"{public_url}/metrics")).status == 200
    except NoAnswer:
        return False
