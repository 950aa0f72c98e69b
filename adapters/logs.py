"""Logs: one line for each thing that happened, with ids. Nobody's words, names, addresses or tokens.

Callers log ids only. `Redact` is the last line of defence, for what a library or an exception's text brings along.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# These log every request, or quote what they received, at lower levels.
QUIET = (
    "aiohttp",
    "aiosqlite",
    "alembic",
    "apscheduler",
    "asyncio",
    "botbuilder",
    "botframework",
    "httpcore",
    "msal",
    "msrest",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "urllib3",
)

_HIDDEN = "[redacted]"
_SECRET_NAMES = re.compile(
    r"(?i)(^|[_\-])(e?mail|password|passwd|pwd|secret|token|authorization|cookie|set-cookie|api_?key)$"
)
# What tokens look like. Sources: Slack's and SonarSource's documented prefixes (SonarSource/sonar-text, rule S6702);
# a personal access token of SonarQube Cloud is forty hexadecimal digits. Our own ids have thirty-two.
_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w\-.~+/=:%]+"), rf"\1 {_HIDDEN}"),
    (re.compile(r"(?i)(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"), _HIDDEN),
    (re.compile(r"(?i)\bx(?:ox[a-z]|oxe\.xox[a-z]|app|wfp)-[\w\-]+"), _HIDDEN),
    (re.compile(r"\bsq(?:co|cb|[apuc])_\w+"), _HIDDEN),
    (re.compile(r"\beyJ[\w\-]+\.[\w\-]+(?:\.[\w\-]*)?"), _HIDDEN),
    (re.compile(r"(?i)\b[0-9a-f]{40}\b"), _HIDDEN),
    (re.compile(r"[\w.%+\-']+@[\w\-]+(?:\.[\w\-]+)+"), _HIDDEN),
)
_SHORTEST_SECRET = 6  # a shorter one would blank out ordinary words
_DEEPEST = 8


class Redact:
    """A structlog processor that blanks out what looks like a token or an e-mail address, and known secrets."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        long_enough = [re.escape(secret) for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        known = [(re.compile("|".join(long_enough)), _HIDDEN)] if long_enough else []
        self._patterns = (*known, *_PATTERNS)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """The same entry, safe to write."""
        return {self._text(str(key)): self._named(str(key), value) for key, value in event.items()}

    def _named(self, name: str, value: object, depth: int = 0) -> object:
        if value and _SECRET_NAMES.search(name):
            return _HIDDEN
        return self._value(value, depth)

    def _value(self, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict) and depth < _DEEPEST:
            return {self._text(str(key)): self._named(str(key), item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
            return [self._value(item, depth + 1) for item in value]
        return self._text(value if isinstance(value, str) else repr(value))

    def _text(self, text: str) -> str:
        for pattern, instead in self._patterns:
            text = pattern.sub(instead, text)
        return text


def set_up(
    level: str = "info", log_format: str = "auto", *, secrets: Sequence[str] = (), stream: TextIO | None = None
) -> None:
    """Send structlog's and the standard library's logs to `stream` (standard error), one way, from now on.

    `log_format` is "json", "console", or "auto": console where somebody is watching. `secrets` are values that must
    never be written, whatever they look like.
    """
    out = stream or sys.stderr
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # tracebacks become text here, so that they are redacted too
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a logger made at import must follow a later set_up
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            Redact(secrets),
            _renderer(log_format, out),
        ],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


def _renderer(log_format: str, out: TextIO) -> Callable[[WrappedLogger, str, EventDict], str | bytes]:
    if log_format == "json" or (log_format == "auto" and not out.isatty()):
        return structlog.processors.JSONRenderer(sort_keys=True)
    return structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
