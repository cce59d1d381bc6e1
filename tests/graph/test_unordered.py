"""What is done on a processor that reorders (AArch64) is done here too, on whatever this machine is.

That it is enough there can't be shown here; that it is there, is reached and works, can.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from tests.support import pipeline, unordered
from tests.support.runs import complete
from tests.unit.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

TOTAL = 500
SUITE = ("tests/unit/test_conformance.py", "-k", "TestMixed")


def test_the_conformance_suite_reaches_every_fence_of_such_a_machine(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", unordered.__name__, *SUITE],
        env=unordered.said_in(tmp_path),
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_graph_runs_on_such_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", unordered.said_in(tmp_path)["PYTHONPATH"])
    graph = Graph("unordered")
    graph.faults = {"middle": [{"point": "commit:epoch", "hit": 20, "generations": [1]}]}
    first_tx, first_rx = graph.channel(64)
    second_tx, second_rx = graph.channel(64)
    graph.actor("source", pipeline.source, first_tx, TOTAL, 8, graph.state())
    graph.actor("middle", pipeline.middle, first_rx, second_tx, 8, graph.state())
    graph.actor("sink", pipeline.sink, second_rx, 8, graph.state())
    graph.actor("teller", unordered.tell, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.log
    assert outcome.actor("teller").state == [False]
    assert outcome.actor("sink").state == {"seen": list(range(TOTAL))}
    assert {actor.name: len(actor.deaths) for actor in outcome.report.actors if actor.deaths} == {"middle": 1}
