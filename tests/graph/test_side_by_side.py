"""Two graphs at once do not disturb each other, in one process and in two."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorStarted
from steady_mp.memory import layout
from tests.support import lives, pipeline
from tests.support.hosts import HOST, Process
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Report, Run

pytestmark = pytest.mark.timeout(60)

ENDLESS = 1 << 40


def flow(name: str) -> Graph:
    graph = Graph(name, log_level="error")
    policy = RestartPolicy(backoff=0.0, max_backoff=0.0)
    numbers_tx, numbers_rx = graph.channel(8)
    graph.actor("source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state(), restart=policy)
    graph.actor("sink", lives.tally, numbers_rx, graph.state(), restart=policy)
    return graph


def moved(run: Run) -> int:
    return run._channels[0].words[layout.HEAD]


def exact(report: Report) -> bool:
    source, sink = report.actors
    return bool(sink.state["in_order"]) and sink.state["count"] == source.state["following"]


def test_two_in_one_process(run_root: Path) -> None:
    """The same names, the same code; what happens to one does not happen to the other."""
    watches = Watch(), Watch()
    with flow("same").start(on_event=watches[0]) as first, flow("same").start(on_event=watches[1]) as second:
        assert len(list(run_root.iterdir())) == 2
        for life in range(1, 6):
            watches[0].wait_for(ActorStarted, actor="source", generation=life)
            watches[0].wait_for(ActorStarted, actor="sink", generation=life)
            before = moved(second)
            assert eventually(lambda before=before: moved(second) > before + 100)  # type: ignore[misc]
            first.kill("source")
            first.kill("sink")
        first.request_shutdown()
        report = first.block_until_stopped(30)
        before = moved(second)
        assert eventually(lambda: moved(second) > before + 100)
        assert [actor.generation for actor in report.actors] == [6, 6]
        assert exact(report)
        second.request_shutdown()
        report = second.block_until_stopped(30)
        assert [actor.generation for actor in report.actors] == [1, 1]
        assert exact(report)


def test_a_signal_is_for_the_graph_that_is_waited_for() -> None:
    """Only the main thread hears signals; it stops the graph that it waits for, and the other one goes on."""
    with flow("first").start() as first, flow("second").start() as second:
        assert eventually(lambda: moved(first) > 100 and moved(second) > 100)
        usual = signal.getsignal(signal.SIGINT)

        def interrupt() -> None:
            assert eventually(lambda: signal.getsignal(signal.SIGINT) != usual)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        assert first.block_until_stopped(30).exit_code is ExitCode.DRAINED
        assert signal.getsignal(signal.SIGINT) is usual
        before = moved(second)
        assert eventually(lambda: moved(second) > before + 100)
        second.request_shutdown()
        assert exact(second.block_until_stopped(30))


def test_many_waiters_get_the_same_report() -> None:
    reports: list[Report] = []
    with flow("waiters").start() as run:
        threads = [threading.Thread(target=lambda: reports.append(run.block_until_stopped(30))) for _ in range(5)]
        for thread in threads:
            thread.start()
        with pytest.raises(TimeoutError, match="still runs after"):
            run.block_until_stopped(0.01)
        run.request_shutdown()
        for thread in threads:
            thread.join()
    assert len(reports) == 5
    assert all(report is reports[0] for report in reports)


def test_two_in_two_processes() -> None:
    with Process(*HOST, "flow") as first, Process(*HOST, "flow") as second:
        second.wait_line("started sink 1")
        for life in (1, 2, 3):
            os.kill(int(first.wait_line(f"started sink {life}").split()[-1]), signal.SIGKILL)
        first.wait_line("started sink 4")
        first.send(signal.SIGTERM)
        assert first.wait() == ExitCode.DRAINED
        second.send(signal.SIGTERM)
        assert second.wait() == ExitCode.DRAINED
        assert [len(actor["deaths"]) for actor in first.report()["actors"]] == [0, 0, 3]
        for host in (first, second):
            source, _, sink = host.report()["actors"]
            assert sink["state"]["count"] == source["state"]["following"]
        assert [actor["generation"] for actor in second.report()["actors"]] == [1, 1, 1]
