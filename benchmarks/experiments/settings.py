"""Settings: the same stream with telemetry on and off, and in a durable folder instead of shared memory.

The producer begins when it is let through a gate, a FIFO, so that with telemetry its process has started
and serves before anything is measured. Rounds are longer than elsewhere: what is looked for is small.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.experiments.throughput import consume, produce, sum_up_to
from benchmarks.figures import RATE
from benchmarks.race import Race
from benchmarks.standings import Question
from benchmarks.steady import run_graph
from benchmarks.stream import EXTRAS, Ours, Produced, SteadyStream, Streamed, streamed
from steady_mp import Actor, Graph, SteadyState, Tx

if TYPE_CHECKING:
    from benchmarks.experiment import Effort, Experiment
    from steady_mp import Run

_CAPACITY: Final = 1024
#: How much longer a round lasts than one of a race of peers.
_LONGER: Final = 3
#: How many times the usual rounds telemetry takes: its bar is a difference of 2 %.
_MORE: Final = 3
#: Seconds between two attempts to reach the telemetry process, and for it to settle.
_LOOK: Final = 0.05
_SETTLE: Final = 0.5


def produce_let_in(actor: Actor, tx: Tx[int], state: SteadyState[Produced], count: int, gate: str) -> None:
    """Wait at the gate, then do as in the throughput."""
    number = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
    actor.await_for_all(actor.wait_readable(number))
    os.close(number)
    produce(actor, tx, state, count)


class _Gated(SteadyStream):
    """Our plainest stream, behind a gate, with some settings of `Graph.start`."""

    def __init__(self, name: str, note: str, *, telemetry: bool = False, durable: bool = False) -> None:
        ours = Ours(
            name=name,
            note=note,
            channel=lambda graph: graph.channel(capacity=_CAPACITY),
            produce=produce_let_in,
            consume=consume,
        )
        super().__init__(ours, sum_up_to)
        self._telemetry = telemetry
        self._durable = durable

    def warm_up(self, effort: Effort) -> None:
        """See `Contestant.warm_up`."""
        super().warm_up(effort)
        self._count *= _LONGER

    def stream(self, count: int, patience: float) -> Streamed:
        """See `Stream.stream`."""
        with tempfile.TemporaryDirectory(prefix="steady-mp-bench-") as folder:
            gate = Path(folder) / "gate"
            os.mkfifo(gate)
            graph = Graph("bench", log_level="warning")
            tx, rx = graph.channel(capacity=_CAPACITY)
            graph.actor("producer", produce_let_in, tx, graph.state(), count, str(gate))
            graph.actor("consumer", consume, rx, graph.state())
            settings: dict[str, Any] = {"telemetry": self._telemetry}
            if self._durable:
                settings["durable"] = Path(folder) / "run"

            def let_in(run: Run) -> None:
                if run.url is not None:
                    _await_page(run.url, patience)
                gate.write_bytes(b"\0")  # waits for the producer to open its end

            return streamed(run_graph(graph, patience, let_in, **settings))


def _await_page(url: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/livez", timeout=patience):  # noqa: S310 - our own page
            time.sleep(_SETTLE)
            return
        time.sleep(_LOOK)


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    off, durable = "steady-mp, telemetry off", "steady-mp, durable folder"
    memory = "steady-mp, shared memory"
    title = f"ints one at a time, capacity {_CAPACITY:,}"
    return [
        Race(
            Question(name="telemetry", title=title, unit=RATE, baseline=off, extras=EXTRAS),
            [
                _Gated("steady-mp, telemetry on", "dashboard and metrics, sampled twice a second", telemetry=True),
                _Gated(off, ""),
            ],
            times=_MORE,
        ),
        Race(
            Question(name="durable", title=title, unit=RATE, baseline=memory, extras=EXTRAS),
            [
                _Gated(memory, "the run directory in /dev/shm"),
                _Gated(durable, "the run directory in the temporary folder", durable=True),
            ],
        ),
    ]
