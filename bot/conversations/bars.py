"""Proportions as text."""


def bar(part: int, whole: int) -> str:
    """Twenty blocks, filled in proportion."""
    filled = 20 if whole == 0 else int(20 * part / whole)
    return "█" * filled + "░" * (20 - filled)
