"""Named points between any two statements that matter. They do nothing, until a test makes one of them fatal."""

from __future__ import annotations

from collections.abc import Callable

_hook: Callable[[str], None] | None = None

POINTS = (
    "engine.after_inbox",
    "engine.before_commit",
    "engine.after_commit",
    "dispatcher.after_claim",
    "dispatcher.after_send",
    "dispatcher.before_settle_commit",
    "dispatcher.after_settle",
    "dispatcher.after_find",
    "dispatcher.after_update",
    "look_up.after_claim",
    "look_up.after_answer",
    "look_up.after_list",
    "look_up.before_done",
    "wave.before_commit",
    "wave.after_commit",
    "reminders.after_plan",
    "reminders.after_plan_commit",
    "reminders.after_enqueue",
    "reminders.after_commit",
)
DIGEST_POINTS = (
    "digests.before_commit",
    "escalating.before_commit",
    "escalating.before_told",
)


def reach(point: str) -> None:
    """Say that execution is here."""
    if _hook is not None:
        _hook(point)


def install(hook: Callable[[str], None] | None) -> None:
    """For tests: call `hook(point)` at every point from now on; None removes it."""
    global _hook  # noqa: PLW0603  # one process, one hook: a test installs and removes it
    _hook = hook
