"""Paths that can't even be looked at: each time one line that names the path, and never a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from steady_mp import Actor, ConfigurationError, Graph, LogSettings
from steady_mp.cli import main as cli
from steady_mp.cli import run as command
from steady_mp.errors import ExitCode
from steady_mp.memory.rundir import RunDir
from steady_mp.plan import LOG_NOTE
from steady_mp.supervisor.contents import first_contents
from steady_mp.supervisor.durable import reopen
from tests.support.begun import begin

LONG = "x" * 300
COMMANDS = [
    "health --run PATH",
    "ps PATH",
    "state worker --run PATH",
    "why --run PATH",
    "top --run PATH",
    "dead-letters list --run PATH",
    "run --resume PATH",
    "run --report PATH",
    "run --durable PATH --fresh",
]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ROOT", "KEPT"):
        monkeypatch.setenv(f"STEADY_MP_{name}", str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(words: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    status = cli.main(words)
    told = capfd.readouterr()
    assert status in {ExitCode.BAD_CONFIGURATION, ExitCode.UNCLEAN}
    assert (told.out + told.err).count("\n") == 1
    return told.out + told.err


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("words", COMMANDS)
def test_a_name_that_is_too_long(words: str, capfd: pytest.CaptureFixture[str]) -> None:
    line = refused([LONG if word == "PATH" else word for word in words.split()], capfd)
    assert LONG in line or "nothing runs on this machine" in line


@pytest.mark.parametrize("words", COMMANDS)
def test_a_folder_of_somebody_else(
    words: str, empty: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Path.stat

    def closed(self: Path, **options: Any) -> os.stat_result:
        if "closed" in self.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", closed)
    for name in ("exists", "is_dir"):  # newer ones ask the system themselves, and say that nothing is there
        asked = getattr(Path, name)
        monkeypatch.setattr(
            Path, name, lambda self, asked=asked: bool("closed" in self.parts and self.stat()) or asked(self)
        )
    path = empty / "closed" / "flow"
    line = refused([str(path) if word == "PATH" else word for word in words.split()], capfd)
    assert str(path) in line
    assert "Permission denied" in line


@pytest.mark.parametrize(
    ("number", "status"), [(errno.EACCES, ExitCode.BAD_CONFIGURATION), (errno.EROFS, ExitCode.UNCLEAN)]
)
def test_any_path_that_the_system_refuses_is_one_line(
    number: int, status: ExitCode, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/some/path")

    monkeypatch.setattr(command, "load_target", refuse)
    assert cli.main(["run"]) == status
    assert capfd.readouterr().err == f"steady-mp: /some/path: {os.strerror(number)}\n"


def test_an_error_that_names_no_path_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EBADF, "nobody knows where")

    monkeypatch.setattr(command, "load_target", fail)
    with pytest.raises(OSError, match="nobody knows where"):
        cli.main(["run"])


def alone(_actor: Actor) -> None: ...


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_is_said_where_a_run_is_resumed(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = Graph("flow")
    graph.actor("alone", alone)
    plan = graph.plan()
    contents = first_contents(plan, graph.packed, graph.beside, tmp_path, None)
    begin(folder := tmp_path / "kept", graph)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(RunDir, "replace", refuse)
        with pytest.raises(ConfigurationError, match=f"kept can't be written: {os.strerror(number)}"):
            reopen(folder, plan, contents)
    reopen(folder, plan, contents).remove()  # nobody holds it


def test_a_log_file_may_be_named_as_text(tmp_path: Path) -> None:
    graph = Graph("flow")
    graph.actor("alone", alone)
    contents = first_contents(graph.plan(), graph.packed, {}, None, LogSettings(file=str(tmp_path / "run.log")))
    assert contents[LOG_NOTE] == os.fsencode(tmp_path / "run.log")
