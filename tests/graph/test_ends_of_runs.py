"""The end of a run, when something fails at it or before it has quite begun: nobody waits for ever, nothing is left."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import psutil
import pytest

from steady_mp import ConfigurationError, ExitCode, Graph, StartError, SteadyError
from steady_mp.events import ActorStarted, RunStopped
from steady_mp.memory.doorbell import Doorbell
from steady_mp.memory.mapping import Mapping
from steady_mp.plan import PLAN_FILE
from steady_mp.supervisor import run as run_module
from steady_mp.supervisor.exits import ORPHANED
from steady_mp.supervisor.launcher import Launcher
from steady_mp.supervisor.messages import ForkServerGone
from steady_mp.supervisor.thread import SupervisorThread
from tests.support import pipeline
from tests.support.gates import Lines
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Event

pytestmark = pytest.mark.timeout(60)

TOTAL = 50
ENDLESS = 1 << 40


def calm(total: int = TOTAL, seconds: float = 15.0) -> Graph:
    graph = Graph("calm", log_level="error", shutdown_timeout=seconds)
    numbers_tx, numbers_rx = graph.channel(8)
    graph.actor("source", pipeline.source, numbers_tx, total, 1, graph.state())
    graph.actor("sink", pipeline.sink, numbers_rx, 1, graph.state())
    return graph


def test_a_consumer_that_would_end_the_program_at_the_last_event_is_dropped() -> None:
    output = Lines()

    def leave(event: Event) -> None:
        if isinstance(event, RunStopped):
            sys.exit("enough")

    with calm().start(on_event=leave, output=output) as run:
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED
    assert any("failed and is dropped: SystemExit('enough')" in line for line in output.all())


def test_a_failure_that_still_looks_at_a_ring_does_not_keep_the_run(run_root: Path) -> None:
    """The error is kept for whoever waits, and with its traceback all that was in its frames."""
    with calm(ENDLESS).start(output=Lines()) as run:
        mapping = run._channels[0]

        def fail() -> None:
            view = mapping.data[:8]
            raise ValueError(len(view))

        run.beat(fail, 60.0)
        report = run.block_until_stopped(30)
    assert report.exit_code is ExitCode.UNCLEAN
    assert report.why == ["the supervisor failed: ValueError: 8"]
    assert not list(run_root.iterdir())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_fails_while_a_run_tidies_up_keeps_nobody_waiting(run_root: Path) -> None:
    with calm(ENDLESS).start(output=Lines()) as run:
        kept = run._channels[0].data[:8]  # so that it can't be unmapped
        run.stop_now()
        assert run.block_until_stopped(30).exit_code is ExitCode.INTERRUPTED
        run._thread.join()
    kept.release()
    assert not list(run_root.iterdir())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("run", Mapping),
        ("channel-0", Mapping),
        ("supervisor.bell", Doorbell),
        ("actor-1.control", Mapping),
        ("actor-1.bell", Doorbell),
    ],
)
def test_what_fails_before_a_run_has_begun_leaves_nothing(
    name: str, kind: type, monkeypatch: pytest.MonkeyPatch, run_root: Path
) -> None:
    before = threads_and_descriptors()
    opens: Callable[..., None] = vars(kind)["__init__"]

    def refuse(self: object, path: Path, **options: object) -> None:
        if path.name == name:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        opens(self, path, **options)

    monkeypatch.setattr(kind, "__init__", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        calm().start(output=Lines(), telemetry=True)
    assert threads_and_descriptors() == before
    assert not list(run_root.iterdir())


def test_without_a_thread_for_the_supervisor_nothing_is_left(monkeypatch: pytest.MonkeyPatch, run_root: Path) -> None:
    before = threads_and_descriptors()

    def refuse(_thread: object) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    left: list[object] = []
    monkeypatch.setattr(atexit, "register", left.append)
    monkeypatch.setattr(atexit, "unregister", left.remove)
    monkeypatch.setattr(SupervisorThread, "start", refuse)
    with pytest.raises(StartError, match=r"new thread: raise the limit \(ulimit -u"):
        calm().start(output=Lines(), telemetry=True)
    assert not left
    assert threads_and_descriptors() == before
    assert not list(run_root.iterdir())


def threads_and_descriptors() -> tuple[set[threading.Thread], list[Path]]:
    return set(threading.enumerate()), sorted(Path("/dev/fd").iterdir())


@pytest.mark.parametrize("number", [0, 99, -9, "KILL"])
def test_a_signal_that_there_is_not_is_refused_and_the_run_goes_on(number: int) -> None:
    with calm(ENDLESS).start(output=Lines()) as run:
        with pytest.raises(ConfigurationError, match=r"signal .*: there is none of that number"):
            run.kill("sink", number)
        run.request_shutdown()
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED


@pytest.mark.parametrize(
    ("call", "seconds", "reason"),
    [
        (print, 0, r"beat: seconds 0: must be a number"),
        (print, float("nan"), r"beat: seconds nan: must be a number"),
        (print, "1", r"beat: seconds '1': must be a number"),
        (None, 1.0, r"beat None: give it a function"),
    ],
)
def test_a_beat_that_can_t_be_is_refused_and_the_run_goes_on(call: Any, seconds: Any, reason: str) -> None:
    with calm(ENDLESS).start(output=Lines()) as run:
        with pytest.raises(ConfigurationError, match=reason):
            run.beat(call, seconds)
        run.request_shutdown()
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # raised from Python 3.15 on
def test_a_fork_of_the_program_ends_without_the_run() -> None:
    """Its copy of the run has no thread that could end; an exit handler of the fork would wait for it for ever."""
    watch = Watch()
    with calm(ENDLESS).start(on_event=watch, output=Lines()) as run:
        watch.wait_for(ActorStarted, actor="sink")
        pid = os.fork()
        if pid == 0:
            signal.alarm(10)
            run.close()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        run.request_shutdown()
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED


def test_who_has_no_news_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / PLAN_FILE).write_text(calm().plan().to_json())
    launcher = Launcher(tmp_path)
    try:
        assert launcher.news() == []
        psutil.Process(launcher.pid).kill()
        assert eventually(lambda: launcher.news() == [ForkServerGone()])
        assert launcher.news() == []
    finally:
        launcher.close()


def test_a_fork_of_the_program_does_not_keep_its_fork_server(tmp_path: Path) -> None:
    """It has a copy of our end of the connection (`multiprocessing` with fork, say), so closing ours is no end."""
    (tmp_path / PLAN_FILE).write_text(calm().plan().to_json())
    launcher = Launcher(tmp_path)
    copy = os.dup(launcher._socket.fileno())
    try:
        assert launcher.close() == ORPHANED  # by itself, and not killed when patience was over
    finally:
        os.close(copy)


def test_a_run_that_comes_to_no_report_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "letters")

    monkeypatch.setattr(run_module, "leave", refuse)
    with (
        calm().start(output=Lines()) as run,
        pytest.raises(SteadyError, match=r"the run ended without a report: OSError: .*Input/output error: 'letters'"),
    ):
        run.block_until_stopped(30.0)
