"""A notebook's cells, run by IPython itself in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.graph.test_sessions import CELL, MEND, RUN

pytest.importorskip("IPython", reason="a notebook's shell is not installed: pip install 'steady-mp[test]'")

pytestmark = pytest.mark.timeout(60)

HOST = """
import json, os, sys, tempfile
os.environ["IPYTHONDIR"] = tempfile.mkdtemp()
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor", history_length=0)
shell.history_manager.enabled = False
for cell in json.load(sys.stdin):
    print("cell", shell.run_cell(cell).success, flush=True)
"""
OTHER = """
def shout(text):
    return text.lower() + "?"
"""
ENDLESS = """
def speak(actor, out, state):
    actor.await_for_all(actor.wait_shutdown())
"""
START = "declare().start()"
REPEATABLE = """
if run := Graph.running("cell"):
    run.close()
run = declare().start()
"""


def shell(*cells: str) -> list[str]:
    """Run cells in one shell, and return the lines that it prints."""
    told = subprocess.run(  # noqa: S603 - the cells of the tests
        [sys.executable, "-c", HOST], input=json.dumps(cells), capture_output=True, text=True, check=False, timeout=50
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.splitlines()


def test_cells_are_killed_run_again_and_changed() -> None:
    lines = shell(CELL, RUN, RUN, OTHER, RUN)
    assert lines.count("cell True") == 5, lines
    heard = [line for line in lines if line.startswith("heard ")]
    first = "heard ['A!', 'B!', 'C!'] restarts 1"  # its first life ends by kill -9
    assert heard == [first, first, "heard ['a?', 'b?', 'c?'] restarts 1"]


def test_a_cell_whose_graph_still_runs_says_how_to_go_on() -> None:
    lines = shell(CELL, ENDLESS, START, START, "Graph.running('cell').close()", REPEATABLE, REPEATABLE, "run.close()")
    assert [line for line in lines if line.startswith("cell ")] == ["cell True"] * 3 + ["cell False"] + [
        "cell True"
    ] * 4
    assert any(line.startswith("ConfigurationError: ") and MEND in line for line in lines), lines
