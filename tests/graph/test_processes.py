"""What a run's processes have to do with one another: an actor's own children, and signals that come late."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph
from tests.support import lives
from tests.support.hosts import Process, all_gone
from tests.support.operator import Operator, hosted
from tests.support.runs import complete
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

COMMAND = (sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())")


def test_what_an_actor_has_started_in_its_group_dies_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    operator = Operator(capsys)
    with hosted("family", "source", "middle", "sink", "parent") as host:
        host.wait_line("has children")
        parent = psutil.Process(operator.actors()["parent"]["pid"])
        children = [child for child in host.family() if child.pid != parent.pid and os.getpgid(child.pid) == parent.pid]
        assert children
        assert os.getpgid(parent.pid) == parent.pid
        assert operator.types("kill", "parent").status == ExitCode.DRAINED
        assert all_gone(children, 10.0)
        host.wait_line("started parent 2 ")
        host.wait_line("has children")


@pytest.mark.parametrize(("how", "status"), [("returns", 1), ("goes on", 1), ("leaves", 3)])
def test_a_fork_of_an_actor_s_process_is_not_the_actor(how: str, status: int) -> None:
    """It finished in the actor's name when it returned, and committed what it had where it went on."""
    graph = Graph("forking")
    tx, rx = graph.channel(64)
    graph.actor("forker", lives.fork_in_midst, tx, how, graph.state())
    graph.actor("sink", lives.tally, rx, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("forker").deaths == []
    assert outcome.actor("forker").state["total"] == status
    assert outcome.actor("sink").state == {"count": 20, "total": sum(range(20)), "in_order": True}
    assert ("only the actor's own can commit" in outcome.log) == (how != "leaves")


def test_a_term_after_the_end_does_not_change_the_exit_status(tmp_path: Path) -> None:
    """The report goes into a pipe that nobody reads yet: the run is over then, and the program is not."""
    pipe = tmp_path / "report"
    os.mkfifo(pipe)
    words = ("--beats", "2", "--rate", "100", "--no-telemetry", "--report", str(pipe))
    with Process(*COMMAND, "run", *words) as process:
        process.wait_line("drained")
        assert eventually(lambda: not process.family())
        for _ in range(3):
            process.send(signal.SIGTERM)
        with pipe.open() as reading:
            report = json.load(reading)
        process.send(signal.SIGTERM)
        assert report["clean"]
        assert process.wait() == ExitCode.DRAINED
