"""The leak check sees what was opened and made since, and nothing else."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from rich.console import Console

from steady_mp.testing import litter
from steady_mp.testing.litter import Litter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in these tests is about to end."""
    monkeypatch.setattr(litter, "_GRACE", 0.1)


def test_only_what_came_since_is_litter(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with (tmp_path / "before").open("w"):
        found = Litter(root)
        assert found.left() == []
        (root / "b").mkdir()
        (root / "a").mkdir()
        opened = os.open(tmp_path, os.O_RDONLY)
        assert found.left() == [f"descriptor {opened} → {tmp_path}", "run directory a", "run directory b"]
        assert found.left(opened=False) == ["run directory a", "run directory b"]
        os.close(opened)
    assert Litter().left() == []


def test_a_descriptor_that_leads_somewhere_else_now_is_litter(tmp_path: Path) -> None:
    opened = os.open(tmp_path, os.O_RDONLY)
    found = Litter()
    other = os.open("/", os.O_RDONLY)
    os.dup2(other, opened)
    os.close(other)
    assert found.left() == [f"descriptor {opened} → /"]
    os.close(opened)


def test_what_nobody_refers_to_is_no_litter(tmp_path: Path) -> None:
    """Only the collector would find that out; it is asked before anybody is blamed."""

    class Holder:
        def __init__(self) -> None:
            self.me = self
            self.fd = os.open(tmp_path, os.O_RDONLY)

        def __del__(self) -> None:
            os.close(self.fd)

    found = Litter()
    Holder()
    assert found.left() == []


def test_a_descriptor_that_leads_nowhere_is_litter_too() -> None:
    found = Litter()
    opened = os.open(os.devnull, os.O_RDONLY)
    assert found.left() == [f"descriptor {opened} → {os.devnull}"]
    os.close(opened)


def test_what_rich_keeps_open_when_nobody_reads_what_it_prints_is_no_litter(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with contextlib.suppress(BrokenPipeError), open(writer, "w") as output:  # noqa: PTH123 - a descriptor
        monkeypatch.setattr(sys, "stdout", output)
        found = Litter()
        before = litter.descriptors()
        os.close(reader)
        with pytest.raises(SystemExit):
            Console(file=output).print("for nobody")
        (kept,) = {fd for fd, to in litter.descriptors().items() if before.get(fd) != to} - {writer}
        assert found.left() == []
        opened = sorted([kept, os.open(os.devnull, os.O_RDONLY)])
        assert found.left() == [f"descriptor {opened[1]} → {os.devnull}"]  # one is rich's, whichever
        for descriptor in opened:
            os.close(descriptor)
    assert found.left() == []


def test_of_a_run_only_what_leads_into_its_directory_is_litter(tmp_path: Path) -> None:
    run, beside = tmp_path / "run", tmp_path / "run beside"
    run.mkdir()
    beside.mkdir()
    inside, outside = os.open(run / "file", os.O_CREAT), os.open(beside / "file", os.O_CREAT)
    assert litter.of_run(run) == [f"descriptor {inside} → {run}/file", f"run directory {run}"]
    os.close(inside)
    (run / "file").unlink()
    run.rmdir()
    assert litter.of_run(run) == []
    os.close(outside)


class Known:
    """A process with an environment; None for one that is somebody else's."""

    def __init__(self, marks: dict[str, str] | None, status: str = psutil.STATUS_SLEEPING) -> None:
        self.marks = marks
        self.status = lambda: status

    def environ(self) -> dict[str, str]:
        if self.marks is None:
            raise psutil.AccessDenied
        return self.marks


def test_processes_are_found_by_their_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    there, also = Known({"RUN": "a", "PATH": "/bin"}), Known({"RUN": "a"})
    others = [Known(None), Known({}), Known({"RUN": "b"}), Known({"RUN": "a"}, psutil.STATUS_ZOMBIE)]
    monkeypatch.setattr(psutil, "process_iter", lambda: iter([*others[:2], there, *others[2:], also]))
    assert litter.marked("RUN", "a") == [there, also]
    assert litter.marked("RUN", "no such run") == []


def test_nobody_is_reaped_who_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litter, "_GRACE", 20.0)
    answers = [[psutil.Process()], [psutil.Process()], []]
    assert litter.reap(lambda: answers.pop(0)) == []
    assert answers == []
