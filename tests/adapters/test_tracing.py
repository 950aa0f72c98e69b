"""Traces are off unless the standard variables ask for them, and then what is wrong with them is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.tracing import exporters, problems

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, ()),
        ({"OTEL_SERVICE_NAME": "usher"}, ()),
        (ENDPOINT, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, ("otlp", "console")),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, ()),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, ()),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "false"}, ("otlp",)),
    ],
)
def test_the_standard_variables_turn_traces_on_and_off(environment, wanted) -> None:
    assert exporters(environment) == wanted
    assert problems(environment) == ([] if wanted else ())


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "http/json"),
    ],
)
def test_what_is_not_there_is_named(environment, named) -> None:
    (problem,) = problems(environment)
    assert named in problem


def test_that_opentelemetry_is_not_installed_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)

    (problem,) = problems(ENDPOINT)
    assert "pip install 'sso-usher[otel]'" in problem
    assert not problems({})


ASSEMBLE = """
import asyncio, sys
from adapters.assembly import assembled
from adapters.settings import Settings

async def main():
    async with assembled(Settings(_env_file=None)):
        print(any(name.startswith("opentelemetry") for name in sys.modules))

asyncio.run(main())
"""


@pytest.mark.parametrize(("variables", "imported"), [({}, "False"), (ENDPOINT, "True")], ids=["off", "on"])
def test_opentelemetry_is_imported_only_where_it_is_wanted(tmp_path: Path, variables, imported) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "USHER_"))}
    database = {"USHER_DATABASE_URL": f"sqlite:///{tmp_path / 'usher.db'}"}
    run = subprocess.run(
        [sys.executable, "-c", ASSEMBLE],
        env={**inherited, **database, **variables},
        check=True,
        capture_output=True,
        text=True,
    )

    assert run.stdout.strip() == imported
