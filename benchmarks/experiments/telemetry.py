"""Telemetry: what a stream loses while the telemetry process samples it.

What is looked for is smaller than what two runs differ by, so it is looked for within one: the telemetry
process is stopped (SIGSTOP) in every other window of the same stream, in the order on, off, off, on, so that
a machine that becomes faster or slower hits both alike. An actor does the same work in both: it keeps no
count for telemetry that it would not keep without.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.experiments.throughput import plain, sum_up_to
from benchmarks.figures import RATE
from benchmarks.processes import cpu_ns
from benchmarks.race import Series
from benchmarks.standings import Question, Sample
from benchmarks.steady import run_graph
from benchmarks.stream import CPU, EXTRAS, SteadyStream, streamed
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.plan import channel_file

if TYPE_CHECKING:
    from benchmarks.experiment import Effort, Experiment
    from steady_mp import Run

_CAPACITY: Final = 1024
_ON: Final = "steady-mp, telemetry on"
_OFF: Final = "steady-mp, telemetry off"
_ROWS: Final = {
    _ON: "dashboard and metrics, sampled twice a second",
    _OFF: "the same stream, while the telemetry process is stopped",
}
#: The windows of a round: each in its own time, and as many of the one kind as of the other.
_WINDOWS: Final = (_ON, _OFF, _OFF, _ON) * 5
#: How much longer a window lasts than a round of a race: two samples of telemetry are taken in it.
_LONGER: Final = 2
#: A count that no producer comes to.
_ENDLESS: Final = -1
#: Seconds between two attempts to reach the telemetry process, and for it to settle.
_LOOK: Final = 0.05
_SETTLE: Final = 0.5


@dataclass(slots=True)
class _Passed:
    """What passed in the windows of one kind."""

    messages: int = 0
    nanoseconds: int = 0
    cpu_ns: int = 0

    def sample(self) -> Sample:
        """Return messages a second."""
        return Sample(self.messages * 1e9 / self.nanoseconds, {CPU: self.cpu_ns / 1e9 / self.messages})


def _await_page(url: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/livez", timeout=patience):  # noqa: S310 - our own page
            time.sleep(_SETTLE)
            return
        if time.monotonic() > deadline:
            message = f"no page at {url} in {patience:g} s"
            raise TimeoutError(message)
        time.sleep(_LOOK)


def _watch(run: Run, effort: Effort) -> dict[str, _Passed]:
    """Return what passed with telemetry, and without."""
    _await_page(run.url or "", effort.patience)
    server = run.telemetry_pid
    if server is None:
        message = "the telemetry process has died"
        raise RuntimeError(message)
    pids = [pid for pid in map(run.pid, run.actors) if pid]
    channel = Mapping(run.directory / channel_file(0), read_only=True)
    passed = {_ON: _Passed(), _OFF: _Passed()}
    for kind in _WINDOWS:
        os.kill(server, signal.SIGCONT if kind == _ON else signal.SIGSTOP)
        begun, messages, used = time.perf_counter_ns(), channel.words[layout.HEAD], sum(map(cpu_ns, pids))
        time.sleep(_LONGER * effort.seconds)
        window = passed[kind]
        window.messages += channel.words[layout.HEAD] - messages
        window.nanoseconds += time.perf_counter_ns() - begun
        window.cpu_ns += sum(map(cpu_ns, pids)) - used
    channel.close()
    return passed


def _measure(effort: Effort) -> dict[str, Sample]:
    found: dict[str, _Passed] = {}

    def watch(run: Run) -> None:
        found.update(_watch(run, effort))
        run.request_shutdown()

    graph = SteadyStream(plain(_CAPACITY), sum_up_to).graph(_ENDLESS)
    seen = streamed(run_graph(graph, effort.patience, watch, telemetry=True))
    if seen.checksum != sum_up_to(seen.count):
        message = f"{seen.count} messages with checksum {seen.checksum}"
        raise ValueError(message)
    return {name: window.sample() for name, window in found.items()}


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    question = Question(
        name="telemetry",
        title=f"ints one at a time, capacity {_CAPACITY:,}, in windows of one run",
        unit=RATE,
        baseline=_OFF,
        extras=EXTRAS,
    )
    return [Series(question, _ROWS, _measure)]
