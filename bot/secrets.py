"""Recognising a pasted token before anything is stored or logged.

Formats: SonarSource's own secret-detection rules S6702 and S7791 (sonar-text), newer prefixes from its migration
tool's scanner configuration; a bare personal access token is 40 hexadecimal digits, which a Git commit id is too,
so that one needs a telling word nearby.
"""

from __future__ import annotations

import re

_PREFIXED = re.compile(r"\b(?:sqco_[0-9A-Za-z]{59}|(?:sqc|sqcb|sqco)_[0-9A-Za-z]{40,}|sq[apu]_[0-9a-f]{40})\b")
_BARE = re.compile(r"\b[0-9a-f]{40}\b")
_TELLING = re.compile(
    r"sonar(?:qube|cloud)?[_. ]?(?:login|token)|bearer|token\s*[:=]?|recovery password", re.IGNORECASE
)
_NEAR = 30  # characters
REDACTED = "[redacted]"


def holds_secret(words: str) -> bool:
    """Whether the words contain something that looks like a SonarQube token."""
    return redact(words) != words


def redact(words: str) -> str:
    """The words with every recognised token replaced."""
    cleaned = _PREFIXED.sub(REDACTED, words)
    stripped = cleaned.strip()
    if _BARE.fullmatch(stripped):  # nothing but the token: nobody tells a chatbot a commit id
        return REDACTED

    def unless_a_commit(match: re.Match[str]) -> str:
        around = cleaned[max(match.start() - _NEAR, 0) : match.end() + _NEAR]
        return REDACTED if _TELLING.search(around) else match.group()

    return _BARE.sub(unless_a_commit, cleaned)
