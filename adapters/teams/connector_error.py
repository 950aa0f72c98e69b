import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from aiohttp import ClientResponse

from adapters.patience import SOON


class Outcome(Enum):
    """What a failed call may have done."""

    NEVER_LEFT = "never_left"  # no byte reached the service: it may be sent again
    REFUSED = "refused"  # the service said no: nothing was done
    UNKNOWN = "unknown"  # it may have been done: sending again may do it twice


class ConnectorError(Exception):
    """A call that failed.

    `status` is the HTTP status (None without an answer), `code` the service's or the transport's error code,
    `detail` the service's own words (never log them: they can name people), `retry_after` seconds.
    """

    def __init__(
        self,
        operation: str,
        outcome: Outcome,
        *,
        status: int | None = None,
        code: str = "",
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{operation}: {outcome.value}, status {status}, code {code!r}")
        self.operation = operation
        self.outcome = outcome
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


def again_after(error: Exception) -> float | None:
    """In how many seconds a call that failed may be tried again for somebody who waits; None when it may have done
    something, or is refused for good.
    """
    if not isinstance(error, ConnectorError):
        return None
    if error.status == 429:
        return SOON if error.retry_after is None else error.retry_after
    return SOON if error.outcome is Outcome.NEVER_LEFT else None


def refusal(operation: str, response: ClientResponse, answer: Mapping[str, Any] | None) -> ConnectorError:
    """The error for an answer that is not a success, with its JSON body if it has one."""
    error = (answer or {}).get("error")
    said = error if isinstance(error, dict) else {}
    # A gateway's 5xx and 408 do not say whether the service behind it has done its work.
    unknown = response.status >= 500 or response.status == 408
    return ConnectorError(
        operation,
        Outcome.UNKNOWN if unknown else Outcome.REFUSED,
        status=response.status,
        code=str(said.get("code") or ""),
        detail=str(said.get("message") or "")[:500],
        retry_after=_retry_after(response.headers.get("Retry-After")),
    )


def _retry_after(header: str | None) -> float | None:
    """Seconds from now, of either form in RFC 9110, section 10.2.3. None when absent or malformed."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _until(header)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return math.nan
