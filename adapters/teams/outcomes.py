"""What a failed call to the Bot Connector means for a direct message.

Codes and statuses: learn.microsoft.com, "Send proactive messages", section "Status code responses", and
"Conversational APIs"; what may be sent again: docs/delivery.md.
"""

from adapters.teams.connector_error import ConnectorError
from adapters.teams.connector_error import Outcome as Fate
from bot.ports import NeverLeft, Outcome, Reason, Refused, Throttled, Unclear

# Seconds to wait when Teams does not say how long.
DEFAULT_RETRY_AFTER = 5.0

# The token endpoint's answers that stay the same until somebody repairs the registration (RFC 6749, section 5.2).
_BAD_REGISTRATION = {"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "access_denied"}

_BY_CODE = {
    "botnotinconversationroster": Reason.NOT_INSTALLED,
    "conversationblockedbyuser": Reason.BLOCKED,
    "messagewritesblocked": Reason.BLOCKED,
    "botdisabledbyadmin": Reason.POLICY,
}
_BY_WORDS = (
    ("isn't installed", Reason.NOT_INSTALLED),
    ("not installed", Reason.NOT_INSTALLED),
    ("roster", Reason.NOT_INSTALLED),
    ("blocked the conversation", Reason.BLOCKED),
    ("disabled this bot", Reason.POLICY),
)
_BY_STATUS = {
    401: Reason.TOKEN_REVOKED,
    403: Reason.POLICY,
    404: Reason.NOT_FOUND,
    410: Reason.NOT_FOUND,
}


def of_send(error: ConnectorError) -> Outcome:
    """Sending or updating a message failed."""
    if error.outcome is Fate.NEVER_LEFT:
        return _never_left(error)
    if error.status == 429:
        return _throttled(error)
    # 412 comes of a conflict inside Teams; it does not say whether the message is there.
    if error.outcome is Fate.UNKNOWN or error.status == 412:
        return Unclear(_unclear(error))
    return Refused(_reason(error) or _BY_STATUS.get(error.status or 0, Reason.MESSAGE_REFUSED))


def of_create(error: ConnectorError) -> Outcome:
    """Making the conversation failed. Nothing was shown to anybody, so what is unclear may be tried again."""
    if error.outcome is Fate.NEVER_LEFT:
        return _never_left(error)
    if error.status == 429:
        return _throttled(error)
    if error.outcome is Fate.UNKNOWN or error.status == 412:
        return NeverLeft()
    if error.status == 400:  # the id is nobody's
        return Refused(Reason.NOT_FOUND)
    default = Reason.NOT_INSTALLED if error.status == 403 else Reason.MESSAGE_REFUSED
    return Refused(_reason(error) or {**_BY_STATUS, 403: default}.get(error.status or 0, default))


def _throttled(error: ConnectorError) -> Throttled:
    return Throttled(DEFAULT_RETRY_AFTER if error.retry_after is None else error.retry_after)


def _never_left(error: ConnectorError) -> Outcome:
    if error.code in _BAD_REGISTRATION:
        return Refused(Reason.TOKEN_REVOKED)
    if error.code in {"ServiceUrlRefused", "MalformedId"}:
        return Refused(Reason.MESSAGE_REFUSED)
    return NeverLeft()


def _unclear(error: ConnectorError) -> Reason:
    if error.status is not None:
        return Reason.SERVER_ERROR
    return Reason.TIMED_OUT if "Timeout" in error.code else Reason.CONNECTION_LOST


def _reason(error: ConnectorError) -> Reason | None:
    if error.status not in {403, 404}:
        return None
    by_code = _BY_CODE.get(error.code.casefold())
    if by_code is not None:
        return by_code
    words = error.detail.casefold()
    return next((reason for part, reason in _BY_WORDS if part in words), None)
