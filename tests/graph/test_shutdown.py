"""Shutdown is part of a turn, is negotiated, and ends; signals ask for it, and a second one does not ask."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorDied, ActorFinished, ActorStarted, ShutdownRequested
from steady_mp.memory import layout
from steady_mp.memory.rundir import sweep
from steady_mp.supervisor.messages import RequestShutdown
from steady_mp.testing import steps
from steady_mp.testing.scripted import Script, perform
from tests.support import lives, pipeline
from tests.support.gates import Lines
from tests.support.hosts import HOST, Process, all_gone
from tests.support.runs import complete, counters
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from steady_mp import Run
    from steady_mp.events import Event
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

ENDLESS = 1 << 40
#: Asks for a shutdown in its only turn.
ASKING = Script.each_life([steps.RequestShutdown()])
UNSHARE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def endless(shutdown_timeout: float = 15.0) -> Graph:
    graph = Graph("shutdown", log_level="error", shutdown_timeout=shutdown_timeout)
    numbers_tx, numbers_rx = graph.channel(8)
    graph.actor("source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state())
    graph.actor("sink", pipeline.sink, numbers_rx, 1, graph.state())
    return graph


def started(host: Process) -> None:
    for name in ("source", "middle", "sink"):
        host.wait_line(f"started {name}")


def test_what_comes_too_late_rings_no_closed_bell() -> None:
    """A thread may have seen the run go on, and speak to it when it is over."""
    graph = Graph("shutdown", log_level="error")
    graph.actor("hasty", perform, ASKING)
    with graph.start(output=Lines()) as run:
        assert run.block_until_stopped(30.0).clean
        run._supervisor.post(RequestShutdown("too late"))
        run.kill("hasty")
        run.request_shutdown()


# What an actor asks for


def test_a_turn_that_never_commits_has_asked_for_nothing() -> None:
    graph = endless()
    graph.actor(
        "hasty", perform, Script.each_life(*3 * [[steps.RequestShutdown(), steps.Die()]], [steps.RequestShutdown()])
    )
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    story = outcome.watch.all_of((ActorDied, ShutdownRequested))
    assert [type(event) for event in story] == [ActorDied] * 3 + [ShutdownRequested]
    assert story[-1].text.startswith("shutdown: hasty asked for it")


@pytest.mark.parametrize("point", ["commit:epoch", "commit:publish", "commit:published", "commit:done"])
def test_a_wish_survives_the_death_of_who_wished(point: str) -> None:
    """Its last commit asks for the shutdown, and it dies before anybody was told."""
    graph = endless()
    graph.actor("last", perform, ASKING)
    graph.faults["last"] = [{"point": point, "hit": 1, "generations": [1]}]
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("last").finished
    assert outcome.actor("sink").state["seen"] == list(range(outcome.actor("source").state["following"]))


def test_who_refuses_is_named_with_the_reason_and_what_is_queued() -> None:
    graph = endless(shutdown_timeout=1.0)
    graph.actor("stubborn", perform, lives.REFUSING)
    stuck_tx, stuck_rx = graph.channel(4, name="stuck")
    graph.actor("sender", pipeline.source, stuck_tx, ENDLESS, 1, graph.state())
    graph.actor("stuck", perform, lives.HANGING, stuck_rx)

    def drain(run: Run, watch: Watch) -> None:
        watch.wait_for(ActorStarted, actor="stuck")
        assert eventually(lambda: run._channels[1].words[layout.TAIL] == 4)
        # Who is not there yet would have to begin within the time for the shutdown.
        assert eventually(lambda: run._channels[0].words[layout.HEAD] > 0)
        assert eventually(lambda: counters(run)["stubborn"]["PHASE"] == layout.PHASE_WAITING)
        assert eventually(lambda: counters(run)["stuck"]["PHASE"] != layout.PHASE_STARTING)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=drain)
    report = outcome.report
    assert report.exit_code is ExitCode.UNCLEAN
    assert not report.clean
    assert "stubborn did not stop in time: it refused: 3 orders unpaid" in report.why
    assert "stuck did not stop in time: it is busy in its own code and has not looked up" in report.why
    assert "4 messages are still queued in stuck" in report.why
    assert sorted(actor.name for actor in report.actors if not actor.finished) == ["stubborn", "stuck"]


def test_who_stands_still_is_named_as_stopped_and_not_by_what_waits_for_it() -> None:
    def drain(run: Run, watch: Watch) -> None:
        sink = watch.wait_for(ActorStarted, actor="sink").pid
        assert eventually(lambda: run._channels[0].words[layout.HEAD] > 0)
        os.kill(sink, signal.SIGSTOP)
        run.request_shutdown()

    report = complete(endless(shutdown_timeout=1.0), meanwhile=drain).report
    assert "sink did not stop in time: it is stopped (SIGSTOP)" in report.why


def test_who_has_died_unseen_because_the_fork_server_stands_still_is_named_so() -> None:
    def drain(run: Run, watch: Watch) -> None:
        sink = psutil.Process(watch.wait_for(ActorStarted, actor="sink").pid)
        assert eventually(lambda: run._channels[0].words[layout.HEAD] > 0)
        os.kill(sink.ppid(), signal.SIGSTOP)
        sink.kill()
        run.request_shutdown()

    report = complete(endless(shutdown_timeout=1.0), meanwhile=drain).report
    reason = "it has died, but the fork server, which restarts it, does not answer"
    assert f"sink did not stop in time: {reason}" in report.why


def test_who_has_drained_in_time_is_clean_however_late_the_supervisor_looks() -> None:
    """It may be held up across the deadline: stopped (Ctrl-Z), or by a slow consumer of events."""
    graph = endless()

    def hold_up(event: Event) -> None:
        if isinstance(event, ActorFinished) and event.actor == "source":
            sink = run.pid("sink")
            assert sink is not None
            assert eventually(lambda: not psutil.pid_exists(sink))
            run._supervisor._timers._clock = lambda: time.monotonic() + 60.0

    with graph.start(output=Lines(), on_event=hold_up) as run:
        assert eventually(lambda: run._channels[0].words[layout.HEAD] > 0)
        run.request_shutdown()
        report = run.block_until_stopped(30.0)
    assert (report.exit_code, report.why) == (ExitCode.DRAINED, [])
    assert [(actor.finished, actor.deaths) for actor in report.actors] == [(True, []), (True, [])]


def test_stop_now_does_not_ask() -> None:
    def stop(run: Run, watch: Watch) -> None:
        watch.wait_for(ActorStarted, actor="sink")
        run.stop_now("enough")

    report = complete(endless(), meanwhile=stop).report
    assert (report.exit_code, report.clean) == (ExitCode.INTERRUPTED, False)
    assert report.why[0] == "enough"


# Signals


def test_a_signal_that_another_thread_gets_wakes_the_one_that_waits() -> None:
    """The kernel gives a signal to whom it likes: to a thread of ours, where the main one has just been continued."""
    main = threading.main_thread().ident
    assert main is not None

    def waits() -> bool:
        frame: FrameType | None = sys._current_frames()[main]
        while frame is not None and frame.f_code.co_name != "block_until_stopped":
            frame = frame.f_back
        return frame is not None and signal.getsignal(signal.SIGTERM) is not before

    def give() -> None:
        assert eventually(waits)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with endless().start(output=Lines()) as run:
        other = threading.Thread(target=give)
        other.start()
        assert run.block_until_stopped(30.0).exit_code is ExitCode.DRAINED
        other.join()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_supervisor_drains(number: int) -> None:
    with Process(*HOST, "flow") as host:
        started(host)
        host.wait_hearing()
        host.send(number)
        assert host.wait() == ExitCode.DRAINED
        assert f"{signal.Signals(number).name} received" in host.output
        sink = host.report()["actors"][2]["state"]
        assert sink["in_order"]
        assert sink["count"] == host.report()["actors"][0]["state"]["following"]
        assert "Traceback" not in host.output


def test_ctrl_c_reaches_the_supervisor_only() -> None:
    with Process(*HOST, "flow", terminal=True) as host:
        started(host)
        host.wait_hearing()
        host.press(b"\x03")
        assert host.wait() == ExitCode.DRAINED
        assert [actor["deaths"] for actor in host.report()["actors"]] == [[], [], []]
        assert "Traceback" not in host.output


def test_ctrl_c_twice_stops_at_once() -> None:
    with Process(*HOST, "unyielding", terminal=True) as host:
        started(host)
        host.wait_line("started stubborn")
        host.wait_hearing()
        host.press(b"\x03")
        host.wait_line("shutdown: SIGINT received")
        host.press(b"\x03")
        assert host.wait() == ExitCode.INTERRUPTED
        assert "stopped at once: SIGINT received again" in host.report()["why"]
        assert "Traceback" not in host.output


def test_ctrl_c_ends_the_command() -> None:
    main = "import sys; from steady_mp.cli.main import main; sys.exit(main())"
    command = (sys.executable, "-c", main, "run", "--rate", "20", "--beats", "100000")
    with Process(*command, terminal=True) as host:
        host.wait_line("Msg Value(1)")
        host.press(b"\x03")
        assert host.wait() == ExitCode.DRAINED
        assert "Traceback" not in host.output


@pytest.mark.parametrize("first", ["supervisor", "actors"])
def test_sigterm_to_every_process_at_once(first: str) -> None:
    """What a container's runtime does, and `systemctl stop`: those that it kills come back in order to drain."""
    with Process(*HOST, "flow") as host:
        started(host)
        host.wait_hearing()
        everybody = [psutil.Process(host.pid), *host.family()]
        for process in everybody if first == "supervisor" else reversed(everybody):
            with suppress(psutil.NoSuchProcess):  # who was drained before its turn came
                process.terminate()
        assert host.wait() == ExitCode.DRAINED
        source, middle, sink = host.report()["actors"]
        assert {cause for actor in (source, middle, sink) for cause in actor["deaths"]} <= {"SIGTERM"}
        assert sink["state"]["count"] == source["state"]["following"]
        assert sink["state"]["in_order"]
        assert "Traceback" not in host.output


needs_namespaces = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode != 0,  # noqa: S603
    reason="needs the right to make a pid namespace (unshare --pid)",
)


@needs_namespaces
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, ExitCode.DRAINED), (signal.SIGKILL, None)])
def test_as_process_1(number: int, code: ExitCode | None, run_root: Path) -> None:
    with Process(*UNSHARE, *HOST, "family") as outer:
        outer.wait_line("has children")
        started(outer)
        (init,) = psutil.Process(outer.pid).children()
        family = init.children(recursive=True)
        (directory,) = run_root.iterdir()
        os.utime(directory, (0, 0))  # as if it were old: what is young may not be locked yet
        assert sweep(run_root) == []
        os.kill(init.pid, number)
        status = outer.wait()  # the lock goes with the last thread of process 1, and that after its children
        if code is not None:
            assert status == code
            assert outer.report()["clean"]
        assert all_gone(family, 10.0)
    if code is None:
        os.utime(directory, (0, 0))  # it has gone on writing there since
    # Its pid says nothing outside its namespace; that nobody holds its lock does.
    assert sweep(run_root) == ([] if code is not None else [directory])


@needs_namespaces
def test_process_1_buries_the_actors_of_a_dead_fork_server() -> None:
    """They have become its own children, and nobody else would."""
    with Process(*UNSHARE, *HOST, "flow") as outer:
        started(outer)
        (init,) = psutil.Process(outer.pid).children()
        (server,) = init.children()
        actors: list[psutil.Process] = []

        def are_named() -> bool:  # each by itself, once it is forked
            actors[:] = [process for process in server.children() if process.name() in {"source", "middle", "sink"}]
            return len(actors) == 3

        assert eventually(are_named)
        server.kill()
        for name in ("source", "middle", "sink"):
            outer.wait_line(f"started {name} 2")
        assert [process.status() for process in actors if process.is_running()] == []
        init.terminate()
        assert outer.wait() == ExitCode.DRAINED
