"""The Connector's refusals.

Codes and messages: learn.microsoft.com, "Conversation events in your Teams bot", section "Status codes from bot
conversational APIs".
"""

from collections.abc import Mapping

from aiohttp import web

from adapters.playground.teams.tenant import Json

RETRYABLE = {
    412: ("PreconditionFailed", "Precondition failed, please try again."),
    429: ("Throttled", "Too many requests."),
    500: ("ServiceError", "Internal server error."),
    502: ("ServiceError", "A dependency of the service failed."),
    503: ("ServiceUnavailable", "Service is unavailable."),
    504: ("GatewayTimeout", "Gateway timeout."),
}


class Refused(Exception):
    """The Connector refuses a call with this status, code and message; ``more`` goes beside the error."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **more: str
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.more = more

    def response(self) -> web.Response:
        """The refusal as it goes over the wire."""
        return refusal_response(self.status, self.code, self.message, self.headers, **self.more)


def refusal_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **more: str
) -> web.Response:
    """The documented error JSON: ``{"error": {"code": ..., "message": ...}}``."""
    body: Json = {"error": {"code": code, "message": message}, **more}
    return web.json_response(body, status=status, headers=headers)


def bad_argument(message: str) -> Refused:
    """The payload is wrong."""
    return Refused(400, "Bad Argument", message)


def bad_syntax(message: str) -> Refused:
    """The payload, or a card in it, cannot be read."""
    return Refused(400, "BadSyntax", message)


def unauthorized() -> Refused:
    """There is no token, or not one of ours."""
    return Refused(401, "Unauthorized", "Authorization has been denied for this request.")


def not_installed() -> Refused:
    """A conversation is asked for with somebody who does not have the app."""
    return Refused(403, "ForbiddenOperationException", "Bot isn't installed in user's personal scope")


def not_in_roster() -> Refused:
    """The bot was removed from the conversation."""
    return Refused(403, "BotNotInConversationRoster", "The bot isn't part of the conversation roster.")


def blocked_by_user() -> Refused:
    """The person has blocked the bot."""
    message = "User blocked the conversation with the bot."
    return Refused(403, "ConversationBlockedByUser", message, subCode="MessageWritesBlocked")


def disabled_by_admin() -> Refused:
    """The tenant's administrator has disabled the bot."""
    return Refused(403, "BotDisabledByAdmin", "The tenant admin disabled this bot")


def conversation_not_found() -> Refused:
    """There is no such conversation."""
    return Refused(404, "ConversationNotFound", "Conversation not found.")


def activity_not_found() -> Refused:
    """There is no such message in the conversation."""
    return Refused(404, "ActivityNotFoundInConversation", "Conversation not found.")


def member_not_found() -> Refused:
    """There is no such person in the conversation."""
    return Refused(404, "MemberNotFoundInConversation", "Member not found in conversation.")


def too_big() -> Refused:
    """The request is larger than Teams takes."""
    return Refused(413, "MessageSizeTooBig", "Message size too large.")


def throttled(seconds: int) -> Refused:
    """Too many calls; come back after so many seconds."""
    return Refused(429, "Throttled", "Too many requests.", {"Retry-After": str(seconds)})
