"""The threat model names tests: they exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def named() -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)


def test_every_test_that_the_threat_model_names_exists():
    for file, test in named():
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert test in functions, f"{file}::{test}"


def test_every_threat_has_a_test():
    table = PAGE.partition("| Who | wants | What stops it | Shown by |\n|---|---|---|---|\n")[2].partition("\n\n")[0]
    rows = table.splitlines()
    assert len(rows) >= 7
    for row in rows:
        assert re.search(r"`tests/\S+::test_", row), row
