"""A start that comes to nothing: it leaves no run behind that nobody holds, and a durable folder as it was."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, ExitCode, Graph, StartError
from steady_mp.memory import disk
from steady_mp.supervisor import run as run_module
from steady_mp.supervisor.launcher import Launcher
from steady_mp.supervisor.thread import SupervisorThread
from tests.support import pipeline
from tests.support.gates import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from steady_mp.errors import SteadyError

pytestmark = pytest.mark.timeout(60)

TOTAL = 20


class Interrupted(Exception):
    """What the program's own handler of a signal raises, as that of Ctrl-C does."""


def finite() -> Graph:
    graph = Graph("finite", log_level="error")
    tx, rx = graph.channel(8)
    graph.actor("source", pipeline.source, tx, TOTAL, 1, graph.state())
    graph.actor("sink", pipeline.sink, rx, 1, graph.state())
    return graph


@pytest.fixture
def handled() -> Iterator[threading.Event]:
    """Have a signal raise in the main thread; tells that it has."""
    has_come = threading.Event()

    def interrupt(*_: object) -> None:
        has_come.set()
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield has_come
    signal.signal(signal.SIGUSR1, before)


def assert_interrupted(run_root: Path) -> None:
    with pytest.raises(Interrupted):
        finite().start(output=Lines())
    assert Graph.running("finite") is None
    assert nothing_is_left(run_root)


def nothing_is_left(run_root: Path) -> bool:
    threads = [thread for thread in threading.enumerate() if isinstance(thread, SupervisorThread)]
    for thread in threads:
        thread.join(10)
    return (
        Graph.running("finite") is None
        and not any(thread.is_alive() for thread in threads)
        and not list(run_root.iterdir())
    )


def test_a_signal_while_the_fork_server_starts_ends_the_run(
    handled: threading.Event, monkeypatch: pytest.MonkeyPatch, run_root: Path
) -> None:
    begin = Launcher._start

    def interrupted(self: Launcher, after: ExitStack) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        assert handled.wait(10)
        begin(self, after)

    monkeypatch.setattr(Launcher, "_start", interrupted)
    assert_interrupted(run_root)


def test_so_does_one_when_its_thread_has_just_begun(monkeypatch: pytest.MonkeyPatch, run_root: Path) -> None:
    begin = SupervisorThread.start

    def interrupted(self: SupervisorThread) -> None:
        begin(self)
        raise Interrupted

    monkeypatch.setattr(SupervisorThread, "start", interrupted)
    assert_interrupted(run_root)


def test_a_thread_that_begins_too_late_does_nothing(monkeypatch: pytest.MonkeyPatch, run_root: Path) -> None:
    """The system has made it, and it has not had its turn yet when the signal comes."""
    late: list[SupervisorThread] = []
    begin = SupervisorThread.start

    def interrupted(self: SupervisorThread) -> None:
        late.append(self)
        raise Interrupted

    monkeypatch.setattr(SupervisorThread, "start", interrupted)
    with pytest.raises(Interrupted):
        finite().start(output=Lines())
    begin(late[0])
    late[0].join(10)
    assert nothing_is_left(run_root)


# A durable folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def ends_well(folder: Path, **options: Any) -> bool:
    with finite().start(durable=folder, output=Lines(), **options) as run:
        return run.block_until_stopped(30).exit_code is ExitCode.DRAINED


def refuse(*_: Any) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def no_fork_server(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sys, "executable", "/nowhere/python")


def no_disk(patch: pytest.MonkeyPatch) -> None:
    """All goes well until the run is to begin."""
    patch.setattr(disk, "settle_folder", refuse)


FAILURES = [
    (no_fork_server, StartError, "can't be started with /nowhere/python"),
    (no_disk, ConfigurationError, "can't hold a durable run: Input/output error"),
]


@pytest.mark.parametrize(("fail", "error", "why"), FAILURES, ids=["fork server", "disk"])
def test_a_run_of_which_no_process_has_begun_has_not_begun(
    fail: Callable[[pytest.MonkeyPatch], None],
    error: type[SteadyError],
    why: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So the same call again begins it, once it can."""
    with monkeypatch.context() as patch:
        fail(patch)
        with pytest.raises(error, match=why):
            finite().start(durable=folder, sync=True, output=Lines())
    with pytest.raises(ConfigurationError, match="holds no durable run"):
        finite().start(resume=folder, output=Lines())
    assert ends_well(folder, sync=True)


@pytest.mark.parametrize(("fail", "error", "why"), FAILURES, ids=["fork server", "disk"])
def test_the_run_that_was_put_aside_for_it_is_put_back(
    fail: Callable[[pytest.MonkeyPatch], None],
    error: type[SteadyError],
    why: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ends_well(folder)
    before = folder.stat().st_ino
    with monkeypatch.context() as patch:
        fail(patch)
        with pytest.raises(error, match=f"{why}[^;]*$"):
            finite().start(durable=folder, fresh=True, sync=True, output=Lines())
    assert folder.stat().st_ino == before
    assert not list(folder.parent.glob("*.kept-*"))
    assert ends_well(folder, fresh=True)


def test_where_the_new_one_has_begun_the_error_says_where_the_old_one_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ends_well(folder)
    begin = SupervisorThread.start

    def interrupted(self: SupervisorThread) -> None:
        begin(self)
        assert self.live_run is not None
        assert self.live_run._supervisor.launched.wait(10)
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(SupervisorThread, "start", interrupted)
        with pytest.raises(Interrupted) as caught:
            finite().start(durable=folder, fresh=True, output=Lines())
    kept = folder.with_name("run.kept-1")
    assert caught.value.__notes__ == [f"the run that was in {folder} is kept in {kept}"]
    for each in (folder, kept):
        with finite().start(resume=each, output=Lines()) as run:
            assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED


def test_too_little_memory_for_the_program_itself_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, run_root: Path
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "channel_mappings", full)
        with pytest.raises(StartError, match=r"Cannot allocate memory: raise the limit \(ulimit -v"):
            finite().start(output=Lines())
    assert nothing_is_left(run_root)
