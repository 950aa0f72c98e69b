"""There is no container engine on most development machines: what can be checked by reading is checked here."""

import json
import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DEVELOPMENT, SERVE = ROOT / "requirements.lock", ROOT / "requirements-serve.lock"


def locked(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Of each package the pinned requirement and its hashes."""
    pins: dict[str, tuple[str, frozenset[str]]] = {}
    for block in re.split(r"\n(?=\S)", path.read_text()):
        lines = [
            line.strip(" \\") for line in block.splitlines() if line.strip() and not line.lstrip().startswith("#")
        ]
        if lines:
            pin = Requirement(lines[0])
            hashes = frozenset(line for line in lines[1:] if line.startswith("--hash=sha256:"))
            pins[canonicalize_name(pin.name)] = (lines[0], hashes)
    return pins


def needed(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """The package and everything that it needs on this machine, as the installed packages tell."""
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    try:
        requirements = [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:
        requirements = []
    found = {canonicalize_name(name)}
    for each in requirements:
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            found |= needed(canonicalize_name(each.name), frozenset(each.extras), seen)
    return found


@pytest.fixture
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("path", [DEVELOPMENT, SERVE], ids=lambda path: path.name)
def test_a_lock_file_pins_and_hashes_everything_and_names_no_index(path):
    assert locked(path)
    assert all("==" in pin and hashes for pin, hashes in locked(path).values())
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file:", path.read_text())


def test_the_image_gets_the_very_packages_that_were_tested():
    tested = locked(DEVELOPMENT)

    assert {name: pin for name, pin in locked(SERVE).items() if tested.get(name) != pin} == {}


def test_the_image_gets_everything_the_project_needs(project):
    seen: set[tuple[str, frozenset[str]]] = set()
    wanted: set[str] = set()
    for line in [*project["project"]["dependencies"], "hatchling"]:
        requirement = Requirement(line)
        wanted |= needed(canonicalize_name(requirement.name), frozenset(requirement.extras), seen)

    assert wanted - locked(SERVE).keys() == set()


def test_the_image_gets_no_development_tools(project):
    tools = {canonicalize_name(Requirement(line).name) for line in project["dependency-groups"]["dev"]} - {
        "hatchling"
    }

    assert tools & locked(SERVE).keys() == set()


@pytest.fixture
def dockerfile() -> list[str]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_runs_serve_as_nobody_in_particular(dockerfile):
    last = dockerfile[max(i for i, line in enumerate(dockerfile) if line.startswith("FROM")) :]

    assert dockerfile[0].startswith("FROM python:3.12-slim AS ")
    assert any(line.startswith("USER ") and line.split()[1] not in {"root", "0"} for line in last)
    assert json.loads(last[-1].removeprefix("CMD ")) == ["usher", "serve"]


def test_the_image_says_whether_it_is_healthy(dockerfile):
    (check,) = (line for line in dockerfile if line.startswith("HEALTHCHECK"))
    program = json.loads(check.partition("CMD ")[2])

    assert program[:2] == ["python", "-c"]
    compile(program[2], "HEALTHCHECK", "exec")
    assert "/healthz" in program[2]


def test_dependencies_are_installed_from_the_lock_file_with_hashes(dockerfile):
    installs = [line for line in dockerfile if "pip install" in line]

    assert "--require-hashes --requirement requirements-serve.lock" in installs[0]
    assert "--no-index --no-deps --no-build-isolation ." in installs[1]
    assert len(installs) == 2


def test_the_build_sees_what_it_copies_and_nothing_else(dockerfile, project):
    copied = {part for line in dockerfile if re.match(r"COPY (?!--from)", line) for part in line.split()[1:-1]}
    seen = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert copied == seen
    assert all((ROOT / part).exists() for part in copied)
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) < copied


def test_compose_keeps_the_database_where_the_image_of_version_18_puts_it():
    compose = (ROOT / "compose.yaml").read_text()

    assert "image: postgres:18\n" in compose
    assert "postgres:/var/lib/postgresql #" in compose
    assert "read_only: true" in compose
