"""How a Web API method says no."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.playground.slack.world import Json


class Refused(Exception):
    """A Web API method answers `{"ok": false, "error": error}`.

    `more` goes beside the error. `messages` become response_metadata.messages, as Slack explains invalid arguments
    (docs.slack.dev/apis/web-api, "Evaluating responses").
    """

    def __init__(self, error: str, messages: list[str] | None = None, **more: str) -> None:
        super().__init__(error)
        self.error = error
        self.more = more
        self.messages = messages or []

    def body(self) -> Json:
        """The answer's JSON body."""
        body: Json = {"ok": False, "error": self.error, **self.more}
        if self.messages:
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body
