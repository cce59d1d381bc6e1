"""The commands at a run directory that is damaged: one line or a partial answer, never a traceback."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from steady_mp.memory.status import read_status, write_status
from tests.support.hosts import all_gone
from tests.support.operator import Operator, hosted
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(90)

FLOW = ("source", "middle", "sink")
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[: len(data) // 3],
    "a page": lambda data: data[:4096],
    "zeros": lambda data: bytes(len(data)),
    "ones": lambda data: b"\xff" * len(data),
    "noise": lambda data: (b"\x13\x37{}[]" * len(data))[: len(data)],
    "another": lambda _: b"[1, 2]",
}


def test_no_damage_is_a_traceback(operator: Operator, tmp_path: Path) -> None:
    with hosted("flow", *FLOW) as host:
        assert eventually(lambda: operator.types("state", "sink", "--json").data["state"] is not None)
        operator.freezes("sink", "middle->sink", "source->middle")
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        (run,) = operator.types("ps", "--json").data
        whole = tmp_path / "whole"
        shutil.copytree(run["directory"], whole, ignore=shutil.ignore_patterns("*.bell"))
    assert operator.types("peek", "middle->sink", "--run", str(whole), "--json").data["messages"]
    files = [
        path.name
        for path in whole.iterdir()
        if path.name.startswith(("actor-2.c", "actor-2.s", "channel-1", "graph", "status"))
    ]
    assert len(files) >= 6
    commands = [
        ("ps", str(whole)),
        ("state", "sink", "--run", str(whole)),
        ("peek", "middle->sink", "--run", str(whole)),
        ("health", str(whole), "--stall", "0"),
        ("stack", "sink", "--run", str(whole)),
        ("kill", "sink", "--run", str(whole)),
        ("stop", str(whole)),
    ]
    for name in files:
        path = whole / name
        data = path.read_bytes()
        for damage in DAMAGES.values():
            path.write_bytes(damage(data))
            for words in commands:
                told = operator.types(*words)
                assert told.out or told.err, (name, words)
                assert told.err.count("\n") <= 1, (name, words, told.err)
        path.write_bytes(data)
    assert operator.types("state", "sink", "--run", str(whole), "--json").data["state"]["in_order"]


@pytest.mark.parametrize("command", ["ps", "stop", "health", "clean"])
def test_a_folder_of_runs_that_is_none(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STEADY_MP_ROOT", str(tmp_path / "file"))
    told = operator.types(command)
    assert (told.out + told.err).count("\n") == 1


def test_a_run_of_another_container_is_left_alone(operator: Operator, tmp_path: Path) -> None:
    """Its pids mean other processes here."""
    with hosted("flow", *FLOW):
        (run,) = operator.types("ps", "--json").data
        copy = tmp_path / "copy"
        shutil.copytree(run["directory"], copy, ignore=shutil.ignore_patterns("*.bell", "*.new"))  # drafts come and go
        status = read_status(copy)
        status.namespace += 1
        write_status(copy, status)
        for words in (("kill", "sink", "--run"), ("stack", "sink", "--run"), ("stop",), ("stop", "--now")):
            assert "runs in another container" in operator.refused(*words, str(copy))
        assert [actor["restarts"] for actor in operator.actors().values()] == [0, 0, 0]
