"""Steps: what a message costs, step by step, in nanoseconds.

Each step is timed by itself in a real actor (`benchmarks.turns`), not derived: the loop around it, some
10 ns, is included. The last rows are what the steps are made of.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.experiments.ping_pong import SteadyTrips
from benchmarks.figures import NANOSECONDS
from benchmarks.race import Series
from benchmarks.standings import Question, Sample
from benchmarks.turns import Shape, cost
from steady_mp.memory.doorbell import Doorbell
from steady_mp.memory.fence import fence

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.experiment import Effort, Experiment

_MANY: Final = 200
_TIMES: Final = 2_000
_TRIPS: Final = 200
_TEXT: Final = 4096

_ROWS: Final = {
    "send": "staged, in the middle of a turn",
    "take": "likewise",
    "send and is_running": "a turn each, its commit put off, and every so often the commit of a group",
    "take and is_running": "likewise",
    "send and commit": "a turn each, committed each, with a state of two numbers and a short text",
    "take and commit": "likewise",
    "send and commit, 4 KiB of state": "the same with 4 KiB of text in the state, other ones each time",
    "park and wake": "half a round trip of two actors that sleep in between, one commit each",
    "a doorbell rung and cleared": "two system calls, nobody asleep",
    "a fence": "a private lock released and acquired again",
    "the clock": "time.monotonic()",
    "a word of shared memory stored": "a memoryview of 8-byte words",
    "the loop itself": "for ... in range: part of all rows",
}


def _timed(step: Callable[[], object]) -> float:
    """Return the seconds of a call of `step`: the median of some loops over it."""
    rounds = []
    for _ in range(9):
        begin = time.perf_counter_ns()
        for _ in range(_TIMES):
            step()
        rounds.append((time.perf_counter_ns() - begin) / _TIMES)
    return statistics.median(rounds) / 1e9


def _parts() -> dict[str, float]:
    """Return what the steps are made of, timed in this process."""
    words = memoryview(bytearray(64)).cast("Q")
    with tempfile.TemporaryDirectory(prefix="steady-mp-bench-") as folder:
        path = Path(folder) / "bell"
        Doorbell.create(path)
        bell = Doorbell(path)

        def ring() -> None:
            bell.ring()
            bell.clear()

        rung = _timed(ring)
        bell.close()

    def store() -> None:
        words[0] = 1

    begin = time.perf_counter_ns()
    for _ in range(_TIMES * 9):
        pass
    loop = (time.perf_counter_ns() - begin) / (_TIMES * 9) / 1e9
    return {
        "a doorbell rung and cleared": rung,
        "a fence": _timed(fence),
        "the clock": _timed(time.monotonic),
        "a word of shared memory stored": _timed(store),
        "the loop itself": loop,
    }


def _measure(effort: Effort) -> dict[str, Sample]:
    staged = cost(Shape(ends="not", batch=_MANY), effort)
    put_off = cost(Shape(ends="is_running", batch=_MANY), effort)
    committed = cost(Shape(ends="commit"), effort)
    stated = cost(Shape(ends="commit", text=_TEXT), effort)
    found = {
        "send": staged.send,
        "take": staged.take,
        "send and is_running": put_off.send,
        "take and is_running": put_off.take,
        "send and commit": committed.send,
        "take and commit": committed.take,
        "send and commit, 4 KiB of state": stated.send,
        "park and wake": statistics.median(SteadyTrips(0.0).play(_TRIPS, effort.patience)) / 2 / 1e9,
        **_parts(),
    }
    return {name: Sample(seconds) for name, seconds in found.items()}


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    question = Question(name="steps", title="what a message costs, step by step", unit=NANOSECONDS, ranked=False)
    return [Series(question, _ROWS, _measure)]
