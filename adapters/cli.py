"""The command line; the only place where the parts are put together (the composition root)."""


def main() -> int:
    """Run the command line."""
    return 0
