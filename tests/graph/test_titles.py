"""What ps and top call the processes of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorStarted
from steady_mp.supervisor import native
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import LiveOn, Say
from tests.support.gates import Lines
from tests.support.watch import Watch

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="needs /proc"),
]

PATIENT = Script.each_life([Say("lives"), LiveOn()])


def shown(pid: int, column: str) -> str:
    words = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


@pytest.mark.parametrize(
    ("name", "title", "short"),
    [
        ("worker", "steady-mp:Title test/worker", "worker"),
        ("a worker with\na long name", "steady-mp:Title test/a worker with a long name", "a worker with\na"),
        ("fünfzehnbytés…", "steady-mp:Title test/fünfzehnbytés…", "fünfzehnbytés"),
    ],
    ids=["short", "long", "letters of several bytes"],
)
def test_each_life_has_its_name_and_title(name: str, title: str, short: str) -> None:
    pytest.importorskip("setproctitle")
    graph = Graph("Title test")
    graph.actor(name, perform, PATIENT)
    watch, output = Watch(), Lines()
    with graph.start(on_event=watch, output=output) as run:
        for generation in (1, 2):
            pid = watch.wait_for(ActorStarted, generation=generation).pid
            output.wait_for("lives")
            command = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
            assert command == title
            environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            assert f"STEADY_MP_RUN={run.directory}".encode() in environ  # by which leftovers are found
            assert Path(f"/proc/{pid}/comm").read_bytes() == short.encode() + b"\n"
            if shutil.which("ps") and name.isascii() and "\n" not in name:
                assert shown(pid, "args") == title
                assert shown(pid, "comm") == short
            if generation == 1:
                run.kill(name)
        run.request_shutdown()
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED


def test_the_longest_names_are_cut_and_spoil_nothing() -> None:
    pytest.importorskip("setproctitle")
    graph = Graph("g" * 64)
    name = "a" * 64
    graph.actor(name, perform, PATIENT)
    watch, output = Watch(), Lines()
    with graph.start(on_event=watch, output=output) as run:
        pid = watch.wait_for(ActorStarted).pid
        output.wait_for("lives")
        command = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
        assert command.startswith(f"steady-mp:{graph.name}/")
        assert f"steady-mp:{graph.name}/{name}".startswith(command)
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert f"STEADY_MP_RUN={run.directory}".encode() in environ


def test_without_the_extra_nothing_changes() -> None:
    before = Path(f"/proc/{os.getpid()}/cmdline").read_bytes()
    for library in ("no_such_library", "json"):
        native.Title(library).set("steady-mp:graph/actor")
    assert Path(f"/proc/{os.getpid()}/cmdline").read_bytes() == before
