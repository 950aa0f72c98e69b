"""A script of this directory, run by Node on a JSON value; returns the JSON value that it writes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def run(script: str, given: Any) -> Any:
    """Raises CalledProcessError, with what the script has complained about on this test's stderr."""
    command = ["node", HERE / script]
    ended = subprocess.run(command, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ended.stdout)
