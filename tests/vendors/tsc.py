"""Values held against TypeScript types: one generated file, one line for each value, one run of the compiler."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
COMPILER = HERE / "node_modules" / ".bin" / "tsc"
STRICT = {
    "strict": True,
    "noEmit": True,
    "skipLibCheck": True,  # the vendors' own files are theirs
    "target": "es2022",
    "module": "nodenext",
    "moduleResolution": "nodenext",
    "types": ["node"],
}
_COMPLAINT = re.compile(r"^values\.ts\((\d+),\d+\): error (.*(?:\n {2,}.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Typed:
    """A JSON value and the name of the type in wire.ts that it must have."""

    name: str
    type: str
    value: Any


def check(values: Iterable[Typed]) -> None:
    """Fails with all that the compiler has against these values."""
    found = complaints(values)
    if found:
        raise AssertionError("\n".join(sorted(set(found))))


def complaints(values: Iterable[Typed]) -> list[str]:
    """What the compiler has against these values, each line beginning with the value's name."""
    listed = _distinct(values)
    lines = [f"export const v{number}: {each.type} = {json.dumps(each.value)};" for number, each in enumerate(listed)]
    said = compiled('import type { Api, Arguments, Slack, Teams } from "./wire.js";\n' + "\n".join(lines) + "\n")
    found = [(int(line) - 2, what) for line, what in _COMPLAINT.findall(said)]
    if bool(said.strip()) != bool(found):
        raise AssertionError(said)  # the types themselves do not compile
    return [f"{listed[number].name} as {listed[number].type}: {what}" for number, what in found]


def _distinct(values: Iterable[Typed]) -> list[Typed]:
    """The same value under several names is looked at once."""
    return list({(each.type, json.dumps(each.value, sort_keys=True)): each for each in values}.values())


def compiled(source: str) -> str:
    """What `tsc --strict` says about this source; nothing if all is well."""
    with TemporaryDirectory(prefix="usher-tsc-") as directory:
        place = Path(directory)
        (place / "node_modules").symlink_to(HERE / "node_modules")
        (place / "wire.ts").write_text((HERE / "wire.ts").read_text())
        (place / "values.ts").write_text(source)
        (place / "package.json").write_text('{"type": "module"}')
        (place / "tsconfig.json").write_text(json.dumps({"compilerOptions": STRICT, "files": ["values.ts"]}))
        command = [COMPILER, "--project", ".", "--pretty", "false"]
        return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False).stdout
