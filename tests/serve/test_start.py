"""What `usher serve` needs not, it does not wait for."""

from __future__ import annotations

import subprocess
import sys


def test_the_bot_starts_without_the_playground() -> None:
    loaded = "import adapters.cli, sys; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, check=True, text=True
    ).stdout.split()
    assert "adapters.slack.adapter" in modules
    assert [name for name in modules if name.startswith("adapters.playground")] == []
