"""Idle: a hundred actors in a row that wait for a message that never comes.

CPU is what all of them together use of one core while nothing happens, by the scheduler's own count;
private memory is what would come free if one of them went (USS); started is the time from the call of
`Graph.start` to the moment at which the last of them runs its own code.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from benchmarks.figures import MEBIBYTES, PERCENT, SECONDS
from benchmarks.pair import CONTEXT
from benchmarks.processes import cpu_ns
from benchmarks.race import Contestant, Race
from benchmarks.standings import Question, Sample
from benchmarks.steady import run_graph, state_of
from steady_mp import Actor, Graph, Rx, SteadyState, Tx

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.connection import Connection

    from benchmarks.experiment import Effort, Experiment
    from steady_mp import Run

_BASELINE: Final = "multiprocessing.Process"
_MEMORY: Final = "private memory each"
_STARTED: Final = "all started"
_RING: Final = 1 << 16
#: Seconds between two looks at whether all have started, and for them to fall asleep.
_LOOK: Final = 0.05
_SETTLE: Final = 0.5


def _look_at(pids: Iterable[int], seconds: float) -> tuple[float, float]:
    """Return the share of a core that these processes use, and the mean of their private bytes."""
    time.sleep(_SETTLE)
    pids = list(pids)
    began, before = time.perf_counter(), sum(map(cpu_ns, pids))
    time.sleep(seconds)
    used, passed = sum(map(cpu_ns, pids)) - before, time.perf_counter() - began
    private = [psutil.Process(pid).memory_full_info().uss for pid in pids]
    return used / 1e9 / passed, sum(private) / len(private)


# Ours


@dataclass
class Begun:
    """The state of an actor: when it began."""

    nanoseconds: int = 0


def idler(actor: Actor, rx: Rx[int] | None, tx: Tx[int] | None, state: SteadyState[Begun]) -> None:
    """Wait for a message, or for the end."""
    state.acquire(Begun).nanoseconds = time.perf_counter_ns()
    del tx  # the next one's input, closed when this one ends
    waits = rx.wait_avail(1) if rx is not None else actor.wait_shutdown()
    while actor.is_running():
        actor.await_for_all(waits)


class _Steady(Contestant):
    name = "steady-mp"
    note = "waiting for a message; default settings"
    ours = True

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        graph = Graph("idle", log_level="warning")
        rx: Rx[int] | None = None
        for number in range(effort.idlers):
            tx, further = (None, None) if number == effort.idlers - 1 else graph.channel(ring_bytes=_RING)
            graph.actor(f"idler {number}", idler, rx, tx, graph.state())
            rx = further
        seen: list[tuple[float, float]] = []

        def watch(run: Run) -> None:
            deadline = time.monotonic() + effort.patience
            while not all(run.pid(name) for name in run.actors) and time.monotonic() < deadline:
                time.sleep(_LOOK)
            pids = [pid for pid in map(run.pid, run.actors) if pid]
            seen.append(_look_at(pids, effort.watched))
            run.request_shutdown()

        began = time.perf_counter_ns()
        report = run_graph(graph, effort.patience, watch)
        last = max(int(state_of(report, actor.name)["nanoseconds"]) for actor in report.actors)
        share, private = seen[0]
        return [Sample(share, {_MEMORY: private, _STARTED: (last - began) / 1e9})]


# By hand


def _wait(link: Connection) -> None:
    link.send(time.perf_counter_ns())
    with contextlib.suppress(EOFError):
        link.recv()


class _ByHand(Contestant):
    """As many processes, each waiting at a pipe of its own."""

    name = _BASELINE
    note = "forkserver, waiting at a pipe each"

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        began = time.perf_counter_ns()
        pipes = [CONTEXT.Pipe() for _ in range(effort.idlers)]
        processes = [CONTEXT.Process(target=_wait, args=(there,), daemon=True) for _, there in pipes]
        try:
            for process in processes:
                process.start()
            last = max(here.recv() for here, _ in pipes)
            share, private = _look_at([process.pid for process in processes if process.pid], effort.watched)
        finally:
            for process in processes:
                process.kill()
                process.join()
            for here, there in pipes:
                here.close()
                there.close()
        return [Sample(share, {_MEMORY: private, _STARTED: (last - began) / 1e9})]


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    return [
        Race(
            Question(
                name="idle",
                title="100 processes (10 with --quick) that wait: CPU of all, in % of one core",
                unit=PERCENT,
                baseline=_BASELINE,
                extras={_MEMORY: MEBIBYTES, _STARTED: SECONDS},
            ),
            [_Steady(), _ByHand()],
        )
    ]
