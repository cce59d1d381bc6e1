"""What a run's processes have to do with one another: an actor's own children, and signals that come late."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode
from tests.support.hosts import Process, all_gone
from tests.support.operator import Operator, hosted
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
