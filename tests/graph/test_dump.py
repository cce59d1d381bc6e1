"""`steady-mp dump` of real runs: one that works, one that stands still, one in a deadlock, and two that are dead."""

from __future__ import annotations

import json
import signal
import stat
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, LogSettings
from steady_mp.cli.main import main
from tests.support import circles
from tests.support.gates import Lines
from tests.support.hosts import Process, all_gone
from tests.support.operator import Operator, hosted
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(90)

FLOW = ("source", "middle", "sink")
COMMAND = (sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())")


def read(archive: Path) -> dict[str, bytes]:
    """Return the files of an archive without the folder that they are in."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            found = {name: zipped.read(name) for name in zipped.namelist()}
    else:
        with tarfile.open(archive) as tarred:
            members = {member.name: tarred.extractfile(member) for member in tarred.getmembers()}
            found = {name: file.read() for name, file in members.items() if file is not None}
    assert len({name.partition("/")[0] for name in found}) == 1
    return {name.partition("/")[2]: data for name, data in found.items()}


def dumped(operator: Operator, archive: Path, *words: str) -> dict[str, str]:
    told = operator.types("dump", *words, "-o", str(archive))
    assert told.status == ExitCode.DRAINED, told
    return {name: data.decode(errors="replace") for name, data in read(archive).items()}


def test_one_that_stands_still_behind_a_frozen_actor(operator: Operator, tmp_path: Path) -> None:
    with hosted("busy", *FLOW, "busy") as host:
        host.wait_line("spinning busy")
        operator.freezes("sink", "middle->sink", "source->middle")
        told = operator.types("dump", "-o", str(tmp_path / "still.tar.gz"), "--timeout", "5", "--json")
        parts = {name: data.decode(errors="replace") for name, data in read(tmp_path / "still.tar.gz").items()}
        assert sorted(parts) == told.data["parts"]
        assert told.data["file"] == str(tmp_path / "still.tar.gz")
        assert stat.S_IMODE((tmp_path / "still.tar.gz").stat().st_mode) == 0o600
        summary = parts["summary.txt"]
        assert (
            "source waits for middle waits for sink. It begins with sink: its process is stopped (SIGSTOP)" in summary
        )
        assert "middle→sink is full (8 of 8) and sink would have to take" in summary
        assert "busy: it is busy in its own code." in summary
        assert "busy: running, life 1, process" in parts["positions.txt"]
        assert "middle→sink: sent" in parts["positions.txt"]
        words = json.loads(parts["words.json"])
        assert words["actors"]["middle"]["EPOCH"] > 0
        assert words["channels"]["middle→sink"]["TAIL"] - words["channels"]["middle→sink"]["HEAD"] == 8
        assert "steps.py" in parts["stacks.txt"]  # where busy spins
        assert "it is stopped (SIGSTOP), and says nothing" in parts["stacks.txt"]
        assert f"ulimits of process {host.pid}" in parts["limits.txt"]
        assert "the run directory:" in parts["limits.txt"]
        assert "python: 3." in parts["versions.txt"]
        assert "psutil: " in parts["versions.txt"]
        assert "no log file" in parts["log-tail.txt"]
        assert json.loads(parts["run/graph.json"])["graph"] == "busy"
        assert json.loads(parts["run/status.json"])["phase"] == "running"
        assert "ActorStarted" in parts["run/events.jsonl"]
        assert "run/actor-0.control" in parts
        assert not [name for name in parts if "snapshot" in name or "channel" in name or "args" in name]
        # Nothing was disturbed: it goes on.
        assert operator.types("kill", "sink", "--signal", "CONT").status == 0
        assert eventually(lambda: operator.actors()["sink"]["state"] in {"idle", "running"})
        full = dumped(operator, tmp_path / "full.zip", "--payloads")
        assert {"run/channel-0", "run/actor-1.args", "run/actor-2.snapshot-0"} <= set(full)
        assert not list(tmp_path.glob(".*"))


def test_one_in_a_deadlock_with_a_log_file(operator: Operator, tmp_path: Path) -> None:
    graph = Graph("circle")
    circles.circle(graph, circles.breed, "ab")
    with graph.start(output=Lines(), log=LogSettings(file=tmp_path / "run.log")):
        assert eventually(lambda: bool(operator.types("ps", "--json").data[0]["deadlocks"]))
        parts = dumped(operator, tmp_path / "circle.tgz")
    assert "DEADLOCK: a → b → a: each of them waits for room" in parts["summary.txt"]
    assert "ab is full (4 of 4) and b would have to take" in parts["summary.txt"]
    assert "ba is full (4 of 4) and a would have to take" in parts["summary.txt"]
    assert "sleep" in parts["stacks.txt"]
    assert "a cycle of channels: a → b → a" in parts["log-tail.txt"]


def test_one_whose_supervisor_was_killed(operator: Operator, tmp_path: Path) -> None:
    with hosted("flow", *FLOW) as host:
        assert operator.types("kill", "middle").status == 0
        host.wait_line("started middle 2 ")
        operator.freezes("sink", "middle->sink", "source->middle")
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        parts = dumped(operator, tmp_path / "dead.tar.gz")
        summary = parts["summary.txt"]
        assert f"DEAD: its supervisor (process {host.pid}) is gone and has not said why" in summary
        assert "`steady-mp clean` removes it" in summary
        assert "middle: it ended with its supervisor while waiting for room in middle→sink" in summary
        assert "middle is in life 2; it has died of SIGKILL x1" in summary
        assert "middle died in life 1 (SIGKILL)" in summary
        assert parts["stacks.txt"] == "none: its processes are gone\n"
        assert "run/actor-1.control" in parts


def test_a_durable_one_that_is_over_keeps_no_secret(operator: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    words = ("--rate", "1", "--beats", "1000000", "--port", "0", "--token", "hush-hush-hush-hush")
    with Process(*COMMAND, "run", "--durable", str(folder), *words) as process:
        process.wait_line("Msg")
        process.wait_hearing()
        process.send(signal.SIGTERM)
        assert process.wait() == ExitCode.DRAINED
    parts = dumped(operator, tmp_path / "over.zip", str(folder))
    assert "stopped; the events below say how" in parts["summary.txt"]
    assert f"--resume {folder}" in parts["summary.txt"]
    assert "drained after" in parts["summary.txt"]
    assert "heartbeat: it is finished." in parts["summary.txt"]
    assert json.loads(parts["run/command.json"])["words"][-2:] == ["--port", "0"]
    assert not [name for name, text in parts.items() if "hush" in text]


def test_what_it_refuses(operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing runs on this machine" in operator.refused("dump")
    monkeypatch.chdir(tmp_path)
    with hosted("flow", *FLOW):
        assert "let it end in .tar.gz, .tgz, .zip" in operator.refused("dump", "-o", "dump.rar")
        assert "can't be written: No such file" in operator.refused("dump", "-o", "nowhere/dump.zip")
        assert main(["dump", "flow"]) == ExitCode.DRAINED
        (made,) = (entry.name for entry in tmp_path.iterdir())
        assert made.startswith("steady-mp-flow-")
        assert made.endswith(".tar.gz")
        assert "summary.txt" in read(tmp_path / made)
