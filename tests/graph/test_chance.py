"""Random numbers: no life draws what another one has drawn, though all are forks of one process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp.errors import ExitCode
from tests.support.hosts import Process

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import os, random, signal, sys
import numpy, numpy.random
from steady_mp import Graph

def draw(actor):
    print("drawn", {number}, flush=True)
    if actor.generation < 3:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    graph = Graph("chance", spare={spare})
    for name in ("one", "two", "three"):
        graph.actor(name, draw)
    sys.exit(int(graph.start().block_until_stopped().exit_code))
"""


@pytest.mark.parametrize("spare", [True, False], ids=["with a spare", "without"])
@pytest.mark.parametrize("number", ["random.getrandbits(60)", "numpy.random.bytes(8).hex()"])
def test_each_life_draws_numbers_of_its_own(number: str, tmp_path: Path, *, spare: bool) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.format(number=number, spare=spare))
    with Process(sys.executable, "script.py", cwd=str(tmp_path)) as process:
        assert process.wait() == ExitCode.DRAINED, process.output
        drawn = [line.rpartition("drawn ")[2] for line in process.output.splitlines() if "drawn " in line]
    assert len(drawn) == 9
    assert len(set(drawn)) == 9
