"""What an operator deploys, by the tools of those who run it: promtool, hadolint, Kubernetes' schemas, compose's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.office import Chat, Office
from tests.e2e.rollouts import invited
from tests.e2e.scrapes import exposition

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
TOOLS = Path(__file__).parent / ".venv" / "bin"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
READ_COMPOSE = (
    "import sys; from compose_spec import PyCompose; print(*PyCompose.from_yaml(sys.stdin.read()).services)"
)


def run(*command: str | Path, given: str = "") -> str:
    """What the tool prints; fails with it when the tool is not content."""
    ended = subprocess.run(
        command, check=False, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: it comes with Prometheus (Debian: apt-get install prometheus)")
    return found


async def test_prometheus_own_parser_and_linter_take_the_metrics(promtool: str, postgresql_url: str) -> None:
    async with Office(postgresql_url).opened() as office:
        await invited(Chat("slack", office))
        await invited(Chat("teams", office))
        text = await exposition(office)

    assert "usher_deliveries_total" in text
    run(promtool, "check", "metrics", given=text)


def test_prometheus_takes_the_alerts_and_they_fire_when_they_should(promtool: str) -> None:
    alerts = DEPLOY / "prometheus"

    assert "9 rules found" in run(promtool, "check", "rules", "--lint-fatal", alerts / "alerts.yaml")
    assert "SUCCESS" in run(promtool, "test", "rules", alerts / "alerts_test.yaml")
    run(promtool, "check", "config", alerts / "scrape.yaml")


def test_an_alert_that_does_not_fire_would_be_noticed(promtool: str, tmp_path: Path) -> None:
    alerts = (DEPLOY / "prometheus" / "alerts.yaml").read_text()
    (tmp_path / "alerts.yaml").write_text(alerts.replace("> 900", "> 90000"))
    shutil.copy(DEPLOY / "prometheus" / "alerts_test.yaml", tmp_path)

    with pytest.raises(AssertionError, match="UsherRemindersLate"):
        run(promtool, "test", "rules", tmp_path / "alerts_test.yaml")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_schemas_take_the_manifests(path: Path) -> None:
    for version in ("1.30", "1.37"):
        run(TOOLS / "kubernetes-validate", "--strict", "--kubernetes-version", version, path)


def test_kubernetes_schemas_refuse_what_does_not_exist(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text((DEPLOY / "kubernetes" / "usher.yaml").read_text().replace("replicas: 2", "replicass: 2"))

    with pytest.raises(AssertionError, match="replicass"):
        run(TOOLS / "kubernetes-validate", "--strict", broken)


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert run(TOOLS / "hadolint", "--failure-threshold", "style", ROOT / "Dockerfile") == ""


def test_compose_takes_its_file() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    services = run(TOOLS / "python", "-c", READ_COMPOSE, given=compose)

    assert set(services.split()) == {"caddy", "postgres", "usher"}
    with pytest.raises(AssertionError, match="restarts"):
        run(TOOLS / "python", "-c", READ_COMPOSE, given=compose.replace("restart:", "restarts:"))
