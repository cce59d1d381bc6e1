"""What stands still costs nothing and loses nothing: frozen actors, slow ones, idle graphs."""

from __future__ import annotations

import math
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorStarted
from steady_mp.memory import layout
from steady_mp.parking import SAFETY
from tests.support import lives, pipeline, quiet
from tests.support.gates import Gate
from tests.support.runs import complete, counters
from tests.support.spares import the_spare
from tests.support.waiting import eventually, let_pass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

ENDLESS = 1 << 40
PLACES = ("source", "middle", "sink")
MEBIBYTE = 1 << 20


def add_pipeline(graph: Graph, name: str) -> None:
    numbers_tx, numbers_rx = graph.channel(8)
    results_tx, results_rx = graph.channel(8)
    graph.actor(f"{name} source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state())
    graph.actor(f"{name} middle", pipeline.middle, numbers_rx, results_tx, 1, graph.state())
    graph.actor(f"{name} sink", lives.tally, results_rx, graph.state())


def memory(run: Run) -> int:
    """Bytes of the actors' own memory and of the run directory."""
    own = sum(psutil.Process(seat.pid).memory_info().rss for seat in run._supervisor.seats if seat.pid)
    return own + sum(file.stat().st_blocks * 512 for file in run.directory.iterdir())


def heads(run: Run) -> list[int]:
    return [mapping.words[layout.HEAD] for mapping in run._channels]


def test_frozen_actors() -> None:
    """Three pipelines, each with another actor stopped for 3 s."""
    graph = Graph("freeze", log_level="error")
    for place in PLACES:
        add_pipeline(graph, place)
    stopped: list[float] = []

    def freeze(run: Run, watch: Watch) -> None:
        for _ in range(3 * len(PLACES)):
            watch.wait_for(ActorStarted)
        assert eventually(lambda: min(heads(run)) > 1000, 30.0)
        stopped.append(time.monotonic())
        for place in PLACES:
            run.kill(f"{place} {place}", signal.SIGSTOP)
        assert eventually(lambda: still(run))
        before, held = heads(run), memory(run)
        # That nothing happens can only be seen by letting time pass; 3 s are the subject of this test.
        let_pass(3.0)
        assert heads(run) == before
        assert memory(run) < held + MEBIBYTE
        for place in PLACES:
            run.kill(f"{place} {place}", signal.SIGCONT)
        stopped.append(time.monotonic())
        assert eventually(lambda: all(now > then + 1000 for now, then in zip(heads(run), before, strict=True)), 30.0)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=freeze)
    assert outcome.report.exit_code is ExitCode.DRAINED
    for place in PLACES:
        total = outcome.actor(f"{place} source").state["following"]
        assert outcome.actor(f"{place} sink").state["count"] == total
        assert outcome.actor(f"{place} sink").state["in_order"]
        assert outcome.actor(f"{place} {place}").generation == 1
    # One that was stopped between its commit and its ring leaves its neighbour to the safety time-out, if that comes.
    assert not outcome.rescues or stopped[1] - stopped[0] > SAFETY - 1.0


def still(run: Run) -> bool:
    """Tell whether nobody has moved for a moment."""
    before = heads(run), counters(run)
    let_pass(0.1)
    # Who was rung and waits for a processor has not moved either: it is ready to run, neither asleep nor stopped.
    rest = {psutil.STATUS_SLEEPING, psutil.STATUS_STOPPED}
    at_rest = all(psutil.Process(seat.pid).status() in rest for seat in run._supervisor.seats)
    return at_rest and before == (heads(run), counters(run))


def test_a_consumer_a_hundred_times_slower() -> None:
    """Its producer waits; nothing is dropped, and nobody's memory grows."""
    graph = Graph("slow", log_level="error")
    numbers_tx, numbers_rx = graph.channel(64)
    graph.actor("source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state())
    graph.actor("sink", quiet.slow_sink, numbers_rx, 0.002, graph.state())

    def measure(run: Run, _watch: Watch) -> None:
        assert eventually(lambda: heads(run)[0] > 200, 30.0)
        held = memory(run)
        assert eventually(lambda: heads(run)[0] > 1000, 30.0)
        assert memory(run) < held + MEBIBYTE
        assert eventually(lambda: queued(run) == 64)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=measure)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("sink").state["count"] == outcome.actor("source").state["following"]
    assert not outcome.rescues


def queued(run: Run) -> int:
    """How many messages wait, at one moment: the consumer has not moved meanwhile."""
    words = run._channels[0].words
    while True:
        head, tail = words[layout.HEAD], words[layout.TAIL]
        if words[layout.HEAD] == head:
            assert tail - head <= 64
            return tail - head


def switches(processes: Iterable[psutil.Process]) -> int:
    """Voluntary context switches: how often somebody has gone to sleep again."""
    return sum(process.num_ctx_switches().voluntary for process in processes)


def tasks() -> set[str]:
    """Name the threads of this process."""
    return set(os.listdir("/proc/self/task"))  # noqa: PTH208 - the names


def own_switches(others: set[str]) -> int:
    """Count the same for the supervisor's threads in this process; `others` were here before it."""
    total = 0
    for task in Path("/proc/self/task").iterdir():
        if task.name not in others:
            status = (task / "status").read_text()
            total += int(status.partition("voluntary_ctxt_switches:")[2].split()[0])
    return total


def test_an_idle_graph_sleeps(tmp_path: Path) -> None:
    """Over some seconds each process wakes up for the safety time-out, and for nothing else."""
    seconds, others = 4.0, tasks()  # pytest-xdist has a thread that hears news of its own
    graph = Graph("idle", log_level="error")
    with Gate(tmp_path / "gate") as gate:
        first_tx, first_rx = graph.channel(8)
        second_tx, second_rx = graph.channel(8)
        third_tx, third_rx = graph.channel(8)
        graph.actor("gated", quiet.gated, first_tx, gate.path)
        graph.actor("waiter", quiet.waiter, first_rx, second_tx, gate.path)
        graph.actor("next", quiet.waiter, second_rx, third_tx, gate.path)
        graph.actor("sink", lives.tally, third_rx, graph.state())

        def idle(run: Run, watch: Watch) -> None:
            for _ in range(4):
                watch.wait_for(ActorStarted)
            server = psutil.Process(run._supervisor._servers.pid)
            assert eventually(lambda: all(words["PHASE"] == layout.PHASE_WAITING for words in counters(run).values()))
            assert eventually(lambda: still(run))
            spare = the_spare(run)
            actors = [child for child in server.children() if child != spare]
            assert len(actors) == 4
            before, own = switches([server, spare, *actors]), own_switches(others)
            cpu = sum(process.cpu_times().user + process.cpu_times().system for process in actors)
            let_pass(seconds)  # the subject is what happens while time passes
            rounds = math.ceil(seconds / SAFETY)
            # Beside its sleep, a wake-up for the safety time-out may wait once for a page or for the interpreter.
            assert switches([server, spare, *actors]) - before <= 2 * rounds * len(actors)
            assert own_switches(others) - own <= 2
            assert sum(process.cpu_times().user + process.cpu_times().system for process in actors) - cpu <= 0.05
            gate.give(b"\1\1")
            run.request_shutdown()

        outcome = complete(graph, meanwhile=idle)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    assert not outcome.rescues
