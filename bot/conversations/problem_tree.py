"""The usual problems of invitees, and which are easily taken for which.

They are those that SonarQube Cloud's troubleshooting page lists and its users report (docs.sonarsource.com, "SSO:
troubleshooting"; community.sonarsource.com).
"""

from __future__ import annotations

from collections.abc import Mapping

PROBLEMS = (
    "no_organization",
    "unknown_key",
    "email_code",
    "tile",
    "forbidden",
    "old_account",
    "missing_permissions",
    "token_fails",
    "ide",
    "other",
)
# What one comes to by a question only: nobody would look for it in the list.
CLOSER = ("group_lost", "code_missing", "lost_settings", "tool_fails")
KINDS = (*PROBLEMS, *CLOSER)

# Each asks a question; whoever has to say no to it chooses what is nearer.
NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "no_organization": ("old_account", "group_lost"),
    "unknown_key": ("tile", "forbidden"),
    "email_code": ("code_missing",),
    "tile": ("unknown_key",),
    "forbidden": ("token_fails", "ide"),
    "old_account": ("no_organization",),
    "missing_permissions": ("no_organization", "lost_settings"),
    "token_fails": ("ide", "tool_fails"),
    "ide": ("token_fails",),
    "group_lost": ("no_organization",),
    "code_missing": ("email_code",),
    "lost_settings": ("missing_permissions",),
    "tool_fails": ("token_fails",),
    "other": (),
}


def is_one_problem(kind: str) -> bool:
    """Whether several people who report this kind have the same problem, and can have one answer."""
    return kind != "other"
