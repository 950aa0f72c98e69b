"""What is deployed, watched and told about it fits the code."""

import json
import re
from functools import cache
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from adapters.backlog import BacklogCollector, Snapshot
from adapters.metrics import Metrics
from adapters.server import GRACE
from adapters.settings import PREFIX, Settings
from bot.clock import SystemClock
from bot.model import Platform
from bot.ports import Waiting

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
MANIFESTS = [
    part
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for part in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())


SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}


@cache
def metrics() -> dict[str, set[str]]:
    """What the bot shows: the names of all samples, with their labels."""
    measured = Metrics()
    backlog = BacklogCollector(None, SystemClock(), lambda: (0, 0))
    waiting = Waiting(1, SystemClock().now())
    backlog._found = Snapshot(SystemClock().now(), {Platform.SLACK: waiting}, waiting)
    measured.registry.register(backlog)
    found = {"up": set()}
    for metric in measured.registry.collect():
        labels = {name for sample in metric.samples for name in sample.labels}
        found |= {metric.name + suffix: labels for suffix in SUFFIXES.get(metric.type, [""])}
    for labelled in vars(measured).values():
        if isinstance(labelled, MetricWrapperBase):  # it has no samples yet
            (metric,) = labelled.describe()
            for suffix in SUFFIXES.get(metric.type, [""]):
                found[metric.name + suffix] = {*labelled._labelnames, *({"le"} if suffix == "_bucket" else ())}
    return found


def selectors(expression: str) -> list[tuple[str, set[str]]]:
    """Every metric that a PromQL expression asks for, with the labels that it selects by."""
    promql_parser.parse(expression)  # raises ValueError
    asked = re.findall(r"\b([a-z_:]+)\{([^}]*)\}", expression)
    return [(name, set(re.findall(r"(\w+)\s*[!=]", inside))) for name, inside in asked]


EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    },
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_alerts_and_dashboard_ask_for_metrics_that_exist(expression):
    asked = selectors(expression)

    assert asked
    for name, labels in asked:
        assert name in metrics(), name
        assert labels - metrics()[name] <= {"job", "instance"}, (name, labels)


def test_the_dashboard_shows_everything_that_the_page_lists():
    shown = {name for expression in EXPRESSIONS.values() for name, _ in selectors(expression)}
    listed = set(re.findall(r"^\| `(usher_\w+)` \|", OPERATIONS, re.MULTILINE))

    assert {name for name in listed if not any(each.startswith(name) for each in shown)} == set()


def test_the_page_lists_every_metric_with_its_labels():
    rows = re.findall(r"^\| `(usher_\w+)` \|([^|]*)\|", OPERATIONS, re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    real = {
        name.removesuffix("_count"): labels - {"le"}
        for name, labels in metrics().items()
        if name.startswith("usher_") and not name.endswith(("_bucket", "_sum"))
    }

    assert told == real


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_wrong_what_to_do_and_where_more_is(rule):
    notes = rule["annotations"]
    page, _, anchor = notes["runbook_url"].partition("#")

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert notes["summary"].endswith(".")
    assert notes["description"].endswith(".")
    assert (ROOT / page).exists()
    assert f"### {rule['alert']}\n" in OPERATIONS
    assert anchor == rule["alert"].lower()
    assert f"alertname: {rule['alert']}\n" in (DEPLOY / "prometheus" / "alerts_test.yaml").read_text()


def workload() -> dict:
    (found,) = (each for each in MANIFESTS if each["kind"] == "Deployment")
    return found["spec"]


def test_a_pod_is_nobody_and_writes_nowhere_but_where_it_may():
    pod = workload()["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {each["mountPath"] for each in container["volumeMounts"]} == {"/tmp", "/data"}
    assert container["resources"]["requests"]["memory"]
    assert container["resources"]["limits"]["memory"]


def test_the_user_of_the_manifests_is_the_images():
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    context = workload()["template"]["spec"]["securityContext"]

    assert user is not None
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(user[2]))


def test_a_replica_is_given_the_time_that_it_takes_to_stop():
    pod = workload()["template"]["spec"]
    (container,) = pod["containers"]
    pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])

    assert pod["terminationGracePeriodSeconds"] > pause + 2 * GRACE
    assert float(COMPOSE["services"]["usher"]["stop_grace_period"].removesuffix("s")) > 2 * GRACE


def test_one_replica_is_always_there():
    (budget,) = (each["spec"] for each in MANIFESTS if each["kind"] == "PodDisruptionBudget")

    assert workload()["replicas"] == 2
    assert workload()["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert budget["minAvailable"] == 1
    assert COMPOSE["services"]["usher"]["deploy"]["replicas"] == 2


def test_all_parts_of_the_manifests_mean_the_same_pods():
    labels = workload()["template"]["metadata"]["labels"]
    meant = [each["spec"]["selector"] for each in MANIFESTS if each["kind"] == "Service"]
    meant += [each["spec"]["selector"]["matchLabels"] for each in MANIFESTS if each["kind"] == "PodDisruptionBudget"]
    meant += [each["spec"]["podSelector"]["matchLabels"] for each in MANIFESTS if each["kind"] == "NetworkPolicy"]

    assert meant
    assert all(each == labels for each in meant)


def test_settings_of_the_manifests_exist_and_secrets_are_in_the_secret():
    given = {each["kind"]: each.get("data", each.get("stringData", {})) for each in MANIFESTS}
    names = {PREFIX + name.upper(): field for name, field in Settings.model_fields.items()}
    secret = {name for name, field in names.items() if "SecretStr" in repr(field.annotation)}

    assert given["ConfigMap"].keys() <= names.keys() - secret
    assert given["Secret"].keys() <= names.keys()


def test_proxies_pass_on_what_the_platforms_call_and_nothing_else():
    (ingress,) = (each["spec"] for each in MANIFESTS if each["kind"] == "Ingress")
    paths = {each["path"] for rule in ingress["rules"] for each in rule["http"]["paths"]}
    caddy = re.search(r"@platforms path (.*)", (DEPLOY / "caddy" / "Caddyfile").read_text())

    assert paths == {"/slack", "/api/messages", "/files", "/about"}
    assert caddy is not None
    assert {each.removesuffix("/*") for each in caddy[1].split()} == paths
    assert "ports" not in COMPOSE["services"]["usher"]


def test_every_container_of_the_compose_file_but_the_database_is_read_only():
    for name, service in COMPOSE["services"].items():
        if name != "postgres":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
