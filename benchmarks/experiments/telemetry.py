"""Telemetry: what a stream loses while the telemetry process looks at it.

That is less than what two runs differ by, and less than what a machine changes from one second to the next. So it
is looked for within one run, in slices of some milliseconds. The process sleeps between its looks: in a slice in
which its CPU time stands still it can cost nothing. What is missing in the others, and in the one behind each
of them, compared with the slices on both sides, is its price. The stream with telemetry is the run as it was; the
stream without is the same run, with what is missing added. An actor does the same work in both: it keeps no count
for telemetry that it would not keep without.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import time
import urllib.request
from typing import TYPE_CHECKING, Final, NamedTuple

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
    from collections.abc import Iterable, Sequence

    from benchmarks.experiment import Effort, Experiment
    from steady_mp import Run

_CAPACITY: Final = 1024
_ON: Final = "steady-mp, telemetry on"
_OFF: Final = "steady-mp, telemetry off"
_ROWS: Final = {
    _ON: "dashboard and metrics, sampled twice a second",
    _OFF: "the same stream, had it gone on in the slices with a look as it did beside them",
}
#: Seconds of a slice, and how many rounds of a race a round of this lasts: 40 looks.
_SLICE: Final = 0.025
_LONGER: Final = 40
#: Slices on either side that say how the stream goes without a look.
_BESIDE: Final = 4
#: A count that no producer comes to.
_ENDLESS: Final = -1
#: Seconds between two attempts to reach the telemetry process, and for it to settle.
_LOOK: Final = 0.05
_SETTLE: Final = 0.5


class Slice(NamedTuple):
    """What passed in some milliseconds."""

    nanoseconds: int = 0
    messages: int = 0
    #: CPU time of the actors, and of the telemetry process.
    cpu_ns: int = 0
    telemetry_ns: int = 0


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


def _watch(run: Run, effort: Effort) -> list[Slice]:
    """Return what passed in each slice."""
    _await_page(run.url or "", effort.patience)
    server = run.telemetry_pid
    if server is None:
        message = "the telemetry process has died"
        raise RuntimeError(message)
    pids = [pid for pid in map(run.pid, run.actors) if pid]
    channel = Mapping(run.directory / channel_file(0), read_only=True)
    try:
        marks = []
        for _ in range(int(_LONGER * effort.seconds / _SLICE)):
            taken = channel.words[layout.HEAD]
            marks.append(Slice(time.perf_counter_ns(), taken, sum(map(cpu_ns, pids)), cpu_ns(server)))
            time.sleep(_SLICE)
    finally:
        channel.close()
    return [Slice(*(end - begin for begin, end in zip(*pair, strict=True))) for pair in itertools.pairwise(marks)]


def looked(slices: Sequence[Slice]) -> list[bool]:
    """Tell in which slices telemetry was at work, or may still be felt."""
    at_work = [each.telemetry_ns > 0 for each in slices]
    return [here or before for here, before in zip(at_work, [False, *at_work[:-1]], strict=True)]


def missing(slices: Sequence[Slice]) -> float:
    """Return how many messages more there would have been without a look."""
    disturbed = looked(slices)
    lost = 0.0
    for is_look, group in itertools.groupby(range(len(slices)), disturbed.__getitem__):
        places = list(group)
        near = (*range(places[0] - _BESIDE, places[0]), *range(places[-1] + 1, places[-1] + 1 + _BESIDE))
        beside = _sum(slices[place] for place in near if 0 <= place < len(slices) and not disturbed[place])
        if is_look and beside.nanoseconds:
            here = _sum(slices[place] for place in places)
            lost += beside.messages / beside.nanoseconds * here.nanoseconds - here.messages
    return lost


def _sum(slices: Iterable[Slice]) -> Slice:
    return functools.reduce(lambda one, other: Slice(*map(sum, zip(one, other, strict=True))), slices, Slice())


def _measure(effort: Effort) -> dict[str, Sample]:
    slices: list[Slice] = []

    def watch(run: Run) -> None:
        slices.extend(_watch(run, effort))
        run.request_shutdown()

    graph = SteadyStream(plain(_CAPACITY), sum_up_to).graph(_ENDLESS)
    seen = streamed(run_graph(graph, effort.patience, watch, telemetry=True))
    if seen.checksum != sum_up_to(seen.count):
        message = f"{seen.count} messages with checksum {seen.checksum}"
        raise ValueError(message)
    total = _sum(slices)
    alone = _sum(each for each, disturbed in zip(slices, looked(slices), strict=True) if not disturbed)
    if not total.telemetry_ns or not alone.messages:
        message = "the telemetry process did not look once, or all the time"
        raise ValueError(message)
    seconds = total.nanoseconds / 1e9
    return {
        _ON: Sample(total.messages / seconds, {CPU: total.cpu_ns / 1e9 / total.messages}),
        _OFF: Sample((total.messages + missing(slices)) / seconds, {CPU: alone.cpu_ns / 1e9 / alone.messages}),
    }


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    question = Question(
        name="telemetry",
        title=f"ints one at a time, capacity {_CAPACITY:,}, in slices of one run",
        unit=RATE,
        baseline=_OFF,
        extras=EXTRAS,
        paired=True,
    )
    return [Series(question, _ROWS, _measure)]
